#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>

#include "core/crypto/known_answers/messages.hpp"
#include "core/crypto/known_answers/vectors/aes_gcm.hpp"
#include "core/crypto/known_answers/vectors/hashes.hpp"
#include "host/crypto/entropy/source.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/selftest/table.hpp"

namespace quoin::crypto::selftest {
namespace {

using namespace core::known_answers;
using namespace core::known_answers::hashes_vectors;

using CipherHandle = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContextHandle = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using KdfHandle = Handle<EVP_KDF, EVP_KDF_free>;
using KdfContextHandle = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using RandomHandle = Handle<EVP_RAND, EVP_RAND_free>;
using RandomContextHandle = Handle<EVP_RAND_CTX, EVP_RAND_CTX_free>;

OSSL_PARAM octets(const char* name, Bytes bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
}

OSSL_PARAM text(const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

template <const char* name, const auto& known>
bool digest(const Trial& trial) {
    const DigestHandle algorithm(EVP_MD_fetch(trial.library(), name, nullptr));
    const DigestContextHandle context(EVP_MD_CTX_new());
    std::array<std::uint8_t, known.size()> computed{};
    const bool worked =
        algorithm && context && EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1 &&
        EVP_DigestUpdate(context.get(), kilobyte.data(), kilobyte.size()) == 1 &&
        (EVP_MD_xof(algorithm.get()) == 1
             ? EVP_DigestFinalXOF(context.get(), computed.data(), computed.size()) == 1
             : EVP_DigestFinal_ex(context.get(), computed.data(), nullptr) == 1);
    return worked && trial.gives(computed, known);
}
constexpr char name_sha256[] = "SHA2-256", name_sha384[] = "SHA2-384", name_sha512[] = "SHA2-512",
               name_sha3_256[] = "SHA3-256", name_sha3_512[] = "SHA3-512",
               name_shake256[] = "SHAKE-256";

bool hmac(const Trial& trial) {
    std::array<std::uint8_t, 32> computed{};
    std::size_t size = 0;
    return EVP_Q_mac(trial.library(), "HMAC", nullptr, "SHA2-256", nullptr, kilobyte.data(), 32,
                     kilobyte.data(), kilobyte.size(), computed.data(), computed.size(),
                     &size) != nullptr &&
           trial.gives(computed, hmac_sha256);
}

template <std::size_t Size>
bool derives(const Trial& trial, const char* name, const OSSL_PARAM* parameters,
             const std::array<std::uint8_t, Size>& known) {
    const KdfHandle algorithm(EVP_KDF_fetch(trial.library(), name, nullptr));
    const KdfContextHandle context(algorithm ? EVP_KDF_CTX_new(algorithm.get()) : nullptr);
    std::array<std::uint8_t, Size> computed{};
    return context &&
           EVP_KDF_derive(context.get(), computed.data(), computed.size(), parameters) == 1 &&
           trial.gives(computed, known);
}

bool hkdf(const Trial& trial) {
    const std::array parameters{
        text(OSSL_KDF_PARAM_DIGEST, name_sha256),
        octets(OSSL_KDF_PARAM_KEY, Bytes(kilobyte).first(32)),
        octets(OSSL_KDF_PARAM_INFO, Bytes(kilobyte).first(16)),
        OSSL_PARAM_construct_end(),
    };
    return derives(trial, "HKDF", parameters.data(), hkdf_sha256);
}

// RFC 8448, section 3: the early secret without a key, and what is derived from it.
constexpr auto early_secret =
    hex<32>("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
constexpr auto empty_hash =
    hex<32>("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
constexpr auto derived_secret =
    hex<32>("6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");

bool tls13_kdf(const Trial& trial) {
    const std::array parameters{
        text(OSSL_KDF_PARAM_MODE, "EXPAND_ONLY"),
        text(OSSL_KDF_PARAM_DIGEST, name_sha256),
        octets(OSSL_KDF_PARAM_KEY, early_secret),
        octets(OSSL_KDF_PARAM_PREFIX, bytes_of("tls13 ")),
        octets(OSSL_KDF_PARAM_LABEL, bytes_of("derived")),
        octets(OSSL_KDF_PARAM_DATA, empty_hash),
        OSSL_PARAM_construct_end(),
    };
    return derives(trial, "TLS13-KDF", parameters.data(), derived_secret);
}

// RFC 7914, section 11.
constexpr auto pbkdf2_answer = hex<64>(
    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77"
    "ef317c71b845b1e30bd509112041d3a19783");

bool pbkdf2(const Trial& trial) {
    unsigned iterations = 1;
    int all_sizes = 1;  // SP 800-132's limits, which the vector is below
    const std::array parameters{
        text(OSSL_KDF_PARAM_DIGEST, name_sha256),
        octets(OSSL_KDF_PARAM_PASSWORD, bytes_of("passwd")),
        octets(OSSL_KDF_PARAM_SALT, bytes_of("salt")),
        OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &iterations),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &all_sizes),
        OSSL_PARAM_construct_end(),
    };
    return derives(trial, "PBKDF2", parameters.data(), pbkdf2_answer);
}

// RFC 7914, section 12: the first, of an empty password and an empty salt.
constexpr auto scrypt_answer = hex<64>(
    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f"
    "17e8d3e0fb2e0d3628cf35e20c38d18906");

bool scrypt(const Trial& trial) {
    std::uint64_t n = 16;
    std::uint32_t r = 1, p = 1;
    const std::array parameters{
        octets(OSSL_KDF_PARAM_PASSWORD, bytes_of("")),
        octets(OSSL_KDF_PARAM_SALT, bytes_of("")),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_end(),
    };
    return derives(trial, "SCRYPT", parameters.data(), scrypt_answer);
}

// Both ways, and a wrong tag is refused.
template <std::size_t Size>
bool seals(const Trial& trial, const char* name, Bytes key, Bytes nonce, Bytes associated,
           const std::array<std::uint8_t, Size>& plaintext,
           const std::array<std::uint8_t, Size>& ciphertext, Bytes known_tag) {
    const CipherHandle algorithm(EVP_CIPHER_fetch(trial.library(), name, nullptr));
    const CipherContextHandle context(EVP_CIPHER_CTX_new());
    if (!algorithm || !context) return false;
    const auto run = [&](int encrypt, Bytes from, MutableBytes to) {
        int size = 0;
        return EVP_CipherInit_ex2(context.get(), algorithm.get(), key.data(), nonce.data(), encrypt,
                                  nullptr) == 1 &&
               EVP_CipherUpdate(context.get(), nullptr, &size, associated.data(),
                                static_cast<int>(associated.size())) == 1 &&
               EVP_CipherUpdate(context.get(), to.data(), &size, from.data(),
                                static_cast<int>(from.size())) == 1;
    };
    const auto finish = [&](std::array<std::uint8_t, 16>& tag) {
        int size = 0;
        std::uint8_t nothing[16];
        return EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1 &&
               EVP_CipherFinal_ex(context.get(), nothing, &size) == 1;
    };
    std::array<std::uint8_t, Size> sealed{}, opened{};
    std::array<std::uint8_t, 16> tag{};
    int size = 0;
    std::uint8_t nothing[16];
    if (!run(1, plaintext, sealed) || EVP_CipherFinal_ex(context.get(), nothing, &size) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) != 1 ||
        !trial.gives(sealed, ciphertext) || !trial.gives(tag, known_tag)) {
        return false;
    }
    if (!run(0, ciphertext, opened) || !finish(tag) || !trial.gives(opened, plaintext)) {
        return false;
    }
    tag[0] ^= 1U;
    return run(0, ciphertext, opened) && !finish(tag);
}

bool aes_gcm(const Trial& trial) {
    using namespace aes_gcm_vectors;
    return seals(trial, "AES-256-GCM", key_16, iv, aad, plaintext, ciphertext_16, tag_16);
}

// RFC 8439, section 2.8.2.
constexpr auto chacha_key =
    hex<32>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
constexpr auto chacha_nonce = hex<12>("070000004041424344454647");
constexpr auto chacha_associated = hex<12>("50515253c0c1c2c3c4c5c6c7");
constexpr auto chacha_plaintext = hex<114>(
    "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920"
    "636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c207375"
    "6e73637265656e20776f756c642062652069742e");
constexpr auto chacha_ciphertext = hex<114>(
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da9272"
    "8b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831"
    "d7bc3ff4def08e4b7a9de576d26586cec64b6116");
constexpr auto chacha_tag = hex<16>("1ae10b594f09e26a7e902ecbd0600691");

bool chacha20_poly1305(const Trial& trial) {
    return seals(trial, "ChaCha20-Poly1305", chacha_key, chacha_nonce, chacha_associated,
                 chacha_plaintext, chacha_ciphertext, chacha_tag);
}

// SP 800-38A, F.2.5: the first block.
constexpr auto cbc_key =
    hex<32>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
constexpr auto cbc_iv = hex<16>("000102030405060708090a0b0c0d0e0f");
constexpr auto cbc_plaintext = hex<16>("6bc1bee22e409f96e93d7e117393172a");
constexpr auto cbc_ciphertext = hex<16>("f58c4c04d6e5f1ba779eabfb5f7bfbd6");

bool aes_cbc(const Trial& trial) {
    const CipherHandle algorithm(EVP_CIPHER_fetch(trial.library(), "AES-256-CBC", nullptr));
    const CipherContextHandle context(EVP_CIPHER_CTX_new());
    if (!algorithm || !context) return false;
    const auto gives = [&](int encrypt, Bytes from, Bytes known) {
        std::array<std::uint8_t, 32> computed{};
        int size = 0;
        return EVP_CipherInit_ex2(context.get(), algorithm.get(), cbc_key.data(), cbc_iv.data(),
                                  encrypt, nullptr) == 1 &&
               EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
               EVP_CipherUpdate(context.get(), computed.data(), &size, from.data(),
                                static_cast<int>(from.size())) == 1 &&
               trial.gives(Bytes(computed).first(16), known);
    };
    return gives(1, cbc_plaintext, cbc_ciphertext) && gives(0, cbc_ciphertext, cbc_plaintext);
}

// NIST CAVP, drbgvectors_no_reseed/CTR_DRBG.rsp: [AES-256 no df], no personalization, COUNT = 0.
// The second 64 bytes are the answer.
constexpr auto drbg_entropy = hex<48>(
    "df5d73faa468649edda33b5cca79b0b05600419ccb7a879ddfec9db32ee494e5531b51de16a30f769262474c73"
    "bec010");
constexpr auto drbg_answer = hex<64>(
    "d1c07cd95af8a7f11012c84ce48bb8cb87189e99d40fccb1771c619bdf82ab2280b1dc2f2581f39164f7ac0c510494"
    "b3a43c41b7db17514c87b107ae793e01c5");

bool drbg(const Trial& trial) {
    unsigned strength = 256;
    int derivation_function = 0;
    const std::array seed_parameters{
        octets(OSSL_RAND_PARAM_TEST_ENTROPY, drbg_entropy),
        octets(OSSL_RAND_PARAM_TEST_NONCE, Bytes(drbg_entropy).first(16)),
        OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
        OSSL_PARAM_construct_end(),
    };
    const std::array parameters{
        text(OSSL_DRBG_PARAM_CIPHER, "AES-256-CTR"),
        OSSL_PARAM_construct_int(OSSL_DRBG_PARAM_USE_DF, &derivation_function),
        OSSL_PARAM_construct_end(),
    };
    const RandomHandle source(EVP_RAND_fetch(trial.library(), "TEST-RAND", nullptr));
    const RandomHandle algorithm(EVP_RAND_fetch(trial.library(), "CTR-DRBG", nullptr));
    const RandomContextHandle seed(source ? EVP_RAND_CTX_new(source.get(), nullptr) : nullptr);
    const bool seeded = seed && EVP_RAND_instantiate(seed.get(), strength, 0, nullptr, 0,
                                                     seed_parameters.data()) == 1;
    const RandomContextHandle context(
        algorithm && seeded ? EVP_RAND_CTX_new(algorithm.get(), seed.get()) : nullptr);
    // A null pointer would mean OpenSSL's own.
    const std::uint8_t no_personalization[1] = {};
    std::array<std::uint8_t, 64> computed{};
    const auto draw = [&] {
        return EVP_RAND_generate(context.get(), computed.data(), computed.size(), strength, 0,
                                 nullptr, 0) == 1;
    };
    return context &&
           EVP_RAND_instantiate(context.get(), strength, 0, no_personalization, 0,
                                parameters.data()) == 1 &&
           draw() && draw() && trial.gives(computed, drbg_answer);
}

// The context's generators are seeded by host/crypto/entropy, whose start-up test this runs.
bool entropy_source(const Trial& trial) {
    std::array<std::uint8_t, 32> drawn{};
    return RAND_priv_bytes_ex(trial.library(), drawn.data(), drawn.size(), 256) == 1 &&
           trial.holds(entropy::samples_tested() > entropy::start_up_samples);
}

constexpr SelfTest tests[] = {
    {"SHA-256", When::start, digest<name_sha256, sha256>},
    {"SHA-384", When::start, digest<name_sha384, sha384>},
    {"SHA-512", When::start, digest<name_sha512, sha512>},
    {"SHA3-256", When::start, digest<name_sha3_256, sha3_256>},
    {"SHA3-512", When::start, digest<name_sha3_512, sha3_512>},
    {"SHAKE256", When::start, digest<name_shake256, shake256>},
    {"HMAC-SHA256", When::start, hmac},
    {"HKDF-SHA256", When::start, hkdf},
    {"TLS 1.3 key schedule", When::start, tls13_kdf},
    {"PBKDF2-HMAC-SHA256", When::start, pbkdf2},
    {"scrypt", When::start, scrypt},
    {"AES-256-GCM", When::start, aes_gcm},
    {"ChaCha20-Poly1305", When::start, chacha20_poly1305},
    {"AES-256-CBC", When::start, aes_cbc},
    {"CTR_DRBG", When::start, drbg},
    {"entropy source", When::start, entropy_source},
};

}  // namespace

std::span<const SelfTest> symmetric_tests() { return tests; }

}  // namespace quoin::crypto::selftest
