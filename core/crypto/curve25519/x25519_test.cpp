// Vectors: RFC 7748, 5.2 and 6.1. Everything else is compared with OpenSSL.
#include "core/crypto/curve25519/x25519.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "core/crypto/test_hex.hpp"

namespace quoin::core::x25519 {
namespace {

using test::ByteVector;
using test::hex;
using test::random_bytes;
using test::unhex;

Key fixed(const ByteVector& bytes) { return Key(bytes.data(), key_size); }

std::string openssl_public_key(const ByteVector& private_key) {
    EVP_PKEY* const key =
        EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, private_key.data(), key_size);
    ByteVector public_key(key_size);
    std::size_t size = public_key.size();
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(key, public_key.data(), &size), 1);
    EVP_PKEY_free(key);
    return hex(public_key);
}

// Empty if OpenSSL refuses.
std::string openssl_shared(const ByteVector& private_key, const ByteVector& peer) {
    EVP_PKEY* const mine =
        EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, private_key.data(), key_size);
    EVP_PKEY* const theirs =
        EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, peer.data(), key_size);
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_pkey(nullptr, mine, nullptr);
    ByteVector shared(key_size);
    std::size_t size = shared.size();
    const bool derived = EVP_PKEY_derive_init(context) == 1 &&
                         EVP_PKEY_derive_set_peer(context, theirs) == 1 &&
                         EVP_PKEY_derive(context, shared.data(), &size) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(mine);
    EVP_PKEY_free(theirs);
    return derived ? hex(shared) : "";
}

template <class F>
class x25519 : public testing::Test {
protected:
    // Empty if refused; the output must be zeros then.
    static std::string shared(const ByteVector& private_key, const ByteVector& peer) {
        std::array<std::uint8_t, key_size> secret{};
        secret.fill(0xaa);
        const Result<void> result = shared_secret<F>(fixed(private_key), fixed(peer), secret);
        if (result) return hex(secret);
        EXPECT_EQ(result.error(), Code::peer_malformed);
        EXPECT_EQ(hex(secret), std::string(64, '0'));
        return "";
    }
};

#if defined(__SIZEOF_INT128__)
using Fields = testing::Types<curve25519::Field25, curve25519::Field51>;
#else
using Fields = testing::Types<curve25519::Field25>;
#endif
TYPED_TEST_SUITE(x25519, Fields);

TYPED_TEST(x25519, shared_secret__examples_of_rfc_7748__as_published) {
    EXPECT_EQ(
        this->shared(unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                     unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    EXPECT_EQ(
        this->shared(unhex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                     unhex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
    // 6.1: Bob's key pair and the secret with Alice's public key.
    const ByteVector bob =
        unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    EXPECT_EQ(this->shared(
                  bob, unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")),
              "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    std::array<std::uint8_t, key_size> bobs_public_key{};
    public_key<TypeParam>(fixed(bob), bobs_public_key);
    EXPECT_EQ(hex(bobs_public_key),
              "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

TYPED_TEST(x25519, shared_secret__iterated_a_thousand_times__as_in_rfc_7748) {
    ByteVector k(key_size), u(key_size);
    k[0] = u[0] = 9;
    for (int i = 1; i <= 1000; ++i) {
        const ByteVector next = unhex(this->shared(k, u));
        u = k;
        k = next;
        if (i == 1) {
            EXPECT_EQ(hex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        }
    }
    EXPECT_EQ(hex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

// The points of order 1, 2, 4 and 8 of the curve and its twist, and their encodings above p.
TYPED_TEST(x25519, shared_secret__points_of_small_order__peer_malformed) {
    constexpr const char* points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    std::mt19937_64 generator(5);
    const ByteVector key = random_bytes(generator, key_size);
    for (const char* const point : points) {
        ByteVector peer = unhex(point);
        EXPECT_EQ(this->shared(key, peer), "") << point;
        peer[31] |= 0x80;  // the highest bit does not count
        EXPECT_EQ(this->shared(key, peer), "") << point;
        EXPECT_EQ(openssl_shared(key, peer), "") << point;
    }
}

TYPED_TEST(x25519, shared_secret__random_and_not_canonical_keys__as_openssl) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int i = 0; i < 2000; ++i) {
        const ByteVector key = random_bytes(generator, key_size);
        ByteVector peer = random_bytes(generator, key_size);
        if (i % 10 == 0) {  // p + 2 to 2^255 - 1, on the curve or its twist
            peer.assign(key_size, 0xff);
            peer[0] = static_cast<std::uint8_t>(0xef + generator() % 17);
        }
        const std::string secret = this->shared(key, peer);
        ASSERT_EQ(secret, openssl_shared(key, peer));
        ASSERT_NE(secret, "");
    }
}

TYPED_TEST(x25519, public_key__random__as_openssl) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    for (int i = 0; i < 1000; ++i) {
        const ByteVector key = random_bytes(generator, key_size);
        std::array<std::uint8_t, key_size> ours{};
        public_key<TypeParam>(fixed(key), ours);
        ASSERT_EQ(hex(ours), openssl_public_key(key));
    }
}

TYPED_TEST(x25519, public_key__random__both_sides_get_the_same_secret) {
    std::mt19937_64 generator(6);
    const ByteVector a = random_bytes(generator, key_size), b = random_bytes(generator, key_size);
    ByteVector a_public(key_size), b_public(key_size);
    public_key<TypeParam>(fixed(a), MutableKey(a_public.data(), key_size));
    public_key<TypeParam>(fixed(b), MutableKey(b_public.data(), key_size));
    EXPECT_EQ(this->shared(a, b_public), this->shared(b, a_public));
    EXPECT_NE(this->shared(a, b_public), "");
}

}  // namespace
}  // namespace quoin::core::x25519
