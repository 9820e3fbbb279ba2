// What X25519 and Ed25519 leave on the stack and in the key object.
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "core/crypto/curve25519/ed25519.hpp"
#include "core/crypto/curve25519/edwards.hpp"
#include "core/crypto/curve25519/ladder.hpp"
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
    // As limbs; two neighbours of ten.
    void expect_no(const Field& x, const char* name) const {
        EXPECT_EQ(stack.places_of(test::bytes_in(x)), 0U) << name << " as limbs";
    }
    // z, 1 / z, and what the inversion makes of z on its way: any of them gives z away.
    void expect_no_inversion_of(const Field& z) const {
        expect_no(z, "z");
        expect_no(z.inverse(), "1 / z");
        const Field x2 = z.square() * z;  // x_n = z^(2^n - 1)
        expect_no(x2, "x2");
        const Field x4 = x2.square(2) * x2;
        expect_no(x4, "x4");
        const Field x5 = x4.square() * z;
        expect_no(x5, "x5");
        const Field x10 = x5.square(5) * x5;
        expect_no(x10, "x10");
        const Field x20 = x10.square(10) * x10;
        expect_no(x20, "x20");
        const Field x40 = x20.square(20) * x20;
        expect_no(x40, "x40");
        const Field x50 = x40.square(10) * x10;
        expect_no(x50, "x50");
        const Field x100 = x50.square(50) * x50;
        expect_no(x100, "x100");
        const Field x200 = x100.square(100) * x100;
        expect_no(x200, "x200");
        expect_no(x200.square(50) * x50, "x250");
    }
    void expect_no_point(const curve25519::Point<Field>& p) const {
        expect_no(p.x, "X");
        expect_no(p.y, "Y");
        expect_no(p.t, "T");
        expect_no_inversion_of(p.z);
    }

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

// x_2 and z_2 at the end of the ladder of RFC 7748.
template <class Field>
std::pair<Field, Field> last_of_ladder(Key k, const Key& u) {
    k[0] &= 248;
    k[31] = static_cast<std::uint8_t>((k[31] & 127U) | 64U);
    const Field x_1 = Field::load(u);
    Field x_2(1), z_2(0), x_3 = x_1, z_3(1);
    for (unsigned t = 255; t-- > 0;) {
        const bool bit = ((k[t / 8] >> (t % 8)) & 1U) != 0;
        if (bit) std::swap(x_2, x_3), std::swap(z_2, z_3);
        const x25519::LadderStep<Field> step(x_1, x_2, z_2, x_3, z_3);
        x_2 = step.x_2, z_2 = step.z_2, x_3 = step.x_3, z_3 = step.z_3;
        if (bit) std::swap(x_2, x_3), std::swap(z_2, z_3);
    }
    return {x_2, z_2};
}

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
    this->expect_no(TypeParam::load(shared), "shared secret");
    const auto [x, z] = last_of_ladder<TypeParam>(this->seed, peers);
    Key again{};
    (x * z.inverse()).store(again);
    ASSERT_EQ(again, shared);
    this->expect_no(x, "x_2");
    this->expect_no(x * z.inverse(), "shared secret");
    this->expect_no_inversion_of(z);
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
    const curve25519::Scalar r = curve25519::reduce(digest);
    EXPECT_EQ(this->stack.places_of(r), 0U) << "r";
    this->expect_no_point(curve25519::multiply_base<TypeParam>(r));
}

TYPED_TEST(curve25519_wipe, ed25519__key_made__no_seed_is_left) {
    alignas(ed25519::PrivateKey<TypeParam>) std::array<std::uint8_t, 96> memory{};
    this->stack.run([&] { new (memory.data()) ed25519::PrivateKey<TypeParam>(this->seed); });
    EXPECT_EQ(this->stack.places_of(this->seed), 0U) << "seed";
    const auto expanded = sha2::Sha512::of(this->seed);
    EXPECT_EQ(this->stack.places_of(expanded), 0U) << "scalar and prefix";
    curve25519::Scalar scalar{};
    std::copy_n(expanded.begin(), 32, scalar.begin());
    scalar[0] &= 248;
    scalar[31] = static_cast<std::uint8_t>((scalar[31] & 127U) | 64U);
    this->expect_no_point(curve25519::multiply_base<TypeParam>(scalar));
    std::array<std::uint8_t, 128> block{};
    std::ranges::copy(this->seed, block.begin());
    block[32] = 0x80;
    block[126] = 1;  // 256 bits
    const auto w = sha2::schedule_of<sha2::Functions512, 80>(block);
    EXPECT_EQ(this->stack.places_of(test::bytes_in(w)), 0U) << "SHA-512's schedule of the seed";
}

}  // namespace
}  // namespace quoin::core
