// The field in both radices and the scalars against OpenSSL's BIGNUM, with values at the edges.
#include "core/crypto/curve25519/field.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/crypto/curve25519/scalar.hpp"
#include "core/crypto/test_number.hpp"

namespace quoin::core::curve25519 {
namespace {

using test::ByteVector;
using test::hex;
using test::Number;
using test::random_bytes;

const Number& prime() {
    static const Number p =
        Number::of_hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
    return p;
}
const Number& group_order() {
    static const Number l =
        Number::of_hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    return l;
}

Number small(std::uint8_t value) { return Number(Bytes(&value, 1)); }

// 0, 1, all ones, and what lies around p, then random bytes.
std::vector<ByteVector> interesting_values(std::mt19937_64& generator) {
    std::vector<ByteVector> values = {ByteVector(32), ByteVector(32, 0xff), small(1).bytes(),
                                      small(18).bytes(), small(19).bytes()};
    values.back()[31] |= 0x80;
    for (std::uint8_t i = 0; i < 3; ++i) {
        values.push_back(prime().plus(small(i)).bytes());
        values.push_back(prime().minus(small(i)).bytes());
    }
    for (int i = 0; i < 30; ++i) values.push_back(random_bytes(generator, 32));
    return values;
}

std::span<const std::uint8_t, 32> fixed(const ByteVector& bytes) {
    return std::span<const std::uint8_t, 32>(bytes.data(), 32);
}

template <class F>
class field : public testing::Test {
protected:
    static std::string stored(const F& x) {
        std::array<std::uint8_t, 32> bytes{};
        x.store(bytes);
        return hex(bytes);
    }
    static std::string expected(const Number& n) { return hex(n.modulo(prime()).bytes()); }
    static Number number(ByteVector bytes) {
        bytes[31] &= 0x7f;
        return Number(bytes);
    }
};

#if defined(__SIZEOF_INT128__)
using Fields = testing::Types<Field25, Field51, InlinedField51>;
#else
using Fields = testing::Types<Field25>;
#endif
TYPED_TEST_SUITE(field, Fields);

TYPED_TEST(field, store__what_was_loaded__modulo_p) {
    std::mt19937_64 generator(1);
    for (const ByteVector& value : interesting_values(generator)) {
        EXPECT_EQ(this->stored(TypeParam::load(fixed(value))), this->expected(this->number(value)));
    }
}

TYPED_TEST(field, arithmetic__edges_and_random__as_openssl) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    const std::vector<ByteVector> values = interesting_values(generator);
    for (const ByteVector& av : values) {
        for (const ByteVector& bv : values) {
            const TypeParam a = TypeParam::load(fixed(av)), b = TypeParam::load(fixed(bv));
            const Number m = this->number(av), n = this->number(bv);
            ASSERT_EQ(this->stored(a + b), this->expected(m.plus(n)));
            ASSERT_EQ(this->stored(a - b), this->expected(m.minus(n)));
            ASSERT_EQ(this->stored(a * b), this->expected(m.times(n)));
            ASSERT_EQ(this->stored(a.square()), this->expected(m.times(m)));
            // The largest units that occur: 5 * 4.
            const Number five = m.plus(m).plus(m).minus(n), four = n.plus(n).minus(m);
            ASSERT_EQ(this->stored((a + a + a - b) * (b + b - a)),
                      this->expected(five.times(four)));
            ASSERT_EQ(this->stored((b + b - a).square()), this->expected(four.times(four)));
            ASSERT_EQ(this->stored((a + a + a - b).times(121665)),
                      this->expected(five.times(Number::of_hex("1db41"))));
        }
    }
}

TYPED_TEST(field, inverse_and_power__random__multiply_back_to_one) {
    std::mt19937_64 generator(2);
    for (int i = 0; i < 50; ++i) {
        const TypeParam a = TypeParam::load(fixed(random_bytes(generator, 32)));
        EXPECT_EQ(this->stored(a * a.inverse()), this->stored(TypeParam(1)));
        // (p - 5) / 8 * 8 + 4 = p - 1.
        const TypeParam power = a.power_252_3();
        EXPECT_EQ(this->stored(power.square(3) * a.square(2)), this->stored(TypeParam(1)));
    }
    EXPECT_TRUE(TypeParam(0).inverse().is_zero());
}

TYPED_TEST(field, exchange__mask_of_ones_or_zeros__exchanged_or_not) {
    TypeParam a(1), b(2);
    TypeParam::exchange(a, b, 0);
    EXPECT_EQ(this->stored(a), this->stored(TypeParam(1)));
    TypeParam::exchange(a, b, static_cast<TypeParam::Limb>(-1));
    EXPECT_EQ(this->stored(a), this->stored(TypeParam(2)));
    EXPECT_EQ(this->stored(b), this->stored(TypeParam(1)));
}

Scalar scalar(const ByteVector& bytes) {
    Scalar s{};
    std::ranges::copy(bytes, s.begin());
    return s;
}

TEST(scalar, reduce_and_multiply_add__edges_and_random__as_openssl) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE(seed);
    std::mt19937_64 generator(seed);
    std::vector<ByteVector> values = {ByteVector(64), ByteVector(64, 0xff)};
    for (std::uint8_t i = 0; i < 4; ++i) {  // around multiples of L
        for (const ByteVector& factor : {random_bytes(generator, 31), ByteVector{1}, {2}}) {
            const Number multiple = group_order().times(Number(factor));
            values.push_back(multiple.plus(small(i)).bytes(64));
            values.push_back(multiple.minus(small(i)).bytes(64));
        }
    }
    for (int i = 0; i < 1000; ++i) values.push_back(random_bytes(generator, 64));
    for (const ByteVector& value : values) {
        const std::span<const std::uint8_t, 64> wide(value.data(), 64);
        ASSERT_EQ(hex(reduce(wide)), hex(Number(value).modulo(group_order()).bytes()));
    }
    for (int i = 0; i < 1000; ++i) {
        const ByteVector a = random_bytes(generator, 32), b = random_bytes(generator, 32);
        const ByteVector c = i % 10 == 0 ? ByteVector(32, 0xff) : random_bytes(generator, 32);
        const Number expected = Number(a).times(Number(b)).plus(Number(c));
        ASSERT_EQ(hex(multiply_add(scalar(a), scalar(b), scalar(c))),
                  hex(expected.modulo(group_order()).bytes()));
    }
}

TEST(scalar, is_canonical__around_the_order__below_only) {
    EXPECT_TRUE(is_canonical(fixed(ByteVector(32))));
    EXPECT_TRUE(is_canonical(fixed(group_order().minus(small(1)).bytes())));
    EXPECT_FALSE(is_canonical(fixed(group_order().bytes())));
    EXPECT_FALSE(is_canonical(fixed(group_order().plus(small(1)).bytes())));
    EXPECT_FALSE(is_canonical(fixed(ByteVector(32, 0xff))));
}

}  // namespace
}  // namespace quoin::core::curve25519
