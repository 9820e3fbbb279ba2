// Health tests over vectors, and the whole way: samples that are wrong stop the module. Each case
// is a process of its own, with samples that this program defines.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/crypto/entropy/health.hpp"
#include "host/crypto/entropy/samples.hpp"
#include "host/crypto/entropy/source.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/module.hpp"

namespace quoin::crypto::entropy {
namespace {

enum class Samples { good, stuck, biased, none };
std::atomic<Samples> samples = Samples::good;

std::vector<std::uint8_t> counting(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}

TEST(health, repetition_count__one_below_the_cutoff__good) {
    HealthTests tests;
    auto bytes = counting(100);
    std::fill_n(bytes.begin() + 40, repetition_cutoff - 1, 7);
    EXPECT_EQ(tests.take(bytes), Health::good);
}

TEST(health, repetition_count__at_the_cutoff_across_two_draws__fails_for_good) {
    HealthTests tests;
    const std::vector<std::uint8_t> half(repetition_cutoff / 2, 7), rest(6, 7);
    EXPECT_EQ(tests.take(half), Health::good);
    EXPECT_EQ(tests.take(rest), Health::repetition_count);
    EXPECT_EQ(tests.take(counting(100)), Health::repetition_count);
}

// Every sixth sample is the window's first: 86 of 512, where 78 are too many.
TEST(health, adaptive_proportion__biased_without_repetitions__fails) {
    HealthTests tests;
    auto bytes = counting(proportion_window);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == 0) bytes[i] = 99;
        if (i % 6 == 0) bytes[i] = 0;
    }
    EXPECT_EQ(tests.take(bytes), Health::adaptive_proportion);
}

TEST(health, adaptive_proportion__one_below_the_cutoff_in_each_window__good) {
    HealthTests tests;
    for (int window = 0; window < 4; ++window) {
        auto bytes = counting(proportion_window);
        std::ranges::replace(bytes, std::uint8_t{200}, std::uint8_t{1});
        for (std::size_t i = 0; i < 2 * (proportion_cutoff - 1); i += 2) bytes[i] = 200;
        EXPECT_EQ(tests.take(bytes), Health::good) << window;
    }
}

TEST(health, cutoffs__as_the_standard_computes_them) {
    EXPECT_EQ(repetition_cutoff, 1 + 40 / bits_of_a_sample);
    // CRITBINOM(512, 1/16, 1 - 2^-40): the smallest k with P(X > k) <= 2^-40.
    long double tail = 0, term = 1;
    for (int i = 0; i < 512; ++i) term /= 16;  // P(X = 512)
    int k = 512;
    while (tail + term <= 0x1p-40L) {
        tail += term;
        term = term * static_cast<long double>(k) / static_cast<long double>(512 - k + 1) * 15;
        --k;
    }
    EXPECT_EQ(proportion_cutoff, 1U + static_cast<unsigned>(k));
}

// The generator that seeds the others draws a new seed.
bool reseed() {
    return EVP_RAND_reseed(RAND_get0_primary(library()), 0, nullptr, 0, nullptr, 0) == 1;
}

// Exit status 0: everything refused with `test` as the reason.
void expect_stopped(Samples kind, std::string_view test, bool later) {
    const pid_t child = ::fork();
    if (child == 0) {
        std::array<std::uint8_t, 32> out{};
        samples = later ? Samples::good : kind;
        if (later && !random_bytes(out)) ::_exit(1);
        samples = kind;
        if (later && reseed()) ::_exit(2);
        const auto drawn = random_bytes(out);
        if (drawn || !drawn.error().message.contains(test)) ::_exit(3);
        if (sha256(out) || PrivateKey::generate(Algorithm::ed25519)) ::_exit(4);
        ::_exit(module_report().failed_test == test ? 0 : 5);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << test << ", exit status " << WEXITSTATUS(status);
}

TEST(entropy, stuck_at_the_start__module_stopped) {
    expect_stopped(Samples::stuck, "entropy: repetition count", false);
}
TEST(entropy, stuck_later__module_stopped_at_the_next_seed) {
    expect_stopped(Samples::stuck, "entropy: repetition count", true);
}
TEST(entropy, biased__module_stopped) {
    expect_stopped(Samples::biased, "entropy: adaptive proportion", false);
}
TEST(entropy, none__module_stopped) {
    expect_stopped(Samples::none, "entropy: the system gives none", false);
}

// Last, as it makes this process's context.
TEST(entropy_sound, the_library_s_generators__seeded_here_and_nowhere_else) {
    std::array<std::uint8_t, 32> one{}, two{};
    ASSERT_TRUE(random_bytes(one));
    ASSERT_TRUE(random_bytes(two));
    EXPECT_NE(one, two);
    const std::uint64_t before = samples_tested();
    EXPECT_GE(before, start_up_samples + 64);
    EXPECT_TRUE(reseed());
    EXPECT_GT(samples_tested(), before);
}

}  // namespace

bool read_samples(MutableBytes out) {
    switch (samples.load()) {
        case Samples::none:
            return false;
        case Samples::stuck:
            std::ranges::fill(out, std::uint8_t{0xFF});
            return true;
        case Samples::biased:
        case Samples::good:
            break;
    }
    if (::getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size())) return false;
    if (samples == Samples::biased) {
        for (std::size_t i = 0; i < out.size(); i += 4) out[i] = 0x55;
    }
    return true;
}

}  // namespace quoin::crypto::entropy
