// CSR attributes of EST: what a server would have in a request, by object identifier.
//
//   CsrAttrs ::= SEQUENCE SIZE (0..MAX) OF AttrOrOID      an OID, or an Attribute with values
//
// Source: RFC 7030, section 4.5; RFC 9908. Threads: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/crypto/crypto.hpp"

namespace quoin::x509 {

inline constexpr std::size_t max_csr_attributes_size = 8U << 10U;
inline constexpr std::size_t max_csr_attributes = 64;
// RFC 7030, section 3.5: the request must be bound to the TLS connection.
inline constexpr std::string_view challenge_password_oid = "1.2.840.113549.1.9.7";

// Of dotted object identifiers.
Result<crypto::ByteVector> csr_attributes_der(std::span<const std::string_view> oids);
// The object identifiers that stand alone, in their order. Attributes with values must have the
// form of one, and are left out: nothing here asks for one. peer_malformed, peer_oversize.
Result<std::vector<std::string>> csr_attributes_from_der(Bytes der);

}  // namespace quoin::x509
