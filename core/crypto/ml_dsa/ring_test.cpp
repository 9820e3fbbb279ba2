// The arithmetic under ML-DSA, against the definitions of FIPS 204 written out.
#include "core/crypto/ml_dsa/ring.hpp"

#include <gtest/gtest.h>

#include "core/crypto/ml_dsa/coding.hpp"
#include "core/crypto/ml_dsa/field.hpp"
#include "core/crypto/ml_dsa/fixture.hpp"
#include "core/crypto/ml_dsa/layout.hpp"
#include "core/crypto/ml_dsa/verify_body.hpp"
#include "core/crypto/test_cpu.hpp"

namespace quoin::core::ml_dsa::fixture {
namespace {

std::int64_t modulo(std::int64_t a) { return ((a % q) + q) % q; }

// a mod+- alpha: FIPS 204, section 2.3.
std::int32_t centered(std::int32_t a, std::int32_t alpha) {
    const std::int32_t rest = a % alpha;
    return rest > alpha / 2 ? rest - alpha : rest;
}

TEST(field, power2round__all_of_q__as_defined) {
    for (std::int32_t r = 0; r < q; ++r) {
        const Split parts = power2round(r);
        const std::int32_t low = centered(r, 1 << d);
        ASSERT_EQ(parts.low, low) << r;
        ASSERT_EQ(parts.high, (r - low) >> d) << r;
    }
}

template <class Set>
void check_decompose() {
    for (std::int32_t r = 0; r < q; ++r) {
        const Split parts = decompose<Set>(r);
        std::int32_t low = centered(r, 2 * Set::gamma2);
        std::int32_t high = (r - low) / (2 * Set::gamma2);
        if (r - low == q - 1) {
            high = 0;
            --low;
        }
        ASSERT_EQ(parts.high, high) << r;
        ASSERT_EQ(parts.low, low) << r;
        const std::int32_t step = low > 0 ? 1 : Set::w1_count - 1;
        ASSERT_EQ(use_set_hint<Set>(r), (high + step) % Set::w1_count) << r;
    }
}
TEST(field, decompose_and_use_hint__all_of_q__as_defined) {
    check_decompose<Set44>();
    check_decompose<Set65>();
}

template <class Set>
void check_hint() {
    for (std::int32_t high = 0; high < Set::w1_count; ++high) {
        for (std::int32_t low = -2 * Set::gamma2; low <= 2 * Set::gamma2; low += 1) {
            if (std::abs(std::abs(low) - Set::gamma2) > 3 && low % 1021 != 0) continue;
            const auto value = static_cast<std::int32_t>(modulo(high * 2 * Set::gamma2 + low));
            const bool needed = decompose<Set>(value).high != high;
            ASSERT_EQ(hint_needed<Set>(high, low), needed ? 1 : 0) << high << " " << low;
        }
    }
}
TEST(field, hint_needed__around_the_bounds__as_defined) {
    check_hint<Set44>();
    check_hint<Set65>();
}

TEST(field, montgomery_reduce__random_and_extreme__congruent_and_below_q) {
    const std::int64_t limit = (std::int64_t{1} << 31) * q;
    const auto check = [&](std::int64_t a) {
        const std::int64_t reduced = montgomery_reduce(a);
        ASSERT_LT(std::abs(reduced), q);
        ASSERT_EQ(modulo(modulo(reduced << 32)), modulo(a));
    };
    for (const std::int64_t a : {limit - 1, 1 - limit, std::int64_t{0}, std::int64_t{-1}}) check(a);
    for (int i = 0; i < 100000; ++i) {
        check(static_cast<std::int64_t>(generator()() % static_cast<std::uint64_t>(2 * limit - 1)) -
              limit + 1);
    }
}

Poly random_poly(std::int32_t bound) {
    Poly poly;
    for (std::int32_t& c : poly.c) {
        c = static_cast<std::int32_t>(random_below(static_cast<std::size_t>(2 * bound - 1))) -
            bound + 1;
    }
    return poly;
}

Poly constant_poly(std::int32_t value) {
    Poly poly;
    for (std::int32_t& c : poly.c) c = value;
    return poly;
}

// a b modulo X^256 + 1.
std::array<std::int64_t, n> schoolbook(const Poly& a, const Poly& b) {
    std::array<std::int64_t, n> out{};
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            const std::int64_t product = modulo(std::int64_t{a.c[i]} * b.c[j]);
            std::int64_t& to = out[(i + j) % n];
            to = modulo(i + j < n ? to + product : to - product);
        }
    }
    return out;
}

template <class Backend>
class ring : public testing::Test {
    void SetUp() override {
        if (!test::runs_here<Backend>())
            GTEST_SKIP() << "NOT RUN: this processor lacks the backend";
    }
};
using Backends =
    std::conditional_t<avx2_is_built, testing::Types<Portable, Avx2>, testing::Types<Portable>>;
TYPED_TEST_SUITE(ring, Backends);

