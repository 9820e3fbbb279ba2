#include "host/fieldbus/registers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "host/fieldbus/flexim.hpp"

namespace quoin::fieldbus {
namespace {

Register make(Type type, double scale = 1.0, WordOrder order = WordOrder::high_first) {
    return {.name = "r", .type = type, .scale = scale, .word_order = order, .labels = {}};
}

double number(const Register& reg, std::vector<std::uint16_t> words) {
    const auto value = decode(reg, words);
    return value ? std::get<double>(*value) : -12345.0;
}

TEST(fieldbus, decode__integers__sign_and_scale_are_applied) {
    EXPECT_DOUBLE_EQ(number(make(Type::u16), {65535}), 65535);
    EXPECT_DOUBLE_EQ(number(make(Type::i16), {65535}), -1);
    EXPECT_DOUBLE_EQ(number(make(Type::i16, 0.1), {0xff38}), -20.0);
    EXPECT_DOUBLE_EQ(number(make(Type::u32), {0x0001, 0x0002}), 65538);
    EXPECT_DOUBLE_EQ(number(make(Type::u32, 1, WordOrder::low_first), {0x0002, 0x0001}), 65538);
    EXPECT_DOUBLE_EQ(number(make(Type::i32), {0xffff, 0xfffe}), -2);
}

TEST(fieldbus, decode__decimal_scale__is_the_nearest_number) {
    EXPECT_EQ(number(make(Type::i16, 0.1), {249}), 24.9);
    EXPECT_EQ(number(make(Type::u32, 0.01), {0, 2107}), 21.07);
    EXPECT_EQ(number(make(Type::u16, 0.25), {3}), 0.75);
    EXPECT_EQ(number(make(Type::u16, 0.3), {10}), 3.0);
}

// 0x42f6e979 is 123.456 in IEEE 754 single precision.
TEST(fieldbus, decode__float__both_word_orders) {
    EXPECT_FLOAT_EQ(static_cast<float>(number(make(Type::f32), {0x42f6, 0xe979})), 123.456F);
    EXPECT_FLOAT_EQ(
        static_cast<float>(number(make(Type::f32, 1, WordOrder::low_first), {0xe979, 0x42f6})),
        123.456F);
}

TEST(fieldbus, decode__nan_or_infinity__is_refused) {
    const std::array<std::uint16_t, 2> nan{0x7fc0, 0};
    const std::array<std::uint16_t, 2> infinity{0x7f80, 0};
    EXPECT_EQ(decode(make(Type::f32), nan).error().code, Code::peer_malformed);
    EXPECT_EQ(decode(make(Type::f32), infinity).error().code, Code::peer_malformed);
}

TEST(fieldbus, decode__wrong_number_of_words__is_refused) {
    const std::array<std::uint16_t, 1> one{1};
    EXPECT_EQ(decode(make(Type::u32), one).error().code, Code::peer_malformed);
}

TEST(fieldbus, decode__labels__known_and_unknown) {
    Register reg = make(Type::u16);
    reg.labels = {"idle", "running"};
    const std::array<std::uint16_t, 1> one{1};
    const std::array<std::uint16_t, 1> nine{9};
    EXPECT_EQ(std::get<std::string>(*decode(reg, one)), "running");
    EXPECT_EQ(std::get<std::string>(*decode(reg, nine)), "unknown_9");
}

TEST(fieldbus, encode__then_decode__gives_the_number_back) {
    for (const Type type : {Type::u16, Type::i16, Type::u32, Type::i32, Type::f32}) {
        for (const WordOrder order : {WordOrder::high_first, WordOrder::low_first}) {
            const Register reg = make(type, 0.5, order);
            std::vector<std::uint16_t> words(words_of(type));
            ASSERT_TRUE(encode(reg, 1234.5, words));
            EXPECT_DOUBLE_EQ(number(reg, words), 1234.5);
        }
    }
}

TEST(fieldbus, encode__number_out_of_range__is_refused_and_changes_nothing) {
    std::vector<std::uint16_t> words{7};
    EXPECT_EQ(encode(make(Type::u16), -1, words).error().code, Code::input_invalid);
    EXPECT_EQ(encode(make(Type::i16), 40000, words).error().code, Code::input_invalid);
    EXPECT_EQ(words[0], 7);
}

TEST(fieldbus, names__unknown__says_what_is_possible) {
    EXPECT_TRUE(type_by_name("f32"));
    EXPECT_FALSE(type_by_name("f64"));
    EXPECT_NE(kind_by_name("hold").error().message.find("holding"), std::string::npos);
    EXPECT_FALSE(word_order_by_name(""));
}

TEST(fieldbus, flexim_map__names_and_places__are_unique) {
    std::set<std::string> names;
    std::set<std::pair<Kind, int>> places;
    for (const Register& reg : flexim_map()) {
        EXPECT_TRUE(names.insert(reg.name).second) << reg.name;
        for (int i = 0; i < words_of(reg.type); ++i) {
            EXPECT_TRUE(places.insert({reg.kind, reg.address + i}).second) << reg.name;
        }
        EXPECT_EQ(is_bit(reg.kind), reg.type == Type::bit) << reg.name;
    }
}

}  // namespace
}  // namespace quoin::fieldbus
