// SHA-256, SHA-384, SHA-512: incremental and in one call. Source: FIPS 180-4.
//
//            digest | block | object (32-bit and 64-bit targets) | stack of update() and finish()
//   SHA-256      32 |    64 | 104 bytes                          | < 500 bytes
//   SHA-384      48 |   128 | 200 bytes                          | < 800 bytes
//   SHA-512      64 |   128 | 200 bytes                          | < 800 bytes
//
//     sha2::Sha256 hash;
//     hash.update(prefix);
//     sha2::Sha256 branch = hash;  // a copy goes on from here: the prefix is hashed once
//     branch.update(message);
//     const auto digest = branch.finish();
//
// Nothing can fail. At most 2^61 - 1 bytes a message (FIPS 180-4 allows no more for SHA-256).
// Constant time in the contents; the lengths are public. The object keeps what was hashed: call
// wipe() if that was secret. Threads: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/constant_time.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/sha2/constants.hpp"

namespace quoin::core::sha2 {

struct Set256 {
    using Word = std::uint32_t;
    static constexpr std::size_t digest_size = 32;
    static constexpr std::size_t block_size = 64;
    static constexpr std::size_t length_size = 8;  // of the message length at the end
    static constexpr const std::array<Word, 8>& initial = initial_256;
};
struct Set384 {
    using Word = std::uint64_t;
    static constexpr std::size_t digest_size = 48;
    static constexpr std::size_t block_size = 128;
    static constexpr std::size_t length_size = 16;
    static constexpr const std::array<Word, 8>& initial = initial_384;
};
struct Set512 {
    using Word = std::uint64_t;
    static constexpr std::size_t digest_size = 64;
    static constexpr std::size_t block_size = 128;
    static constexpr std::size_t length_size = 16;
    static constexpr const std::array<Word, 8>& initial = initial_512;
};

// The hash computation over whole blocks: FIPS 180-4, 6.2.2 and 6.4.2. Reads blocks.size() / block
// size of them; what is left over is not read.
template <class Backend>
void compress(std::array<std::uint32_t, 8>& state, Bytes blocks);
template <class Backend>
void compress(std::array<std::uint64_t, 8>& state, Bytes blocks);

// `Backend`: Portable, or ShaNi (SHA-256 only; the caller knows that the processor has it).
template <class Set, class Backend = Portable>
class Hash {
public:
    static constexpr std::size_t digest_size = Set::digest_size;
    static constexpr std::size_t block_size = Set::block_size;
    using Digest = std::array<std::uint8_t, digest_size>;

    void update(Bytes message);

    // Writes the digest of everything since the start; the object is as new afterwards.
    void finish(std::span<std::uint8_t, digest_size> digest);
    [[nodiscard]] Digest finish() {
        Digest digest{};
        finish(std::span<std::uint8_t, digest_size>(digest));
        return digest;
    }

    // As new, and nothing of what was hashed is left, nor on the stack where the same function has
    // called finish().
    void wipe();

    [[nodiscard]] static Digest of(Bytes message) {
        Hash hash;
        hash.update(message);
        return hash.finish();
    }

private:
    using Word = Set::Word;

    std::array<Word, 8> state_ = Set::initial;
    std::uint64_t size_ = 0;                       // of the message so far, in bytes
    std::array<std::uint8_t, block_size> rest_{};  // the first size_ % block_size bytes count
};

using Sha256 = Hash<Set256>;
using Sha384 = Hash<Set384>;
using Sha512 = Hash<Set512>;

}  // namespace quoin::core::sha2
