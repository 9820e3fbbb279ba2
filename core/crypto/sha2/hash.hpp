// The padding and buffering that all of SHA-2 shares: for the .cpp files that instantiate Hash.
#pragma once

#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::sha2 {

inline void copy(Bytes from, std::uint8_t* to) {
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i];
}

template <class Set, class Backend>
void Hash<Set, Backend>::update(Bytes message) {
    const std::size_t used = static_cast<std::size_t>(size_ % block_size);
    size_ += message.size();
    if (used != 0) {
        const std::size_t room = block_size - used;
        if (message.size() < room) return copy(message, rest_.data() + used);
        copy(message.first(room), rest_.data() + used);
        message = message.subspan(room);
        compress<Backend>(state_, rest_);
    }
    if (message.size() >= block_size) {
        compress<Backend>(state_, message);
        message = message.last(message.size() % block_size);
    }
    copy(message, rest_.data());
}

// FIPS 180-4, 5.1: a one bit, zeros, and the length in bits, big-endian, fill the last block.
template <class Set, class Backend>
void Hash<Set, Backend>::finish(std::span<std::uint8_t, digest_size> digest) {
    std::size_t used = static_cast<std::size_t>(size_ % block_size);
    rest_[used++] = 0x80;
    if (used > block_size - Set::length_size) {
        while (used < block_size) rest_[used++] = 0;
        compress<Backend>(state_, rest_);
        used = 0;
    }
    while (used < block_size - 8) rest_[used++] = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        rest_[block_size - 1 - i] = static_cast<std::uint8_t>((size_ << 3U) >> (8 * i));
    }
    compress<Backend>(state_, rest_);
    for (std::size_t i = 0; i < digest_size; ++i) {
        const std::size_t shift = 8 * (sizeof(Word) - 1 - i % sizeof(Word));
        digest[i] = static_cast<std::uint8_t>(state_[i / sizeof(Word)] >> shift);
    }
    state_ = Set::initial;
    size_ = 0;
}

template <class Set, class Backend>
void Hash<Set, Backend>::wipe() {
    ct::wipe(rest_);
    state_ = Set::initial;
    size_ = 0;
    asm volatile("" : : "r"(this) : "memory");  // the stores happen, though nobody reads them
    // The frames of finish(): sixteen words of a message schedule give the block away.
    ct::wipe_stack<sizeof(Word) == 4 ? 384 : 512>();
}

}  // namespace quoin::core::sha2
