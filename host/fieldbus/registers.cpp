#include "host/fieldbus/registers.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace quoin::fieldbus {
namespace {

template <class Enum>
struct Named {
    std::string_view name;
    Enum value;
};

constexpr std::array kinds{
    Named{"holding", Kind::holding},
    Named{"input", Kind::input},
    Named{"coil", Kind::coil},
    Named{"discrete", Kind::discrete},
};
constexpr std::array types{
    Named{"u16", Type::u16}, Named{"i16", Type::i16}, Named{"u32", Type::u32},
    Named{"i32", Type::i32}, Named{"f32", Type::f32}, Named{"bit", Type::bit},
};
constexpr std::array word_orders{
    Named{"high_first", WordOrder::high_first},
    Named{"low_first", WordOrder::low_first},
};

template <class Enum, std::size_t Size>
Result<Enum> by_name(const std::array<Named<Enum>, Size>& table, std::string_view name,
                     std::string_view what) {
    std::string known;
    for (const Named<Enum>& row : table) {
        if (row.name == name) return row.value;
        known += known.empty() ? "" : ", ";
        known += row.name;
    }
    return fail(Code::config_invalid, "{} \"{}\" is not known; use one of {}", what, name, known);
}

std::uint32_t join(const Register& reg, std::span<const std::uint16_t> words) {
    const bool high_first = reg.word_order == WordOrder::high_first;
    const std::uint32_t high = words[high_first ? 0 : 1];
    const std::uint32_t low = words[high_first ? 1 : 0];
    return (high << 16U) | low;
}

double raw_number(const Register& reg, std::span<const std::uint16_t> words) {
    switch (reg.type) {
        case Type::bit:
        case Type::u16:
            return words[0];
        case Type::i16:
            return static_cast<std::int16_t>(words[0]);
        case Type::u32:
            return join(reg, words);
        case Type::i32:
            return static_cast<std::int32_t>(join(reg, words));
        case Type::f32:
            return std::bit_cast<float>(join(reg, words));
    }
    std::unreachable();
}

// A scale like 0.1 is no binary fraction: dividing by 10 gives 24.9 where multiplying gives
// 24.900000000000002.
double scaled(double raw, double scale) {
    const double divisor = std::round(1 / scale);
    const bool is_fraction = divisor > 1 && std::abs(divisor * scale - 1) < 1e-12;
    return is_fraction ? raw / divisor : raw * scale;
}

// The smallest and largest raw number of an integer type.
std::pair<double, double> range_of(Type type) {
    switch (type) {
        case Type::bit:
            return {0, 1};
        case Type::u16:
            return {0, std::numeric_limits<std::uint16_t>::max()};
        case Type::i16:
            return {std::numeric_limits<std::int16_t>::min(),
                    std::numeric_limits<std::int16_t>::max()};
        case Type::u32:
            return {0, std::numeric_limits<std::uint32_t>::max()};
        case Type::i32:
            return {std::numeric_limits<std::int32_t>::min(),
                    std::numeric_limits<std::int32_t>::max()};
        case Type::f32: {
            constexpr double limit = std::numeric_limits<float>::max();
            return {-limit, limit};
        }
    }
    std::unreachable();
}

}  // namespace

std::uint16_t words_of(Type type) {
    return type == Type::u32 || type == Type::i32 || type == Type::f32 ? 2 : 1;
}

bool is_bit(Kind kind) { return kind == Kind::coil || kind == Kind::discrete; }

Result<Kind> kind_by_name(std::string_view name) { return by_name(kinds, name, "register kind"); }
Result<Type> type_by_name(std::string_view name) { return by_name(types, name, "register type"); }
Result<WordOrder> word_order_by_name(std::string_view name) {
    return by_name(word_orders, name, "word_order");
}

Result<Value> decode(const Register& reg, std::span<const std::uint16_t> words) {
    if (words.size() != words_of(reg.type)) {
        return fail(Code::peer_malformed, "register {}: {} words where {} are needed", reg.name,
                    words.size(), words_of(reg.type));
    }
    if (reg.type == Type::bit) return Value{words[0] != 0};
    const double number = scaled(raw_number(reg, words), reg.scale);
    if (!std::isfinite(number)) {
        return fail(Code::peer_malformed, "register {}: the device sent no finite number",
                    reg.name);
    }
    if (reg.labels.empty()) return Value{number};
    const auto index = static_cast<std::size_t>(std::max(0.0, number));
    if (number >= 0 && index < reg.labels.size()) return Value{reg.labels[index]};
    return Value{fmt::format("unknown_{:.0f}", number)};
}

Result<void> encode(const Register& reg, double number, std::span<std::uint16_t> words) {
    if (words.size() != words_of(reg.type)) {
        return fail(Code::input_invalid, "register {}: {} words where {} are needed", reg.name,
                    words.size(), words_of(reg.type));
    }
    const double scaled = number / reg.scale;
    const double raw = reg.type == Type::f32 ? scaled : std::round(scaled);
    const auto [lowest, highest] = range_of(reg.type);
    if (!(raw >= lowest && raw <= highest)) {
        return fail(Code::input_invalid, "register {}: {} does not fit", reg.name, number);
    }
    std::uint32_t bits = 0;
    if (reg.type == Type::f32) {
        bits = std::bit_cast<std::uint32_t>(static_cast<float>(raw));
    } else {
        bits = static_cast<std::uint32_t>(static_cast<std::int64_t>(raw));
    }
    if (words.size() == 1) {
        words[0] = static_cast<std::uint16_t>(bits);
        return {};
    }
    const bool high_first = reg.word_order == WordOrder::high_first;
    words[high_first ? 0 : 1] = static_cast<std::uint16_t>(bits >> 16U);
    words[high_first ? 1 : 0] = static_cast<std::uint16_t>(bits & 0xffffU);
    return {};
}

}  // namespace quoin::fieldbus
