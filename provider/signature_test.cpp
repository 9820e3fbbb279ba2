// Our ML-DSA beside the default provider's, and the composites, through EVP: the same bytes, the
// same refusals, both ways.
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/proverr.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "provider/fixture.hpp"

namespace quoin::provider::test {
namespace {

using Digest = Owner<EVP_MD_CTX, EVP_MD_CTX_free>;
using Algorithm = Owner<EVP_SIGNATURE, EVP_SIGNATURE_free>;

constexpr const char* ml_dsas[] = {"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"};
constexpr const char* composites[] = {"id-MLDSA44-Ed25519-SHA512", "id-MLDSA65-Ed25519-SHA512"};

// Parameters of one operation.
class Options {
public:
    Options& number(const char* name, int value) {
        numbers_.push_back(std::make_unique<int>(value));
        all_.push_back(OSSL_PARAM_construct_int(name, numbers_.back().get()));
        return *this;
    }
    Options& bytes(const char* name, Octets value) {
        octets_.push_back(std::make_unique<Octets>(std::move(value)));
        all_.push_back(OSSL_PARAM_construct_octet_string(name, octets_.back()->data(),
                                                         octets_.back()->size()));
        return *this;
    }
    const OSSL_PARAM* get() {
        all_.push_back(OSSL_PARAM_construct_end());
        return all_.data();
    }

private:
    std::vector<std::unique_ptr<int>> numbers_;
    std::vector<std::unique_ptr<Octets>> octets_;
    std::vector<OSSL_PARAM> all_;
};

// Empty if refused.
Octets sign(const Library& library, const Key& key, const Octets& message, Options options = {}) {
    const Digest context(EVP_MD_CTX_new());
    Octets signature(5000);
    std::size_t size = signature.size();
    if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, library, nullptr, key.get(),
                              options.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) !=
            1) {
        return {};
    }
    signature.resize(size);
    return signature;
}

