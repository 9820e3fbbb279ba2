// The hash functions of SLH-DSA. Source: FIPS 205, section 11. Inside core/crypto/slh_dsa only.
//
// Seed: PK.seed, prepared once, since every hash of a key begins with it. Lanes: F and H (and PRF,
// which has F's form) on several strings of one block at once. Tweaked: T_l, of any length.
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
#include "core/crypto/sha2/lanes/lanes.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/slh_dsa/address.hpp"
#include "core/crypto/slh_dsa/sets.hpp"

namespace quoin::core::slh_dsa {

template <class Set>
using Node = std::array<std::uint8_t, Set::n>;

inline void copy(Bytes from, std::uint8_t* to) {
    for (const std::uint8_t byte : from) *to++ = byte;
}

// The plain hash function beside a backend of many lanes.
template <class Backend>
using Single = std::conditional_t<std::is_same_v<Backend, Avx2>, Portable, Backend>;

// SHA-512 is used by H, T_l and H_msg of the SHA-2 sets of categories 3 and 5: FIPS 205, 11.2.2.
template <class Set>
inline constexpr bool uses_sha512 = !Set::is_shake && Set::n > 16;

using State512 = std::array<std::uint64_t, 8>;

template <class Set, class Backend>
struct Seed {
    explicit Seed(std::span<const std::uint8_t, Set::n> pk_seed) : bytes(pk_seed) {
        if constexpr (!Set::is_shake) {
            std::array<std::uint8_t, 128> block{};  // PK.seed || toByte(0, 64 - n or 128 - n)
            copy(pk_seed, block.data());
            sha2::compress<Single<Backend>>(state_256, std::span(block).first(64));
            if constexpr (uses_sha512<Set>) sha2::compress<Portable>(state_512, block);
        }
    }

    std::span<const std::uint8_t, Set::n> bytes;
    // After the block that PK.seed fills.
    sha2::State256 state_256 = sha2::initial_256;
    State512 state_512 = sha2::initial_512;
};

// T_l(PK.seed, ADRS, M): M in pieces.
template <class Set, class Backend>
class Tweaked {
public:
    Tweaked(const Seed<Set, Backend>& seed, const Address& address) {
        if constexpr (Set::is_shake) {
            hash_.absorb(seed.bytes).absorb(address.bytes());
        } else {
            std::array<std::uint8_t, Hash::block_size> block{};
            copy(seed.bytes, block.data());
            hash_.update(block);
            hash_.update(address.compressed());
        }
    }
    void update(Bytes bytes) {
        if constexpr (Set::is_shake) {
            hash_.absorb(bytes);
        } else {
            hash_.update(bytes);
        }
    }
    void finish(std::span<std::uint8_t, Set::n> out) {
        if constexpr (Set::is_shake) {
            hash_.squeeze(out);
        } else {
            std::array<std::uint8_t, Hash::digest_size> whole{};
            hash_.finish(whole);
            copy(std::span(whole).template first<Set::n>(), out.data());
        }
    }

private:
    using Sha2 = std::conditional_t<uses_sha512<Set>, sha2::Hash<sha2::Set512, Portable>,
                                    sha2::Hash<sha2::Set256, Single<Backend>>>;
    using Hash = std::conditional_t<Set::is_shake, keccak::Shake256<Single<Backend>>, Sha2>;
    Hash hash_;
};

// Strings of Size = n (F, PRF) or 2 n (H) bytes, hashed at once. step() puts each hash where its
// string began, so that a chain goes on by counting the address.
template <class Set, class Backend, std::size_t Size>
class Lanes;

// What the lanes of the SHA-2 sets share: ADRSc || M || padding after the block of PK.seed.
template <std::size_t BlockSize, std::size_t Size>
struct Sha2Layout {
    static constexpr std::size_t message_offset = Address::compressed_size;
    static void pad(std::uint8_t* block) {
        constexpr std::uint64_t bits = 8 * (BlockSize + message_offset + Size);
        block[message_offset + Size] = 0x80;
        block[BlockSize - 2] = static_cast<std::uint8_t>(bits >> 8U);
        block[BlockSize - 1] = static_cast<std::uint8_t>(bits);
    }
    static void set(std::uint8_t* block, const Address& address, Bytes left, Bytes right) {
        copy(address.compressed(), block);
        copy(left, block + message_offset);
        copy(right, block + message_offset + left.size());
    }
};

template <class Set, class Backend, std::size_t Size>
    requires(!Set::is_shake && (Size == Set::n || !uses_sha512<Set>))
class Lanes<Set, Backend, Size> {
    using Layout = Sha2Layout<64, Size>;

public:
    static constexpr std::size_t count = sha2::lane_count<Backend>;

    explicit Lanes(const Seed<Set, Backend>& seed) : start_(seed.state_256) {
        for (sha2::Block& block : blocks_) Layout::pad(block.bytes.data());
    }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes() {
        for (sha2::Block& block : blocks_) ct::wipe(block.bytes);
    }

