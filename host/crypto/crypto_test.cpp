#include "host/crypto/crypto.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "host/crypto/library.hpp"
#include "host/files/files.hpp"

namespace quoin::crypto {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const Bytes message = bytes_of("pressure 4.2 bar");

std::string test_name(const testing::TestParamInfo<Algorithm>& given) {
    std::string name(info(given.param).name);
    std::ranges::replace_if(name, [](char c) { return c == '-' || c == '+'; }, '_');
    return name;
}

std::vector<Algorithm> every_algorithm() {
    std::vector<Algorithm> all;
    for (const AlgorithmInfo& row : algorithms()) all.push_back(row.algorithm);
    return all;
}

class EveryAlgorithm : public testing::TestWithParam<Algorithm> {
protected:
    static PrivateKey make() {
        auto key = PrivateKey::generate(GetParam());
        if (!key) ADD_FAILURE() << key.error().message;
        return *std::move(key);
    }
    bool post_quantum() const { return info(GetParam()).post_quantum; }
};

TEST_P(EveryAlgorithm, info__name_oid_and_sizes__are_those_of_openssl) {
    const AlgorithmInfo& row = info(GetParam());
    EXPECT_EQ(*algorithm_by_name(row.name), GetParam());
    const PrivateKey key = make();
    EXPECT_NE(OBJ_txt2nid(std::string(row.oid).c_str()), NID_undef);
    EXPECT_EQ(*key.algorithm(), GetParam());
    const auto signature = key.sign(message);
    ASSERT_TRUE(signature);
    EXPECT_LE(signature->size(), row.signature_size);
    if (row.post_quantum) {
        EXPECT_EQ(signature->size(), row.signature_size);
    }
    const auto spki = key.public_key()->spki_der();
    ASSERT_TRUE(spki);
    EXPECT_GT(spki->size(), row.public_key_size);
    EXPECT_LT(spki->size(), row.public_key_size + 32);
    unsigned char* encoded = nullptr;
    const int size = i2d_PUBKEY(key.public_key()->native(), &encoded);
    ASSERT_GT(size, 0);
    EXPECT_EQ(*spki, ByteVector(encoded, encoded + size)) << "as OpenSSL's encoder writes it";
    OPENSSL_free(encoded);
}

TEST_P(EveryAlgorithm, sign__own_message__verifies) {
    const PrivateKey key = make();
    const auto signature = key.sign(message);
    ASSERT_TRUE(signature) << signature.error().message;
    EXPECT_TRUE(key.public_key()->verify(message, *signature));
}

TEST_P(EveryAlgorithm, verify__anything_changed__integrity_signature) {
    const PrivateKey key = make();
    const auto signature = key.sign(message);
    const auto public_key = key.public_key();
    ASSERT_TRUE(signature && public_key);
    const auto refused = [&](Bytes text, Bytes given, Bytes context = {}) {
        const auto verified = public_key->verify(text, given, context);
        return !verified && verified.error().code == Code::integrity_signature;
    };
    ByteVector flipped = *signature;
    flipped[flipped.size() / 2] ^= 1;
    ByteVector longer = *signature;
    longer.push_back(0);
    EXPECT_TRUE(refused(bytes_of("pressure 4.3 bar"), *signature));
    EXPECT_TRUE(refused(message, flipped));
    EXPECT_TRUE(refused(message, longer));
    EXPECT_TRUE(refused(message, Bytes(*signature).first(signature->size() - 1)));
    EXPECT_TRUE(refused(message, {}));
    if (post_quantum()) {
        EXPECT_TRUE(refused(message, *signature, bytes_of("other")));
    }
    const auto other = make().public_key();
    EXPECT_FALSE(other->verify(message, *signature));
}

TEST_P(EveryAlgorithm, sign__with_context__only_where_the_algorithm_has_one) {
    const PrivateKey key = make();
    const auto public_key = key.public_key();
    const auto signature = key.sign(message, bytes_of("quoin test"));
    if (!post_quantum()) {
        EXPECT_EQ(signature.error().code, Code::input_invalid);
        EXPECT_EQ(public_key->verify(message, ByteVector(64), bytes_of("x")).error().code,
                  Code::input_invalid);
        return;
    }
    ASSERT_TRUE(signature) << signature.error().message;
    EXPECT_TRUE(public_key->verify(message, *signature, bytes_of("quoin test")));
    EXPECT_FALSE(public_key->verify(message, *signature));
    EXPECT_FALSE(public_key->verify(message, *signature, bytes_of("quoin tes")));
    EXPECT_FALSE(key.sign(message, ByteVector(256)));
    EXPECT_TRUE(key.sign(message, ByteVector(255)));
}

TEST_P(EveryAlgorithm, encrypted_pem__right_passphrase__same_key) {
    const PrivateKey key = make();
    for (const bool slow : {false, true}) {
        const auto pem = key.to_encrypted_pem(Passphrase("secret"), slow);
        ASSERT_TRUE(pem) << pem.error().message;
        EXPECT_THAT(*pem, testing::StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        const auto again = PrivateKey::from_encrypted_pem(*pem, Passphrase("secret"));
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(*again->public_key()->spki_der(), *key.public_key()->spki_der());
        EXPECT_FALSE(PrivateKey::from_encrypted_pem(*pem, Passphrase("Secret")));
        EXPECT_FALSE(PrivateKey::from_encrypted_pem(*pem, Passphrase("")));
    }
}

TEST_P(EveryAlgorithm, spki_der__truncated_or_longer__refused) {
    const auto der = make().public_key()->spki_der();
    ASSERT_TRUE(der);
    EXPECT_TRUE(PublicKey::from_spki_der(*der));
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, der->size() / 2, der->size() - 1}) {
        EXPECT_FALSE(PublicKey::from_spki_der(Bytes(*der).first(size))) << size;
    }
    ByteVector longer = *der;
    longer.push_back(0);
    EXPECT_FALSE(PublicKey::from_spki_der(longer));
}

