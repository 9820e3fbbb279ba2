// Vectors: RFC 8032, 7.1, TEST 1 to 3. Everything else is compared with OpenSSL, or made here.
#include "core/crypto/curve25519/ed25519.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <memory>

#include "core/crypto/curve25519/edwards.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/test_number.hpp"

namespace quoin::core::ed25519 {
namespace {

using curve25519::Scalar;
using test::ByteVector;
using test::hex;
using test::Number;
using test::random_bytes;
using test::unhex;

template <std::size_t Size>
std::span<const std::uint8_t, Size> fixed(const ByteVector& bytes) {
    return std::span<const std::uint8_t, Size>(bytes.data(), Size);
}

struct Example {
    const char *seed, *public_key, *message, *signature;
};

constexpr Example examples[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

using OwnedKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

ByteVector openssl_sign(const ByteVector& seed, const ByteVector& message) {
    const OwnedKey key(
        EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()),
        &EVP_PKEY_free);
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    ByteVector signature(signature_size);
    std::size_t size = signature.size();
    EVP_DigestSignInit_ex(context, nullptr, nullptr, nullptr, nullptr, key.get(), nullptr);
    EXPECT_EQ(EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()), 1);
    EVP_MD_CTX_free(context);
    return signature;
}

bool openssl_verifies(const ByteVector& public_key, const ByteVector& message,
                      const ByteVector& signature) {
    const OwnedKey key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr,
                                                      public_key.data(), public_key.size()),
                       &EVP_PKEY_free);
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit_ex(context, nullptr, nullptr, nullptr, nullptr, key.get(), nullptr);
    const bool verified = EVP_DigestVerify(context, signature.data(), signature.size(),
                                           message.data(), message.size()) == 1;
    EVP_MD_CTX_free(context);
    return verified;
}

template <class F>
class ed25519 : public testing::Test {
protected:
    static ByteVector sign(const ByteVector& seed, const ByteVector& message) {
        ByteVector signature(signature_size);
        PrivateKey<F>(fixed<32>(seed))
            .sign(message, std::span<std::uint8_t, 64>(signature.data(), 64));
        return signature;
    }
    static ByteVector public_key(const ByteVector& seed) {
        const PrivateKey<F> key(fixed<32>(seed));
        return ByteVector(key.public_key().begin(), key.public_key().end());
    }
    static Result<void> verify(const ByteVector& key, const ByteVector& message,
                               const ByteVector& signature) {
        return ed25519_verify(fixed<32>(key), message, fixed<64>(signature));
    }

private:
    static Result<void> ed25519_verify(PublicKey key, Bytes message, Signature signature) {
        return core::ed25519::verify<F>(key, message, signature);
    }
};

#if defined(__SIZEOF_INT128__)
using Fields = testing::Types<curve25519::Field25, curve25519::Field51>;
#else
using Fields = testing::Types<curve25519::Field25>;
#endif
TYPED_TEST_SUITE(ed25519, Fields);

TYPED_TEST(ed25519, sign_and_verify__examples_of_rfc_8032__as_published) {
    for (const Example& example : examples) {
        const ByteVector seed = unhex(example.seed), message = unhex(example.message);
        EXPECT_EQ(hex(this->public_key(seed)), example.public_key);
        EXPECT_EQ(hex(this->sign(seed, message)), example.signature);
        EXPECT_TRUE(this->verify(unhex(example.public_key), message, unhex(example.signature)));
    }
}

