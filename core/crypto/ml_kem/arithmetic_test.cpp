// The arithmetic of each backend against its definition in FIPS 203, and against the other's.
#include <gtest/gtest.h>

#include <random>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "core/crypto/test_cpu.hpp"

namespace quoin::core::ml_kem {
namespace {

std::int32_t positive(std::int64_t x) { return static_cast<std::int32_t>(((x % q) + q) % q); }

Poly random_poly(std::mt19937_64& generator, int least, int most) {
    std::uniform_int_distribution<int> distribution(least, most);
    Poly f;
    for (std::int16_t& c : f.c) c = static_cast<std::int16_t>(distribution(generator));
    return f;
}

std::array<std::int32_t, 256> residues(const Poly& f, std::int64_t factor = 1) {
    std::array<std::int32_t, 256> result{};
    for (std::size_t i = 0; i < 256; ++i) result[i] = positive(f.c[i] * factor);
    return result;
}

// f at 17^(2 BitRev7(i) + 1), pairwise: FIPS 203, section 4.3.
std::array<std::int32_t, 256> evaluate(const Poly& f) {
    std::array<std::int32_t, 256> result{};
    for (unsigned i = 0; i < 128; ++i) {
        const std::int32_t gamma = power_of_17(2 * reverse_7_bits(i) + 1);
        std::int64_t power = 1;
        std::int64_t even = 0;
        std::int64_t odd = 0;
        for (std::size_t j = 0; j < 128; ++j) {
            even += f.c[2 * j] * power;
            odd += f.c[2 * j + 1] * power;
            power = power * gamma % q;
        }
        result[2 * i] = positive(even);
        result[2 * i + 1] = positive(odd);
    }
    return result;
}

// In Z_q[X] / (X^256 + 1), term by term.
std::array<std::int32_t, 256> product(const Poly& f, const Poly& g) {
    std::array<std::int64_t, 256> sums{};
    for (std::size_t i = 0; i < 256; ++i) {
        for (std::size_t j = 0; j < 256; ++j) {
            const std::int64_t term = f.c[i] * std::int64_t{g.c[j]};
            sums[(i + j) % 256] += i + j < 256 ? term : -term;
        }
    }
    std::array<std::int32_t, 256> result{};
    for (std::size_t i = 0; i < 256; ++i) result[i] = positive(sums[i]);
    return result;
}

int largest(const Poly& f) {
    int result = 0;
    for (const std::int16_t c : f.c) result = std::max(result, std::abs(int{c}));
    return result;
}

template <class Backend>
class arithmetic : public testing::Test {
protected:
    using Math = Arithmetic<Backend>;

    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor lacks the backend";
        }
    }
    const std::uint32_t seed_ = std::random_device{}();
    const testing::ScopedTrace told_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
    std::mt19937_64 generator_{seed_};
};

using Backends =
    std::conditional_t<avx2_is_built, testing::Types<Portable, Avx2>, testing::Types<Portable>>;
TYPED_TEST_SUITE(arithmetic, Backends);

TYPED_TEST(arithmetic, ntt__random_and_extreme__evaluates) {
    using Math = typename TestFixture::Math;
    for (int i = 0; i < 200; ++i) {
        Poly f = random_poly(this->generator_, i % 2 == 0 ? -3328 : 3328, 3328);
        if (i == 1) f.c.fill(-3328);
        const auto expected = evaluate(f);
        Math::ntt(f);
        ASSERT_EQ(residues(f), expected);
        ASSERT_LT(largest(f), 2200);
    }
}

TYPED_TEST(arithmetic, product__random_and_extreme__as_term_by_term) {
    using Math = typename TestFixture::Math;
    for (int i = 0; i < 50; ++i) {
        const Poly f = random_poly(this->generator_, i % 3 == 0 ? 3328 : 0, 3328);
        const Poly g = random_poly(this->generator_, i % 2 == 0 ? -3328 : 3328, 3328);
        Poly a = f;
        Poly b = g;
        Math::ntt(a);
        Math::ntt(b);
        for (std::int16_t& c : a.c) c = static_cast<std::int16_t>(positive(c));
        typename Math::Multiplicand prepared;
        Math::prepare(prepared, b);
        typename Math::Sum sum;
        sum.clear();
        for (int j = 0; j < 4; ++j) sum.add(a, prepared);
        Poly result;
        sum.finish(result);
        ASSERT_LT(largest(result), 2800);
        Math::inverse_ntt(result);
        ASSERT_LT(largest(result), 2400);
        auto expected = product(f, g);
        for (std::int32_t& c : expected) c = positive(4 * c);
        ASSERT_EQ(residues(result), expected);
    }
}

TYPED_TEST(arithmetic, inverse_ntt__largest_input__does_not_overflow) {
    using Math = typename TestFixture::Math;
    for (const int extreme : {2799, -2799}) {
        Poly f;
        f.c.fill(static_cast<std::int16_t>(extreme));
        const auto expected = residues(f);
        Math::inverse_ntt(f);
        Math::reduce(f);
        Math::ntt(f);
        // inverse_ntt multiplies by R = 2285.
        Poly scaled;
        for (std::size_t i = 0; i < 256; ++i) scaled.c[i] = static_cast<std::int16_t>(expected[i]);
        ASSERT_EQ(residues(f), residues(scaled, 2285));
    }
}

