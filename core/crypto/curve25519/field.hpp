// Integers modulo p = 2^255 - 19, in limbs of 51 bits (64-bit targets) or of 26 and 25 bits in turn
// (32-bit targets). One text for both; nothing branches or indexes by a value.
//
// Ranges are counted in units: a value of u units has limbs below u * 2^w (w: the limb's width),
// plus u * 2^18. mul, square and what is loaded give 1 unit. add(a, b) gives the sum of the units,
// sub(a, b) needs b of 1 unit (2p has no smaller limb) and gives the units of a plus 2.
// mul needs units(a) * units(b) <= 20, none above 5: the sums below fit then (see product_row).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "core/base/bytes.hpp"
#include "core/base/constant_time.hpp"

namespace quoin::core::curve25519 {

#if defined(__SIZEOF_INT128__)
struct Radix51 {
    using Limb = std::uint64_t;
    __extension__ using Wide = unsigned __int128;
    static constexpr std::size_t limbs = 5;
    static constexpr bool inlines = false;  // multiplications: twice the code
    static constexpr unsigned width(std::size_t) { return 51; }
    static constexpr unsigned offset(std::size_t i) { return static_cast<unsigned>(51 * i); }
};

// A tenth faster. For public values only: what is wiped of the stack is tuned to the other.
struct InlinedRadix51 : Radix51 {
    static constexpr bool inlines = true;
};
#endif

struct Radix25 {
    using Limb = std::uint32_t;
    using Wide = std::uint64_t;
    static constexpr std::size_t limbs = 10;
    static constexpr bool inlines = false;
    static constexpr unsigned width(std::size_t i) { return i % 2 == 0 ? 26 : 25; }
    static constexpr unsigned offset(std::size_t i) {  // ceil(25.5 * i)
        return static_cast<unsigned>((51 * i + 1) / 2);
    }
};

template <class Radix>
class Field {
public:
    using Limb = Radix::Limb;
    using Wide = Radix::Wide;
    static constexpr std::size_t limbs = Radix::limbs;

    constexpr Field() = default;
    constexpr explicit Field(Limb small) { limb_[0] = small; }

    // The lowest 255 bits; values from p to 2^255 - 1 are taken modulo p. 1 unit.
    [[gnu::noinline]] static Field load(std::span<const std::uint8_t, 32> bytes) {
        Field x;
        for (std::size_t i = 0; i < limbs; ++i) {
            const unsigned at = Radix::offset(i);
            const unsigned byte = at / 8 < 24 ? at / 8 : 24;
            std::uint64_t word = 0;
            for (unsigned j = 0; j < 8; ++j) word |= std::uint64_t{bytes[byte + j]} << (8 * j);
            x.limb_[i] = static_cast<Limb>(word >> (at - 8 * byte)) & mask(i);
        }
        return x;
    }

    // The same from little-endian words of 32 bits, as tables hold them.
    static Field load_words(std::span<const std::uint32_t, 8> words) {
        std::array<std::uint8_t, 32> bytes{};
        for (std::size_t i = 0; i < 32; ++i) {
            bytes[i] = static_cast<std::uint8_t>(words[i / 4] >> (8 * (i % 4)));
        }
        return load(bytes);
    }

    // The value below p.
    [[gnu::noinline]] void store(std::span<std::uint8_t, 32> bytes) const {
        Field x = *this;
        x.carry();
        x.carry();  // 1 unit, and below 2p
        // x >= p exactly if x + 19 reaches 2^255: then subtract p by adding 19 and dropping 2^255.
        Limb over = 19;
        for (std::size_t i = 0; i < limbs; ++i) over = (x.limb_[i] + over) >> Radix::width(i);
        x.limb_[0] += 19 * over;
        for (std::size_t i = 0; i + 1 < limbs; ++i) {
            x.limb_[i + 1] += x.limb_[i] >> Radix::width(i);
            x.limb_[i] &= mask(i);
        }
        x.limb_[limbs - 1] &= mask(limbs - 1);
        for (std::uint8_t& byte : bytes) byte = 0;
        for (std::size_t i = 0; i < limbs; ++i) {
            const unsigned at = Radix::offset(i);
            const std::uint64_t low = std::uint64_t{x.limb_[i]} << (at % 8);
            for (unsigned j = 0; j < 8 && at / 8 + j < 32; ++j) {
                bytes[at / 8 + j] |= static_cast<std::uint8_t>(low >> (8 * j));
            }
        }
    }