    void set(std::size_t lane, const Address& address, Bytes left, Bytes right = {}) {
        Layout::set(blocks_[lane].bytes.data(), address, left, right);
    }
    // The hash address; chains have 15 steps, so that one byte of it moves.
    void set_hash(std::size_t lane, std::uint8_t i) {
        blocks_[lane].bytes[Layout::message_offset - 1] = i;
    }
    // Hashes every string `steps` times, counting its hash address up.
    void step(unsigned steps = 1) {
        sha2::step_lanes<Backend>(start_, blocks_, Layout::message_offset, Set::n, steps);
    }
    Bytes value(std::size_t lane) const {
        return Bytes(blocks_[lane].bytes).subspan(Layout::message_offset, Set::n);
    }

private:
    const sha2::State256& start_;
    std::array<sha2::Block, count> blocks_{};
};

// H of categories 3 and 5.
template <class Set, class Backend, std::size_t Size>
    requires(uses_sha512<Set> && Size == 2 * Set::n)
class Lanes<Set, Backend, Size> {
    using Layout = Sha2Layout<128, Size>;

public:
    static constexpr std::size_t count = 1;

    explicit Lanes(const Seed<Set, Backend>& seed) : start_(seed.state_512) {
        Layout::pad(block_.data());
    }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes() { ct::wipe(block_); }

    void set(std::size_t, const Address& address, Bytes left, Bytes right = {}) {
        Layout::set(block_.data(), address, left, right);
    }
    void step() {
        State512 state = start_;
        sha2::compress<Portable>(state, block_);
        for (std::size_t i = 0; i < Set::n / 8; ++i) {
            store_big_endian(&block_[Layout::message_offset + 8 * i], state[i]);
        }
    }
    Bytes value(std::size_t) const { return Bytes(block_).subspan(Layout::message_offset, Set::n); }

private:
    const State512& start_;
    std::array<std::uint8_t, 128> block_{};
};

// PK.seed || ADRS || M, padded: less than one block of 136 bytes, whose last bit is set besides.
template <class Set, std::size_t Size>
struct ShakeBlock {
    static constexpr std::size_t message_offset = Set::n + Address::size;
    static constexpr std::size_t words = (message_offset + Size) / 8 + 1;
    static constexpr std::size_t last_word = 16;
    static constexpr std::uint64_t last_bit = std::uint64_t{0x80} << 56U;
    static_assert(words <= last_word + 1);

    void start(Bytes pk_seed) {
        copy(pk_seed, bytes.data());
        bytes[message_offset + Size] = 0x1f;  // FIPS 202, sections 6.2 and B.2
    }
    void set(const Address& address, Bytes left, Bytes right) {
        copy(address.bytes(), &bytes[Set::n]);
        copy(left, &bytes[message_offset]);
        copy(right, &bytes[message_offset] + left.size());
    }
    std::uint64_t word(std::size_t i) const {
        return load_little_endian<std::uint64_t>(&bytes[8 * i]);
    }
    void store(std::size_t i, std::uint64_t value) {
        store_little_endian(&bytes[message_offset + 8 * i], value);
    }

    std::array<std::uint8_t, 8 * words> bytes{};
};

template <class Set, class Backend, std::size_t Size>
    requires(Set::is_shake)
class Lanes<Set, Backend, Size> {
    using Block = ShakeBlock<Set, Size>;
    static constexpr bool is_wide = std::is_same_v<Backend, Avx2>;
    static constexpr std::size_t words = Block::words;

public:
    static constexpr std::size_t count = is_wide ? 4 : 1;

    explicit Lanes(const Seed<Set, Backend>& seed) {
        for (Block& block : blocks_) block.start(seed.bytes);
    }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes() {
        for (Block& block : blocks_) ct::wipe(block.bytes);
        ct::wipe_object(state_);
    }

    void set(std::size_t lane, const Address& address, Bytes left, Bytes right = {}) {
        blocks_[lane].set(address, left, right);
    }
    void set_hash(std::size_t lane, std::uint8_t i) {
        blocks_[lane].bytes[Block::message_offset - 1] = i;
    }
    void step(unsigned steps = 1) {
        for (; steps > 0; --steps) one_step();
    }
    Bytes value(std::size_t lane) const {
        return Bytes(blocks_[lane].bytes).subspan(Block::message_offset, Set::n);
    }

private:
    void one_step() {
        state_ = {};
        if constexpr (is_wide) {
            for (std::size_t i = 0; i < words; ++i) {
                for (std::size_t lane = 0; lane < count; ++lane) {
                    state_.lanes[i][lane] = blocks_[lane].word(i);
                }
            }
            for (std::uint64_t& word : state_.lanes[Block::last_word]) word ^= Block::last_bit;
            keccak::permute(state_);
            for (std::size_t lane = 0; lane < count; ++lane) {
                for (std::size_t i = 0; i < Set::n / 8; ++i) {
                    blocks_[lane].store(i, state_.lanes[i][lane]);
                }
            }
        } else {
            for (std::size_t i = 0; i < words; ++i) state_.xor_lane(i, blocks_[0].word(i));
            state_.xor_lane(Block::last_word, Block::last_bit);
            keccak::permute(state_);
            for (std::size_t i = 0; i < Set::n / 8; ++i) blocks_[0].store(i, state_.lane(i));
        }
        for (Block& block : blocks_) ++block.bytes[Block::message_offset - 1];
    }

    std::array<Block, count> blocks_;
    std::conditional_t<is_wide, keccak::FourStates<Avx2>, keccak::State<keccak::Form<Backend>>>
        state_;
};

}  // namespace quoin::core::slh_dsa
