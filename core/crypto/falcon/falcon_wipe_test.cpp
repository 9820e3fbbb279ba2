// What key generation and signing leave in the workspace and on the stack.
#include <gtest/gtest.h>

#include <memory>

#include "core/crypto/falcon/keygen.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/falcon/test_key.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core::falcon {
namespace {

using test::bytes_in;
using test::bytes_not_wiped;

template <class Backend>
class falcon_wipe : public testing::Test {
protected:
    void SetUp() override {
        if (std::is_same_v<Backend, Avx2> && !test::runs_here<Avx2>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
        keccak::Shake256<>::digest(key_hash, test_private_key_512);
        EXPECT_TRUE(
            decode_private_key(basis, std::span<const std::uint8_t, 1281>(test_private_key_512)));
    }

    void expect_no_secret() const {
        EXPECT_EQ(stack.places_of(randomness), 0U) << "randomness";
        EXPECT_EQ(stack.places_of(key_hash), 0U) << "the hash of the private key";
        EXPECT_EQ(stack.places_of(test_private_key_512), 0U) << "the private key";
        EXPECT_EQ(stack.places_of(bytes_in(basis.f)), 0U) << "f";
        EXPECT_EQ(stack.places_of(bytes_in(basis.g)), 0U) << "g";
        EXPECT_EQ(stack.places_of(bytes_in(basis.F)), 0U) << "F";
    }

    test::DeadStack stack;
    Basis<Set512> basis;
    std::array<std::uint8_t, 32> key_hash{};
    const std::array<std::uint8_t, randomness_size> randomness =
        test::pattern<randomness_size>(0x17);
    std::array<std::uint8_t, Set512::padded_signature_size> signature{};
};

using Backends = testing::Types<Portable, Integer
#if defined(__x86_64__)
                                ,
                                Avx2
#endif
                                >;
TYPED_TEST_SUITE(falcon_wipe, Backends);

TYPED_TEST(falcon_wipe, sign__done__nothing_secret_is_left) {
    const auto workspace = std::make_unique<SignWorkspace<Set512, TypeParam>>();
    bool signed_ = false;
    this->stack.run([&] {
        signed_ = sign<Set512, TypeParam>(test_private_key_512, {}, this->randomness,
                                          Format::padded, this->signature, *workspace)
                      .has_value();
    });
    ASSERT_TRUE(signed_);
    EXPECT_EQ(bytes_not_wiped(*workspace), 0U);
    this->expect_no_secret();
}

TYPED_TEST(falcon_wipe, loaded_key__signed_and_destroyed__nothing_secret_is_left) {
    const auto workspace = std::make_unique<SignWorkspace<Set512, TypeParam>>();
    const auto scratch = std::make_unique<SignScratch<Set512, TypeParam>>();
    using Key = LoadedPrivateKey<Set512, TypeParam>;
    alignas(Key) static std::array<unsigned char, sizeof(Key)> memory;
    auto* const key = std::construct_at(reinterpret_cast<Key*>(memory.data()));
    bool signed_ = false;
    this->stack.run([&] {
        signed_ = key->load(test_private_key_512, *workspace) &&
                  key->sign({}, this->randomness, Format::padded, this->signature, *scratch);
    });
    ASSERT_TRUE(signed_);
    EXPECT_EQ(bytes_not_wiped(*workspace), 0U);
    EXPECT_EQ(bytes_not_wiped(*scratch), 0U);
    this->expect_no_secret();
    EXPECT_GT(bytes_not_wiped(memory), sizeof(Key) / 2);
    std::destroy_at(key);
    EXPECT_LE(bytes_not_wiped(memory), 1U);  // that it was loaded
}

TYPED_TEST(falcon_wipe, keygen__done__nothing_secret_is_left) {
    if constexpr (!std::is_same_v<TypeParam, Avx2>) {
        const auto workspace = std::make_unique<KeygenWorkspace<Set512, TypeParam>>();
        auto bytes = test::pattern<48>(0x29);
        const auto expected = bytes;
        const Seed seed{std::span(bytes)};  // wipes its source
        std::array<std::uint8_t, Set512::public_key_size> public_key{};
        std::array<std::uint8_t, Set512::private_key_size> private_key{};
        bool made = false;
        this->stack.run([&] {
            made = keygen<Set512, TypeParam>(seed, public_key, private_key, *workspace).has_value();
        });
        ASSERT_TRUE(made);
        EXPECT_EQ(bytes_not_wiped(*workspace), 0U);
        EXPECT_EQ(this->stack.places_of(expected), 0U) << "seed";
        EXPECT_EQ(this->stack.places_of(private_key), 0U) << "the private key";
    }
}

}  // namespace
}  // namespace quoin::core::falcon
