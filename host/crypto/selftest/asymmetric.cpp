#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <vector>

#include "core/crypto/known_answers/messages.hpp"
#include "core/crypto/known_answers/vectors/composite.hpp"
#include "core/crypto/known_answers/vectors/curve25519.hpp"
#include "core/crypto/known_answers/vectors/ml_dsa.hpp"
#include "core/crypto/known_answers/vectors/ml_kem.hpp"
#include "core/crypto/known_answers/vectors/slh_dsa_sha2.hpp"
#include "core/crypto/known_answers/vectors/slh_dsa_shake.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/selftest/table.hpp"

namespace quoin::crypto::selftest {
namespace {

using namespace core::known_answers;

using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContextHandle = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using ByteVector = std::vector<std::uint8_t>;

OSSL_PARAM octets(const char* name, Bytes bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
}

KeyContextHandle context_of(const Trial& trial, EVP_PKEY* key) {
    return KeyContextHandle(EVP_PKEY_CTX_new_from_pkey(trial.library(), key, nullptr));
}

KeyHandle key_from(const Trial& trial, const char* type, std::vector<OSSL_PARAM> parameters) {
    parameters.push_back(OSSL_PARAM_construct_end());
    const KeyContextHandle context(EVP_PKEY_CTX_new_from_name(trial.library(), type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data()) != 1) {
        return nullptr;
    }
    return KeyHandle(key);
}

KeyHandle public_key(const Trial& trial, const char* type, Bytes bytes) {
    return KeyHandle(
        EVP_PKEY_new_raw_public_key_ex(trial.library(), type, nullptr, bytes.data(), bytes.size()));
}

KeyHandle private_key(const Trial& trial, const char* type, Bytes bytes) {
    return KeyHandle(EVP_PKEY_new_raw_private_key_ex(trial.library(), type, nullptr, bytes.data(),
                                                     bytes.size()));
}

// Empty: there is none.
ByteVector part_of(const KeyHandle& key, const char* name) {
    std::size_t size = 0;
    if (!key || EVP_PKEY_get_octet_string_param(key.get(), name, nullptr, 0, &size) != 1) return {};
    ByteVector bytes(size);
    if (EVP_PKEY_get_octet_string_param(key.get(), name, bytes.data(), size, &size) != 1) return {};
    return bytes;
}

// The way of host/crypto/key.cpp. `parameters` make it deterministic. Empty: it did not sign.
ByteVector sign(const Trial& trial, const KeyHandle& key, const char* digest, Bytes message,
                const OSSL_PARAM* parameters) {
    const DigestContextHandle state(EVP_MD_CTX_new());
    if (!key || !state ||
        EVP_DigestSignInit_ex(state.get(), nullptr, digest, trial.library(), nullptr, key.get(),
                              parameters) != 1) {
        return {};
    }
    std::size_t size = 0;
    if (EVP_DigestSign(state.get(), nullptr, &size, message.data(), message.size()) != 1) return {};
    ByteVector signature(size);
    if (EVP_DigestSign(state.get(), signature.data(), &size, message.data(), message.size()) != 1) {
        return {};
    }
    signature.resize(size);
    return signature;
}

bool verifies(const Trial& trial, const KeyHandle& key, const char* digest, Bytes message,
              Bytes signature) {
    const DigestContextHandle state(EVP_MD_CTX_new());
    return key && state &&
           EVP_DigestVerifyInit_ex(state.get(), nullptr, digest, trial.library(), nullptr,
                                   key.get(), nullptr) == 1 &&
           EVP_DigestVerify(state.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

// A right signature is taken, and one with a changed byte is not.
bool tells_apart(const Trial& trial, const KeyHandle& key, const char* digest, Bytes message,
                 Bytes signature, std::initializer_list<std::size_t> changed) {
    if (!trial.holds(verifies(trial, key, digest, message, signature))) return false;
    ByteVector wrong(signature.begin(), signature.end());
    for (const std::size_t at : changed) {
        wrong[at] ^= 1U;
        if (verifies(trial, key, digest, message, wrong)) return false;
        wrong[at] ^= 1U;
    }
    return true;
}

const std::array<OSSL_PARAM, 2>& deterministic() {
    static int yes = 1;
    static const std::array parameters{
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &yes),
        OSSL_PARAM_construct_end()};
    return parameters;
}

bool x25519(const Trial& trial) {
    using namespace curve25519_vectors;
    const KeyHandle key = private_key(trial, "X25519", private_a);
    const KeyHandle peer = public_key(trial, "X25519", x25519_public_b);
    const KeyContextHandle context = key ? context_of(trial, key.get()) : nullptr;
    std::array<std::uint8_t, 32> computed{};
    std::size_t size = computed.size();
    return context && peer && EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
           EVP_PKEY_derive(context.get(), computed.data(), &size) == 1 &&
           trial.gives(part_of(key, OSSL_PKEY_PARAM_PUB_KEY), x25519_public_a) &&
           trial.gives(computed, shared);
}

bool ed25519(const Trial& trial) {
    using namespace curve25519_vectors;
    const KeyHandle key = private_key(trial, "ED25519", private_a);
    return trial.gives(sign(trial, key, nullptr, kilobyte, nullptr), signature) &&
           tells_apart(trial, public_key(trial, "ED25519", ed25519_public_a), nullptr, kilobyte,
                       signature, {0, 32});
}

// RFC 6979, A.2.5: SHA-256, "sample".
constexpr auto p256_public = hex<65>(
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628"
    "bc64f2f1b20c2d7e9f5177a3c294d4462299");
constexpr auto p256_private =
    hex<32>("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
constexpr auto p256_signature = hex<72>(
    "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c"
    "41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");

bool ecdsa_p256(const Trial& trial) {
    ByteVector little_endian(p256_private.rbegin(), p256_private.rend());
    unsigned nonce_of_rfc_6979 = 1;
    const std::array parameters{
        OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &nonce_of_rfc_6979),
        OSSL_PARAM_construct_end()};
    const KeyHandle key =
        key_from(trial, "EC",
                 {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                   const_cast<char*>("P-256"), 0),
                  octets(OSSL_PKEY_PARAM_PUB_KEY, p256_public),
                  OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, little_endian.data(),
                                          little_endian.size())});
    const Bytes message = bytes_of("sample");
    return trial.gives(sign(trial, key, "SHA256", message, parameters.data()), p256_signature) &&
           tells_apart(trial, key, "SHA256", message, p256_signature, {10, 71});
}

// FIPS 204: key generation, signing, verification.
template <const char* type, const auto& seed, const auto& expected_key, const auto& expected>
bool ml_dsa(const Trial& trial) {
    const KeyHandle key = key_from(trial, type, {octets(OSSL_PKEY_PARAM_ML_DSA_SEED, seed)});
    return trial.gives(part_of(key, OSSL_PKEY_PARAM_PUB_KEY), expected_key) &&
           trial.gives(sign(trial, key, nullptr, ml_dsa_vectors::message, deterministic().data()),
                       expected) &&
           tells_apart(trial, public_key(trial, type, expected_key), nullptr,
                       ml_dsa_vectors::message, expected, {0});
}
constexpr char ml_dsa_44_name[] = "ML-DSA-44", ml_dsa_65_name[] = "ML-DSA-65",
               ml_dsa_87_name[] = "ML-DSA-87";

// Both halves have vectors of their own above; those of the composite are for verification. Signing
// with it is held against that.
template <const char* type, const auto& known_key, const auto& known_signature>
bool composite(const Trial& trial) {
    using namespace composite_vectors;
    if (!tells_apart(trial, public_key(trial, type, known_key), nullptr, message, known_signature,
                     {0, known_signature.size() - 64})) {
        return false;
    }
    const ByteVector seed(64, 7);
    const KeyHandle key = private_key(trial, type, seed);
    const ByteVector signature = sign(trial, key, nullptr, message, deterministic().data());
    return signature.size() == known_signature.size() &&
           tells_apart(trial, key, nullptr, message, signature, {0, signature.size() - 64});
}
constexpr char composite_44_name[] = "id-MLDSA44-Ed25519-SHA512",
               composite_65_name[] = "id-MLDSA65-Ed25519-SHA512";

template <const char* type, const auto& message, const auto& key, const auto& signature>
bool slh_dsa_verify(const Trial& trial) {
    return tells_apart(trial, public_key(trial, type, key), nullptr, message, signature,
                       {signature.size() - 1});
}

template <const char* type, const auto& message, const auto& secret, const auto& signature>
bool slh_dsa_sign(const Trial& trial) {
    const KeyHandle key = private_key(trial, type, secret);
    return trial.gives(sign(trial, key, nullptr, message, deterministic().data()), signature) &&
           tells_apart(trial, key, nullptr, message, signature, {signature.size() - 1});
}
constexpr char slh_dsa_sha2_128s_name[] = "SLH-DSA-SHA2-128s";
constexpr char slh_dsa_sha2_128f_name[] = "SLH-DSA-SHA2-128f";
constexpr char slh_dsa_sha2_192s_name[] = "SLH-DSA-SHA2-192s";
constexpr char slh_dsa_sha2_192f_name[] = "SLH-DSA-SHA2-192f";
constexpr char slh_dsa_sha2_256s_name[] = "SLH-DSA-SHA2-256s";
constexpr char slh_dsa_sha2_256f_name[] = "SLH-DSA-SHA2-256f";
constexpr char slh_dsa_shake_128s_name[] = "SLH-DSA-SHAKE-128s";
constexpr char slh_dsa_shake_128f_name[] = "SLH-DSA-SHAKE-128f";
constexpr char slh_dsa_shake_192s_name[] = "SLH-DSA-SHAKE-192s";
constexpr char slh_dsa_shake_192f_name[] = "SLH-DSA-SHAKE-192f";
constexpr char slh_dsa_shake_256s_name[] = "SLH-DSA-SHAKE-256s";
constexpr char slh_dsa_shake_256f_name[] = "SLH-DSA-SHAKE-256f";

// As the vectors have it: the first 16 bytes of SHAKE256.
bool hashes_to(const Trial& trial, Bytes bytes, Bytes known) {
    const DigestHandle shake(EVP_MD_fetch(trial.library(), "SHAKE-256", nullptr));
    const DigestContextHandle context(EVP_MD_CTX_new());
    std::array<std::uint8_t, 16> computed{};
    return shake && context && EVP_DigestInit_ex2(context.get(), shake.get(), nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
           EVP_DigestFinalXOF(context.get(), computed.data(), computed.size()) == 1 &&
           trial.gives(computed, known);
}

struct Encapsulated {
    ByteVector ciphertext;
    ByteVector secret;
};

// Empty: it did not work. `random`: of ML-KEM, null for its own.
Encapsulated encapsulate(const Trial& trial, const KeyHandle& key, Bytes random) {
    const KeyContextHandle context = key ? context_of(trial, key.get()) : nullptr;
    const std::array parameters{octets(OSSL_KEM_PARAM_IKME, random), OSSL_PARAM_construct_end()};
    std::size_t size = 0;
    std::size_t secret_size = 0;
    if (!context ||
        EVP_PKEY_encapsulate_init(context.get(), random.empty() ? nullptr : parameters.data()) !=
            1 ||
        EVP_PKEY_encapsulate(context.get(), nullptr, &size, nullptr, &secret_size) != 1) {
        return {};
    }
    Encapsulated made{ByteVector(size), ByteVector(secret_size)};
    if (EVP_PKEY_encapsulate(context.get(), made.ciphertext.data(), &size, made.secret.data(),
                             &secret_size) != 1) {
        return {};
    }
    return made;
}

ByteVector decapsulate(const Trial& trial, const KeyHandle& key, Bytes ciphertext) {
    const KeyContextHandle context = key ? context_of(trial, key.get()) : nullptr;
    std::size_t size = 0;
    if (!context || EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
        EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data(), ciphertext.size()) !=
            1) {
        return {};
    }
    ByteVector secret(size);
    if (EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(),
                             ciphertext.size()) != 1) {
        return {};
    }
    return secret;
}

