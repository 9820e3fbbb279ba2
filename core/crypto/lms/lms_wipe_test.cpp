// What making a tree and signing leave of the seeds, and of what is derived from them, on the
// stack.
#include <gtest/gtest.h>

#include "core/crypto/lms/secrets.hpp"
#include "core/crypto/lms/test_signer.hpp"
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

TYPED_TEST(lms_wipe, tree_and_signatures__done__nothing_secret_is_left) {
    using Family = TypeParam::Family;
    using Backend = TypeParam::Backend;
    const std::vector<Level> levels{{5, 8}, {5, 8}};  // 2 levels: the lower seed is derived
    const PrivateKey<Family> key(*Parameters::make(levels), this->identifier, this->seed);
    ByteVector storage(signer_storage_size<Family>(key.parameters()));
    const auto top = top_tree(key, storage);
    this->stack.run([&] {
        fill_leaves<Family, Backend>(top, 0, 32);
        finish_tree<Family, Backend>(top);
    });
    constexpr std::uint16_t chains = 34;  // n = 32, w = 8
    this->expect_no_secret(key.secret(), 31, chains);

    ByteVector signature(signature_size<Family>(key.parameters()));
    bool worked = false;
    Signer<Family, Backend> signer(key, storage);
    this->stack.run([&] {
        auto block = Reservation::danger_already_durable(7, 1);
        worked = signer.open() && signer.sign(*block.take(), bytes_of("message"), signature);
    });
    ASSERT_TRUE(worked);
    this->expect_no_secret(key.secret(), 0, chains);
    TreeSecret<Family> lower;
    derive<Family, Portable>(key.secret(), 0, for_child_seed, lower.seed);
    std::array<std::uint8_t, Family::n> child{};
    derive<Family, Portable>(key.secret(), 0, for_child_identifier, child);
    std::copy_n(child.begin(), identifier_size, lower.identifier.begin());
    this->expect_no_secret(lower, 7, chains);
}

}  // namespace
}  // namespace quoin::core::lms
