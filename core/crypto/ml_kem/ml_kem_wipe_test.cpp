// What the operations leave in the workspace and on the stack.
#include <gtest/gtest.h>

#include <memory>

#include "core/crypto/ml_kem/kem.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core::ml_kem {
namespace {

using test::bytes_in;
using test::bytes_not_wiped;
using Bytes32 = std::array<std::uint8_t, 32>;

template <class Set_, class Backend_>
struct Case {
    using Set = Set_;
    using Backend = Backend_;
};

template <class TypeParam>
class ml_kem_wipe : public testing::Test {
protected:
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;

    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
        const auto plain = std::make_unique<Workspace<Set>>();
        ml_kem::generate<Set>(ek, dk, d, z, *plain);
        ml_kem::encapsulate<Set>(shared, ciphertext, key(), m, *plain);
    }
    EncapsulationKey<Set> key() const { return EncapsulationKey<Set>::danger_unchecked(ek); }

    void expect_no_key() {
        const Bytes encoded = Bytes(dk).first(384 * Set::k);
        EXPECT_EQ(stack.places_of(encoded), 0U) << "s, encoded";
        for (std::size_t i = 0; i < Set::k; ++i) {
            Poly s;
            Arithmetic<Portable>::decode(
                s, std::span<const std::uint8_t, 384>(encoded.data() + 384 * i, 384));
            EXPECT_EQ(stack.places_of<16>(bytes_in(s)), 0U) << "s";
        }
    }
    // m, and what follows from it.
    void expect_no_message() {
        EXPECT_EQ(stack.places_of(m), 0U) << "m";
        Bytes32 h{};
        keccak::Sha3_256<>::digest(h, ek);
        const TwoSeeds seeds = hash_g<Portable>(m, h);
        EXPECT_EQ(stack.places_of(first_half(seeds)), 0U) << "K";
        EXPECT_EQ(stack.places_of(second_half(seeds)), 0U) << "r";
    }

    const Bytes32 d = test::pattern<32>(0x21), z = test::pattern<32>(0x43),
                  m = test::pattern<32>(0x65);
    std::array<std::uint8_t, Set::encapsulation_key_size> ek{};
    std::array<std::uint8_t, Set::decapsulation_key_size> dk{};
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
    Bytes32 shared{};
    test::DeadStack stack;
    std::unique_ptr<Workspace<Set, Backend>> workspace =
        std::make_unique<Workspace<Set, Backend>>();
};

using Cases = testing::Types<Case<Set512, Portable>, Case<Set768, Portable>, Case<Set1024, Portable>
#if defined(__x86_64__)
                             ,
                             Case<Set512, Avx2>, Case<Set768, Avx2>, Case<Set1024, Avx2>,
                             Case<Set512, Avx512>, Case<Set768, Avx512>, Case<Set1024, Avx512>
#endif
                             >;
TYPED_TEST_SUITE(ml_kem_wipe, Cases);

TYPED_TEST(ml_kem_wipe, generate__done__nothing_secret_is_left) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    this->stack.run(
        [&] { generate<Set, Backend>(this->ek, this->dk, this->d, this->z, *this->workspace); });
    EXPECT_EQ(bytes_not_wiped(*this->workspace), 0U);
    EXPECT_EQ(this->stack.places_of(this->d), 0U) << "d";
    EXPECT_EQ(this->stack.places_of(this->z), 0U) << "z";
    const std::array<std::uint8_t, 1> rank{Set::k};
    const TwoSeeds seeds = hash_g<Portable>(this->d, rank);
    EXPECT_EQ(this->stack.places_of(second_half(seeds)), 0U) << "sigma";
    this->expect_no_key();
}

TYPED_TEST(ml_kem_wipe, encapsulate__done__nothing_secret_is_left) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    this->stack.run([&] {
        encapsulate<Set, Backend>(this->shared, this->ciphertext, this->key(), this->m,
                                  *this->workspace);
    });
    EXPECT_EQ(bytes_not_wiped(*this->workspace), 0U);
    this->expect_no_message();
}

TYPED_TEST(ml_kem_wipe, decapsulate__valid_and_not__nothing_secret_is_left) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    const auto key = DecapsulationKey<Set>::danger_unchecked(this->dk);
    for (const bool valid : {true, false}) {
        if (!valid) this->ciphertext.fill(7);
        this->stack.run([&] {
            decapsulate<Set, Backend>(this->shared, key, this->ciphertext, *this->workspace);
        });
        EXPECT_EQ(bytes_not_wiped(*this->workspace), 0U);
        EXPECT_EQ(this->stack.places_of(this->z), 0U) << "z";
        Bytes32 rejected{};
        keccak::Shake256<>::digest(rejected, this->z, this->ciphertext);
        EXPECT_EQ(this->stack.places_of(rejected), 0U) << "the secret of a rejection";
        this->expect_no_key();
        this->expect_no_message();
    }
}

}  // namespace
}  // namespace quoin::core::ml_kem
