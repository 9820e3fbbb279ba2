// Vectors: the examples of FIPS 180-4 that NIST publishes ("Cryptographic Standards and Guidelines,
// Examples with Intermediate Values", SHA256.pdf, SHA384.pdf, SHA512.pdf), the empty message and
// the million times "a" of the same series. Everything else is compared with OpenSSL.
#include "core/crypto/sha2/sha2.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::sha2 {
namespace {

using test::hex;

struct Example {
    std::string_view message, sha256, sha384, sha512;
};

constexpr Example examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
     "274edebfe76f65fbd51ad2f14898b95b",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "", ""},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "",
     "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
     "fcc7c71a557e2db966c3e9fa91746039",
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
     "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
};

template <class Set>
constexpr std::string_view expected(const Example& example) {
    if constexpr (Set::digest_size == 32) return example.sha256;
    if constexpr (Set::digest_size == 48) return example.sha384;
    return example.sha512;
}

template <class Set>
const EVP_MD* openssl_hash() {
    if constexpr (Set::digest_size == 32) return EVP_sha256();
    if constexpr (Set::digest_size == 48) return EVP_sha384();
    return EVP_sha512();
}

template <class Set_, class Backend_>
struct Case {
    using Set = Set_;
    using Backend = Backend_;
};

template <class Set>
std::string openssl(Bytes message) {
    std::array<std::uint8_t, 64> digest{};
    unsigned size = 0;
    EXPECT_EQ(EVP_Digest(message.data(), message.size(), digest.data(), &size, openssl_hash<Set>(),
                         nullptr),
              1);
    return hex(Bytes(digest).first(size));
}

template <class C>
class sha2 : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<typename C::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
    using H = Hash<typename C::Set, typename C::Backend>;
};

using Cases = testing::Types<Case<Set256, Portable>, Case<Set384, Portable>, Case<Set512, Portable>
#if defined(__x86_64__)
                             ,
                             Case<Set256, ShaNi>
#endif
                             >;
TYPED_TEST_SUITE(sha2, Cases);

TYPED_TEST(sha2, of__examples_of_fips_180__digest) {
    int checked = 0;
    for (const Example& example : examples) {
        const std::string_view digest = expected<typename TypeParam::Set>(example);
        if (digest.empty()) continue;
        EXPECT_EQ(hex(TestFixture::H::of(bytes_of(example.message))), digest);
        ++checked;
    }
    EXPECT_EQ(checked, 3);
}

TYPED_TEST(sha2, update__a_million_times_a__digest) {
    typename TestFixture::H hash;
    const std::string a(1000, 'a');
    for (int i = 0; i < 1000; ++i) hash.update(bytes_of(a));
    constexpr Example million = {
        "", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
        "07b8b3dc38ecc4ebae97ddd87f3d8985",
        "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
        "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"};
    EXPECT_EQ(hex(hash.finish()), expected<typename TypeParam::Set>(million));
}

TYPED_TEST(sha2, of__every_length_to_1000__as_openssl) {
    std::mt19937_64 generator(1);
    std::vector<std::uint8_t> message;
    for (int length = 0; length <= 1000; ++length) {
        ASSERT_EQ(hex(TestFixture::H::of(message)), openssl<typename TypeParam::Set>(message))
            << "length " << length;
        message.push_back(static_cast<std::uint8_t>(generator()));
    }
}

TYPED_TEST(sha2, update__random_splits__as_openssl) {
    const unsigned seed = std::random_device()();
    std::mt19937_64 generator(seed);
    typename TestFixture::H hash;  // used again and again: finish leaves it as new
    for (int round = 0; round < 1000; ++round) {
        const test::ByteVector message = test::random_bytes(generator, generator() % 2000);
        for (Bytes rest = message; !rest.empty();) {
            const std::size_t taken = 1 + generator() % std::min<std::size_t>(rest.size(), 300);
            hash.update(rest.first(taken));
            rest = rest.subspan(taken);
            if (generator() % 4 == 0) hash.update({});
        }
        ASSERT_EQ(hex(hash.finish()), openssl<typename TypeParam::Set>(message)) << "seed " << seed;
    }
}

TYPED_TEST(sha2, copy__of_a_prefix__both_go_on_alone) {
    typename TestFixture::H prefix;
    prefix.update(
        bytes_of("a prefix that is longer than one block of SHA-256, which has 64 bytes; "));
    typename TestFixture::H other = prefix;
    prefix.update(bytes_of("one"));
    other.update(bytes_of("two"));
    EXPECT_EQ(hex(prefix.finish()),
              openssl<typename TypeParam::Set>(bytes_of(
                  "a prefix that is longer than one block of SHA-256, which has 64 bytes; one")));
    EXPECT_EQ(hex(other.finish()),
              openssl<typename TypeParam::Set>(bytes_of(
                  "a prefix that is longer than one block of SHA-256, which has 64 bytes; two")));
}

TYPED_TEST(sha2, wipe__half_a_message__as_new_and_nothing_is_left) {
    typename TestFixture::H hash;
    const std::string secret(200, '\x5a');
    hash.update(bytes_of(secret));
    hash.wipe();
    const Bytes object(reinterpret_cast<const std::uint8_t*>(&hash), sizeof hash);
    EXPECT_EQ(text_of(object).find("\x5a\x5a\x5a\x5a"), std::string_view::npos);
    EXPECT_EQ(hex(hash.finish()), openssl<typename TypeParam::Set>({}));
}

}  // namespace
}  // namespace quoin::core::sha2
