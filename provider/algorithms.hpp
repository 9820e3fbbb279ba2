// The one table of what the provider serves: name, OID, code point in TLS, sizes, security.
// Dispatch tables and TLS capabilities are made of it; nothing else spells these.
//
// Sources: FIPS 203, RFC 9935 (OIDs), RFC 10024 and draft-ietf-tls-mlkem (groups). Names and
// figures are those of OpenSSL's default provider, whose place these take.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "core/crypto/hybrid/tls_group.hpp"
#include "core/crypto/ml_dsa/set.hpp"
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

// A signature algorithm, and the signature scheme of TLS 1.3 that it is. Sources: RFC 9881,
// draft-ietf-tls-mldsa; draft-ietf-lamps-pq-composite-sigs-19, draft-reddy-tls-composite-mldsa.
struct SignatureRow {
    const char* name;   // the algorithm, its key type, and its object identifier's
    const char* names;  // aliases and OID, separated by ':'
    const char* oid;
    std::string_view algorithm_id;  // AlgorithmIdentifier, DER: parameters are absent
    const char* tls_name;
    unsigned tls_code_point;
    // What sets it (settings.hpp) while IANA has assigned none: tls_code_point is the default then.
    // Null: assigned.
    const char* code_point_setting;
    const char* code_point_variable;
    unsigned security_bits;
};

inline constexpr std::array ml_dsas = {
    SignatureRow{"ML-DSA-44",
                 "ML-DSA-44:MLDSA44:2.16.840.1.101.3.4.3.17:id-ml-dsa-44",
                 "2.16.840.1.101.3.4.3.17",
                 {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11", 13},
                 "mldsa44",
                 0x0904,
                 nullptr,
                 nullptr,
                 128},
    SignatureRow{"ML-DSA-65",
                 "ML-DSA-65:MLDSA65:2.16.840.1.101.3.4.3.18:id-ml-dsa-65",
                 "2.16.840.1.101.3.4.3.18",
                 {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12", 13},
                 "mldsa65",
                 0x0905,
                 nullptr,
                 nullptr,
                 192},
    SignatureRow{"ML-DSA-87",
                 "ML-DSA-87:MLDSA87:2.16.840.1.101.3.4.3.19:id-ml-dsa-87",
                 "2.16.840.1.101.3.4.3.19",
                 {"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13", 13},
                 "mldsa87",
                 0x0906,
                 nullptr,
                 nullptr,
                 256},
};

inline constexpr std::array composites = {
    SignatureRow{"id-MLDSA44-Ed25519-SHA512",
                 "id-MLDSA44-Ed25519-SHA512:MLDSA44-Ed25519:1.3.6.1.5.5.7.6.39",
                 "1.3.6.1.5.5.7.6.39",
                 {"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x27", 12},
                 "mldsa44_ed25519",
                 0x090a,
                 "composite44-code-point",
                 "QUOIN_COMPOSITE44_CODE_POINT",
                 128},
    SignatureRow{"id-MLDSA65-Ed25519-SHA512",
                 "id-MLDSA65-Ed25519-SHA512:MLDSA65-Ed25519:1.3.6.1.5.5.7.6.48",
                 "1.3.6.1.5.5.7.6.48",
                 {"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x06\x30", 12},
                 "mldsa65_ed25519",
                 0x090b,
                 "composite65-code-point",
                 "QUOIN_COMPOSITE65_CODE_POINT",
                 192},
};

// Of the composites, as configured.
using CodePoints = std::array<unsigned, composites.size()>;

template <class Set>
inline constexpr const SignatureRow& ml_dsa_row = ml_dsas[Set::k == 4   ? 0
                                                          : Set::k == 6 ? 1
                                                                        : 2];
template <class Algorithm>
inline constexpr const SignatureRow& composite_row = composites[Algorithm::Set::k == 4 ? 0 : 1];

}  // namespace quoin::provider
