// Vectors: test cases 1 to 4 and 13 to 16 of D. McGrew and J. Viega, "The Galois/Counter Mode of
// Operation", the examples that NIST publishes for SP 800-38D (those with a 96-bit IV). Everything
// else is compared with OpenSSL.
#include "core/crypto/aes/aes_gcm.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <random>
#include <string_view>

#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::aes_gcm {
namespace {

using test::ByteVector;
using test::hex;
using test::random_bytes;
using test::unhex;

struct Example {
    std::string_view key, iv, aad, plaintext, ciphertext, tag;
};

constexpr Example examples[] = {
    {"00000000000000000000000000000000", "000000000000000000000000", "", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {"00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
     "ab6e47d42cec13bdf53a67b21257bddf"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
     "4d5c2af327cd64a62cf35abd2ba6fab4"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

template <std::size_t Size>
std::span<const std::uint8_t, Size> fixed(const ByteVector& bytes) {
    return std::span<const std::uint8_t, Size>(bytes.data(), Size);
}

struct Sealed {
    ByteVector ciphertext;
    std::array<std::uint8_t, tag_size> tag{};
    bool operator==(const Sealed&) const = default;
};

Sealed openssl_seal(const ByteVector& key, const ByteVector& iv, const ByteVector& aad,
                    const ByteVector& plaintext) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    EVP_CIPHER_CTX* const c = context.get();
    Sealed sealed{ByteVector(plaintext.size() + 16)};
    int size = 0;
    EXPECT_EQ(EVP_EncryptInit_ex2(c, key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(),
                                  key.data(), iv.data(), nullptr),
              1);
    EVP_EncryptUpdate(c, nullptr, &size, aad.data(), static_cast<int>(aad.size()));
    EVP_EncryptUpdate(c, sealed.ciphertext.data(), &size, plaintext.data(),
                      static_cast<int>(plaintext.size()));
    EVP_EncryptFinal_ex(c, sealed.ciphertext.data() + size, &size);
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, tag_size, sealed.tag.data()), 1);
    sealed.ciphertext.resize(plaintext.size());
    return sealed;
}

// Empty if OpenSSL refuses the tag.
std::optional<ByteVector> openssl_open(const ByteVector& key, const ByteVector& iv,
                                       const ByteVector& aad, const Sealed& sealed) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    EVP_CIPHER_CTX* const c = context.get();
    ByteVector plaintext(sealed.ciphertext.size() + 16);
    std::array<std::uint8_t, tag_size> tag = sealed.tag;  // OpenSSL wants it not const
    int size = 0;
    EXPECT_EQ(EVP_DecryptInit_ex2(c, key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(),
                                  key.data(), iv.data(), nullptr),
              1);
    EVP_DecryptUpdate(c, nullptr, &size, aad.data(), static_cast<int>(aad.size()));
    EVP_DecryptUpdate(c, plaintext.data(), &size, sealed.ciphertext.data(),
                      static_cast<int>(sealed.ciphertext.size()));
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()), 1);
    if (EVP_DecryptFinal_ex(c, plaintext.data() + sealed.ciphertext.size(), &size) != 1) return {};
    plaintext.resize(sealed.ciphertext.size());
    return plaintext;
}

template <class Set_, class Backend_>
struct Case {
    using Set = Set_;
    using Backend = Backend_;
};

template <class C>
class aes_gcm : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<typename C::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
    static constexpr std::size_t key_size = C::Set::key_size;
    using K = Key<typename C::Set, typename C::Backend>;

    static Sealed seal(const ByteVector& key, const ByteVector& iv, const ByteVector& aad,
                       const ByteVector& plaintext) {
        Sealed sealed{ByteVector(plaintext.size())};
        EXPECT_TRUE(K(fixed<key_size>(key))
                        .seal(fixed<iv_size>(iv), aad, plaintext, sealed.ciphertext, sealed.tag));
        return sealed;
    }
};

using Cases =
    testing::Types<Case<Set128, Bitsliced<std::uint32_t>>, Case<Set256, Bitsliced<std::uint32_t>>,
                   Case<Set128, Bitsliced<std::uint64_t>>, Case<Set256, Bitsliced<std::uint64_t>>
#if defined(__x86_64__)
                   ,
                   Case<Set128, AesNi>, Case<Set256, AesNi>, Case<Set128, Vaes>, Case<Set256, Vaes>
#endif
                   >;
TYPED_TEST_SUITE(aes_gcm, Cases);

