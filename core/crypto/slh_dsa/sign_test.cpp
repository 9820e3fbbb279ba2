// Signing against OpenSSL, on random input.
#include <gtest/gtest.h>

#include "core/crypto/slh_dsa/fixture.hpp"

namespace quoin::core::slh_dsa {
namespace {

using test::random_bytes;

template <class S, class B>
struct Pair {
    using Set = S;
    using Backend = B;
};

template <class T>
class signing : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<typename T::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
};
using SigningPairs = testing::Types<
#if defined(__x86_64__)
    Pair<Shake_128s, Avx2>, Pair<Shake_128f, Avx2>,
#endif
    Pair<Shake_128s, Portable>, Pair<Shake_128f, Portable>>;
TYPED_TEST_SUITE(signing, SigningPairs);

TYPED_TEST(signing, sign__hedged_and_deterministic__as_openssl) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    SCOPED_TRACE(random_seed);
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
        EXPECT_TRUE((verify_bytes<Set, Backend>(Bytes(key).last(Set::public_key_size), message,
                                                context, signature)));
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
