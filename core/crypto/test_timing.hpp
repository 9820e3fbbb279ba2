// For what valgrind cannot run (it stops at SHA-NI and AVX-512): constant time by statistics. The
// time of an operation on one fixed secret against that on random ones, in random order, compared
// by Welch's t (after O. Reparaz, J. Balasch, I. Verbauwhede, "Dude, is my code constant time?",
// 2016). |t| above about 10 speaks against constant time. Machines are noisy: it is read, not
// asserted.
#pragma once

#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace quoin::core::test {

// The times of one kind of input.
struct TimedClass {
    double count = 0, mean = 0, squares = 0;

    void add(double value) {
        count += 1;
        const double difference = value - mean;
        mean += difference / count;
        squares += difference * (value - mean);
    }
    double error() const { return squares / (count - 1) / count; }
};

// t of operation(secret): the secret all zero, or random. `Secret`: an array of bytes.
template <class Secret, class Operation>
double t_of(Operation operation) {
    constexpr int measurements = 200'000;
    std::mt19937_64 generator(1);
    std::vector<std::pair<bool, double>> cycles;
    cycles.reserve(measurements);
    for (int i = 0; i < measurements; ++i) {
        const bool is_random = generator() % 2 == 0;
        Secret secret{};
        for (std::uint8_t& byte : secret) {
            byte = static_cast<std::uint8_t>(generator() & (is_random ? 0xffU : 0U));
        }
        unsigned processor = 0;
        const std::uint64_t start = __rdtscp(&processor);
        operation(secret);
        cycles.emplace_back(is_random, static_cast<double>(__rdtscp(&processor) - start));
    }
    // Interrupts are no leak: the slowest tenth does not count.
    std::vector<double> all;
    all.reserve(cycles.size());
    for (const auto& [is_random, count] : cycles) all.push_back(count);
    std::ranges::sort(all);
    const double limit = all[measurements * 9 / 10];
    std::array<TimedClass, 2> classes;
    for (const auto& [is_random, count] : cycles) {
        if (count <= limit) classes[is_random ? 1 : 0].add(count);
    }
    return (classes[0].mean - classes[1].mean) / std::sqrt(classes[0].error() + classes[1].error());
}

}  // namespace quoin::core::test
