// What X25519 and Ed25519 leave on the stack and in the key object.
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/scalar.hpp"
#include "core/crypto/curve25519/x25519.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/sha2/test_schedule.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core {
namespace {

using Key = std::array<std::uint8_t, 32>;

template <class Field>
class curve25519_wipe : public testing::Test {
protected:
    test::DeadStack stack;
    const Key seed = test::pattern<32>(0x21);
};

using Fields = testing::Types<curve25519::Field25
#if defined(__SIZEOF_INT128__)
                              ,
                              curve25519::Field51
#endif
                              >;
TYPED_TEST_SUITE(curve25519_wipe, Fields);

TYPED_TEST(curve25519_wipe, x25519__done__nothing_secret_is_left) {
    Key mine{}, peers{}, shared{};
    x25519::public_key<TypeParam>(test::pattern<32>(0x43), peers);
    this->stack.run([&] { x25519::public_key<TypeParam>(this->seed, mine); });
    EXPECT_EQ(this->stack.places_of(this->seed), 0U) << "private key";
    bool derived = false;
    this->stack.run(
        [&] { derived = x25519::shared_secret<TypeParam>(this->seed, peers, shared).has_value(); });
    ASSERT_TRUE(derived);
    EXPECT_EQ(this->stack.places_of(this->seed), 0U) << "private key";
    EXPECT_EQ(this->stack.places_of(shared), 0U) << "shared secret";
}

TYPED_TEST(curve25519_wipe, ed25519__key_made_used_destroyed__nothing_secret_is_left) {
    const Key message = test::pattern<32>(0x65);
    std::array<std::uint8_t, 64> signature{};
    alignas(ed25519::PrivateKey<TypeParam>) std::array<std::uint8_t, 96> memory{};
    this->stack.run([&] {
        auto* key = new (memory.data()) ed25519::PrivateKey<TypeParam>(this->seed);
        key->sign(message, signature);
        key->~PrivateKey();
    });
    const auto expanded = sha2::Sha512::of(this->seed);
    EXPECT_EQ(this->stack.places_of(this->seed), 0U) << "seed";
    EXPECT_EQ(this->stack.places_of(expanded), 0U) << "scalar and prefix";
    EXPECT_TRUE(std::ranges::all_of(Bytes(memory).first(64), [](auto byte) { return byte == 0; }));

    sha2::Sha512 hash;
    hash.update(Bytes(expanded).subspan(32));
    hash.update(message);
    const auto digest = hash.finish();
    EXPECT_EQ(this->stack.places_of(digest), 0U) << "r before its reduction";
    EXPECT_EQ(this->stack.places_of(curve25519::reduce(digest)), 0U) << "r";
}

TYPED_TEST(curve25519_wipe, ed25519__key_made__no_seed_is_left) {
    alignas(ed25519::PrivateKey<TypeParam>) std::array<std::uint8_t, 96> memory{};
    this->stack.run([&] { new (memory.data()) ed25519::PrivateKey<TypeParam>(this->seed); });
    EXPECT_EQ(this->stack.places_of(this->seed), 0U) << "seed";
    EXPECT_EQ(this->stack.places_of(sha2::Sha512::of(this->seed)), 0U) << "scalar and prefix";
    std::array<std::uint8_t, 128> block{};
    std::ranges::copy(this->seed, block.begin());
    block[32] = 0x80;
    block[126] = 1;  // 256 bits
    const auto w = sha2::schedule_of<sha2::Functions512, 80>(block);
    EXPECT_EQ(this->stack.places_of(test::bytes_in(w)), 0U) << "SHA-512's schedule of the seed";
}

}  // namespace
}  // namespace quoin::core
