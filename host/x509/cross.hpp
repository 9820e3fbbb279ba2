// Cross-certificates between two roots of one name (RFC 4210, section 4.4).
//
// Threads: free functions.
#pragma once

#include "host/x509/certificate.hpp"

namespace quoin::x509 {

// The key of root `subject`, certified by root `issuer`, as long as both live: a CA of path length
// 1, held to the site. Self-issued, so it counts for no path length (RFC 5280, section 6.1.4):
// roots of different names are input_invalid.
Result<Certificate> cross_certify(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                                  const Certificate& subject, const std::string& site);

}  // namespace quoin::x509
