// Speed of an operation beside its peer's, for the bench programs and `quoin crypto speed`.
//
// Rounds of CPU time of this thread, ours and the peer's by turns, as machines drift by 20 % and
// more. Only the ratio decides: the median over the rounds; its spread is (largest - smallest) /
// median. Microseconds are orientation.
#pragma once

#include <ctime>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace quoin::crypto::speed {

struct Outcome {
    std::string operation;
    double ours_us = 0;
    double peer_us = 0;  // 0: there is no peer
    double ratio = 0;    // peer's / ours: more than 1 is faster than the peer
    double spread = 0;
};

struct Options {
    int rounds = 7;
    double round_us = 20'000;  // of each side in each round
};

inline double thread_cpu_us() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Microseconds of one call, over `calls` calls.
inline double time_us(const std::function<void()>& run, int calls) {
    const double start_us = thread_cpu_us();
    for (int i = 0; i < calls; ++i) run();
    return (thread_cpu_us() - start_us) / calls;
}

// How many calls take about `round_us`. Warms up, too.
inline int calls_for(const std::function<void()>& run, double round_us) {
    int calls = 1;
    for (double once_us = time_us(run, 1); once_us * calls < round_us / 4;) {
        calls *= 2;
        once_us = time_us(run, calls);
    }
    return std::max(1, static_cast<int>(round_us / std::max(time_us(run, calls), 1e-3)));
}

// An empty `peer` measures ours alone.
inline Outcome compare(std::string operation, const std::function<void()>& ours,
                       const std::function<void()>& peer, Options options = {}) {
    const int our_calls = calls_for(ours, options.round_us);
    const int peer_calls = peer ? calls_for(peer, options.round_us) : 0;
    std::vector<double> ours_us;
    std::vector<double> peer_us;
    std::vector<double> ratios;
    for (int i = 0; i < options.rounds; ++i) {
        ours_us.push_back(time_us(ours, our_calls));
        peer_us.push_back(peer ? time_us(peer, peer_calls) : 0);
        ratios.push_back(peer_us.back() / ours_us.back());
    }
    Outcome outcome{std::move(operation), median(ours_us), median(peer_us), median(ratios), 0};
    const std::vector<double>& spreading = peer ? ratios : ours_us;
    const auto [smallest, largest] = std::ranges::minmax(spreading);
    outcome.spread = (largest - smallest) / median(spreading);
    return outcome;
}

// {"operation":"ML-KEM-768 keygen","ours_us":8.1,"openssl_us":49.0,"ratio":6.05,"spread":0.04}
inline std::string json_line(const Outcome& outcome, std::string_view peer = "openssl") {
    if (outcome.peer_us == 0) {
        return fmt::format(R"({{"operation":"{}","ours_us":{:.2f},"spread":{:.3f}}})",
                           outcome.operation, outcome.ours_us, outcome.spread);
    }
    return fmt::format(
        R"({{"operation":"{}","ours_us":{:.2f},"{}_us":{:.2f},"ratio":{:.2f},"spread":{:.3f}}})",
        outcome.operation, outcome.ours_us, peer, outcome.peer_us, outcome.ratio, outcome.spread);
}

}  // namespace quoin::crypto::speed
