// The one hash function of LMS in its two uses: of short strings that fill one block, along many
// chains at once, and of anything else. Inside core/crypto/lms only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/base/bytes.hpp"
#include "core/base/constant_time.hpp"
#include "core/base/endian.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/keccak/state.hpp"
#include "core/crypto/lms/parameters.hpp"
#include "core/crypto/sha2/lanes/lanes.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::lms {

using Identifier = std::span<const std::uint8_t, identifier_size>;

// Where in which tree: the first 20 bytes of everything that is hashed.
struct Position {
    Identifier identifier;  // I
    std::uint32_t q;        // leaf number, or node number
};

// RFC 8554, sections 4.3 and 5.3; the values that take the place of a chain number.
enum class Domain : std::uint16_t {
    public_key = 0x8080,  // D_PBLC
    message = 0x8181,     // D_MESG
    leaf = 0x8282,        // D_LEAF
    interior = 0x8383,    // D_INTR
};

// Which build of the plain hash function goes with a backend of many ways.
template <class Backend>
struct Single {
    using Type = Backend;
};
template <>
struct Single<Avx2> {
    using Type = Portable;
};

// H(I || u32str(q) || u16str(domain) || ...).
template <class Family, class Backend>
class Stream {
public:
    Stream() = default;
    Stream(const Position& at, Domain domain) {
        std::array<std::uint8_t, identifier_size + 6> prefix{};
        for (std::size_t i = 0; i < identifier_size; ++i) prefix[i] = at.identifier[i];
        store_big_endian<std::uint32_t>(&prefix[identifier_size], at.q);
        store_big_endian<std::uint16_t>(&prefix[identifier_size + 4],
                                        static_cast<std::uint16_t>(domain));
        update(prefix);
    }
    void update(Bytes bytes) {
        if constexpr (Family::is_shake) {
            hash_.absorb(bytes);
        } else {
            hash_.update(bytes);
        }
    }
    void finish(std::span<std::uint8_t, Family::n> digest) {
        if constexpr (Family::is_shake) {
            hash_.squeeze(digest);
        } else {
            std::array<std::uint8_t, 32> whole{};
            hash_.finish(whole);
            for (std::size_t i = 0; i < Family::n; ++i) digest[i] = whole[i];
        }
    }
    // Where something secret was in it. SHAKE does so itself.
    void wipe() {
        if constexpr (!Family::is_shake) hash_.wipe();
    }

private:
    using Plain = typename Single<Backend>::Type;
    std::conditional_t<Family::is_shake, keccak::Shake256<Plain>, sha2::Hash<sha2::Set256, Plain>>
        hash_;
};

// Where the parts of I || u32str(q) || u16str(i) || u8str(j) || value begin.
inline constexpr std::size_t offset_i = 20;
inline constexpr std::size_t offset_j = 22;
inline constexpr std::size_t offset_value = 23;

// Several strings of that form at once, each replaced by its hash. The destructors wipe what run()
// has left below, too.
template <class Family, class Backend>
class Lanes;

template <class Family, class Backend>
    requires(!Family::is_shake)
class Lanes<Family, Backend> {
public:
    static constexpr std::size_t count = sha2::lane_count<Backend>;

    // One block holds all: 23 + n + 1 + 8 <= 64.
    explicit Lanes(const Position& at) {
        for (sha2::Block& block : blocks_) {
            for (std::size_t i = 0; i < identifier_size; ++i) block.bytes[i] = at.identifier[i];
            store_big_endian<std::uint32_t>(&block.bytes[identifier_size], at.q);
            block.bytes[offset_value + Family::n] = 0x80;
            store_big_endian<std::uint64_t>(&block.bytes[56], 8 * (offset_value + Family::n));
        }
    }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes() {
        for (sha2::Block& block : blocks_) ct::wipe(block.bytes);
        ct::wipe_stack<sha2::step_lanes_stack<Backend>>();
    }

    std::uint8_t* bytes(std::size_t lane) { return blocks_[lane].bytes.data(); }