    friend Field operator+(const Field& a, const Field& b) {
        Field sum;
        for (std::size_t i = 0; i < limbs; ++i) sum.limb_[i] = a.limb_[i] + b.limb_[i];
        return sum;
    }
    friend Field operator-(const Field& a, const Field& b) {
        Field difference;
        for (std::size_t i = 0; i < limbs; ++i) {
            // 2p, limb by limb: twice the mask, and 36 less in the lowest.
            const Limb two_p = static_cast<Limb>(2 * mask(i) - (i == 0 ? 36 : 0));
            difference.limb_[i] = a.limb_[i] + two_p - b.limb_[i];
        }
        return difference;
    }
    friend Field operator*(const Field& a, const Field& b) {
        if constexpr (Radix::inlines)
            return multiply(a, b, std::make_index_sequence<limbs>());
        else
            return multiply_apart(a, b);
    }
    Field square() const {
        if constexpr (Radix::inlines)
            return square(*this, std::make_index_sequence<limbs>());
        else
            return square_apart();
    }
    // this^(2^times).
    Field square(unsigned times) const {
        Field x = *this;
        while (times-- != 0) x = x.square();
        return x;
    }
    // `factor` below 2^17; at most 5 units.
    Field times(std::uint32_t factor) const {
        std::array<Wide, limbs> rows{};
        for (std::size_t i = 0; i < limbs; ++i) rows[i] = Wide{limb_[i]} * factor;
        return carried(rows);
    }

    // this^((p - 5) / 8) = this^(2^252 - 3), and this^(p - 2), the inverse (of 0: 0).
    Field power_252_3() const {
        const Field x250 = power_250_1();
        return x250.square(2) * *this;
    }
    Field inverse() const {
        const Field cube = square() * *this;
        return power_250_1().square(5) * (square(3) * cube);  // + 11
    }

    // Exchanges a and b if `mask` is all ones; zero leaves them.
    static void exchange(Field& a, Field& b, Limb mask) {
        for (std::size_t i = 0; i < limbs; ++i) {
            const Limb t = (a.limb_[i] ^ b.limb_[i]) & mask;
            a.limb_[i] ^= t;
            b.limb_[i] ^= t;
        }
    }

    bool is_zero() const {
        std::array<std::uint8_t, 32> bytes{};
        store(bytes);
        return ct::equal(bytes, std::array<std::uint8_t, 32>{});
    }
    // The lowest bit of the value below p: the "sign" of RFC 8032.
    std::uint8_t is_odd() const {
        std::array<std::uint8_t, 32> bytes{};
        store(bytes);
        return bytes[0] & 1U;
    }

private:
    static constexpr Limb mask(std::size_t i) { return (Limb{1} << Radix::width(i)) - 1; }

    // 2 where the limbs i and j lie half a bit above their places (26 + 26 = 51 + 1 bits).
    static constexpr Limb doubled(std::size_t i, std::size_t j) {
        return Radix::offset(i) + Radix::offset(j) == Radix::offset(i + j) ? 1 : 2;
    }

    // Row K of the product: sum of a[i] * b[j], i + j = K, plus 19 times those with i + j = K +
    // limbs. With 51 bits, b times 19 has at most 5 * 19 * 2^51 < 2^58, and the row at most
    // (1 + 4 * 19) * 20 * 2^102 < 2^113. With 25.5 bits the first sum and the second stay apart:
    // row 0 has at most (1 + 19 * (5 * 2 / 4 + 4)) * 20 * 2^52 < 2^64.
    template <std::size_t K, std::size_t I>
    static constexpr Wide term(const Field& a, const Field& b) {
        if constexpr (I > K)
            return 0;
        else
            return Wide{a.limb_[I] * doubled(I, K - I)} * b.limb_[K - I];
    }
    template <std::size_t K, std::size_t I>
    static constexpr Wide folded_term(const Field& a, const Field& b) {
        if constexpr (I <= K)
            return 0;
        else
            return Wide{a.limb_[I] * doubled(I, K + limbs - I)} * b.limb_[K + limbs - I];
    }
    template <std::size_t K, std::size_t... Is>
    static Wide product_row(const Field& a, const Field& b, const Field& b19,
                            std::index_sequence<Is...>) {
        if constexpr (limbs == 5) {
            return (term<K, Is>(a, b) + ...) + (folded_term<K, Is>(a, b19) + ...);
        } else {
            return (term<K, Is>(a, b) + ...) + 19 * (folded_term<K, Is>(a, b) + ...);
        }
    }
    template <std::size_t... Ks>
    static Field multiply(const Field& a, const Field& b, std::index_sequence<Ks...> all) {
        Field b19;
        if constexpr (limbs == 5) {
            for (std::size_t i = 0; i < limbs; ++i) b19.limb_[i] = 19 * b.limb_[i];
        }
        return carried({product_row<Ks>(a, b, b19, all)...});
    }

