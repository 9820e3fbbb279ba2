// binary64 by the processor's instructions. For falcon/ only; see emulated.hpp for the other.
//
// Both give the same bits for every operation here, as long as no result is subnormal, infinite or
// not a number, which none in Falcon is: IEEE 754, round to nearest even, built with
// -ffp-contract=off. Constant time where the processor's add, multiply, divide, square root and
// conversions are: on x86-64 and AArch64 for normal numbers.
#pragma once

#include <bit>
#include <cstdint>

namespace quoin::core::falcon {

class Hardware {
public:
    Hardware() = default;
    static Hardware from_bits(std::uint64_t bits) { return Hardware(std::bit_cast<double>(bits)); }
    std::uint64_t bits() const { return std::bit_cast<std::uint64_t>(value_); }
    // Rounded if |i| > 2^53.
    static Hardware from_integer(std::int64_t i) { return Hardware(static_cast<double>(i)); }

    friend Hardware operator+(Hardware a, Hardware b) { return Hardware(a.value_ + b.value_); }
    friend Hardware operator-(Hardware a, Hardware b) { return Hardware(a.value_ - b.value_); }
    friend Hardware operator*(Hardware a, Hardware b) { return Hardware(a.value_ * b.value_); }
    friend Hardware operator/(Hardware a, Hardware b) { return Hardware(a.value_ / b.value_); }
    Hardware operator-() const { return Hardware(-value_); }
    Hardware half() const { return Hardware(value_ * 0.5); }
    Hardware square_root() const { return Hardware(__builtin_sqrt(value_)); }

    // Toward zero, |this| < 2^63.
    std::int64_t truncate() const { return static_cast<std::int64_t>(value_); }
    // Down, |this| < 2^53.
    std::int64_t floor() const {
        const std::int64_t toward_zero = truncate();
        return toward_zero - static_cast<std::int64_t>(value_ < static_cast<double>(toward_zero));
    }
    // To nearest, ties to even, |this| < 2^51: the sum's last bit is worth 1.
    std::int64_t round() const {
        constexpr double shift = 6755399441055744.0;  // 1.5 * 2^52
        return std::bit_cast<std::int64_t>(value_ + shift) - std::bit_cast<std::int64_t>(shift);
    }

private:
    explicit Hardware(double value) : value_(value) {}
    double value_;
};

}  // namespace quoin::core::falcon