TYPED_TEST(ed25519, sign_and_verify__random_and_damaged__as_openssl) {
    const unsigned seed_of_test = std::random_device()();
    SCOPED_TRACE(seed_of_test);
    std::mt19937_64 generator(seed_of_test);
    int verified = 0;
    for (int i = 0; i < 2000; ++i) {
        const ByteVector seed = random_bytes(generator, seed_size);
        ByteVector message = random_bytes(generator, generator() % 300);
        ByteVector signature = this->sign(seed, message);
        ASSERT_EQ(hex(signature), hex(openssl_sign(seed, message)));
        ByteVector key = this->public_key(seed);
        ByteVector* const parts[] = {&message, &signature, &key};
        ByteVector& part = *parts[generator() % 3];
        if (generator() % 4 != 0 && !part.empty()) {
            part[generator() % part.size()] ^= static_cast<std::uint8_t>(1U << (generator() % 8));
        }
        const bool ours = this->verify(key, message, signature).has_value();
        ASSERT_EQ(ours, openssl_verifies(key, message, signature));
        verified += ours ? 1 : 0;
    }
    EXPECT_GT(verified, 200);
    EXPECT_LT(verified, 1200);
}

TYPED_TEST(ed25519, verify__every_bit_of_a_signature_flipped__integrity_signature) {
    const ByteVector seed(seed_size, 7), message(10, 8);
    const ByteVector key = this->public_key(seed);
    ByteVector signature = this->sign(seed, message);
    for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
        signature[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const Result<void> result = this->verify(key, message, signature);
        ASSERT_FALSE(result) << "bit " << bit;
        ASSERT_EQ(result.error(), Code::integrity_signature);
        signature[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    ASSERT_TRUE(this->verify(key, message, signature));
}

const Number& group_order() {
    static const Number l =
        Number::of_hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    return l;
}

TYPED_TEST(ed25519, verify__order_added_to_s__integrity_signature) {
    const ByteVector seed(seed_size, 9), message(10, 8);
    ByteVector signature = this->sign(seed, message);
    Number s(Bytes(signature).last(32));
    for (int times = 1; times <= 8; ++times) {
        s = s.plus(group_order());
        if (hex(s.bytes(33)).substr(64) != "00") break;  // does not fit any more
        std::ranges::copy(s.bytes(), signature.begin() + 32);
        EXPECT_EQ(this->verify(this->public_key(seed), message, signature).error(),
                  Code::integrity_signature);
    }
}

// Every encoding of a point of order 1, 2, 4 or 8, canonical or not (y = 0, 1, -1, of order 8).
constexpr const char* small_points[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
};

TYPED_TEST(ed25519, verify__public_key_of_small_order__peer_malformed) {
    // S = 0 and R = A: fits one message in eight where such keys are accepted.
    for (const char* const point : small_points) {
        const ByteVector key = unhex(point);
        ByteVector signature = key;
        signature.resize(signature_size);
        for (std::uint8_t i = 0; i < 32; ++i) {
            EXPECT_EQ(this->verify(key, {i}, signature).error(), Code::peer_malformed) << point;
        }
    }
}

TYPED_TEST(ed25519, verify__public_key_that_is_no_canonical_point__peer_malformed) {
    int refused = 0;
    // y from p to 2^255 - 1, with both signs: never canonical.
    for (unsigned low = 0xed; low <= 0xff; ++low) {
        for (const std::uint8_t high : {std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
            ByteVector key(public_key_size, 0xff);
            key.front() = static_cast<std::uint8_t>(low);
            key.back() = high;
            EXPECT_EQ(this->verify(key, {}, ByteVector(64)).error(), Code::peer_malformed);
        }
    }
    // y = 2 to 200: about half of them are on no point; OpenSSL refuses the same.
    for (std::uint8_t y = 2; y < 200; ++y) {
        ByteVector key(public_key_size);
        key.front() = y;
        const Code code = this->verify(key, {}, ByteVector(64)).error();
        refused += code == Code::peer_malformed ? 1 : 0;
    }
    EXPECT_GT(refused, 50);
    EXPECT_LT(refused, 150);
}

// R = the neutral element: the owner of the key can sign so. In its canonical encoding the equation
// holds; in the other one (y = p + 1) points are equal, encodings are not.
TYPED_TEST(ed25519, verify__r_not_canonical__integrity_signature) {
    const ByteVector seed(seed_size, 3), message(5, 1);
    const ByteVector key = this->public_key(seed);
    sha2::Sha512::Digest expanded = sha2::Sha512::of(seed);
    Scalar a{};
    std::copy_n(expanded.begin(), 32, a.begin());
    a[0] &= 248;
    a[31] = static_cast<std::uint8_t>((a[31] & 127U) | 64U);
    const auto sign_with = [&](const char* r) {
        ByteVector signature = unhex(r);
        sha2::Sha512 hash;
        hash.update(signature);
        hash.update(key);
        hash.update(message);
        const Scalar k = curve25519::reduce(hash.finish());
        const Scalar s = curve25519::multiply_add(k, a, Scalar{});
        signature.insert(signature.end(), s.begin(), s.end());
        return signature;
    };
    EXPECT_TRUE(this->verify(key, message, sign_with(small_points[0])));
    for (const char* const r : {small_points[1], small_points[2], small_points[3]}) {
        EXPECT_EQ(this->verify(key, message, sign_with(r)).error(), Code::integrity_signature);
        EXPECT_FALSE(openssl_verifies(key, message, sign_with(r)));
    }
}

template <class F>
ByteVector packed(const curve25519::Point<F>& p) {
    const F inverse = p.z.inverse(), x = p.x * inverse, y = p.y * inverse;
    const F two_d = curve25519::constant<F>(curve25519::d_words) * F(2);
    ByteVector bytes;
    for (const F& value : {y + x, y - x, x * y * two_d}) {
        std::array<std::uint8_t, 32> stored{};
        value.store(stored);
        bytes.insert(bytes.end(), stored.begin(), stored.end());
    }
    return bytes;
}

ByteVector bytes_of_entry(const curve25519::PackedPoint& entry) {
    ByteVector bytes;
    for (const std::uint32_t word : entry.words) {
        for (unsigned i = 0; i < 4; ++i)
            bytes.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
    }
    return bytes;
}

TYPED_TEST(ed25519, tables__computed_anew__every_entry_is_right) {
    using curve25519::add;
    using curve25519::addend;
    curve25519::Point<TypeParam> base;  // RFC 8032, 5.1: y = 4/5, x even
    ASSERT_TRUE(curve25519::decode<TypeParam>(
        fixed<32>(unhex("5866666666666666666666666666666666666666666666666666666666666666")),
        base));
    curve25519::Point<TypeParam> group = base;
    for (std::size_t j = 0; j < 8; ++j) {
        curve25519::Point<TypeParam> multiple = group;
        for (std::size_t i = 0; i < 8; ++i) {
            ASSERT_EQ(packed(multiple), bytes_of_entry(curve25519::comb_table[8 * j + i]));
            multiple = add(multiple, addend(group)).point();
        }
        for (int i = 0; i < 32; ++i) group = curve25519::twice(group).point();
    }
    curve25519::Point<TypeParam> odd = base;
    for (std::size_t i = 0; i < 8; ++i) {
        ASSERT_EQ(packed(odd), bytes_of_entry(curve25519::odd_table[i]));
        odd = add(odd, addend(curve25519::twice(base).point())).point();
    }
}

TYPED_TEST(ed25519, private_key__destroyed__only_the_public_key_is_left) {
    using K = PrivateKey<TypeParam>;
    alignas(K) std::array<std::uint8_t, sizeof(K)> memory{};
    const ByteVector seed(seed_size, 5);
    std::destroy_at(std::construct_at(reinterpret_cast<K*>(memory.data()), fixed<32>(seed)));
    asm volatile("" : : "r"(memory.data()) : "memory");
    EXPECT_EQ(hex(Bytes(memory).first(64)), std::string(128, '0'));
    EXPECT_EQ(hex(Bytes(memory).last(32)), hex(this->public_key(seed)));
}

}  // namespace
}  // namespace quoin::core::ed25519