TYPED_TEST(aes_gcm, seal_and_open__examples_of_nist__as_published) {
    int checked = 0;
    for (const Example& example : examples) {
        const ByteVector key = unhex(example.key), iv = unhex(example.iv), aad = unhex(example.aad);
        if (key.size() != TestFixture::key_size) continue;
        Sealed sealed = TestFixture::seal(key, iv, aad, unhex(example.plaintext));
        EXPECT_EQ(hex(sealed.ciphertext), example.ciphertext);
        EXPECT_EQ(hex(sealed.tag), example.tag);
        const typename TestFixture::K k(fixed<TestFixture::key_size>(key));
        // In place.
        EXPECT_TRUE(
            k.open(fixed<iv_size>(iv), aad, sealed.ciphertext, sealed.tag, sealed.ciphertext));
        EXPECT_EQ(hex(sealed.ciphertext), example.plaintext);
        ++checked;
    }
    EXPECT_EQ(checked, 4);
}

TYPED_TEST(aes_gcm, seal__every_length_to_600__as_openssl) {
    const unsigned seed = std::random_device()();
    std::mt19937_64 generator(seed);
    for (std::size_t length = 0; length <= 600; ++length) {
        const ByteVector key = random_bytes(generator, TestFixture::key_size);
        const ByteVector iv = random_bytes(generator, iv_size);
        const ByteVector aad = random_bytes(generator, generator() % 300);
        const ByteVector plaintext = random_bytes(generator, length);
        ASSERT_EQ(TestFixture::seal(key, iv, aad, plaintext), openssl_seal(key, iv, aad, plaintext))
            << "length " << length << ", seed " << seed;
    }
}

TYPED_TEST(aes_gcm, seal_and_open__long_messages__as_openssl) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int i = 0; i < 50; ++i) {
        const ByteVector key = random_bytes(generator, TestFixture::key_size);
        const ByteVector iv = random_bytes(generator, iv_size);
        const ByteVector aad = random_bytes(generator, generator() % 2000);
        const ByteVector plaintext = random_bytes(generator, generator() % 20000);
        Sealed sealed = TestFixture::seal(key, iv, aad, plaintext);
        ASSERT_EQ(sealed, openssl_seal(key, iv, aad, plaintext));
        ASSERT_TRUE(
            typename TestFixture::K(fixed<TestFixture::key_size>(key))
                .open(fixed<iv_size>(iv), aad, sealed.ciphertext, sealed.tag, sealed.ciphertext));
        ASSERT_EQ(sealed.ciphertext, plaintext);
    }
}

// Sealed by OpenSSL; one message in six is left whole, else a bit of one part is flipped.
TYPED_TEST(aes_gcm, open__random_and_damaged__as_openssl) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    int opened = 0;
    for (int i = 0; i < 2000; ++i) {
        ByteVector key = random_bytes(generator, TestFixture::key_size);
        ByteVector iv = random_bytes(generator, iv_size);
        ByteVector aad = random_bytes(generator, 1 + generator() % 100);
        Sealed sealed = openssl_seal(key, iv, aad, random_bytes(generator, 1 + generator() % 300));
        const MutableBytes parts[] = {{}, key, iv, aad, sealed.ciphertext, sealed.tag};
        if (const MutableBytes part = parts[generator() % 6]; !part.empty()) {
            part[generator() % part.size()] ^= static_cast<std::uint8_t>(1U << (generator() % 8));
        }
        ByteVector plaintext(sealed.ciphertext.size());
        const bool ours =
            typename TestFixture::K(fixed<TestFixture::key_size>(key))
                .open(fixed<iv_size>(iv), aad, sealed.ciphertext, sealed.tag, plaintext)
                .has_value();
        const std::optional<ByteVector> theirs = openssl_open(key, iv, aad, sealed);
        ASSERT_EQ(ours, theirs.has_value());
        if (theirs) {
            ASSERT_EQ(plaintext, *theirs);
        }
        opened += ours ? 1 : 0;
    }
    EXPECT_GT(opened, 200);
    EXPECT_LT(opened, 600);
}