INSTANTIATE_TEST_SUITE_P(crypto, EveryAlgorithm, testing::ValuesIn(every_algorithm()), test_name);

TEST(crypto, algorithm_by_name__unknown__lists_the_known) {
    const auto algorithm = algorithm_by_name("RSA");
    ASSERT_FALSE(algorithm);
    EXPECT_THAT(algorithm.error().message, HasSubstr("ML-DSA-65"));
}

TEST(crypto, from_encrypted_pem__clear_key__refused) {
    const auto key = PrivateKey::generate(Algorithm::ed25519);
    const auto clear = key->danger_to_clear_pem();
    ASSERT_TRUE(clear);
    EXPECT_THAT(*clear, testing::StartsWith("-----BEGIN PRIVATE KEY-----"));
    EXPECT_FALSE(PrivateKey::from_encrypted_pem(*clear, Passphrase("x")));
}

TEST(crypto, from_encrypted_pem__every_prefix__refused_not_crashed) {
    const auto pem =
        PrivateKey::generate(Algorithm::ed25519)->to_encrypted_pem(Passphrase("secret"));
    ASSERT_TRUE(pem);
    const std::size_t whole =
        pem->rfind("-----");  // what comes after the label's end is white space
    for (std::size_t size = 0; size < whole; size += 7) {
        EXPECT_FALSE(PrivateKey::from_encrypted_pem(pem->substr(0, size), Passphrase("secret")));
    }
}

TEST(crypto, from_encrypted_pem__more_than_one_block__refused) {
    const Passphrase secret("secret");
    const std::string pem = *PrivateKey::generate(Algorithm::ed25519)->to_encrypted_pem(secret);
    EXPECT_TRUE(PrivateKey::from_encrypted_pem("\n \r\n" + pem + "\n\n", secret));
    const std::string reference =
        "-----BEGIN QUOIN KEY REFERENCE-----\nMAUMA2FiYw==\n-----END QUOIN KEY REFERENCE-----\n";
    for (const std::string& text :
         {reference + pem, pem + reference, pem + pem, "text\n" + pem, pem + "text",
          pem + "-----BEGIN X-----\n", std::string("\0", 1) + pem, pem + std::string("\0", 1)}) {
        const auto key = PrivateKey::from_encrypted_pem(text, secret);
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().code, Code::input_invalid);
    }
}

