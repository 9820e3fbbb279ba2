// Registers of a field device (Modbus), and how their words become values.
//
//   type  words        value
//   u16   1            unsigned, times `scale`
//   i16   1            two's complement, times `scale`
//   u32   2            unsigned, times `scale`
//   i32   2            two's complement, times `scale`
//   f32   2            IEEE 754, times `scale`; NaN and infinities are peer_malformed
//   bit   (coils and discrete inputs only) a boolean
//
// Each word is big-endian on the wire (Modbus application protocol V1.1b3, section 4.2); which of
// two words comes first is the device's choice. Threads: plain values and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/error.hpp"

namespace quoin::fieldbus {

enum class Kind : std::uint8_t { holding, input, coil, discrete };
enum class Type : std::uint8_t { u16, i16, u32, i32, f32, bit };
enum class WordOrder : std::uint8_t { high_first, low_first };

using Value = std::variant<bool, double, std::string>;

struct Register {
    std::string name;           // becomes the name of the value in a sample
    std::uint16_t address = 0;  // as in the Modbus PDU: the first is 0
    Kind kind = Kind::holding;
    Type type = Type::u16;
    double scale = 1.0;
    WordOrder word_order = WordOrder::high_first;
    std::vector<std::string> labels;  // when given: the value is labels[number], a text
};

// 1 or 2; 1 for a bit.
std::uint16_t words_of(Type type);
bool is_bit(Kind kind);

Result<Kind> kind_by_name(std::string_view name);
Result<Type> type_by_name(std::string_view name);
Result<WordOrder> word_order_by_name(std::string_view name);

// `words` has words_of(reg.type) entries. A number without a label becomes "unknown_N".
Result<Value> decode(const Register& reg, std::span<const std::uint16_t> words);
// The inverse, for simulators: rounds to the register's resolution. A number that does not fit is
// input_invalid and changes nothing.
Result<void> encode(const Register& reg, double number, std::span<std::uint16_t> words);

}  // namespace quoin::fieldbus
