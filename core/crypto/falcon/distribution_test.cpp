// Ten thousand signatures of one key, from fixed randomness, against what the specification says of
// their distribution: each coefficient of s1 and s2 is close to a discrete Gaussian of width sigma.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/crypto/falcon/coding.hpp"
#include "core/crypto/falcon/fixture.hpp"

namespace quoin::core::falcon::fixture {
namespace {

constexpr double sigma = 165.7366171829776;  // of Falcon-512
constexpr int signatures = 10000;

struct Sample {
    std::vector<double> counts = std::vector<double>(4096);  // of the values -2048..2047 of s2
    double squares = 0, squares_squared = 0;                 // of |s2|^2 / (n sigma^2)
};

template <class Backend>
Sample take() {
    const auto workspace = std::make_unique<SignWorkspace<Set512, Backend>>();
    const auto scratch = std::make_unique<SignScratch<Set512, Backend>>();
    const auto key = std::make_unique<LoadedPrivateKey<Set512, Backend>>();
    const Vector v = vectors_of<Set512>().front();
    EXPECT_TRUE(
        key->load(std::span(v.private_key).template first<Set512::private_key_size>(), *workspace));
    std::array<std::uint8_t, Set512::padded_signature_size> signature{};
    std::array<std::uint8_t, randomness_size> randomness{};
    Sample sample;
    for (int i = 0; i < signatures; ++i) {
        randomness[0] = static_cast<std::uint8_t>(i);
        randomness[1] = static_cast<std::uint8_t>(i >> 8);
        const auto size = key->sign({}, randomness, Format::padded, signature, *scratch);
        EXPECT_TRUE(size);
        Poly<Set512> s2;
        EXPECT_TRUE(decompress(s2, Bytes(signature).subspan(1 + salt_size), true));
        double norm = 0;
        for (const int c : s2.c) {
            sample.counts.at(static_cast<std::size_t>(c + 2048)) += 1;
            norm += c * c;
        }
        norm /= 512 * sigma * sigma;
        sample.squares += norm;
        sample.squares_squared += norm * norm;
    }
    return sample;
}

// The bound on |s|^2 cuts nearly nothing off: 2.2 million coefficients would show a width that is
// wrong by a thousandth.
template <class Backend>
void check() {
    const Sample sample = take<Backend>();
    const double mean = sample.squares / signatures;
    const double variance = sample.squares_squared / signatures - mean * mean;
    EXPECT_NEAR(mean, 1, 5 * std::sqrt(2.0 / 512 / signatures));  // of chi-square with 512 degrees
    EXPECT_NEAR(variance, 2.0 / 512, 5 * std::sqrt(2.0 / signatures) * 2 / 512);

    // Chi-square over classes of sixteen values, the tails beyond 4 sigma as one.
    double total = 0, weights = 0, chi_square = 0, tail = 512.0 * signatures, tail_weight = 1;
    std::vector<double> density(4096);
    for (int c = -2048; c < 2048; ++c) {
        density[static_cast<std::size_t>(c + 2048)] = std::exp(-c * c / (2 * sigma * sigma));
        weights += density[static_cast<std::size_t>(c + 2048)];
    }
    int classes = 0;
    for (std::size_t start = 2048 - 656; start < 2048 + 656; start += 16) {
        double observed = 0, expected = 0;
        for (std::size_t i = start; i < start + 16; ++i) {
            observed += sample.counts[i];
            expected += density[i] / weights;
        }
        tail -= observed;
        tail_weight -= expected;
        expected *= 512.0 * signatures;
        chi_square += (observed - expected) * (observed - expected) / expected;
        total += observed;
        ++classes;
    }
    const double expected_tail = tail_weight * 512 * signatures;
    chi_square += (tail - expected_tail) * (tail - expected_tail) / expected_tail;
    EXPECT_GT(total, 500.0 * signatures);
    EXPECT_LT(chi_square, classes + 5 * std::sqrt(2.0 * classes));
}

TEST(falcon_distribution, signatures__portable__as_the_specification) { check<Portable>(); }
#if defined(__x86_64__)
TEST(falcon_distribution, signatures__avx2__as_the_specification) {
    if (!test::runs_here<Avx2>()) GTEST_SKIP() << "NOT RUN: this processor has no AVX2";
    check<Avx2>();
}
#endif

}  // namespace
}  // namespace quoin::core::falcon::fixture
