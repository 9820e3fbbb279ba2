// The transforms of all backends against schoolbook multiplication.
#include <gtest/gtest.h>

#include <random>

#include "core/crypto/falcon/fixture.hpp"

namespace quoin::core::falcon::fixture {
namespace {

template <class TypeParam>
class falcon_ring : public TypedTest<TypeParam> {};
TYPED_TEST_SUITE(falcon_ring, Cases);

template <class Set>
Poly<Set> schoolbook(const Poly<Set>& a, const Poly<Set>& b) {
    std::vector<std::int64_t> product(2 * Set::n);
    for (std::size_t i = 0; i < Set::n; ++i) {
        for (std::size_t j = 0; j < Set::n; ++j) product[i + j] += a.c[i] * b.c[j];
    }
    Poly<Set> result;
    for (std::size_t i = 0; i < Set::n; ++i) {
        result.c[i] = center(static_cast<std::int32_t>((product[i] - product[i + Set::n]) % q));
    }
    return result;
}

TYPED_TEST(falcon_ring, multiply__random_and_extreme__as_schoolbook) {
    using Set = TypeParam::Set;
    using Ring = Ring<Set, typename TypeParam::Backend>;
    std::mt19937_64 generator(7);
    for (int round = 0; round < 6; ++round) {
        Poly<Set> a, b;
        for (std::size_t i = 0; i < Set::n; ++i) {
            const bool extreme = round >= 3;
            a.c[i] = extreme ? (generator() % 2 != 0 ? q / 2 : -(q / 2))
                             : center(static_cast<std::int32_t>(generator() % q));
            b.c[i] = extreme ? (round == 4 ? q / 2 : -(q / 2))
                             : center(static_cast<std::int32_t>(generator() % q));
        }
        const Poly<Set> expected = schoolbook(a, b);
        Ring::transform(a);
        Ring::transform(b);
        for (const std::int16_t c : a.c) ASSERT_LE(std::abs(c), 24 * q / 10);
        Ring::to_montgomery(b);
        Ring::multiply_back(a, b);
        for (std::size_t i = 0; i < Set::n; ++i) {
            ASSERT_LE(std::abs(a.c[i]), 57 * q / 100);
            ASSERT_EQ(center(a.c[i]), expected.c[i]) << i;
        }
        EXPECT_EQ(Ring::squared_distance(a, expected), 0U);
        Poly<Set> minus_b = expected;
        std::uint64_t sum = 0;
        for (std::int16_t& c : minus_b.c) sum += static_cast<std::uint64_t>(c * c), c = 0;
        EXPECT_EQ(Ring::squared_distance(a, minus_b), sum);
        EXPECT_EQ(Ring::squared_norm(expected), sum);
    }
}

}  // namespace
}  // namespace quoin::core::falcon::fixture
