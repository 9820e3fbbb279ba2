// binary64 by integer instructions only: for processors without it, and boot loaders that must not
// use it. For falcon/ only. The same bits as hardware.hpp in the same range: no subnormals (a
// result that would be one is zero), infinities or NaNs.
//
// Constant time: no branch and no index depends on a value; shifts and multiplications of 32 and 64
// bits must take constant time, as they do on a Cortex-M4.
#pragma once

#include <cstdint>

namespace quoin::core::falcon {

class Emulated {
public:
    Emulated() = default;
    static constexpr Emulated from_bits(std::uint64_t bits) { return Emulated(bits); }
    std::uint64_t bits() const { return bits_; }
    static Emulated from_integer(std::int64_t i);

    friend Emulated operator+(Emulated a, Emulated b);
    friend Emulated operator-(Emulated a, Emulated b) { return a + (-b); }
    friend Emulated operator*(Emulated a, Emulated b);
    friend Emulated operator/(Emulated a, Emulated b);
    Emulated operator-() const { return Emulated(bits_ ^ std::uint64_t{1} << 63U); }
    // Exact; half of zero is zero.
    Emulated half() const {
        const std::uint32_t nonzero = (exponent() + 0x7ffU) >> 11U;
        return Emulated(bits_ - (std::uint64_t{nonzero} << 52U));
    }
    // this >= 0.
    Emulated square_root() const;

    // As hardware.hpp has them.
    std::int64_t truncate() const;
    std::int64_t floor() const;
    std::int64_t round() const;

private:
    explicit constexpr Emulated(std::uint64_t bits) : bits_(bits) {}

    std::uint64_t negative() const { return bits_ >> 63U; }
    std::uint32_t exponent() const { return static_cast<std::uint32_t>(bits_ >> 52U) & 0x7ffU; }
    // The value is mantissa() 2^(exponent() - 1075), up to the sign.
    std::uint64_t mantissa() const {
        const std::uint32_t nonzero = (exponent() + 0x7ffU) >> 11U;
        return (bits_ & ((std::uint64_t{1} << 52U) - 1)) | std::uint64_t{nonzero} << 52U;
    }
    // The magnitude is fixed() / 2^fraction_bits(), fixed() < 2^63; below 1/2, it is less than
    // that.
    std::uint64_t fixed() const { return mantissa() << 10U; }
    unsigned fraction_bits() const;
    std::uint64_t below_half() const { return (std::uint64_t{exponent()} - 1022) >> 63U; }
    std::int64_t with_sign(std::uint64_t value) const;

    static Emulated pack(std::uint64_t negative, int e, std::uint64_t m);
    static Emulated pack_56(std::uint64_t negative, int e, std::uint64_t m);
    static Emulated normalise(std::uint64_t negative, int e, std::uint64_t m);

    std::uint64_t bits_;
};

}  // namespace quoin::core::falcon
