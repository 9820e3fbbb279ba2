#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::lms {
namespace {

using test::random_bytes;

std::mt19937_64 seeded() {
    const std::uint64_t seed = std::random_device{}();
    testing::Test::RecordProperty("seed", std::to_string(seed));
    std::cout << "seed " << seed << '\n';
    return std::mt19937_64(seed);
}

// RFC 8554, table 1; RFC 9858, table 1.
static_assert(winternitz(32, 1).chains == 265 && winternitz(32, 1).checksum_shift == 7);
static_assert(winternitz(32, 2).chains == 133 && winternitz(32, 2).checksum_shift == 6);
static_assert(winternitz(32, 4).chains == 67 && winternitz(32, 4).checksum_shift == 4);
static_assert(winternitz(32, 8).chains == 34 && winternitz(32, 8).checksum_shift == 0);
static_assert(winternitz(24, 1).chains == 200 && winternitz(24, 1).checksum_shift == 8);
static_assert(winternitz(24, 2).chains == 101 && winternitz(24, 2).checksum_shift == 6);
static_assert(winternitz(24, 4).chains == 51 && winternitz(24, 4).checksum_shift == 4);
static_assert(winternitz(24, 8).chains == 26 && winternitz(24, 8).checksum_shift == 0);
static_assert(tree_signature_size<Sha256M32>({10, 4}) == 2508);
static_assert(tree_signature_size<Sha256M24>({5, 8}) == 780);
static_assert(tree_signature_size<ShakeM32>({25, 1}) == 9324);
static_assert(tree_signature_size<ShakeM24>({20, 2}) == 2940);

TEST(parameters, make__unknown_or_too_many__input_invalid) {
    const auto refused = [](std::vector<Level> levels) {
        const auto made = Parameters::make(levels);
        return !made && made.error() == Code::input_invalid;
    };
    EXPECT_TRUE(refused({}));
    EXPECT_TRUE(refused({{6, 4}}));
    EXPECT_TRUE(refused({{0, 4}}));
    EXPECT_TRUE(refused({{30, 4}}));
    EXPECT_TRUE(refused({{5, 3}}));
    EXPECT_TRUE(refused({{5, 0}}));
    EXPECT_TRUE(refused({{25, 4}, {25, 4}, {15, 4}}));
    EXPECT_TRUE(refused(std::vector<Level>(9, {5, 4})));
    EXPECT_EQ(Parameters::make(std::vector<Level>(8, {5, 4}))->capacity(), std::uint64_t{1} << 40);
}

TEST(parameters, make__trees_beyond_the_address_space__input_invalid) {
    const auto made = [](std::vector<Level> levels, std::uint64_t largest_object) {
        return Parameters::make(levels, largest_object);
    };
    constexpr std::uint64_t of_32_bits = 0x7fffffff;
    EXPECT_EQ(made({{25, 4}, {25, 4}}, of_32_bits).error(), Code::input_invalid);  // 2^32 bytes
    EXPECT_EQ(made({{25, 4}}, of_32_bits).error(), Code::input_invalid);
    EXPECT_TRUE(made({{20, 4}, {20, 4}, {20, 4}}, of_32_bits));
    EXPECT_EQ(Parameters::make(std::vector<Level>(2, {25, 4})).has_value(), sizeof(void*) > 4);
}

template <class Types>
class families : public testing::Test {};

template <class F, class B>
struct Pair {
    using Family = F;
    using Backend = B;
};
using Pairs = testing::Types<
#if defined(__x86_64__)
    Pair<Sha256M32, ShaNi>, Pair<Sha256M24, ShaNi>, Pair<Sha256M32, Avx2>, Pair<Sha256M24, Avx2>,
    Pair<ShakeM32, Avx2>, Pair<ShakeM24, Avx2>,
#endif
    Pair<Sha256M32, Portable>, Pair<Sha256M24, Portable>, Pair<ShakeM32, Portable>,
    Pair<ShakeM24, Portable>>;
TYPED_TEST_SUITE(families, Pairs);

TYPED_TEST(families, sign__every_width__same_as_portable_and_verifies) {
    using Family = TypeParam::Family;
    using Backend = TypeParam::Backend;
    if (!test::runs_here<Backend>()) GTEST_SKIP() << "NOT RUN: this processor cannot";
    auto generator = seeded();
    for (const std::uint8_t w : std::to_array<std::uint8_t>({1, 2, 4, 8})) {
        const ByteVector identifier = random_bytes(generator, identifier_size);
        const ByteVector seed = random_bytes(generator, Family::n);
        TestKey<Family, Backend> key({{5, w}}, identifier, seed);
        TestKey<Family, Portable> portable({{5, w}}, identifier, seed);
        EXPECT_EQ(key.public_key, portable.public_key);
        EXPECT_EQ(key.storage, portable.storage);
        for (const std::uint64_t index : {0U, 7U, 31U}) {
            const ByteVector message = random_bytes(generator, generator() % 300);
            const auto signature = key.sign(index, message);
            ASSERT_TRUE(signature);
            EXPECT_EQ(*signature, *portable.sign(index, message));
            EXPECT_TRUE((verify<Family, Backend>(key.public_key, message, *signature)));
            EXPECT_TRUE((verify<Family, Portable>(key.public_key, message, *signature)));
        }
    }
}

TYPED_TEST(families, verify__any_byte_changed__refused) {
    using Family = TypeParam::Family;
    using Backend = TypeParam::Backend;
    if (!test::runs_here<Backend>()) GTEST_SKIP() << "NOT RUN: this processor cannot";
    auto generator = seeded();
    TestKey<Family, Backend> key({{5, 2}, {5, 4}}, random_bytes(generator, identifier_size),
                                 random_bytes(generator, Family::n));
    const ByteVector message = random_bytes(generator, 100);
    const ByteVector good = *key.sign(generator() % 1024, message);
    ASSERT_TRUE((verify<Family, Backend>(key.public_key, message, good)));
    for (std::size_t i = generator() % 3; i < good.size(); i += 3) {
        ByteVector bad = good;
        bad[i] ^= static_cast<std::uint8_t>(1U << (generator() % 8));
        const auto verified = verify<Family, Backend>(key.public_key, message, bad);
        ASSERT_FALSE(verified) << i;
        ASSERT_EQ(verified.error(), Code::integrity_signature);
    }
    for (std::size_t i = 0; i < key.public_key.size(); ++i) {
        ByteVector bad = key.public_key;
        bad[i] ^= static_cast<std::uint8_t>(1U << (generator() % 8));
        ASSERT_FALSE((verify<Family, Backend>(bad, message, good))) << i;
    }
}

TEST(verify, lengths__truncated_or_trailing__refused) {
    auto generator = seeded();
    TestKey<Sha256M32> key({{5, 8}, {5, 4}}, random_bytes(generator, 16),
                           random_bytes(generator, 32));
    const ByteVector message = random_bytes(generator, 10);
    const ByteVector good = *key.sign(33, message);
    for (std::size_t size = 0; size < good.size(); size += size < 70 ? 1 : 17) {
        ASSERT_EQ(verify<Sha256M32>(key.public_key, message, Bytes(good).first(size)).error(),
                  Code::integrity_signature);
    }
    ByteVector longer = good;
    longer.push_back(0);
    EXPECT_EQ(verify<Sha256M32>(key.public_key, message, longer).error(),
              Code::integrity_signature);
    for (std::size_t size = 0; size < key.public_key.size(); ++size) {
        ASSERT_EQ(verify<Sha256M32>(Bytes(key.public_key).first(size), message, good).error(),
                  Code::peer_malformed);
    }
    longer = key.public_key;
    longer.push_back(0);
    EXPECT_EQ(verify<Sha256M32>(longer, message, good).error(), Code::peer_malformed);
    EXPECT_EQ(verify<Sha256M24>(key.public_key, message, good).error(), Code::peer_malformed);
    EXPECT_EQ(verify<ShakeM32>(key.public_key, message, good).error(), Code::peer_malformed);
}

TEST(verify, levels__zero_nine_or_another_number__refused) {
    auto generator = seeded();
    TestKey<Sha256M32> key({{5, 8}}, random_bytes(generator, 16), random_bytes(generator, 32));
    const ByteVector good = *key.sign(0, {});
    ASSERT_TRUE(verify<Sha256M32>(key.public_key, {}, good));
    for (const std::uint8_t levels : std::to_array<std::uint8_t>({0, 2, 8, 9, 255})) {
        ByteVector other = key.public_key;
        other[3] = levels;
        EXPECT_FALSE(verify<Sha256M32>(other, {}, good));
        if (levels == 0) continue;  // a signature says how many levels are above its own
        ByteVector bad = good;
        bad[3] = levels;
        EXPECT_EQ(verify<Sha256M32>(key.public_key, {}, bad).error(), Code::integrity_signature);
    }
}

TEST(verifier, update__in_pieces__as_in_one) {
    auto generator = seeded();
    TestKey<ShakeM24> key({{5, 4}}, random_bytes(generator, 16), random_bytes(generator, 24));
    const ByteVector message = random_bytes(generator, 1000);
    const ByteVector signature = *key.sign(5, message);
    Verifier<ShakeM24> verifier;
    EXPECT_EQ(verifier.finish().error(), Code::integrity_signature) << "without a start";
    ASSERT_TRUE(verifier.start(key.public_key, signature));
    for (const std::uint8_t& byte : message) verifier.update({&byte, 1});
    EXPECT_TRUE(verifier.finish());
    EXPECT_EQ(verifier.finish().error(), Code::integrity_signature) << "a second time";
}

TEST(signer, levels__indices_across_trees__verify) {
    auto generator = seeded();
    TestKey<Sha256M32> key({{5, 8}, {5, 4}, {5, 2}}, random_bytes(generator, 16),
                           random_bytes(generator, 32));
    for (const std::uint64_t index : {0U, 31U, 32U, 1023U, 1024U, 1025U, 32767U}) {
        const ByteVector message = random_bytes(generator, 40);
        const auto signature = key.sign(index, message);
        ASSERT_TRUE(signature) << index;
        EXPECT_TRUE(verify<Sha256M32>(key.public_key, message, *signature)) << index;
    }
}

// What the one-time keys above sign may not depend on the way to the index.
TEST(signer, lower_tree__reached_in_another_way__signed_with_the_same_bytes) {
    auto generator = seeded();
    const ByteVector identifier = random_bytes(generator, 16);
    const ByteVector seed = random_bytes(generator, 32);
    const std::vector<Level> levels{{5, 8}, {5, 8}};
    TestKey<Sha256M32> one(levels, identifier, seed);
    TestKey<Sha256M32> other(levels, identifier, seed);
    ASSERT_TRUE(one.sign(3, {}));
    ASSERT_TRUE(one.sign(40, {}));
    EXPECT_EQ(*one.sign(70, {}), *other.sign(70, {}));
}

TEST(signer, index__used_lower_or_beyond__state_wrong) {
    auto generator = seeded();
    TestKey<Sha256M32> key({{5, 8}}, random_bytes(generator, 16), random_bytes(generator, 32));
    ASSERT_TRUE(key.sign(5, {}));
    EXPECT_EQ(key.sign(5, {}).error(), Code::state_wrong);
    EXPECT_EQ(key.sign(4, {}).error(), Code::state_wrong);
    EXPECT_EQ(key.sign(32, {}).error(), Code::state_wrong);
    EXPECT_TRUE(key.sign(31, {}));
}

TEST(signer, open__any_node_changed__integrity_mismatch) {
    auto generator = seeded();
    TestKey<Sha256M32> key({{5, 8}}, random_bytes(generator, 16), random_bytes(generator, 32));
    ASSERT_TRUE(key.signer.open());
    for (std::size_t i = 0; i < tree_size<Sha256M32>({5, 8}); i += 29) {
        key.storage[i] ^= 0x10;
        EXPECT_EQ(key.signer.open().error(), Code::integrity_mismatch) << i;
        key.storage[i] ^= 0x10;
    }
    EXPECT_TRUE(key.signer.open());
    key.storage[0] ^= 1;
    ASSERT_FALSE(key.signer.open());
    ByteVector signature(signature_size<Sha256M32>(key.key.parameters()));
    auto block = Reservation::danger_already_durable(0, 1);
    EXPECT_EQ(key.signer.sign(*block.take(), {}, signature).error(), Code::state_wrong);
}

TEST(index, reservation__taken_and_moved__each_index_once) {
    auto block = Reservation::danger_already_durable(10, 2);
    auto moved = std::move(block);
    // NOLINTNEXTLINE(bugprone-use-after-move): this is tested
    EXPECT_EQ(block.take().error(), Code::resource_full);
    auto first = moved.take();
    auto second = moved.take();
    EXPECT_EQ(moved.take().error(), Code::resource_full);
    EXPECT_EQ(*first->consume(), 10U);
    EXPECT_EQ(first->consume().error(), Code::state_wrong);
    OneTimeIndex taken(std::move(*second));
    EXPECT_EQ(second->consume().error(), Code::state_wrong);
    EXPECT_EQ(*taken.consume(), 11U);
    static_assert(!std::is_copy_constructible_v<OneTimeIndex>);
    static_assert(!std::is_copy_constructible_v<Reservation>);
}

}  // namespace
}  // namespace quoin::core::lms
