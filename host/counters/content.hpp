// What is in the file of a store, and its one encoding.
//
//   quoin-counters 1
//   store <name>
//   anchor <URI of the anchor, or none>
//   generation <number that the anchor had, or gets, with this file>
//   first <where a sequence begins that is not here yet>
//   time <floor, ms since 1970> <boot> <CLOCK_BOOTTIME at which it was known, ms>
//   sequence <name> <first value never reserved>
//   scarce <name> <first value never reserved> <limit>
//   floor <name> <value> [hex]
//   ...                                        (by name, each once)
//   sha256 <of the lines above>
//
// The checksum finds damage. It is no signature: the anchor finds an old file, and nothing finds
// one that was forged by who may write it.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/error.hpp"

namespace quoin::counters {

inline constexpr std::size_t max_name_size = 128;          // characters, of a counter
inline constexpr std::size_t max_digest_size = 64;         // bytes
inline constexpr std::size_t max_file_size = 256U << 20U;  // a million counters

enum class Kind : std::uint8_t { sequence, scarce, floor };

struct Entry {
    Kind kind = Kind::sequence;
    std::uint64_t value = 0;
    std::uint64_t limit = UINT64_MAX;  // values of a scarce one: [0, limit)
    // Not in the file. Of a sequence: what is handed out next, to where that is durable, and how
    // much is reserved next.
    std::uint64_t next = 0;
    std::uint64_t durable = 0;
    std::uint64_t block = 0;
};

// The floor of time, and when in this boot it was known: elapsed time counts, the wall clock never.
struct KnownTime {
    std::uint64_t floor_ms = 0;
    std::string boot = "-";
    std::uint64_t boottime_ms = 0;
};

struct Content {
    std::string name;
    std::string anchor = "none";
    std::uint64_t generation = 0;
    std::uint64_t first = 0;
    KnownTime time;
    std::map<std::string, Entry, std::less<>> entries;
    std::map<std::string, std::vector<std::uint8_t>, std::less<>> digests;  // of floors
};

std::string encode(const Content& content);
// Its two parts: the second is most of the work, and needs no content.
std::string lines_of(const Content& content);
std::string with_checksum(std::string lines);
// integrity_mismatch unless encode() gives the same bytes.
Result<Content> decode(std::string_view text);

// A word of printable ASCII.
bool is_word(std::string_view text, std::size_t max_size);

}  // namespace quoin::counters