// FIPS 203: key generation, encapsulation, decapsulation, implicit rejection.
template <const char* type, const auto& seed, const auto& random, const auto& public_hash,
          const auto& private_hash, const auto& ciphertext_hash, const auto& secret,
          const auto& rejected_ciphertext, const auto& rejected_secret>
bool ml_kem(const Trial& trial) {
    const KeyHandle key = key_from(trial, type, {octets(OSSL_PKEY_PARAM_ML_KEM_SEED, seed)});
    if (!hashes_to(trial, part_of(key, OSSL_PKEY_PARAM_PUB_KEY), public_hash) ||
        !hashes_to(trial, part_of(key, OSSL_PKEY_PARAM_PRIV_KEY), private_hash)) {
        return false;
    }
    const Encapsulated made = encapsulate(trial, key, random);
    return trial.gives(made.secret, secret) && hashes_to(trial, made.ciphertext, ciphertext_hash) &&
           trial.gives(decapsulate(trial, key, made.ciphertext), secret) &&
           trial.gives(decapsulate(trial, key, rejected_ciphertext), rejected_secret);
}
constexpr char ml_kem_512_name[] = "ML-KEM-512", ml_kem_768_name[] = "ML-KEM-768",
               ml_kem_1024_name[] = "ML-KEM-1024";

