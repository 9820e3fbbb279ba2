// OpenSSL's side of a comparison: keys made from bytes, and one call for each operation.
//
// What fails here is a bug, or an OpenSSL that lacks the algorithm: it ends the program.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/crypto/handles.hpp"

namespace quoin::crypto::measure {

using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContextHandle = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using CipherContextHandle = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

class PeerKey {
public:
    // ML-KEM, ML-DSA: from the seed of FIPS 203 and 204. SLH-DSA: sk.seed, sk.prf, pk.seed.
    static PeerKey from_seed(const char* algorithm, Bytes seed);
    // With randomness of its own.
    static PeerKey fresh(const char* algorithm);
    // X25519, Ed25519.
    static PeerKey from_private(const char* algorithm, Bytes key);
    static PeerKey from_public(const char* algorithm, Bytes key);

    // Without `random`: OpenSSL draws it.
    void encapsulate(MutableBytes ciphertext, MutableBytes secret) const;
    void encapsulate(Bytes random, MutableBytes ciphertext, MutableBytes secret) const;
    void decapsulate(Bytes ciphertext, MutableBytes secret) const;
    // Without randomness, where there is a choice.
    void sign(Bytes message, MutableBytes signature) const;
    void verify(Bytes message, Bytes signature) const;
    void derive(const PeerKey& peer, MutableBytes secret) const;
    std::vector<std::uint8_t> public_key() const;

private:
    explicit PeerKey(EVP_PKEY* key, bool deterministic);
    void encapsulate_with(const OSSL_PARAM* parameters, MutableBytes ciphertext,
                          MutableBytes secret) const;

    KeyHandle key_;
    KeyContextHandle context_;
    Handle<EVP_SIGNATURE, EVP_SIGNATURE_free> algorithm_;
};

// A digest or an XOF, fetched once.
class PeerHash {
public:
    explicit PeerHash(const char* name, bool is_xof = false);
    void operator()(Bytes message, MutableBytes digest) const;

private:
    Handle<EVP_MD, EVP_MD_free> algorithm_;
    DigestContextHandle context_;
    bool is_xof_;
};

class PeerGcm {
public:
    explicit PeerGcm(Bytes key);
    void seal(Bytes iv, Bytes plaintext, MutableBytes ciphertext, MutableBytes tag) const;

private:
    CipherContextHandle context_;
};

}  // namespace quoin::crypto::measure
