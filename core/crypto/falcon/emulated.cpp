// The arithmetic of emulated.hpp. Written for 32-bit machines: products of 32 by 32 bits, shifts.
#include "core/crypto/falcon/emulated.hpp"

#include "core/base/constant_time.hpp"

namespace quoin::core::falcon {
namespace {

constexpr std::uint64_t magnitude = ~std::uint64_t{0} >> 1U;
constexpr std::uint32_t low_25 = (1U << 25U) - 1;

std::uint64_t mask(std::uint64_t bit) { return ct::barrier(0 - bit); }
std::uint64_t not_zero(std::uint64_t value) { return (value | (0 - value)) >> 63U; }

std::uint64_t shift_right_sticky(std::uint64_t value, unsigned count) {
    const std::uint64_t shifted = value >> count;
    return shifted | not_zero(value ^ (shifted << count));
}

// Of value | 1.
unsigned leading_zeros(std::uint64_t value) {
    const auto high = static_cast<std::uint32_t>(value >> 32U);
    const auto none = static_cast<std::uint32_t>(mask(not_zero(high) ^ 1U));
    const std::uint32_t word = high | (static_cast<std::uint32_t>(value) & none);
    return static_cast<unsigned>(__builtin_clz(word | 1U)) + (none & 32U);
}

}  // namespace

// m 2^e, m in [2^54, 2^55) or 0; rounded by the last two bits, of which the last one is set if
// anything below it was lost.
Emulated Emulated::pack(std::uint64_t negative, int e, std::uint64_t m) {
    const std::uint64_t up = ((m & 3U) + ((m >> 2U) & 1U) + 1) >> 2U;
    const auto field = static_cast<std::uint64_t>(e + 1076);
    // Zero, and below the least normal number: nothing but the sign.
    const std::uint64_t normal = (m >> 54U) & ((field >> 63U) ^ 1U);
    return Emulated(negative << 63U | (((field << 52U) + (m >> 2U) + up) & mask(normal)));
}

// The same for m < 2^56.
Emulated Emulated::pack_56(std::uint64_t negative, int e, std::uint64_t m) {
    const std::uint64_t above = m >> 55U;
    return pack(negative, e + static_cast<int>(above), (m >> above) | (m & above));
}

// The same for any m.
Emulated Emulated::normalise(std::uint64_t negative, int e, std::uint64_t m) {
    const unsigned zeros = leading_zeros(m);
    return pack(negative, e + 9 - static_cast<int>(zeros), shift_right_sticky(m << zeros, 9));
}

Emulated Emulated::from_integer(std::int64_t i) {
    const auto value = static_cast<std::uint64_t>(i);
    const std::uint64_t negative = value >> 63U;
    return normalise(negative, 0, (value ^ (0 - negative)) + negative);
}

Emulated operator+(Emulated a, Emulated b) {
    // The larger magnitude first; of equal ones a positive one, so that x - x = +0.
    const std::uint64_t difference = (a.bits_ & magnitude) - (b.bits_ & magnitude);
    const std::uint64_t equal = not_zero(difference) ^ 1U;
    const std::uint64_t swap =
        (a.bits_ ^ b.bits_) & mask((difference >> 63U) | (equal & a.negative()));
    a.bits_ ^= swap;
    b.bits_ ^= swap;
    // With three bits more. From a distance of 60 on, b is far below half of a's last bit.
    const std::uint64_t large = a.mantissa() << 3U;
    const unsigned distance = a.exponent() - b.exponent();
    std::uint64_t small = (b.mantissa() << 3U) & mask((std::uint64_t{distance} - 60) >> 63U);
    small = shift_right_sticky(small, distance & 63U);
    const std::uint64_t subtract = a.negative() ^ b.negative();
    const std::uint64_t sum = large + (small ^ mask(subtract)) + subtract;
    return Emulated::normalise(a.negative(), static_cast<int>(a.exponent()) - 1078, sum);
}

Emulated operator*(Emulated a, Emulated b) {
    // 53 bits as 28 and 25, so that products of 32 by 32 bits do.
    const std::uint64_t m = a.mantissa(), n = b.mantissa();
    const auto m0 = static_cast<std::uint32_t>(m) & low_25;
    const auto n0 = static_cast<std::uint32_t>(n) & low_25;
    const auto m1 = static_cast<std::uint32_t>(m >> 25U);
    const auto n1 = static_cast<std::uint32_t>(n >> 25U);
    const std::uint64_t low = std::uint64_t{m0} * n0;  // < 2^50
    const std::uint64_t middle =
        std::uint64_t{m0} * n1 + std::uint64_t{m1} * n0 + (low >> 25U);  // < 2^55
    const std::uint64_t lost = (low | middle) & low_25;
    const std::uint64_t high = (std::uint64_t{m1} * n1 + (middle >> 25U)) | not_zero(lost);
    // In [2^54, 2^56), or 0.
    const auto exponent = static_cast<int>(a.exponent() + b.exponent());
    return Emulated::pack_56(a.negative() ^ b.negative(), exponent - 2100, high);
}

Emulated operator/(Emulated a, Emulated b) {
    const std::uint64_t divisor = b.mantissa();
    std::uint64_t rest = a.mantissa(), quotient = 0;
    for (int i = 0; i < 56; ++i) {  // quotient = floor(2^55 a / b)
        const std::uint64_t fits = ((rest - divisor) >> 63U) ^ 1U;
        rest = (rest - (divisor & mask(fits))) << 1U;
        quotient = quotient << 1U | fits;
    }
    const int exponent = static_cast<int>(a.exponent()) - static_cast<int>(b.exponent()) - 55;
    return Emulated::pack_56(a.negative() ^ b.negative(), exponent, quotient | not_zero(rest));
}

Emulated Emulated::square_root() const {
    // m 2^e with e even and m in [2^52, 2^54), or 0; root = floor(sqrt(2^56 m)).
    const int e = static_cast<int>(exponent()) - 1075;
    const unsigned odd = static_cast<unsigned>(e) & 1U;
    std::uint64_t m = mantissa() << odd;
    std::uint64_t rest = 0, root = 0;
    for (int i = 0; i < 55; ++i) {
        rest = rest << 2U | ((m >> 52U) & 3U);
        m = (m << 2U) & ((std::uint64_t{1} << 54U) - 1);
        const std::uint64_t trial = root << 2U | 1U;
        const std::uint64_t fits = ((rest - trial) >> 63U) ^ 1U;
        rest -= trial & mask(fits);
        root = root << 1U | fits;
    }
    return pack(0, (e - static_cast<int>(odd) - 56) / 2, root | not_zero(rest));
}

unsigned Emulated::fraction_bits() const {
    const unsigned exact = 1085U - exponent();
    return exact ^ ((exact ^ 63U) & static_cast<unsigned>(mask(below_half())));
}

std::int64_t Emulated::with_sign(std::uint64_t value) const {
    return static_cast<std::int64_t>((value ^ mask(negative())) + negative());
}

std::int64_t Emulated::truncate() const { return with_sign(fixed() >> fraction_bits()); }

std::int64_t Emulated::floor() const {
    return with_sign(fixed()) >> fraction_bits();  // of a signed value: down
}

std::int64_t Emulated::round() const {
    const unsigned bits = fraction_bits();
    const std::uint64_t value = fixed() & mask(below_half() ^ 1U);
    const std::uint64_t whole = value >> bits;
    const std::uint64_t fraction = (value << (63U - bits)) << 1U;  // of 2^64
    constexpr std::uint64_t half = std::uint64_t{1} << 63U;
    const std::uint64_t up = (fraction >> 63U) & (not_zero(fraction ^ half) | (whole & 1U));
    return with_sign(whole + up);
}

}  // namespace quoin::core::falcon