TYPED_TEST(arithmetic, reduce__every_16_bit_number__is_congruent_and_small) {
    using Math = typename TestFixture::Math;
    for (int x = -32768; x <= 32767; ++x) {
        Poly f;
        f.c.fill(static_cast<std::int16_t>(x));
        Math::reduce(f);
        ASSERT_EQ(positive(f.c[0]), positive(x));
        ASSERT_LT(largest(f), 2200);
        f.c.fill(static_cast<std::int16_t>(x));
        Math::undo_montgomery(f);
        ASSERT_EQ(positive(f.c[0]), positive(std::int64_t{x} * 2285));
        ASSERT_LT(largest(f), q);
    }
}

template <class Math, std::size_t D>
void check_compression(std::mt19937_64& generator) {
    std::array<std::uint8_t, 32 * D> bytes;
    // Every number in every class of the loop: 4399 of them, shifted through the positions.
    for (int first = -2199; first < 2200; first += 200) {
        for (int shift = 0; shift < 16; ++shift) {
            Poly f;
            for (int i = 0; i < 256; ++i) {
                f.c[static_cast<std::size_t>(i)] =
                    static_cast<std::int16_t>(std::min(first + (i + shift) % 256, 2199));
            }
            Math::template compress<D>(bytes, f);
            std::array<std::uint8_t, 32 * D> expected{};
            for (std::size_t i = 0; i < 256; ++i) {
                const int y = (positive(f.c[i]) * (1 << D) + q / 2) / q % (1 << D);
                for (std::size_t bit = 0; bit < D; ++bit) {
                    const std::size_t at = i * D + bit;
                    if ((y >> bit & 1) != 0) {
                        expected[at / 8] |= static_cast<std::uint8_t>(1U << at % 8);
                    }
                }
            }
            ASSERT_EQ(bytes, expected) << "d = " << D;
        }
    }
    for (int i = 0; i < 100; ++i) {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator());
        Poly f;
        Math::template decompress<D>(f, bytes);
        for (std::size_t j = 0; j < 256; ++j) {
            int y = 0;
            for (std::size_t bit = 0; bit < D; ++bit) {
                const std::size_t at = j * D + bit;
                y |= (bytes[at / 8] >> at % 8 & 1) << bit;
            }
            ASSERT_EQ(f.c[j], (q * y + (1 << (D - 1))) >> D);
        }
    }
}

TYPED_TEST(arithmetic, compress__every_number__as_defined) {
    using Math = typename TestFixture::Math;
    check_compression<Math, 1>(this->generator_);
    check_compression<Math, 4>(this->generator_);
    check_compression<Math, 5>(this->generator_);
    check_compression<Math, 10>(this->generator_);
    check_compression<Math, 11>(this->generator_);
}

TYPED_TEST(arithmetic, encode__random__decodes_to_the_same) {
    using Math = typename TestFixture::Math;
    std::array<std::uint8_t, 384> bytes;
    for (int i = 0; i < 100; ++i) {
        const Poly f = random_poly(this->generator_, -2199, 2199);
        Math::encode(bytes, f);
        Poly g;
        Math::decode(g, bytes);
        for (std::size_t j = 0; j < 256; ++j) ASSERT_EQ(g.c[j], positive(f.c[j]));
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(this->generator_());
    }
    Poly f;
    Math::decode(f, bytes);
    for (std::size_t j = 0; j < 256; ++j) {
        const int pair = bytes[j / 2 * 3] | bytes[j / 2 * 3 + 1] << 8 | bytes[j / 2 * 3 + 2] << 16;
        ASSERT_EQ(f.c[j], pair >> (12 * (j % 2)) & 0xfff);
    }
}

template <class Math, std::size_t Eta>
void check_cbd(std::mt19937_64& generator) {
    std::array<std::uint8_t, 64 * Eta> bytes;
    for (int i = 0; i < 100; ++i) {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator());
        Poly f;
        Math::template sample_cbd<Eta>(f, bytes);
        const auto bit = [&](std::size_t at) { return bytes[at / 8] >> at % 8 & 1; };
        for (std::size_t j = 0; j < 256; ++j) {
            int expected = 0;
            for (std::size_t n = 0; n < Eta; ++n) {
                expected += bit(2 * j * Eta + n) - bit(2 * j * Eta + Eta + n);
            }
            ASSERT_EQ(f.c[j], expected);
        }
    }
}

TYPED_TEST(arithmetic, sample_cbd__random__as_algorithm_8) {
    using Math = typename TestFixture::Math;
    check_cbd<Math, 2>(this->generator_);
    check_cbd<Math, 3>(this->generator_);
}

}  // namespace
}  // namespace quoin::core::ml_kem