    [[gnu::noinline]] static Field multiply_apart(const Field& a, const Field& b) {
        return multiply(a, b, std::make_index_sequence<limbs>());
    }

    // The same with each pair of unequal limbs once, doubled.
    template <std::size_t I, std::size_t J>
    static constexpr Wide pair(const Field& a, const Field& b) {
        if constexpr (I > J)
            return 0;
        else
            return Wide{a.limb_[I] * (doubled(I, J) * (I == J ? 1 : 2))} * b.limb_[J];
    }
    template <std::size_t K, std::size_t... Is>
    static Wide square_row(const Field& a, const Field& a19, std::index_sequence<Is...>) {
        const auto low = [&]<std::size_t I>() -> Wide {
            if constexpr (I > K)
                return 0;
            else
                return pair<I, K - I>(a, a);
        };
        const auto folded = [&]<std::size_t I>() -> Wide {
            if constexpr (I <= K)
                return 0;
            else
                return pair<I, K + limbs - I>(a, a19);
        };
        const Wide high = (folded.template operator()<Is>() + ...);
        return (low.template operator()<Is>() + ...) + (limbs == 5 ? high : 19 * high);
    }
    template <std::size_t... Ks>
    static Field square(const Field& a, std::index_sequence<Ks...> all) {
        Field a19 = a;
        if constexpr (limbs == 5) {
            for (std::size_t i = 0; i < limbs; ++i) a19.limb_[i] = 19 * a.limb_[i];
        }
        return carried({square_row<Ks>(a, a19, all)...});
    }

    [[gnu::noinline]] Field square_apart() const {
        return square(*this, std::make_index_sequence<limbs>());
    }

    // Rows to limbs, 1 unit: once around, and one step more. The rows of 51 bits are below 2^113,
    // the last below 2^109, those of 25.5 bits below 2^64: what is carried fits 64 bits.
    static Field carried(std::array<Wide, limbs> rows) {
        Field x;
        for (std::size_t i = 0; i + 1 < limbs; ++i) {
            rows[i + 1] += static_cast<std::uint64_t>(rows[i] >> Radix::width(i));
            x.limb_[i] = static_cast<Limb>(rows[i]) & mask(i);
        }
        const Wide top = rows[limbs - 1];
        x.limb_[limbs - 1] = static_cast<Limb>(top) & mask(limbs - 1);
        const std::uint64_t first =
            x.limb_[0] + 19 * static_cast<std::uint64_t>(top >> Radix::width(limbs - 1));
        x.limb_[0] = static_cast<Limb>(first) & mask(0);
        x.limb_[1] += static_cast<Limb>(first >> Radix::width(0));
        return x;
    }

    void carry() {
        for (std::size_t i = 0; i < limbs; ++i) {
            const Limb over = limb_[i] >> Radix::width(i);
            limb_[i] &= mask(i);
            if (i + 1 < limbs)
                limb_[i + 1] += over;
            else
                limb_[0] += 19 * over;
        }
    }

    // this^(2^250 - 1).
    [[gnu::noinline]] Field power_250_1() const {
        const Field x2 = square() * *this;  // x_n = this^(2^n - 1)
        const Field x4 = x2.square(2) * x2;
        const Field x5 = x4.square() * *this;
        const Field x10 = x5.square(5) * x5;
        const Field x20 = x10.square(10) * x10;
        const Field x40 = x20.square(20) * x20;
        const Field x50 = x40.square(10) * x10;
        const Field x100 = x50.square(50) * x50;
        const Field x200 = x100.square(100) * x100;
        return x200.square(50) * x50;
    }

    std::array<Limb, limbs> limb_{};
};

using Field25 = Field<Radix25>;
#if defined(__SIZEOF_INT128__)
using Field51 = Field<Radix51>;
using InlinedField51 = Field<InlinedRadix51>;
#endif

// What this target is fast with.
#if defined(__SIZEOF_INT128__)
using NativeField = Field51;
#else
using NativeField = Field25;
#endif

}  // namespace quoin::core::curve25519