TYPED_TEST(ring, multiply__random_and_extreme__as_schoolbook) {
    for (int i = 0; i < 60; ++i) {
        const Poly a = i == 0   ? constant_poly(q - 1)
                       : i == 1 ? constant_poly(1 - q)
                                : random_poly(q);
        const Poly b = i == 0 ? constant_poly(q - 1) : random_poly(q);
        Poly x = a;
        Poly y = b;
        Ring<TypeParam>::ntt(x);
        Ring<TypeParam>::ntt(y);
        for (const std::int32_t c : x.c) ASSERT_LT(std::abs(c), 9 * q);
        Ring<TypeParam>::multiply(x, x, y);
        for (const std::int32_t c : x.c) ASSERT_LT(std::abs(c), q);
        Ring<TypeParam>::inverse_ntt(x);
        const auto expected = schoolbook(a, b);
        for (std::size_t j = 0; j < n; ++j) {
            ASSERT_LT(std::abs(x.c[j]), q);
            ASSERT_EQ(modulo(x.c[j]), expected[j]);
        }
    }
}

TYPED_TEST(ring, inverse_ntt__constant_and_largest_input__constant_term_times_2_32) {
    for (const std::int32_t value : {q - 1, 1 - q, 1, q / 3, -12345}) {
        Poly x = constant_poly(value);
        Ring<TypeParam>::inverse_ntt(x);
        Ring<TypeParam>::to_unsigned(x);
        // v everywhere is the transform of the constant v; Montgomery's 2^32 is for multiply().
        ASSERT_EQ(x.c[0], modulo(modulo(value) << 32));
        for (std::size_t i = 1; i < n; ++i) ASSERT_EQ(x.c[i], 0) << i;
    }
}

TYPED_TEST(ring, dot__seven_terms__sum_of_products) {
    std::array<Poly, 7> a;
    std::array<Poly, 7> b;
    for (std::size_t i = 0; i < 7; ++i) {
        a[i] = random_poly(q);
        b[i] = random_poly(9 * q);
    }
    b[0] = constant_poly(9 * q - 1);
    Poly sum = constant_poly(0);
    for (std::size_t i = 0; i < 7; ++i) {
        Poly term;
        Ring<TypeParam>::multiply(term, a[i], b[i]);
        Ring<TypeParam>::add(sum, sum, term);
    }
    for (const std::size_t count : {4U, 5U, 7U}) {
        Poly out;
        Ring<TypeParam>::dot(out, a.data(), b.data(), count);
        for (std::size_t j = 0; j < n; ++j) {
            std::int64_t expected = 0;
            for (std::size_t i = 0; i < count; ++i) {
                expected += modulo(std::int64_t{a[i].c[j]} * b[i].c[j]);
            }
            ASSERT_LT(std::abs(out.c[j]), q);
            ASSERT_EQ(modulo(std::int64_t{out.c[j]} << 32), modulo(expected));
        }
    }
}

TYPED_TEST(ring, reduce__whole_range__small_values_keep_their_sign) {
    for (const std::int32_t value : {0, 1, -1, q / 4, -q / 4, 523000, -523000}) {
        for (const std::int32_t times : {-2, -1, 0, 1, 2}) {
            Poly x = constant_poly(value + times * q);
            Ring<TypeParam>::reduce(x);
            for (const std::int32_t c : x.c) ASSERT_EQ(c, value);
        }
    }
}

TYPED_TEST(ring, exceeds__one_coefficient_at_the_bound__found_anywhere) {
    Poly x = constant_poly(99);
    EXPECT_FALSE(Ring<TypeParam>::exceeds(x, 100));
    for (std::size_t i = 0; i < n; ++i) {
        for (const std::int32_t value : {100, -100}) {
            x.c[i] = value;
            EXPECT_TRUE(Ring<TypeParam>::exceeds(x, 100)) << i;
            EXPECT_FALSE(Ring<TypeParam>::exceeds(x, 101)) << i;
        }
        x.c[i] = -99;
    }
}

template <class Set>
void check_bound_of_z() {
    constexpr std::int32_t bound = Set::gamma1 - Set::beta;  // Algorithm 8, line 13
    for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
        for (const std::int32_t value : {bound - 1, 1 - bound, bound, -bound}) {
            ByteVector signature(Set::signature_size);
            Poly z{};
            z.c[at] = value;
            for (std::size_t j = 0; j < Set::l; ++j) {
                Coding<Set, Portable>::pack_z(
                    signature.data() + SignatureLayout<Set>::z + j * Set::z_poly_size, z);
            }
            const Verifier<Set, Portable> verifier{Signature<Set>(signature)};
            for (std::size_t j = 0; j < Set::l; ++j) {
                EXPECT_EQ(verifier.load_z(z, j), std::abs(value) < bound) << value;
            }
        }
    }
}
TEST(ml_dsa_verifier, load_z__at_the_bound__refused) {
    check_bound_of_z<Set44>();
    check_bound_of_z<Set65>();
    check_bound_of_z<Set87>();
}

}  // namespace
}  // namespace quoin::core::ml_dsa::fixture
