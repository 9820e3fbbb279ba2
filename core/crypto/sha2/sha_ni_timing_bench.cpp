// valgrind 3.24 stops at the SHA instructions, so the ShaNi backend is checked by statistics: the
// time of hashing one fixed message against that of random ones, in random order, compared by
// Welch's t (after O. Reparaz, J. Balasch, I. Verbauwhede, "Dude, is my code constant time?",
// 2016). |t| above about 10 speaks against constant time. A planted leak shows what a leak looks
// like.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/test_cpu.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>

namespace quoin::core::sha2 {
namespace {

using Message = std::array<std::uint8_t, 256>;

struct Class {
    double count = 0, mean = 0, squares = 0;

    void add(double value) {
        count += 1;
        const double difference = value - mean;
        mean += difference / count;
        squares += difference * (value - mean);
    }
    double error() const { return squares / (count - 1) / count; }
};

template <class Operation>
double t_of(Operation operation) {
    constexpr int measurements = 200'000;
    std::mt19937_64 generator(1);
    std::vector<std::pair<bool, double>> cycles;
    cycles.reserve(measurements);
    for (int i = 0; i < measurements; ++i) {
        const bool is_random = generator() % 2 == 0;
        Message message{};
        for (std::uint8_t& byte : message) {
            byte = static_cast<std::uint8_t>(generator() & (is_random ? 0xffU : 0U));
        }
        unsigned processor = 0;
        const std::uint64_t start = __rdtscp(&processor);
        operation(message);
        cycles.emplace_back(is_random, static_cast<double>(__rdtscp(&processor) - start));
    }
    // Interrupts are no leak: the slowest tenth does not count.
    std::vector<double> all;
    for (const auto& [is_random, count] : cycles) all.push_back(count);
    std::ranges::sort(all);
    const double limit = all[measurements * 9 / 10];
    std::array<Class, 2> classes;
    for (const auto& [is_random, count] : cycles) {
        if (count <= limit) classes[is_random ? 1 : 0].add(count);
    }
    return (classes[0].mean - classes[1].mean) / std::sqrt(classes[0].error() + classes[1].error());
}

}  // namespace
}  // namespace quoin::core::sha2

int main() {
    using namespace quoin::core;
    if (!test::has_sha()) {
        std::puts("NOT RUN: this processor has no SHA instructions");
        return 0;
    }
    volatile std::uint8_t sink = 0;
    const double ours = sha2::t_of([&](const sha2::Message& message) {
        sink = sha2::Hash<sha2::Set256, ShaNi>::of(message)[0];
    });
    const double leak = sha2::t_of([&](const sha2::Message& message) {
        sink = sha2::Hash<sha2::Set256, ShaNi>::of(message)[0];
        if (message[0] != 0) sink = sha2::Hash<sha2::Set256, ShaNi>::of({message.data(), 1})[0];
    });
    std::printf(
        "{\"operation\":\"SHA-256 SHA-NI constant time\",\"t\":%.1f,\"t_of_planted_leak\":%.1f}\n",
        ours, leak);
    return std::abs(leak) > 20 ? 0 : 1;
}
#else
int main() { std::puts("NOT RUN: there are no SHA instructions on this target"); }
#endif
