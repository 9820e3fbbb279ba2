// One bit of one hash is wrong while a lower tree of HSS is built and signed: a backend that fails.
// The one-time key above may not sign anything but the true tree, or whoever sees both signatures
// can forge.
#include <gtest/gtest.h>

#include "core/crypto/lms/signer_impl.hpp"
#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/lms/tree_impl.hpp"
#include "core/crypto/sha2/hash.hpp"

namespace quoin::core {
namespace {

struct Faulty {};
constexpr std::size_t never = ~std::size_t{0};
std::size_t calls = 0;
std::size_t fault_at = never;

bool fault() { return calls++ == fault_at; }

}  // namespace

namespace sha2 {

template <>
void compress<Faulty>(std::array<std::uint32_t, 8>& state, Bytes blocks) {
    compress<Portable>(state, blocks);
    if (fault()) state[3] ^= 0x100;
}
template <>
void step_lanes<Faulty>(const State256& start, std::array<Block, 1>& blocks, std::size_t offset,
                        std::size_t size, unsigned steps) {
    step_lanes<Portable>(start, blocks, offset, size, steps);
    if (fault()) blocks[0].bytes[offset] ^= 0x10;
}

}  // namespace sha2

namespace lms {
namespace {

using Family = Sha256M32;

TEST(signer, lower_tree__one_hash_is_wrong__true_tree_signed_or_nothing) {
    const std::vector<Level> levels{{5, 1}, {5, 1}};
    const ByteVector identifier(16, 1);
    const ByteVector seed(32, 2);
    TestKey<Family, Faulty> key(levels, identifier, seed);
    ASSERT_TRUE(key.signer.open());
    key.is_open = true;
    calls = 0;
    const auto good = key.sign(0, {});
    ASSERT_TRUE(good);
    const std::size_t total = calls;
    const std::size_t upper = signature_prefix_size<Family>(key.key.parameters());
    int refused = 0;
    int passed = 0;
    const auto attempt = [&](std::size_t at) {
        TestKey<Family, Faulty> again(levels, identifier, seed);
        ASSERT_TRUE(again.signer.open());
        again.is_open = true;
        calls = 0;
        fault_at = at;
        const auto signature = again.sign(0, {});
        fault_at = never;
        if (signature) {
            ++passed;
            EXPECT_TRUE(
                std::ranges::equal(Bytes(*good).first(upper), Bytes(*signature).first(upper)))
                << at;
            return;
        }
        ++refused;
        EXPECT_EQ(signature.error(), Code::integrity_mismatch) << at;
        EXPECT_TRUE(std::ranges::equal(Bytes(again.storage).last(upper - 4), ByteVector(upper - 4)))
            << at << ": a wrong signature is left in the storage";
        EXPECT_TRUE(again.sign(1, {})) << at << ": the tree is built anew";
    };
    for (std::size_t at = 0; at < total; at += total / 60) attempt(at);
    for (std::size_t before = 1; before < 400; before += 9) attempt(total - before);
    EXPECT_GT(refused, 50);
    std::cout << total << " hashes, " << refused << " faults refused, " << passed << " harmless\n";
}

}  // namespace
}  // namespace lms
}  // namespace quoin::core
