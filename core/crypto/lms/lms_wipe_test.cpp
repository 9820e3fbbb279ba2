// What making a tree and signing leave of the seeds, and of what is derived from them, on the
// stack.
#include <gtest/gtest.h>

#include "core/crypto/lms/secrets.hpp"
#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/sha2/test_schedule.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core::lms {
namespace {

template <class Family_, class Backend_>
struct Case {
    using Family = Family_;
    using Backend = Backend_;
};

template <class Case>
class lms_wipe : public testing::Test {
protected:
    using Family = Case::Family;

    void SetUp() override {
        if (!test::runs_here<typename Case::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }

    // The seed, and the beginnings of the chains of one-time key q, of which a signature shows
    // other values unless a digit is zero.
    void expect_no_secret(const TreeSecret<Family>& secret, std::uint32_t q,
                          std::uint16_t chains) const {
        EXPECT_EQ(stack.places_of(secret.seed), 0U) << "seed";
        for (std::uint16_t i = 0; i < chains; ++i) {
            std::array<std::uint8_t, Family::n> x{};
            derive<Family, Portable>(secret, q, i, x);
            EXPECT_EQ(stack.places_of(x), 0U) << "x[" << i << "]";
            expect_no_schedule(secret, q, i, Chain::derivation, secret.seed);
            expect_no_schedule(secret, q, i, 0, x);
        }
        for (const std::uint16_t i :
             {for_check_value, for_randomizer, for_child_seed, for_child_identifier}) {
            expect_no_schedule(secret, q, i, Chain::derivation, secret.seed);
        }
    }

    // SHA-256 of I || u32str(q) || u16str(i) || u8str(j) || value, one block: the words that it
    // makes of it. One may be there by chance.
    void expect_no_schedule(const TreeSecret<Family>& secret, std::uint32_t q, std::uint16_t i,
                            int j, Bytes value) const {
        if constexpr (!Family::is_shake) {
            std::array<std::uint8_t, 64> block{};
            std::ranges::copy(secret.identifier, block.begin());
            store_big_endian<std::uint32_t>(&block[identifier_size], q);
            store_big_endian<std::uint16_t>(&block[offset_i], i);
            block[offset_j] = static_cast<std::uint8_t>(j);
            std::ranges::copy(value, block.begin() + offset_value);
            block[offset_value + Family::n] = 0x80;
            store_big_endian<std::uint64_t>(&block[56], 8 * (offset_value + Family::n));
            const auto w = sha2::schedule_of<sha2::Functions256, 64>(block);
            // Word by word, as vectors hold those of several blocks.
            const Bytes made = test::bytes_in(w).subspan(16 * sizeof(std::uint32_t));
            EXPECT_LE(stack.template places_of<sizeof(std::uint32_t)>(made), 1U)
                << "schedule, q " << q << ", i " << i << ", j " << j;
        }
    }

    // SHA-256's state before the last block of what the check value is made of: enough to make one
    // for other nodes.
    void expect_no_check_state(const Tree<Family>& tree) const {
        if constexpr (!Family::is_shake) {
            std::array<std::uint8_t, identifier_size + 6 + Family::n> head{};
            std::ranges::copy(tree.secret.identifier, head.begin());
            store_big_endian<std::uint16_t>(&head[offset_i], for_check_value);
            derive<Family, Portable>(tree.secret, 0, for_check_value,
                                     std::span(head).template last<Family::n>());
            ByteVector all(head.begin(), head.end());
            all.insert(all.end(), {tree.level.height, tree.level.w});
            all.insert(all.end(), tree.nodes.begin() + Family::n, tree.nodes.end());
            ASSERT_LT(all.size() % 64, 56U);  // the last block has all of the padding
            sha2::State256 state = sha2::initial_256;
            sha2::compress<Portable>(state, Bytes(all).first(all.size() / 64 * 64));
            EXPECT_EQ(stack.places_of(test::bytes_in(state)), 0U) << "state";
        }
    }

    test::DeadStack stack;
    const std::array<std::uint8_t, identifier_size> identifier{1, 2, 3};
    const std::array<std::uint8_t, Family::n> seed = test::pattern<Family::n>(0x31);
};

using Cases = testing::Types<Case<Sha256M32, Portable>, Case<ShakeM32, Portable>
#if defined(__x86_64__)
                             ,
                             Case<Sha256M32, ShaNi>, Case<Sha256M32, Avx2>, Case<ShakeM32, Avx2>
#endif
                             >;
TYPED_TEST_SUITE(lms_wipe, Cases);

TYPED_TEST(lms_wipe, derive__done__nothing_secret_is_left) {
    using Family = TypeParam::Family;
    TreeSecret<Family> secret;
    secret.identifier = this->identifier;
    secret.seed = this->seed;
    std::array<std::uint8_t, Family::n> derived{};
    this->stack.run(
        [&] { derive<Family, typename TypeParam::Backend>(secret, 3, for_child_seed, derived); });
    EXPECT_EQ(this->stack.places_of(derived), 0U);
    this->expect_no_secret(secret, 3, 0);
}

TYPED_TEST(lms_wipe, tree_and_signatures__done__nothing_secret_is_left) {
    using Family = TypeParam::Family;
    using Backend = TypeParam::Backend;
    const std::vector<Level> levels{{5, 8}, {5, 8}};  // 2 levels: the lower seed is derived
    const PrivateKey<Family> key(*Parameters::make(levels), this->identifier, this->seed);
    ByteVector storage(signer_storage_size<Family>(key.parameters()));
    const auto top = top_tree(key, storage);
    constexpr std::uint16_t chains = 34;  // n = 32, w = 8
    this->stack.run([&] { fill_leaves<Family, Backend>(top, 0, 32); });
    this->expect_no_secret(key.secret(), 31, chains);
    this->stack.run([&] { finish_tree<Family, Backend>(top); });
    this->expect_no_secret(key.secret(), 0, chains);
    this->expect_no_check_state(top);

    ByteVector signature(signature_size<Family>(key.parameters()));
    bool worked = false;
    Signer<Family, Backend> signer(key, storage);
    this->stack.run([&] { worked = signer.open().has_value(); });
    ASSERT_TRUE(worked);
    this->expect_no_secret(key.secret(), 0, chains);
    this->expect_no_check_state(top);
    TreeSecret<Family> lower;
    derive<Family, Portable>(key.secret(), 0, for_child_seed, lower.seed);
    std::array<std::uint8_t, Family::n> child{};
    derive<Family, Portable>(key.secret(), 0, for_child_identifier, child);
    std::copy_n(child.begin(), identifier_size, lower.identifier.begin());
    for (const std::uint32_t index : {7U, 8U}) {  // the lower tree is made for the first only
        this->stack.run([&] {
            auto block = Reservation::danger_already_durable(index, 1);
            worked = signer.sign(*block.take(), bytes_of("message"), signature).has_value();
        });
        ASSERT_TRUE(worked);
        this->expect_no_secret(key.secret(), 0, chains);
        this->expect_no_secret(lower, 31, chains);
        this->expect_no_secret(lower, index, chains);
    }
}

}  // namespace
}  // namespace quoin::core::lms
