// A sample as it comes over the wire: topic and payload (docs/spec/plant.md, "A sample").
//
// JSON and CBOR give the same events to one SAX handler: one pass, no document tree. Errors:
// peer_oversize (before parsing), peer_malformed, naming the field and its problem.
// Threads: parse_topic is pure; a SampleParser belongs to one thread and keeps its buffers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "host/error.hpp"

namespace quoin::telemetry {

inline constexpr std::size_t max_sample_size = 4096;
inline constexpr std::size_t max_values = 32;
inline constexpr std::size_t max_text_size = 64;  // of a value, of a key, of a stream's name
inline constexpr std::uint64_t max_seq = (std::uint64_t{1} << 53U) - 1;
inline constexpr std::int64_t earliest_ms = 946'684'800'000;  // 2000-01-01
inline constexpr std::int64_t day_ms = 24 * 3600 * 1000;

// Views into the topic.
struct TelemetryTopic {
    std::string_view device;
    std::string_view stream;
};

// "quoin/SITE/DEVICE/telemetry/STREAM"; the device id by I0, the stream [a-z0-9_]{1,64}.
Result<TelemetryTopic> parse_topic(std::string_view topic, std::string_view site);

struct Sample {
    std::uint64_t seq = 0;  // 1 .. 2^53-1
    std::uint64_t low = 0;  // 1 .. seq
    std::int64_t ts_ms = 0;
    std::string values_json;  // one object, keys in the order of the payload; valid UTF-8, no NUL
};

class SampleParser {
public:
    // The sample is valid until the next call; its text may be moved out.
    Result<Sample*> parse(Bytes payload, std::int64_t now_ms);
    // The sample that parse() refused just now for its time alone; null: it was something else.
    const Sample* untimely() const { return untimely_ ? &sample_ : nullptr; }

private:
    Sample sample_;
    bool untimely_ = false;
};

}  // namespace quoin::telemetry
