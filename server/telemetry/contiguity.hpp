// Which sequence numbers of one stream are there: the highest contiguous one, and a window above
// it.
//
//   1 ............ contiguous | + 1 ............ + window |
//   all there, or dropped     | a bit for each            | refused
//
// Threads: one owner. Memory: 16 bytes a stream while samples come in order, 272 otherwise.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>

namespace quoin::telemetry {

class Contiguity {
public:
    static constexpr std::uint64_t window = 2000;

    explicit Contiguity(std::uint64_t contiguous = 0) : contiguous_(contiguous) {}

    enum class Outcome : std::uint8_t {
        fresh,
        duplicate,
        too_far,  // more than `window` above what is acknowledged; nothing changed
    };
    struct Dropped {
        std::uint64_t count = 0;         // sequences that will not come
        std::uint64_t from = 0, to = 0;  // they lie in from..to
    };
    // A sample `seq` of a device that holds nothing below `low` any more (1 <= low <= seq).
    // `dropped` tells what that gives up.
    Outcome add(std::uint64_t seq, std::uint64_t low, Dropped& dropped);

    std::uint64_t contiguous() const { return contiguous_; }

private:
    static constexpr std::size_t ring_size = 2048;  // > window
    using Ring = std::bitset<ring_size>;

    void raise(std::uint64_t low, Dropped& dropped);
    void advance();

    std::uint64_t contiguous_;
    std::unique_ptr<Ring> above_;  // bit seq % ring_size; null: nothing above
};

}  // namespace quoin::telemetry
