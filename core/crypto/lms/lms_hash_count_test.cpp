// How many blocks verification hashes, against what the algorithm asks for: a backend that counts.
#include <gtest/gtest.h>

#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/lms/verify_impl.hpp"
#include "core/crypto/sha2/hash.hpp"

namespace quoin::core {
namespace {

struct Counting {};
std::size_t blocks_hashed = 0;

}  // namespace

namespace sha2 {

template <>
void compress<Counting>(std::array<std::uint32_t, 8>& state, Bytes blocks) {
    blocks_hashed += blocks.size() / 64;
    compress<Portable>(state, blocks);
}
template <>
void step_lanes<Counting>(const State256& start, std::array<Block, 1>& blocks, std::size_t offset,
                          std::size_t size, unsigned steps) {
    blocks_hashed += steps;
    step_lanes<Portable>(start, blocks, offset, size, steps);
}

}  // namespace sha2

namespace lms {
namespace {

// H(22 bytes || size) in blocks of 64, with one byte and eight of padding.
std::size_t blocks(std::size_t size) { return (22 + size + 9 + 63) / 64; }

TEST(verify, sha256_m32_h10_w4__hashes_only_what_it_must) {
    const Level level{10, 4};
    TestKey<Sha256M32> key({level}, ByteVector(16, 1), ByteVector(32, 2));
    for (std::uint64_t index = 0; index < 20; ++index) {
        const ByteVector message(100 + index, static_cast<std::uint8_t>(index));
        const auto signature = key.sign(index, message);
        ASSERT_TRUE(signature);
        const Identifier identifier = Bytes(key.public_key).subspan<12, identifier_size>();
        Stream<Sha256M32, Portable> stream({identifier, static_cast<std::uint32_t>(index)},
                                           Domain::message);
        stream.update(Bytes(*signature).subspan(12, 32));
        stream.update(message);
        std::array<std::uint8_t, 32> digest{};
        stream.finish(digest);
        const Digits<Sha256M32> digits(digest, level.w);
        std::size_t needed = blocks(32 + message.size()) + blocks(67 * 32) + blocks(32);
        needed += level.height * blocks(64);
        for (std::size_t i = 0; i < 67; ++i) needed += 15 - digits[i];

        blocks_hashed = 0;
        ASSERT_TRUE((verify<Sha256M32, Counting>(key.public_key, message, *signature)));
        EXPECT_LE(blocks_hashed, needed);
        if (index == 0) std::cout << blocks_hashed << " blocks of " << needed << '\n';
    }
}

}  // namespace
}  // namespace lms
}  // namespace quoin::core
