// LM-OTS: chains, digits, the compressed public key. Inside core/crypto/lms only.
// Source: RFC 8554, section 4.
//
// How far a chain runs shows in the time, and may: the digits are of a hash of public bytes.
#pragma once

#include "core/crypto/lms/hash.hpp"

namespace quoin::core::lms {

// A chain from step `first` to before step `last`: x[i] is hashed with j = first, ..., last - 1.
// Step derivation (-1, which is written 0xff) makes x[i] from the seed: SP 800-208, section 6.1.
struct Chain {
    static constexpr int derivation = -1;
    std::uint16_t i;
    std::int16_t first;
    std::int16_t last;
    const std::uint8_t* in;  // n bytes
    std::uint8_t* out;       // n bytes; may be where `in` is
};

// Runs chains of one one-time key, in as many lanes as the backend has. A lane that is through
// takes the next chain, so that lanes seldom idle.
template <class Family, class Backend>
class ChainRunner {
public:
    explicit ChainRunner(const Position& at) : lanes_(at) {}

    void run(std::span<const Chain> chains) {
        rest_ = chains;
        for (std::size_t lane = 0; lane < count; ++lane) start_next(lane);
        // As many steps as the lane has that is through first.
        for (unsigned steps = fewest_left(); steps > 0; steps = fewest_left()) {
            lanes_.run(steps);
            for (std::size_t lane = 0; lane < count; ++lane) advance(lane, steps);
        }
    }

private:
    static constexpr std::size_t count = Lanes<Family, Backend>::count;

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
            if (chain.first == chain.last) {
                for (std::size_t i = 0; i < Family::n; ++i) chain.out[i] = chain.in[i];
                continue;
            }
            std::uint8_t* bytes = lanes_.bytes(lane);
            store_big_endian<std::uint16_t>(bytes + offset_i, chain.i);
            bytes[offset_j] = static_cast<std::uint8_t>(chain.first);
            for (std::size_t i = 0; i < Family::n; ++i) bytes[offset_value + i] = chain.in[i];
            out_[lane] = chain.out;
            left_[lane] = static_cast<unsigned>(chain.last - chain.first);
            return;
        }
    }

    void advance(std::size_t lane, unsigned steps) {
        if (left_[lane] == 0) return;
        left_[lane] -= steps;
        if (left_[lane] != 0) return;
        const std::uint8_t* value = lanes_.bytes(lane) + offset_value;
        for (std::size_t i = 0; i < Family::n; ++i) out_[lane][i] = value[i];
        start_next(lane);
    }

    Lanes<Family, Backend> lanes_;
    std::span<const Chain> rest_;
    std::array<std::uint8_t*, count> out_{};
    std::array<unsigned, count> left_{};  // steps; 0: the lane idles
};

// RFC 8554, section 3.1.3: the digits of width w of Q || Cksm(Q).
template <class Family>
class Digits {
public:
    // RFC 8554, section 4.4.
    Digits(std::span<const std::uint8_t, Family::n> q, unsigned w) : w_(w) {
        for (std::size_t i = 0; i < Family::n; ++i) bytes_[i] = q[i];
        const unsigned top = (1U << w) - 1U;
        unsigned sum = 0;
        for (std::size_t i = 0; i < 8 * Family::n / w; ++i) sum += top - (*this)[i];
        sum <<= winternitz(Family::n, w).checksum_shift;
        store_big_endian(&bytes_[Family::n], static_cast<std::uint16_t>(sum));
    }
    unsigned operator[](std::size_t i) const {
        const std::size_t bit = i * w_;
        const unsigned shift = 8U - w_ - static_cast<unsigned>(bit % 8);
        return (static_cast<unsigned>(bytes_[bit / 8]) >> shift) & ((1U << w_) - 1U);
    }

private:
    std::array<std::uint8_t, Family::n + 2> bytes_{};
    unsigned w_;
};

// How many chains go through a ChainRunner at a time where their ends must be buffered.
template <class Family, class Backend>
inline constexpr std::size_t batch_size =
    Lanes<Family, Backend>::count == 1 ? 1 : 4 * Lanes<Family, Backend>::count;

// Runs all chains of a one-time key to their ends and compresses these into K: RFC 8554, Algorithm
// 1, lines 3 to 5, and Algorithm 4b, step 3. `start(i)` says where chain i begins: {step, bytes}.
template <class Family, class Backend, class Start>
void compress_ends(const Position& at, unsigned w, std::span<std::uint8_t, Family::n> k,
                   Start start) {
    constexpr std::size_t batch = batch_size<Family, Backend>;
    std::array<std::array<std::uint8_t, Family::n>, batch> ends{};
    std::array<Chain, batch> chains{};
    ChainRunner<Family, Backend> runner(at);
    Stream<Family, Backend> stream(at, Domain::public_key);
    const std::size_t total = winternitz(Family::n, w).chains;
    for (std::size_t done = 0; done < total;) {
        const std::size_t size = total - done < batch ? total - done : batch;
        for (std::size_t b = 0; b < size; ++b) {
            const auto [step, bytes] = start(done + b);
            chains[b] = {static_cast<std::uint16_t>(done + b), static_cast<std::int16_t>(step),
                         static_cast<std::int16_t>((1U << w) - 1U), bytes, ends[b].data()};
        }
        runner.run(std::span(chains).first(size));
        for (std::size_t b = 0; b < size; ++b) stream.update(ends[b]);
        done += size;
    }
    stream.finish(k);
}

struct ChainStart {
    int step;
    const std::uint8_t* bytes;
};

// RFC 8554, section 5.3: T[r] of a leaf.
template <class Family, class Backend>
void hash_leaf(const Position& node, std::span<const std::uint8_t, Family::n> k,
               std::span<std::uint8_t, Family::n> out) {
    Stream<Family, Backend> stream(node, Domain::leaf);
    stream.update(k);
    stream.finish(out);
}

// T[r] of an interior node.
template <class Family, class Backend>
void hash_interior(const Position& node, Bytes left, Bytes right,
                   std::span<std::uint8_t, Family::n> out) {
    Stream<Family, Backend> stream(node, Domain::interior);
    stream.update(left);
    stream.update(right);
    stream.finish(out);
}

}  // namespace quoin::core::lms