// A reference that leads nowhere, and behind it the key that OpenSSL would take instead.
TEST(crypto, from_reference_pem__software_key_in_the_file__refused) {
    const std::string clear = *PrivateKey::generate(Algorithm::ml_dsa_44)->danger_to_clear_pem();
    const std::string reference =
        "-----BEGIN QUOIN KEY REFERENCE-----\nMAUMA2FiYw==\n-----END QUOIN KEY REFERENCE-----\n";
    for (const std::string& text : {reference + clear, clear + reference, clear}) {
        const auto key = PrivateKey::from_reference_pem(text);
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().code, Code::input_invalid);
    }
}

TEST(crypto, from_spki_der__algorithm_we_do_not_use__refused) {
    // An X25519 key of RFC 8410: id, then 32 bytes.
    ByteVector der = *from_hex("302a300506032b656e032100");
    der.resize(der.size() + 32, 9);
    const auto key = PublicKey::from_spki_der(der);
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, HasSubstr("X25519"));
}

TEST(crypto, private_key__many_threads__all_signatures_verify) {
    const auto key = PrivateKey::generate(Algorithm::ml_dsa_44);
    ASSERT_TRUE(key);
    const auto public_key = key->public_key();
    std::vector<int> good(4);
    {
        std::vector<std::jthread> threads;
        for (int& count : good) {
            threads.emplace_back([&] {
                for (int i = 0; i < 20; ++i) {
                    const auto signature = key->sign(message);
                    count += signature && public_key->verify(message, *signature) ? 1 : 0;
                }
            });
        }
    }
    EXPECT_THAT(good, testing::Each(20));
}

