// WOTS+ (FIPS 205, section 5): digits and chains. Inside core/crypto/slh_dsa only.
//
// How far a chain runs shows in the time, and may: what is signed here is public.
#pragma once

#include "core/crypto/slh_dsa/hash.hpp"

namespace quoin::core::slh_dsa {

// The digits of base 16 of a message of n bytes and its checksum: Algorithm 7, lines 1 to 7.
template <class Set>
std::array<std::uint8_t, Set::len> wots_digits(std::span<const std::uint8_t, Set::n> message) {
    std::array<std::uint8_t, Set::len> digits{};
    unsigned sum = 0;
    for (std::size_t i = 0; i < Set::n; ++i) {
        digits[2 * i] = message[i] >> 4U;
        digits[2 * i + 1] = message[i] & 15U;
        sum += 30U - digits[2 * i] - digits[2 * i + 1];
    }
    for (std::size_t i = 0; i < 3; ++i) {
        digits[2 * Set::n + i] = static_cast<std::uint8_t>((sum >> (8 - 4 * i)) & 15U);
    }
    return digits;
}

// A chain from step `first` to before step `last`: Algorithm 5.
struct Chain {
    Address address;  // with the chain, whose hash address counts
    std::uint8_t first = 0;
    std::uint8_t last = 0;
    const std::uint8_t* in = nullptr;  // n bytes
    std::uint8_t* out = nullptr;       // n bytes; may be where `in` is
};

// Runs chains in as many lanes as the backend has. A lane that is through takes the next chain, so
// that lanes seldom idle.
template <class Set, class Backend>
class ChainRunner {
public:
    explicit ChainRunner(const Seed<Set, Backend>& seed) : lanes_(seed) {}

    void run(std::span<const Chain> chains) {
        rest_ = chains;
        for (std::size_t lane = 0; lane < count; ++lane) start_next(lane);
        // As many steps as the lane has that is through first.
        for (unsigned steps = fewest_left(); steps > 0; steps = fewest_left()) {
            lanes_.step(steps);
            for (std::size_t lane = 0; lane < count; ++lane) advance(lane, steps);
        }
    }

private:
    using F = Lanes<Set, Backend, Set::n>;
    static constexpr std::size_t count = F::count;

    unsigned fewest_left() const {
        unsigned fewest = 0;
        for (const unsigned left : left_) {
            if (left != 0 && (fewest == 0 || left < fewest)) fewest = left;
        }
        return fewest;
    }

    void start_next(std::size_t lane) {
        while (!rest_.empty()) {
            const Chain& chain = rest_.front();
            rest_ = rest_.subspan(1);
            const Bytes in{chain.in, Set::n};
            if (chain.first == chain.last) {
                copy(in, chain.out);
                continue;
            }
            lanes_.set(lane, chain.address, in);
            lanes_.set_hash(lane, chain.first);
            out_[lane] = chain.out;
            left_[lane] = static_cast<unsigned>(chain.last - chain.first);
            return;
        }
    }

    void advance(std::size_t lane, unsigned steps) {
        if (left_[lane] == 0) return;
        left_[lane] -= steps;
        if (left_[lane] != 0) return;
        copy(lanes_.value(lane), out_[lane]);
        start_next(lane);
    }

    F lanes_;
    std::span<const Chain> rest_;
    std::array<std::uint8_t*, count> out_{};
    std::array<unsigned, count> left_{};  // steps; 0: the lane idles
};

// How many chains are given to a ChainRunner at a time.
template <class Set, class Backend>
inline constexpr std::size_t chain_batch =
    Lanes<Set, Backend, Set::n>::count == 1 ? 1 : 4 * Lanes<Set, Backend, Set::n>::count;

}  // namespace quoin::core::slh_dsa
