// Against OpenSSL, on random and on damaged input.
#include <gtest/gtest.h>

#include "core/crypto/slh_dsa/fixture.hpp"

namespace quoin::core::slh_dsa {
namespace {

using test::random_bytes;

std::mt19937_64 seeded() {
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << '\n';
    return std::mt19937_64(seed);
}

template <class S, class B>
struct Pair {
    using Set = S;
    using Backend = B;
};

template <class T>
class verifying : public testing::Test {};
using AllSets =
    testing::Types<Sha2_128s, Sha2_128f, Sha2_192s, Sha2_192f, Sha2_256s, Sha2_256f, Shake_128s,
                   Shake_128f, Shake_192s, Shake_192f, Shake_256s, Shake_256f>;
TYPED_TEST_SUITE(verifying, AllSets);

// Every backend's answer: they must agree.
template <class Set>
bool verified(Bytes key, Bytes message, Bytes context, Bytes signature) {
    const auto portable = verify_bytes<Set, Portable>(key, message, context, signature);
    EXPECT_TRUE(portable || portable.error() == Code::integrity_signature);
    if constexpr (avx2_is_built) {
        const auto avx2 = verify_bytes<Set, Avx2>(key, message, context, signature);
        EXPECT_EQ(avx2.has_value(), portable.has_value());
        if constexpr (!Set::is_shake) {
            if (test::runs_here<ShaNi>()) {
                const auto sha_ni = verify_bytes<Set, ShaNi>(key, message, context, signature);
                EXPECT_EQ(sha_ni.has_value(), portable.has_value());
            }
        }
    }
    return portable.has_value();
}

TYPED_TEST(verifying, signatures_of_openssl__good_and_damaged__same_answer) {
    using Set = TypeParam;
    auto generator = seeded();
    const auto peer = Peer<Set>::generate();
    const ByteVector key = peer.public_key();
    const ByteVector message = random_bytes(generator, generator() % 500);
    const ByteVector context = random_bytes(generator, generator() % 256);
    const ByteVector good = peer.sign(message, context);
    ASSERT_EQ(good.size(), Set::signature_size);
    EXPECT_TRUE(verified<Set>(key, message, context, good));
    EXPECT_TRUE(peer.verify(message, context, good));
    for (int i = 0; i < 40; ++i) {
        ByteVector bad = good;
        // The first ones in R, the last ones in the top layer, the others anywhere.
        const std::size_t at = i < 4   ? generator() % Set::n
                               : i < 8 ? bad.size() - 1 - generator() % Set::n
                                       : generator() % bad.size();
        bad[at] ^= static_cast<std::uint8_t>(1U << (generator() % 8));
        EXPECT_FALSE(verified<Set>(key, message, context, bad)) << at;
        EXPECT_FALSE(peer.verify(message, context, bad)) << at;
    }
}

TYPED_TEST(verifying, message_context_and_key__another__refused) {
    using Set = TypeParam;
    auto generator = seeded();
    const auto peer = Peer<Set>::generate();
    const ByteVector key = peer.public_key();
    const ByteVector message = random_bytes(generator, 64);
    const ByteVector context = {1, 2, 3};
    const ByteVector good = peer.sign(message, context);
    EXPECT_FALSE(verified<Set>(key, Bytes(message).first(63), context, good));
    EXPECT_FALSE(verified<Set>(key, message, Bytes(context).first(2), good));
    EXPECT_FALSE(verified<Set>(key, message, {}, good));
    EXPECT_FALSE(verified<Set>(key, message, ByteVector(256), good));
    EXPECT_FALSE(verified<Set>(key, {}, {}, good));
    for (const std::size_t at : {std::size_t{0}, Set::n - 1, Set::n, 2 * Set::n - 1}) {
        ByteVector other = key;
        other[at] ^= 0x80;
        EXPECT_FALSE(verified<Set>(other, message, context, good)) << at;
    }
    EXPECT_FALSE(verified<Set>(key, message, context, Bytes(good).first(good.size() - 1)));
    EXPECT_FALSE(verified<Set>(key, message, context, {}));
    ByteVector longer = good;
    longer.push_back(0);
    EXPECT_FALSE(verified<Set>(key, message, context, longer));
    EXPECT_FALSE(verified<Set>(key, message, context, ByteVector(good.size())));
}

template <class T>
class signing : public testing::Test {};
using SigningPairs = testing::Types<
#if defined(__x86_64__)
    Pair<Shake_128s, Avx2>, Pair<Shake_128f, Avx2>,
#endif
    Pair<Shake_128s, Portable>, Pair<Shake_128f, Portable>>;
TYPED_TEST_SUITE(signing, SigningPairs);

TYPED_TEST(signing, sign__hedged_and_deterministic__as_openssl) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    auto generator = seeded();
    const int rounds = Set::d == 7 ? 1 : 5;
    for (int i = 0; i < rounds; ++i) {
        const ByteVector seeds = random_bytes(generator, 3 * Set::n);
        ByteVector key(Set::private_key_size);
        const auto key_span = std::span(key).template first<Set::private_key_size>();
        keygen<Set, Backend>(std::span(seeds).template first<3 * Set::n>(), key_span);
        const auto peer = Peer<Set>::from_private(key);
        const ByteVector message = random_bytes(generator, generator() % 1000);
        const ByteVector context = random_bytes(generator, generator() % 256);
        const ByteVector randomness = random_bytes(generator, Set::n);
        ByteVector signature(Set::signature_size);
        const auto out = std::span(signature).template first<Set::signature_size>();
        ASSERT_TRUE((sign<Set, Backend>(key_span, message, context,
                                        std::span(randomness).template first<Set::n>(), out)));
        EXPECT_TRUE(signature == peer.sign(message, context, randomness));
        EXPECT_TRUE(peer.verify(message, context, signature));
        EXPECT_TRUE(
            verified<Set>(Bytes(key).last(Set::public_key_size), message, context, signature));
        ASSERT_TRUE((sign_deterministic<Set, Backend>(key_span, message, context, out)));
        EXPECT_TRUE(signature == peer.sign(message, context));
        EXPECT_TRUE(peer.verify(message, context, signature));
    }
}

TYPED_TEST(signing, sign__context_of_256_bytes__input_invalid) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    const std::array<std::uint8_t, Set::private_key_size> key{};
    ByteVector signature(Set::signature_size);
    const auto out = std::span(signature).template first<Set::signature_size>();
    EXPECT_EQ((sign_deterministic<Set, Backend>(key, {}, ByteVector(256), out)).error(),
              Code::input_invalid);
}

}  // namespace
}  // namespace quoin::core::slh_dsa
