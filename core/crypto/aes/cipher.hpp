// What the mode needs of a backend: the block cipher in counter mode, and GHASH.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/base/bytes.hpp"
#include "core/crypto/backend.hpp"

namespace quoin::core::aes_gcm {

struct Set128 {
    static constexpr std::size_t key_size = 16;
    static constexpr std::size_t rounds = 10;
};
struct Set256 {
    static constexpr std::size_t key_size = 32;
    static constexpr std::size_t rounds = 14;
};

inline constexpr std::size_t block_size = 16;
using Block = std::array<std::uint8_t, block_size>;

// The portable engine slices blocks over words of this size. Both sizes work on every target.
template <class Word>
struct Bitsliced {};
using NativeWord = std::conditional_t<sizeof(void*) == 8, std::uint64_t, std::uint32_t>;

template <class Backend>
using EngineOf =
    std::conditional_t<std::is_same_v<Backend, Portable>, Bitsliced<NativeWord>, Backend>;

// A counter block: 12 bytes of IV, then a 32-bit big-endian counter (inc_32 of SP 800-38D, 6.2).
struct Counter {
    std::span<const std::uint8_t, 12> iv;
    std::uint32_t first;
};

// By instructions: AesNi and Vaes. The portable one follows.
template <class Set, class Engine>
class Cipher {
public:
    void expand(std::span<const std::uint8_t, Set::key_size> key);
    // output[i] = input[i] ^ keystream[i]. `output` is as long as `input`, and may be the same.
    void apply(Counter counter, Bytes input, std::uint8_t* output) const;
    void wipe();

private:
    alignas(16) std::array<Block, Set::rounds + 1> round_keys_;
};

// Word i of round r's key is round_keys_[r][i]: bit i of every byte of it, one copy a block.
template <class Set, class Word>
class Cipher<Set, Bitsliced<Word>> {
public:
    void expand(std::span<const std::uint8_t, Set::key_size> key);
    void apply(Counter counter, Bytes input, std::uint8_t* output) const;
    void wipe();

private:
    static constexpr std::size_t blocks = sizeof(Word) / 2;
    void keystream(Counter counter, std::span<std::uint8_t, 16 * blocks> stream) const;

    std::array<std::array<Word, 8>, Set::rounds + 1> round_keys_;
};

// GHASH of SP 800-38D, 6.4, block by block; the last block of an absorb is padded with zeros.
template <class Engine>
class Ghash {
public:
    void set_key(const Block& h);
    void absorb(Block& y, Bytes data) const;
    void wipe();

private:
    // The powers of H, the highest first.
    static constexpr std::size_t count = std::is_same_v<Engine, Vaes> ? 16 : 8;
    alignas(16) std::array<Block, count> powers_;
};

template <class Word>
class Ghash<Bitsliced<Word>> {
public:
    void set_key(const Block& h);
    void absorb(Block& y, Bytes data) const;
    void wipe();

private:
    std::uint64_t high_, low_;  // H as a big-endian number
};

}  // namespace quoin::core::aes_gcm
