// A sample as it goes over the wire, and the acknowledgement that comes back.
//
// Source: docs/spec/plant.md, "A sample". Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/error.hpp"
#include "host/fieldbus/registers.hpp"

namespace quoin::agent {

inline constexpr std::size_t max_message_bytes = 4096;
inline constexpr std::size_t max_values = 32;
inline constexpr std::size_t max_text_bytes = 64;
inline constexpr std::size_t max_ack_bytes = 128;
inline constexpr std::uint64_t max_sequence = (std::uint64_t{1} << 53U) - 1;

struct Sample {
    std::string stream;
    std::int64_t ts_ms = 0;  // UTC
    std::vector<std::pair<std::string, fieldbus::Value>> values;
};

// 2000-01-01 … now + 1 day, by this device's clock: what the data server would refuse for ever
// would stop the stream for ever.
bool is_sample_time(std::int64_t ts_ms, std::int64_t now_ms);
bool is_stream_name(std::string_view name);  // [a-z0-9_]{1,64}
bool is_value_name(std::string_view name);   // [a-z][a-z0-9_]{0,63}

// {"name":value,…}. input_invalid, naming the value, for what the data server would refuse.
Result<std::string> values_json(const Sample& sample);
// The payload of telemetry/STREAM.
std::string message_json(std::uint64_t seq, std::uint64_t low, std::int64_t ts_ms,
                         std::string_view values);

// The payload of ack/STREAM: {"seq":N} and nothing else, 0..2^53-1.
Result<std::uint64_t> parse_ack(std::string_view payload);

}  // namespace quoin::agent