ByteVector joined(Bytes first, Bytes second) {
    ByteVector both(first.begin(), first.end());
    both.insert(both.end(), second.begin(), second.end());
    return both;
}

// RFC 10024 puts the halves beside each other, so that the vectors of the halves are its vectors:
// a wrong answer of either is a wrong answer here.
bool x25519_ml_kem_768(const Trial& trial) {
    using namespace ml_kem_vectors;
    using namespace curve25519_vectors;
    constexpr const char* type = "X25519MLKEM768";
    const KeyHandle half =
        key_from(trial, ml_kem_768_name, {octets(OSSL_PKEY_PARAM_ML_KEM_SEED, seed_768)});
    const Encapsulated answer = encapsulate(trial, half, message_768);
    const ByteVector own_private = joined(part_of(half, OSSL_PKEY_PARAM_PRIV_KEY), private_a);
    const ByteVector own_public = joined(part_of(half, OSSL_PKEY_PARAM_PUB_KEY), x25519_public_a);
    const KeyHandle key = key_from(trial, type,
                                   {octets(OSSL_PKEY_PARAM_PRIV_KEY, own_private),
                                    octets(OSSL_PKEY_PARAM_PUB_KEY, own_public)});
    if (!trial.gives(decapsulate(trial, key, joined(answer.ciphertext, x25519_public_b)),
                     joined(secret_768, shared))) {
        return false;
    }
    const Encapsulated fresh = encapsulate(trial, key, {});
    return fresh.secret.size() == 64 &&
           trial.gives(decapsulate(trial, key, fresh.ciphertext), fresh.secret);
}

