// Certificates between two roots of one name (RFC 4210, section 4.4): one leads who trusts the
// former root to its successor, the other tells who trusts the successor which root there was.
//
// They are not alike. Whoever migrates does it because the former root's key may be broken: with a
// CA certificate over that key (RFC 4210's OldWithNew) its breaker would be let in by all who trust
// the successor only. So that one is no CA, and no chain goes over it.
//
// Both end no later than both roots. Roots of different names are input_invalid.
// Threads: free functions.
#pragma once

#include "host/x509/certificate.hpp"

namespace quoin::x509 {

// NewWithOld: the key of `successor`, by root `issuer`: a CA of path length 1, held to the site.
// Self-issued, so it counts for no path length (RFC 5280, section 6.1.4).
Result<Certificate> certify_successor(const crypto::PrivateKey& issuer_key,
                                      const Certificate& issuer, const Certificate& successor,
                                      const std::string& site);
// The key of `former`, by root `issuer`: for former_roots.hpp.
Result<Certificate> certify_former(const crypto::PrivateKey& issuer_key, const Certificate& issuer,
                                   const Certificate& former);

}  // namespace quoin::x509