// Wycheproof's way: each part damaged in turn, in every byte, by every bit.
TYPED_TEST(aes_gcm, open__one_bit_of_anything_flipped__refused_and_nothing_released) {
    std::mt19937_64 generator(3);
    const ByteVector key = random_bytes(generator, TestFixture::key_size);
    const typename TestFixture::K k(fixed<TestFixture::key_size>(key));
    ByteVector parts[4] = {random_bytes(generator, iv_size),
                           random_bytes(generator, 21),
                           random_bytes(generator, 45),
                           {}};
    const Sealed sealed = openssl_seal(key, parts[0], parts[1], parts[2]);
    parts[2] = sealed.ciphertext;
    parts[3].assign(sealed.tag.begin(), sealed.tag.end());
    ByteVector plaintext(45);
    const auto open = [&] {
        plaintext.assign(45, 0xaa);
        return k.open(fixed<iv_size>(parts[0]), parts[1], parts[2], fixed<tag_size>(parts[3]),
                      plaintext);
    };
    ASSERT_TRUE(open());
    for (ByteVector& part : parts) {
        for (std::size_t bit = 0; bit < 8 * part.size(); ++bit) {
            part[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            const Result<void> opened = open();
            ASSERT_FALSE(opened);
            ASSERT_EQ(opened.error(), Code::integrity_mismatch);
            ASSERT_EQ(plaintext, ByteVector(45));
            part[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        }
    }
    ASSERT_TRUE(open());
}

TYPED_TEST(aes_gcm, open__tags_all_zero_or_all_one_or_of_other_lengths__refused) {
    std::mt19937_64 generator(4);
    const ByteVector key = random_bytes(generator, TestFixture::key_size);
    const typename TestFixture::K k(fixed<TestFixture::key_size>(key));
    const ByteVector iv = random_bytes(generator, iv_size), message = random_bytes(generator, 40);
    Sealed sealed = TestFixture::seal(key, iv, {}, message);
    ByteVector plaintext(40);
    for (const std::uint8_t fill : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
        EXPECT_FALSE(k.open(fixed<iv_size>(iv), {}, sealed.ciphertext,
                            fixed<tag_size>(ByteVector(tag_size, fill)), plaintext));
    }
    // A truncated ciphertext, and bytes moved from the ciphertext to the additional data.
    ByteVector shorter(39);
    EXPECT_FALSE(
        k.open(fixed<iv_size>(iv), {}, Bytes(sealed.ciphertext).first(39), sealed.tag, shorter));
    EXPECT_FALSE(k.open(fixed<iv_size>(iv), Bytes(sealed.ciphertext).first(1),
                        Bytes(sealed.ciphertext).subspan(1), sealed.tag, shorter));
}

TYPED_TEST(aes_gcm, seal_and_open__lengths_out_of_range_or_different__input_invalid) {
    const ByteVector key(TestFixture::key_size), iv(iv_size);
    const typename TestFixture::K k(fixed<TestFixture::key_size>(key));
    std::array<std::uint8_t, tag_size> tag{};
    ByteVector bytes(10);
    // Views that claim more than there is: refused before anything is read.
    const auto too_long = static_cast<std::size_t>(max_plaintext_size) + 1;
    const MutableBytes long_text(bytes.data(), too_long);
    EXPECT_EQ(k.seal(fixed<iv_size>(iv), {}, long_text, long_text, tag).error(),
              Code::input_invalid);
    EXPECT_EQ(k.open(fixed<iv_size>(iv), {}, long_text, tag, long_text).error(),
              Code::input_invalid);
    const Bytes long_aad(bytes.data(), static_cast<std::size_t>(max_aad_size) + 1);
    EXPECT_EQ(k.seal(fixed<iv_size>(iv), long_aad, bytes, bytes, tag).error(), Code::input_invalid);
    EXPECT_EQ(k.seal(fixed<iv_size>(iv), {}, Bytes(bytes).first(9), bytes, tag).error(),
              Code::input_invalid);
    EXPECT_EQ(k.open(fixed<iv_size>(iv), {}, bytes, tag, MutableBytes(bytes).first(9)).error(),
              Code::input_invalid);
}

TYPED_TEST(aes_gcm, key__destroyed__leaves_nothing) {
    using K = TestFixture::K;
    const ByteVector key(TestFixture::key_size, 0x5a);
    alignas(K) std::array<std::uint8_t, sizeof(K)> memory{};
    std::destroy_at(
        std::construct_at(reinterpret_cast<K*>(memory.data()), fixed<TestFixture::key_size>(key)));
    asm volatile("" : : "r"(memory.data()) : "memory");
    EXPECT_EQ(ByteVector(memory.begin(), memory.end()), ByteVector(sizeof(K)));
}

}  // namespace
}  // namespace quoin::core::aes_gcm