using namespace ml_kem_vectors;
using namespace ml_dsa_vectors;
namespace sha2 = slh_dsa_sha2_vectors;
namespace shake = slh_dsa_shake_vectors;
namespace pair = composite_vectors;

constexpr SelfTest tests[] = {
    {"X25519", When::start, x25519},
    {"ML-KEM-512", When::start,
     ml_kem<ml_kem_512_name, seed_512, message_512, encapsulation_key_hash_512,
            decapsulation_key_hash_512, ciphertext_hash_512, secret_512, rejected_ciphertext_512,
            rejected_secret_512>},
    {"ML-KEM-768", When::start,
     ml_kem<ml_kem_768_name, seed_768, message_768, encapsulation_key_hash_768,
            decapsulation_key_hash_768, ciphertext_hash_768, secret_768, rejected_ciphertext_768,
            rejected_secret_768>},
    {"ML-KEM-1024", When::start,
     ml_kem<ml_kem_1024_name, seed_1024, message_1024, encapsulation_key_hash_1024,
            decapsulation_key_hash_1024, ciphertext_hash_1024, secret_1024,
            rejected_ciphertext_1024, rejected_secret_1024>},
    {"X25519MLKEM768", When::start, x25519_ml_kem_768},
    {"Ed25519", When::start, ed25519},
    {"ECDSA-P256", When::start, ecdsa_p256},
    {"ML-DSA-44", When::start, ml_dsa<ml_dsa_44_name, seed_44, public_key_44, signature_44>},
    {"ML-DSA-65", When::start, ml_dsa<ml_dsa_65_name, seed_65, public_key_65, signature_65>},
    {"ML-DSA-87", When::start, ml_dsa<ml_dsa_87_name, seed_87, public_key_87, signature_87>},
    {"ML-DSA-44+Ed25519", When::start_with_quoin,
     composite<composite_44_name, pair::public_key_44, pair::signature_44>},
    {"ML-DSA-65+Ed25519", When::start_with_quoin,
     composite<composite_65_name, pair::public_key_65, pair::signature_65>},
    {"SLH-DSA-SHA2-128s verify", When::start,
     slh_dsa_verify<slh_dsa_sha2_128s_name, sha2::message, sha2::public_key_sha2_128s,
                    sha2::signature_sha2_128s>},
    {"SLH-DSA-SHAKE-128f verify", When::start,
     slh_dsa_verify<slh_dsa_shake_128f_name, shake::message, shake::public_key_shake_128f,
                    shake::signature_shake_128f>},
    {"SLH-DSA-SHA2-128s sign", When::first_use,
     slh_dsa_sign<slh_dsa_sha2_128s_name, sha2::message, sha2::private_key_sha2_128s,
                  sha2::signature_sha2_128s>},
    {"SLH-DSA-SHA2-128f sign", When::first_use,
     slh_dsa_sign<slh_dsa_sha2_128f_name, sha2::message, sha2::private_key_sha2_128f,
                  sha2::signature_sha2_128f>},
    {"SLH-DSA-SHA2-192s sign", When::first_use,
     slh_dsa_sign<slh_dsa_sha2_192s_name, sha2::message, sha2::private_key_sha2_192s,
                  sha2::signature_sha2_192s>},
    {"SLH-DSA-SHA2-192f sign", When::first_use,
     slh_dsa_sign<slh_dsa_sha2_192f_name, sha2::message, sha2::private_key_sha2_192f,
                  sha2::signature_sha2_192f>},
    {"SLH-DSA-SHA2-256s sign", When::first_use,
     slh_dsa_sign<slh_dsa_sha2_256s_name, sha2::message, sha2::private_key_sha2_256s,
                  sha2::signature_sha2_256s>},
    {"SLH-DSA-SHA2-256f sign", When::first_use,
     slh_dsa_sign<slh_dsa_sha2_256f_name, sha2::message, sha2::private_key_sha2_256f,
                  sha2::signature_sha2_256f>},
    {"SLH-DSA-SHAKE-128s sign", When::first_use,
     slh_dsa_sign<slh_dsa_shake_128s_name, shake::message, shake::private_key_shake_128s,
                  shake::signature_shake_128s>},
    {"SLH-DSA-SHAKE-128f sign", When::first_use,
     slh_dsa_sign<slh_dsa_shake_128f_name, shake::message, shake::private_key_shake_128f,
                  shake::signature_shake_128f>},
    {"SLH-DSA-SHAKE-192s sign", When::first_use,
     slh_dsa_sign<slh_dsa_shake_192s_name, shake::message, shake::private_key_shake_192s,
                  shake::signature_shake_192s>},
    {"SLH-DSA-SHAKE-192f sign", When::first_use,
     slh_dsa_sign<slh_dsa_shake_192f_name, shake::message, shake::private_key_shake_192f,
                  shake::signature_shake_192f>},
    {"SLH-DSA-SHAKE-256s sign", When::first_use,
     slh_dsa_sign<slh_dsa_shake_256s_name, shake::message, shake::private_key_shake_256s,
                  shake::signature_shake_256s>},
    {"SLH-DSA-SHAKE-256f sign", When::first_use,
     slh_dsa_sign<slh_dsa_shake_256f_name, shake::message, shake::private_key_shake_256f,
                  shake::signature_shake_256f>},
};

}  // namespace

std::span<const SelfTest> asymmetric_tests() { return tests; }

}  // namespace quoin::crypto::selftest