bool verify(const Library& library, const Key& key, const Octets& message, const Octets& signature,
            Options options = {}) {
    const Digest context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, library, nullptr, key.get(),
                                   options.get()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

class signatures : public testing::Test {
protected:
    void TearDown() override { ERR_clear_error(); }
    const Library ours = Library::ours();
    const Library theirs = Library::theirs();
};

Key seeded(const Library& library, const char* name, std::uint8_t first = 1) {
    return import_key(library, name, {{"seed", pattern(32, first)}});
}

Options deterministic() {
    return std::move(Options().number(OSSL_SIGNATURE_PARAM_DETERMINISTIC, 1));
}

TEST_F(signatures, keys__of_one_seed__all_parts_the_same) {
    for (const char* const name : ml_dsas) {
        const Key mine = seeded(ours, name), other = seeded(theirs, name);
        ASSERT_EQ(provider_of(mine.get()), "quoin");
        ASSERT_EQ(provider_of(other.get()), "default");
        for (const char* const what : {"seed", "priv", "pub"}) {
            EXPECT_FALSE(part(mine, what).empty());
            EXPECT_EQ(part(mine, what), part(other, what)) << name << " " << what;
        }
        EXPECT_EQ(EVP_PKEY_get_bits(mine.get()), EVP_PKEY_get_bits(other.get()));
        EXPECT_EQ(EVP_PKEY_get_security_bits(mine.get()), EVP_PKEY_get_security_bits(other.get()));
        EXPECT_EQ(EVP_PKEY_get_size(mine.get()), EVP_PKEY_get_size(other.get()));
        char digest[20] = "?";
        EXPECT_EQ(EVP_PKEY_get_default_digest_name(mine.get(), digest, sizeof digest), 2);
        EXPECT_EQ(std::string_view(digest), "UNDEF");
    }
}

TEST_F(signatures, keys__private_without_seed__as_with_it) {
    for (const char* const name : ml_dsas) {
        const Key seed = seeded(ours, name);
        Octets priv = part(seed, "priv");
        const Key expanded = import_key(ours, name, {{"priv", priv}});
        ASSERT_NE(expanded, nullptr) << queued_errors();
        EXPECT_TRUE(part(expanded, "seed").empty());
        EXPECT_EQ(part(expanded, "pub"), part(seed, "pub"));
        EXPECT_EQ(sign(ours, expanded, {1}, deterministic()),
                  sign(ours, seed, {1}, deterministic()));
        const Key copy(EVP_PKEY_dup(expanded.get()));
        EXPECT_EQ(sign(ours, copy, {1}, deterministic()), sign(ours, seed, {1}, deterministic()));
        priv[70] ^= 1;  // tr: of no public key that belongs to it
        EXPECT_EQ(import_key(ours, name, {{"priv", priv}}), nullptr);
    }
}

TEST_F(signatures, import__parts_that_disagree_or_of_wrong_length__refused_by_both) {
    for (const char* const name : ml_dsas) {
        const Key key = seeded(ours, name), other = seeded(ours, name, 9);
        const Octets seed = part(key, "seed"), pub = part(key, "pub");
        Octets longer = pub, shorter = pub;
        longer.push_back(0);
        shorter.pop_back();
        for (const Library* const library : {&ours, &theirs}) {
            const auto import = [&](std::vector<Part> parts) {
                return import_key(*library, name, std::move(parts)) != nullptr;
            };
            EXPECT_TRUE(import({{"seed", seed}, {"pub", pub}, {"priv", part(key, "priv")}}));
            EXPECT_FALSE(import({{"seed", seed}, {"pub", part(other, "pub")}}));
            EXPECT_FALSE(import({{"seed", seed}, {"priv", part(other, "priv")}}));
            EXPECT_FALSE(import({{"priv", part(key, "priv")}, {"pub", part(other, "pub")}}));
            EXPECT_FALSE(import({{"seed", pattern(31)}}));
            EXPECT_FALSE(import({{"pub", longer}}));
            EXPECT_FALSE(import({{"pub", shorter}}));
            EXPECT_FALSE(import({}));
        }
    }
}

TEST_F(signatures, sign__deterministic__the_same_bytes_with_every_option) {
    for (const char* const name : ml_dsas) {
        const Key mine = seeded(ours, name), other = seeded(theirs, name);
        const auto each = [&](const char* what, const Octets& message, auto options) {
            const Octets signature = sign(ours, mine, message, options());
            ASSERT_FALSE(signature.empty()) << what << queued_errors();
            EXPECT_EQ(signature, sign(theirs, other, message, options())) << name << " " << what;
            auto for_verifier = options;
            EXPECT_TRUE(verify(ours, mine, message, signature, for_verifier())) << what;
            EXPECT_TRUE(verify(theirs, other, message, signature, for_verifier())) << what;
            Octets damaged = signature;
            damaged[40] ^= 1;
            EXPECT_FALSE(verify(ours, mine, message, damaged, for_verifier())) << what;
            damaged.push_back(0);
            EXPECT_FALSE(verify(ours, mine, message, damaged, for_verifier())) << what;
        };
        each("plain", pattern(300), deterministic);
        each("empty", {}, deterministic);
        each("context", pattern(3), [] {
            return std::move(
                deterministic().bytes(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, pattern(255)));
        });
        each("raw", pattern(99), [] {
            return std::move(deterministic().number(OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING, 0));
        });
        each("mu", pattern(64),
             [] { return std::move(deterministic().number(OSSL_SIGNATURE_PARAM_MU, 1)); });
        each("test entropy", pattern(5), [] {
            return std::move(Options().bytes(OSSL_SIGNATURE_PARAM_TEST_ENTROPY, pattern(32, 8)));
        });
    }
}

TEST_F(signatures, options__wrong__refused_by_both) {
    for (const char* const name : ml_dsas) {
        for (const Library* const library : {&ours, &theirs}) {
            const Key key = seeded(*library, name);
            EXPECT_TRUE(
                sign(*library, key, {1},
                     std::move(Options().bytes(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, pattern(256))))
                    .empty());
            EXPECT_TRUE(
                sign(*library, key, {1},
                     std::move(Options().bytes(OSSL_SIGNATURE_PARAM_TEST_ENTROPY, pattern(31))))
                    .empty());
            EXPECT_TRUE(sign(*library, key, pattern(63),
                             std::move(Options().number(OSSL_SIGNATURE_PARAM_MU, 1)))
                            .empty());
            const Key public_only =
                import_key(*library, name, {{"pub", part(key, "pub")}}, EVP_PKEY_PUBLIC_KEY);
            EXPECT_TRUE(sign(*library, public_only, {1}).empty());
        }
    }
}

// EVP_PKEY_sign_message_init and its like: whole, and in parts.
TEST_F(signatures, messages__in_parts__as_whole) {
    for (const char* const name : ml_dsas) {
        const Key mine = seeded(ours, name), other = seeded(theirs, name);
        const Octets message = pattern(1000);
        const Octets whole = sign(theirs, other, message, deterministic());
        const Algorithm algorithm(EVP_SIGNATURE_fetch(ours, name, nullptr));
        Options options = deterministic();
        const KeyContext signing(EVP_PKEY_CTX_new_from_pkey(ours, mine.get(), nullptr));
        ASSERT_EQ(EVP_PKEY_sign_message_init(signing.get(), algorithm.get(), options.get()), 1);
        Octets signature(whole.size());
        std::size_t size = signature.size();
        ASSERT_EQ(EVP_PKEY_sign_message_update(signing.get(), message.data(), 300), 1);
        ASSERT_EQ(EVP_PKEY_sign_message_update(signing.get(), message.data() + 300, 700), 1);
        ASSERT_EQ(EVP_PKEY_sign_message_final(signing.get(), signature.data(), &size), 1);
        EXPECT_EQ(signature, whole);
        for (const bool sound : {true, false}) {
            signature[100] = static_cast<std::uint8_t>(whole[100] ^ (sound ? 0 : 1));
            const KeyContext verifying(EVP_PKEY_CTX_new_from_pkey(ours, mine.get(), nullptr));
            ASSERT_EQ(EVP_PKEY_verify_message_init(verifying.get(), algorithm.get(), nullptr), 1);
            ASSERT_EQ(EVP_PKEY_CTX_set_signature(verifying.get(), signature.data(), size), 1);
            ASSERT_EQ(EVP_PKEY_verify_message_update(verifying.get(), message.data(), 1000), 1);
            EXPECT_EQ(EVP_PKEY_verify_message_final(verifying.get()), sound ? 1 : 0);
        }
    }
}

TEST_F(signatures, composites__halves__both_count) {
    for (const char* const name : composites) {
        const Key key = generate(ours, name);
        const Octets message = pattern(200), signature = sign(ours, key, message);
        ASSERT_FALSE(signature.empty()) << queued_errors();
        EXPECT_TRUE(verify(ours, key, message, signature));
        EXPECT_NE(signature, sign(ours, key, message));  // hedged
        const Octets other = sign(ours, generate(ours, name), message);
        const auto refused = [&](Octets wrong) { return !verify(ours, key, message, wrong); };
        const auto curve = signature.end() - 64;
        Octets swapped(curve, signature.end());
        swapped.insert(swapped.end(), signature.begin(), curve);
        EXPECT_TRUE(refused(swapped));
        Octets wrong_curve = signature, wrong_lattice = other;
        std::copy(other.end() - 64, other.end(), wrong_curve.end() - 64);
        std::copy(curve, signature.end(), wrong_lattice.end() - 64);
        EXPECT_TRUE(refused(wrong_curve));
        EXPECT_TRUE(refused(wrong_lattice));
        ERR_clear_error();
        EXPECT_TRUE(refused(Octets(signature.begin(), signature.end() - 1)));
        EXPECT_EQ(first_reason(), PROV_R_INVALID_SIGNATURE_SIZE);
        EXPECT_TRUE(refused(Octets(signature.begin(), curve)));
        Octets longer = signature;
        longer.push_back(0);
        EXPECT_TRUE(refused(longer));
        EXPECT_TRUE(refused({}));
        EXPECT_FALSE(verify(ours, key, pattern(199), signature));
    }
}

TEST_F(signatures, composites__malformed_ed25519_half_of_the_key__its_reason) {
    for (const char* const name : composites) {
        const Key key = generate(ours, name);
        Octets pub = part(key, "pub");
        std::fill(pub.end() - 32, pub.end(), 0xff);
        const Key damaged = import_key(ours, name, {{"pub", pub}}, EVP_PKEY_PUBLIC_KEY);
        const Octets signature = sign(ours, key, {1});
        ERR_clear_error();
        EXPECT_FALSE(verify(ours, damaged, {1}, signature));
        EXPECT_EQ(first_reason(), PROV_R_INVALID_KEY);
    }
}

// A private key in PEM after these ciphers were asked for, one after the other; empty: refused.
std::string written(const Key& key, std::initializer_list<const char*> ciphers) {
    const Owner<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free> context(OSSL_ENCODER_CTX_new_for_pkey(
        key.get(), EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", nullptr));
    const unsigned char passphrase[] = "passphrase";
    OSSL_ENCODER_CTX_set_passphrase(context.get(), passphrase, sizeof passphrase - 1);
    for (const char* const cipher : ciphers) {
        OSSL_ENCODER_CTX_set_cipher(context.get(), cipher, nullptr);
    }
    unsigned char* text = nullptr;
    std::size_t size = 0;
    if (OSSL_ENCODER_to_data(context.get(), &text, &size) != 1) return {};
    std::string all(reinterpret_cast<char*>(text), size);
    OPENSSL_free(text);
    return all;
}

TEST_F(signatures, composites__written_with_a_cipher_that_is_none__never_in_clear) {
    for (const char* const name : composites) {
        const Key key = generate(ours, name);
        const auto label = [&](auto... ciphers) {
            const std::string text = written(key, {ciphers...});
            return text.substr(0, text.find('\n'));
        };
        const char* const none = nullptr;
        EXPECT_EQ(label(), "-----BEGIN PRIVATE KEY-----");
        EXPECT_EQ(label("AES-256-CBC"), "-----BEGIN ENCRYPTED PRIVATE KEY-----");
        EXPECT_EQ(label("NO-CIPHER"), "");
        EXPECT_EQ(label("AES-256-CBC", "NO-CIPHER"), "");
        EXPECT_EQ(label("NO-CIPHER", "AES-256-CBC"), "-----BEGIN ENCRYPTED PRIVATE KEY-----");
        EXPECT_EQ(label("AES-256-CBC", none), "-----BEGIN PRIVATE KEY-----") << "taken back";
    }
}

Octets from_base64(const std::string& text) {
    Octets bytes(text.size());
    const int size =
        EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size()));
    bytes.resize(static_cast<std::size_t>(size) -
                 static_cast<std::size_t>(std::count(text.begin(), text.end(), '=')));
    return bytes;
}

TEST_F(signatures, composites__vectors_of_lamps__as_published) {
    const auto file = nlohmann::json::parse(
        std::ifstream("core/crypto/hybrid/vectors/composite_mldsa_ed25519.json"));
    const Octets message = from_base64(file["m"]), context = from_base64(file["ctx"]);
    const auto in_context = [&] {
        return std::move(Options().bytes(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, context));
    };
    ASSERT_EQ(file["tests"].size(), 2U);
    for (const auto& vector : file["tests"]) {
        const auto name = vector["tcId"].get<std::string>();
        const Key key = import_key(ours, name, {{"priv", from_base64(vector["sk"])}});
        ASSERT_NE(key, nullptr) << name << queued_errors();
        EXPECT_EQ(part(key, "pub"), from_base64(vector["pk"]));
        const Octets plain = from_base64(vector["s"]), other = from_base64(vector["sWithContext"]);
        EXPECT_TRUE(verify(ours, key, message, plain));
        EXPECT_TRUE(verify(ours, key, message, other, in_context()));
        EXPECT_FALSE(verify(ours, key, message, other));
        EXPECT_FALSE(verify(ours, key, message, plain, in_context()));
    }
}

// The loaded public key appears while others verify.
TEST_F(signatures, verify__one_key_in_many_threads__all_good) {
    for (const char* const name : {"ML-DSA-44", composites[0]}) {
        const Key key = generate(ours, name);
        const Octets signature = sign(ours, key, {1});
        std::atomic<int> good = 0;
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < 8; ++i) {
                threads.emplace_back([&] {
                    for (int j = 0; j < 20; ++j) {
                        if (verify(ours, key, {1}, signature) && !sign(ours, key, {2}).empty()) {
                            ++good;
                        }
                    }
                });
            }
        }
        EXPECT_EQ(good, 160);
    }
}

}  // namespace
}  // namespace quoin::provider::test