TEST(crypto, sha256__abc__fips_180_value) {
    EXPECT_EQ(to_hex(*sha256(bytes_of("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(crypto, sha3_512__abc__fips_202_value) {
    EXPECT_EQ(to_hex(*sha3_512(bytes_of("abc"))),
              "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
              "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0");
}

TEST(crypto, random_hex__two_calls__differ) {
    const auto a = random_hex(16);
    const auto b = random_hex(16);
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->size(), 32U);
    EXPECT_NE(*a, *b);
}

TEST(crypto, hex__round_trip_and_wrong_texts) {
    const ByteVector bytes{0x00, 0x9f, 0xff};
    EXPECT_EQ(to_hex(bytes), "009fff");
    EXPECT_EQ(*from_hex("009FfF"), bytes);
    for (const char* wrong : {"0", "0g", "0 ", "0x", "é"}) EXPECT_FALSE(from_hex(wrong)) << wrong;
}

TEST(crypto, base64__rfc_4648_values) {
    const std::pair<const char*, const char*> rows[]{
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [text, encoded] : rows) {
        EXPECT_EQ(to_base64(bytes_of(text)), encoded);
        const auto decoded = from_base64(encoded);
        ASSERT_TRUE(decoded) << encoded;
        EXPECT_EQ(text_of(*decoded), text);
    }
    EXPECT_EQ(text_of(*from_base64("Zm9v\r\n YmFy\n")), "foobar");
}

TEST(crypto, from_base64__not_canonical__refused) {
    for (const char* wrong :
         {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v!", "====", "Zm9v=", "Z===", "-_-_"}) {
        EXPECT_FALSE(from_base64(wrong)) << wrong;
    }
}

TEST(crypto, passphrase__moved_from__is_empty) {
    Passphrase first("secret");
    const Passphrase second = std::move(first);
    EXPECT_EQ(second.expose(), "secret");
    EXPECT_TRUE(first.expose().empty());  // NOLINT(bugprone-use-after-move): what the test is about
}

class Files : public testing::Test {
protected:
    Files() {
        std::string name = testing::TempDir() + "quoin-crypto-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
        folder_ = name;
    }
    ~Files() override { fs::remove_all(folder_); }
    fs::path folder_;
};

TEST_F(Files, unlock_key__not_there__made_once_and_private) {
    const auto made = unlock_key(folder_ / "unlock.key");
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->expose().size(), 64U);
    EXPECT_EQ(unlock_key(folder_ / "unlock.key")->expose(), made->expose());
    EXPECT_EQ(existing_unlock_key(folder_ / "unlock.key")->expose(), made->expose());
    struct stat status{};
    ASSERT_EQ(::stat((folder_ / "unlock.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(Files, existing_unlock_key__not_there__input_not_found) {
    EXPECT_EQ(existing_unlock_key(folder_ / "unlock.key").error().code, Code::input_not_found);
    EXPECT_FALSE(fs::exists(folder_ / "unlock.key"));
}

TEST_F(Files, unlock_key__others_may_read__refused) {
    ASSERT_TRUE(unlock_key(folder_ / "unlock.key"));
    ASSERT_EQ(::chmod((folder_ / "unlock.key").c_str(), 0640), 0);
    EXPECT_EQ(unlock_key(folder_ / "unlock.key").error().code, Code::config_invalid);
}

TEST_F(Files, unlock_key__not_64_hex_characters__refused_and_kept) {
    for (const std::string& text : {std::string(), std::string("xyz\n"), std::string(63, 'a'),
                                    std::string(64, 'g'), std::string(65, 'a')}) {
        ASSERT_TRUE(files::write_atomically(folder_ / "unlock.key", text, 0600));
        EXPECT_EQ(unlock_key(folder_ / "unlock.key").error().code, Code::config_invalid) << text;
        EXPECT_EQ(*files::read(folder_ / "unlock.key"), text);
    }
}

TEST_F(Files, sha3_512_of_file__same_as_in_memory) {
    const std::string text(200'000, 'q');
    ASSERT_TRUE(files::create(folder_ / "f", text, 0600));
    EXPECT_EQ(*sha3_512_of_file(folder_ / "f"), *sha3_512(bytes_of(text)));
    EXPECT_EQ(sha3_512_of_file(folder_ / "none").error().code, Code::input_not_found);
    EXPECT_FALSE(sha3_512_of_file(folder_));
}

TEST_F(Files, load__wrong_passphrase__names_the_file) {
    const auto key = PrivateKey::generate(Algorithm::ed25519);
    ASSERT_TRUE(files::create(folder_ / "k", *key->to_encrypted_pem(Passphrase("a")), 0600));
    EXPECT_TRUE(PrivateKey::load(folder_ / "k", Passphrase("a")));
    const auto wrong = PrivateKey::load(folder_ / "k", Passphrase("b"));
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message, HasSubstr((folder_ / "k").string()));
}

// The command line of OpenSSL as a foreign implementation: of the file formats, of the padding of
// the message (pure mode, context), not of the mathematics.
class CommandLine : public Files, public testing::WithParamInterface<Algorithm> {
protected:
    bool openssl(const std::string& arguments) const {
        // For the composites: with our provider.
        const std::string settings = provider_file().replace_filename("openssl.cnf").string();
        const std::string command = "cd " + folder_.string() + " && OPENSSL_CONF=" + settings +
                                    " openssl " + arguments + " >out.txt 2>&1";
        return std::system(command.c_str()) == 0;
    }
    void write(const char* name, std::string_view text) const {
        ASSERT_TRUE(files::write_atomically(folder_ / name, text, 0600));
    }
};

TEST_P(CommandLine, sign__by_us__verified_by_openssl) {
    const auto key = PrivateKey::generate(GetParam());
    ASSERT_TRUE(key);
    const auto signature = key->sign(message);
    write("spki.der", text_of(*key->public_key()->spki_der()));
    write("message", text_of(message));
    write("signature", text_of(*signature));
    const std::string verify =
        "pkeyutl -verify -rawin -pubin -inkey spki.der -keyform DER -sigfile signature -in ";
    EXPECT_TRUE(openssl(verify + "message")) << *files::read(folder_ / "out.txt");
    EXPECT_FALSE(openssl(verify + "signature"));
}

TEST_P(CommandLine, sign__by_openssl_with_our_key_file__verified_by_us) {
    const auto key = PrivateKey::generate(GetParam());
    ASSERT_TRUE(key);
    for (const bool slow : {false, true}) {
        write("key.pem", *key->to_encrypted_pem(Passphrase("secret"), slow));
        write("message", text_of(message));
        ASSERT_TRUE(
            openssl("pkeyutl -sign -rawin -inkey key.pem -passin pass:secret -in message "
                    "-out signature"))
            << *files::read(folder_ / "out.txt");
        const auto signature = files::read(folder_ / "signature");
        EXPECT_TRUE(key->public_key()->verify(message, bytes_of(*signature)));
    }
}

INSTANTIATE_TEST_SUITE_P(crypto, CommandLine, testing::ValuesIn(every_algorithm()), test_name);

}  // namespace
}  // namespace quoin::crypto
