// The one table of what the provider serves: name, OID, code point in TLS, sizes, security.
// Dispatch tables and TLS capabilities are made of it; nothing else spells these.
//
// Sources: FIPS 203, RFC 9935 (OIDs), RFC 10024 and draft-ietf-tls-mlkem (groups). Names and
// figures are those of OpenSSL's default provider, whose place these take.
#pragma once

#include <array>
#include <cstddef>

#include "core/crypto/hybrid/tls_group.hpp"
#include "core/crypto/ml_kem/ml_kem.hpp"

namespace quoin::provider {

// For property queries: `?provider=quoin` prefers ours.
inline constexpr const char* properties = "provider=quoin";

// A key encapsulation mechanism, and the group of TLS 1.3 that it is.
struct Kem {
    const char* name;
    const char* names;  // aliases and OID, separated by ':'
    const char* group_name;
    unsigned group_id;
    int bits;
    unsigned security_bits;
    std::size_t public_key_size;
    std::size_t private_key_size;
    std::size_t seed_size;  // 0: keys have no seed
    std::size_t ciphertext_size;
    std::size_t shared_secret_size;
};

template <class Set>
consteval Kem ml_kem_row(const char* name, const char* names, const char* group_name,
                         unsigned group_id, int bits, unsigned security_bits) {
    return {name,
            names,
            group_name,
            group_id,
            bits,
            security_bits,
            Set::encapsulation_key_size,
            Set::decapsulation_key_size,
            core::ml_kem::seed_size,
            Set::ciphertext_size,
            core::ml_kem::shared_secret_size};
}

inline constexpr std::array kems = {
    ml_kem_row<core::ml_kem::Set512>("ML-KEM-512",
                                     "ML-KEM-512:MLKEM512:id-alg-ml-kem-512:2.16.840.1.101.3.4.4.1",
                                     "MLKEM512", 0x0200, 512, 128),
    ml_kem_row<core::ml_kem::Set768>("ML-KEM-768",
                                     "ML-KEM-768:MLKEM768:id-alg-ml-kem-768:2.16.840.1.101.3.4.4.2",
                                     "MLKEM768", 0x0201, 768, 192),
    ml_kem_row<core::ml_kem::Set1024>(
        "ML-KEM-1024", "ML-KEM-1024:MLKEM1024:id-alg-ml-kem-1024:2.16.840.1.101.3.4.4.3",
        "MLKEM1024", 0x0202, 1024, 256),
    // Its private key is the two halves' own, ML-KEM's first; bits are ML-KEM's.
    Kem{"X25519MLKEM768", "X25519MLKEM768", "X25519MLKEM768", 0x11EC, 768, 192,
        core::hybrid::tls_group::client_share_size,
        core::ml_kem::Set768::decapsulation_key_size + 32, 0,
        core::hybrid::tls_group::server_share_size, core::hybrid::tls_group::secret_size},
};

template <class Set>
inline constexpr const Kem& ml_kem = kems[Set::k - 2];
inline constexpr const Kem& x25519_ml_kem_768 = kems[3];

}  // namespace quoin::provider