    // Hashes every string `steps` times, counting its j up.
    void run(unsigned steps) {
        sha2::step_lanes<Backend>(sha2::initial_256, blocks_, offset_value, Family::n, steps);
    }

private:
    std::array<sha2::Block, count> blocks_{};
};

// A string of that form padded for SHAKE256, as 64-bit words: all that is not zero in the block of
// 136 bytes but its last bit.
template <std::size_t N>
struct ShakeBlock {
    static constexpr std::size_t words = (offset_value + N) / 8 + 1;
    static constexpr std::size_t last_word = 16;
    static constexpr std::uint64_t last_bit = std::uint64_t{0x80} << 56U;

    void start(const Position& at) {
        for (std::size_t i = 0; i < identifier_size; ++i) bytes[i] = at.identifier[i];
        store_big_endian<std::uint32_t>(&bytes[identifier_size], at.q);
        bytes[offset_value + N] = 0x1f;  // FIPS 202, sections 6.2 and B.2
    }
    std::uint64_t word(std::size_t i) const {
        return load_little_endian<std::uint64_t>(&bytes[8 * i]);
    }
    void store_value(std::size_t i, std::uint64_t word) {
        store_little_endian(&bytes[offset_value + 8 * i], word);
    }

    std::array<std::uint8_t, 8 * words> bytes{};
};

// For ct::wipe_stack() after run(): its state, what it saves, and the permutation below.
template <class States>
inline constexpr std::size_t run_stack = sizeof(States) + 64 + keccak::permutation_stack<States>;

template <class Family, class Backend>
    requires(Family::is_shake)
class Lanes<Family, Backend> {
    using Block = ShakeBlock<Family::n>;
    using State = keccak::State<keccak::Form<Backend>>;

public:
    static constexpr std::size_t count = 1;

    explicit Lanes(const Position& at) { block_.start(at); }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes() {
        ct::wipe(block_.bytes);
        ct::wipe_stack<run_stack<State>>();
    }

    std::uint8_t* bytes(std::size_t) { return block_.bytes.data(); }

    // The permutation can be run backwards: its last state is as secret as the value.
    void run(unsigned steps) {
        State state;
        for (; steps > 0; --steps) step(state);
        ct::wipe_object(state);
    }

private:
    void step(State& state) {
        state = State();
        for (std::size_t i = 0; i < Block::words; ++i) state.xor_lane(i, block_.word(i));
        state.xor_lane(Block::last_word, Block::last_bit);
        keccak::permute(state);
        for (std::size_t i = 0; i < Family::n / 8; ++i) block_.store_value(i, state.lane(i));
        ++block_.bytes[offset_j];
    }

    Block block_;
};

template <class Family>
    requires(Family::is_shake)
class Lanes<Family, Avx2> {
    using Block = ShakeBlock<Family::n>;
    using States = keccak::FourStates<Avx2>;

public:
    static constexpr std::size_t count = 4;

    explicit Lanes(const Position& at) {
        for (Block& block : blocks_) block.start(at);
    }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes() {
        for (Block& block : blocks_) ct::wipe(block.bytes);
        ct::wipe_stack<run_stack<States>>();
    }

    std::uint8_t* bytes(std::size_t lane) { return blocks_[lane].bytes.data(); }

    void run(unsigned steps) {
        States state;
        for (; steps > 0; --steps) step(state);
        ct::wipe_object(state);
    }

private:
    void step(States& state) {
        state = States();
        for (std::size_t lane = 0; lane < count; ++lane) {
            for (std::size_t i = 0; i < Block::words; ++i) {
                state.lanes[i][lane] = blocks_[lane].word(i);
            }
            state.lanes[Block::last_word][lane] = Block::last_bit;
        }
        keccak::permute(state);
        for (std::size_t lane = 0; lane < count; ++lane) {
            for (std::size_t i = 0; i < Family::n / 8; ++i) {
                blocks_[lane].store_value(i, state.lanes[i][lane]);
            }
            ++blocks_[lane].bytes[offset_j];
        }
    }

    std::array<Block, count> blocks_;
};

}  // namespace quoin::core::lms
