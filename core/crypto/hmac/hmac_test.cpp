// Vectors: RFC 4231, test cases 1, 2 and 6; RFC 5869, appendix A.1 to A.3. Everything else is
// compared with OpenSSL.
#include "core/crypto/hmac/hmac.hpp"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <random>
#include <utility>

#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/hmac/sha3.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core {
namespace {

using test::ByteVector;
using test::hex;
using test::random_bytes;
using test::unhex;

struct Sha256Case {
    using Hash = sha2::Sha256;
    using Backend = Portable;
    static constexpr const char* name = "SHA256";
};
struct Sha384Case {
    using Hash = sha2::Sha384;
    using Backend = Portable;
    static constexpr const char* name = "SHA384";
};
struct Sha512Case {
    using Hash = sha2::Sha512;
    using Backend = Portable;
    static constexpr const char* name = "SHA512";
};
struct ShaNiCase {
    using Hash = sha2::Hash<sha2::Set256, ShaNi>;
    using Backend = ShaNi;
    static constexpr const char* name = "SHA256";
};

struct Sha3_256Case {
    using Hash = hmac::Sha3<32>;
    using Backend = Portable;
    static constexpr const char* name = "SHA3-256";
};
struct Sha3_512Case {
    using Hash = hmac::Sha3<64>;
    using Backend = Portable;
    static constexpr const char* name = "SHA3-512";
};

struct Example {
    ByteVector key, message;
    const char *sha256, *sha384, *sha512;
};

const Example examples[] = {
    {ByteVector(20, 0x0b), unhex("4869205468657265"),
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
     "faea9ea9076ede7f4af152e8b2fa9cb6",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
     "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {unhex("4a656665"), unhex("7768617420646f2079612077616e7420666f72206e6f7468696e673f"),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
     "8e2240ca5e69e2c78b3239ecfab21649",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {ByteVector(131, 0xaa),
     unhex(
         "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368"
         "204b6579204669727374"),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
     "0c2ef6ab4030fe8296248df163f44952",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
     "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
};

template <class C>
class hmac_over : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<typename C::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
    using Hash = C::Hash;

    static std::string tag(const ByteVector& key, const ByteVector& message) {
        const hmac::Key<Hash> k(key);
        hmac::Mac mac(k);
        const std::size_t half = message.size() / 2;
        mac.update(Bytes(message).first(half));
        mac.update(Bytes(message).subspan(half));
        std::array<std::uint8_t, Hash::digest_size> tag{};
        mac.finish(tag);
        return hex(tag);
    }
    static std::string openssl_tag(const ByteVector& key, const ByteVector& message) {
        std::array<std::uint8_t, 64> tag{};
        unsigned size = 0;
        // OpenSSL makes nothing of two null pointers to no bytes.
        const std::uint8_t none = 0;
        HMAC(EVP_get_digestbyname(C::name), key.data(), static_cast<int>(key.size()),
             message.empty() ? &none : message.data(), message.size(), tag.data(), &size);
        return hex(Bytes(tag).first(size));
    }
};

using Cases = testing::Types<Sha256Case, Sha384Case, Sha512Case, Sha3_256Case, Sha3_512Case
#if defined(__x86_64__)
                             ,
                             ShaNiCase
#endif
                             >;
TYPED_TEST_SUITE(hmac_over, Cases);

// RFC 4231 knows SHA-2 only; the same messages with SHA-3 are compared with OpenSSL.
TYPED_TEST(hmac_over, finish__examples_of_rfc_4231__tag) {
    const std::size_t size = TestFixture::Hash::digest_size;
    for (const Example& example : examples) {
        std::string expected = size == 32   ? example.sha256
                               : size == 48 ? example.sha384
                                            : example.sha512;
        if (std::string_view(TypeParam::name).starts_with("SHA3-")) {
            expected = TestFixture::openssl_tag(example.key, example.message);
        }
        EXPECT_EQ(TestFixture::tag(example.key, example.message), expected);
    }
}

TYPED_TEST(hmac_over, finish__keys_and_messages_of_every_length__as_openssl) {
    const unsigned seed = std::random_device()();
    std::mt19937_64 generator(seed);
    for (std::size_t i = 0; i < 5 * 400; ++i) {
        const std::size_t length = i % 400;
        const ByteVector key = random_bytes(generator, length);
        const ByteVector message = random_bytes(generator, i == 0 ? 0 : generator() % 500);
        ASSERT_EQ(TestFixture::tag(key, message), TestFixture::openssl_tag(key, message))
            << "key of " << length << ", seed " << seed;
    }
}

TYPED_TEST(hmac_over, verify__damaged_truncated_or_longer_tag__false) {
    const ByteVector key(32, 7), message(50, 8);
    ByteVector tag = unhex(TestFixture::openssl_tag(key, message));
    const hmac::Key<typename TestFixture::Hash> k(key);
    const auto verify = [&](Bytes shown) {
        hmac::Mac mac(k);
        mac.update(message);
        return mac.verify(shown);
    };
    EXPECT_TRUE(verify(tag));
    for (std::size_t bit = 0; bit < 8 * tag.size(); ++bit) {
        tag[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(verify(tag));
        tag[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    EXPECT_FALSE(verify(Bytes(tag).first(tag.size() - 1)));
    EXPECT_FALSE(verify({}));
    tag.push_back(0);
    EXPECT_FALSE(verify(tag));
}

TYPED_TEST(hmac_over, key_and_mac__destroyed__leave_nothing_of_the_key) {
    using Key = hmac::Key<typename TestFixture::Hash>;
    alignas(Key) std::array<std::uint8_t, sizeof(Key)> memory{};
    const auto construct = [&](const ByteVector& key) {
        Key* const made = std::construct_at(reinterpret_cast<Key*>(memory.data()), key);
        ByteVector before(memory.begin(), memory.end());
        std::destroy_at(made);
        asm volatile("" : : "r"(memory.data()) : "memory");
        return std::pair(before, ByteVector(memory.begin(), memory.end()));
    };
    const auto a = construct(ByteVector(40, 1)), b = construct(ByteVector(40, 2));
    EXPECT_NE(a.first, b.first);
    EXPECT_EQ(a.second, b.second);  // the same for all keys
}

template <class Hash>
ByteVector openssl_hkdf(const char* name, const ByteVector& salt, const ByteVector& input,
                        const ByteVector& info, std::size_t size) {
    EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    EVP_KDF_CTX* const context = EVP_KDF_CTX_new(kdf);
    std::uint8_t none = 0;  // OpenSSL refuses a null pointer to no bytes
    const auto octets = [&none](const char* key, const ByteVector& bytes) {
        auto* const data = bytes.empty() ? &none : const_cast<std::uint8_t*>(bytes.data());
        return OSSL_PARAM_construct_octet_string(key, data, bytes.size());
    };
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(name), 0),
        octets(OSSL_KDF_PARAM_SALT, salt), octets(OSSL_KDF_PARAM_KEY, input),
        octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
    ByteVector output(size);
    EXPECT_EQ(EVP_KDF_derive(context, output.data(), size, parameters), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return output;
}

template <class C, std::size_t Size>
void compare_with_openssl(std::mt19937_64& generator) {
    using Hash = C::Hash;
    const ByteVector salt = random_bytes(generator, generator() % 150);
    const ByteVector input = random_bytes(generator, 1 + generator() % 150);
    const ByteVector info = random_bytes(generator, generator() % 150);
    std::array<std::uint8_t, Hash::digest_size> prk{};
    hkdf::extract<Hash>(salt, input, prk);
    std::array<std::uint8_t, Size> output{};
    hkdf::expand<Hash, Size>(prk, info, output);
    ASSERT_EQ(hex(output), hex(openssl_hkdf<Hash>(C::name, salt, input, info, Size)));
}

TYPED_TEST(hmac_over, hkdf__random_inputs_and_many_lengths__as_openssl) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int round = 0; round < 200; ++round) {
        compare_with_openssl<TypeParam, 1>(generator);
        compare_with_openssl<TypeParam, 31>(generator);
        compare_with_openssl<TypeParam, 32>(generator);
        compare_with_openssl<TypeParam, 33>(generator);
        compare_with_openssl<TypeParam, 64>(generator);
        compare_with_openssl<TypeParam, 200>(generator);
    }
    compare_with_openssl<TypeParam, 255 * TestFixture::Hash::digest_size>(generator);
}

ByteVector counting(std::uint8_t first, std::uint8_t last) {
    ByteVector bytes;
    for (unsigned i = first; i <= last; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
    return bytes;
}

template <std::size_t Size>
std::pair<std::string, std::string> hkdf_sha256(const ByteVector& input, const ByteVector& salt,
                                                const ByteVector& info) {
    std::array<std::uint8_t, 32> prk{};
    std::array<std::uint8_t, Size> output{};
    hkdf::extract<sha2::Sha256>(salt, input, prk);
    hkdf::expand<sha2::Sha256, Size>(prk, info, output);
    return {hex(prk), hex(output)};
}

TEST(hkdf, extract_and_expand__examples_of_rfc_5869__prk_and_okm) {
    using Pair = std::pair<std::string, std::string>;
    EXPECT_EQ((hkdf_sha256<42>(ByteVector(22, 0x0b), counting(0x00, 0x0c), counting(0xf0, 0xf9))),
              Pair("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
                   "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                   "34007208d5b887185865"));
    EXPECT_EQ((hkdf_sha256<82>(counting(0x00, 0x4f), counting(0x60, 0xaf), counting(0xb0, 0xff))),
              Pair("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
                   "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                   "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                   "cc30c58179ec3e87c14c01d5c1f3434f1d87"));
    EXPECT_EQ((hkdf_sha256<42>(ByteVector(22, 0x0b), {}, {})),
              Pair("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
                   "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                   "9d201395faa4b61a96c8"));
}

}  // namespace
}  // namespace quoin::core
