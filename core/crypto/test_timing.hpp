// For what valgrind cannot run (it stops at SHA-NI and AVX-512): constant time by statistics. The
// time of an operation on one fixed secret against that on random ones, in random order, compared
// by Welch's t (after O. Reparaz, J. Balasch, I. Verbauwhede, "Dude, is my code constant time?",
// 2016). |t| above about 10 speaks against constant time. Machines are noisy: it is read, not
// asserted. What is asserted is that a planted leak is seen.
#pragma once

#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
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

// Measurements of two kinds of input.
class Timing {
public:
    explicit Timing(std::size_t measurements) { cycles_.reserve(measurements); }

    template <class Operation, class Input>
    void measure(bool is_second, Operation& operation, const Input& input) {
        unsigned processor = 0;
        const std::uint64_t start = __rdtscp(&processor);
        operation(input);
        cycles_.emplace_back(is_second, static_cast<double>(__rdtscp(&processor) - start));
    }

    double t() const {
        // Interrupts are no leak: the slowest tenth does not count.
        std::vector<double> all;
        all.reserve(cycles_.size());
        for (const auto& [is_second, count] : cycles_) all.push_back(count);
        std::ranges::sort(all);
        const double limit = all[all.size() * 9 / 10];
        std::array<TimedClass, 2> classes;
        for (const auto& [is_second, count] : cycles_) {
            if (count <= limit) classes[is_second ? 1 : 0].add(count);
        }
        return (classes[0].mean - classes[1].mean) /
               std::sqrt(classes[0].error() + classes[1].error());
    }

private:
    std::vector<std::pair<bool, double>> cycles_;
};

// t of operation(secret): the secret all zero, or random. `Secret`: an array of bytes.
template <class Secret, class Operation>
double t_of(Operation operation, std::size_t measurements = 200'000) {
    std::mt19937_64 generator(1);
    Timing timing(measurements);
    for (std::size_t i = 0; i < measurements; ++i) {
        const bool is_random = generator() % 2 == 0;
        Secret secret{};
        for (std::uint8_t& byte : secret) {
            byte = static_cast<std::uint8_t>(generator() & (is_random ? 0xffU : 0U));
        }
        timing.measure(is_random, operation, secret);
    }
    return timing.t();
}

// t of operation(input) for inputs of one pool against those of another of the same size, for
// secrets that cannot be any bytes. What is equal in all inputs of a pool must be there as often:
// both then come from the same caches.
template <class Input, class Operation>
double t_between(const std::vector<Input>& first, const std::vector<Input>& second,
                 Operation operation, std::size_t measurements = 200'000) {
    if (first.size() != second.size()) __builtin_trap();
    std::mt19937_64 generator(1);
    Timing timing(measurements);
    Input input = first[0];
    for (std::size_t i = 0; i < measurements; ++i) {
        const bool is_second = generator() % 2 == 0;
        const std::size_t at = generator() % first.size();
        input = is_second ? second[at] : first[at];
        timing.measure(is_second, operation, input);
    }
    return timing.t();
}

// One line of JSON. False if the planted leak was not seen: then t says nothing.
inline bool report_timing(const char* operation, const char* secret, double t, double leak) {
    // tidy: allow(banned-call) because it is how a benchmark reports
    std::printf("{\"operation\":\"%s\",\"secret\":\"%s\",\"t\":%.1f,\"t_of_planted_leak\":%.1f}\n",
                operation, secret, t, leak);
    std::fflush(stdout);
    return std::abs(leak) > 20;
}

}  // namespace quoin::core::test
