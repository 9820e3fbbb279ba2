// What a bad network does to the next piece of a connection. Pure: one seed gives one sequence.
#pragma once

#include <cstdint>
#include <random>

namespace quoin::sim {

struct FaultOptions {
    std::uint64_t seed = 1;
    std::int64_t latency_ms = 0;
    std::int64_t jitter_ms = 0;  // added: 0 … jitter_ms, even
    double loss = 0;             // chance per piece of one retransmission timeout
    std::int64_t loss_stall_ms = 200;
    double stall = 0;  // chance per piece of a long silence
    std::int64_t stall_ms = 2000;
    double reset = 0;                   // chance per piece that the connection is cut
    std::int64_t bytes_per_second = 0;  // 0: no limit
};

struct Fate {
    std::int64_t delay_ms = 0;  // until the piece is delivered, counted from its arrival
    bool reset = false;
};

// One direction of one connection. Pieces keep their order: a delay holds back all that follow.
class Faults {
public:
    Faults(const FaultOptions& options, std::uint64_t connection)
        : options_(options), random_(options.seed * 1'000'003 + connection) {}

    // `now_ms` never goes back.
    Fate next(std::int64_t now_ms, std::size_t bytes);

private:
    bool happens(double chance);

    FaultOptions options_;
    std::mt19937_64 random_;
    std::int64_t line_free_ms_ = 0;  // when the last piece has left the line
    std::int64_t last_delivery_ms_ = 0;
};

}  // namespace quoin::sim
