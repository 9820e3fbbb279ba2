// The transform as the textbook has it: Cooley-Tukey forward, Gentleman-Sande backward.
#include "core/base/declassify.hpp"
#include "core/crypto/falcon/ring.hpp"

namespace quoin::core::falcon {
namespace {

constexpr std::array<std::int16_t, 1024> zetas = make_zetas();
constexpr std::int16_t r_squared = times_r(times_r(1));

}  // namespace

template <class Set, class Backend>
void Ring<Set, Backend>::transform(Poly<Set>& a) {
    unsigned layer = 0;
    for (std::size_t length = Set::n / 2; length > 0; length /= 2, ++layer) {
        // From q / 2, three layers lead to at most 2.4 q.
        if (layer == 3 || layer == 6 || layer == 9) {
            for (std::int16_t& c : a.c) c = barrett_reduce(c);
        }
        std::size_t zeta = Set::n / length / 2;
        for (std::size_t start = 0; start < Set::n; start += 2 * length) {
            const std::int16_t factor = zetas[zeta++];
            for (std::size_t i = start; i < start + length; ++i) {
                const std::int16_t t = montgomery_multiply(a.c[i + length], factor);
                a.c[i + length] = static_cast<std::int16_t>(a.c[i] - t);
                a.c[i] = static_cast<std::int16_t>(a.c[i] + t);
            }
        }
    }
}

template <class Set, class Backend>
void Ring<Set, Backend>::to_montgomery(Poly<Set>& a) {
    for (std::int16_t& c : a.c) c = montgomery_multiply(c, r_squared);
}

template <class Set, class Backend>
bool Ring<Set, Backend>::invert(Poly<Set>& a) {
    std::int32_t zero = 0;
    for (std::int16_t& c : a.c) {
        const std::int16_t base = montgomery_multiply(c, r_squared);
        const std::int32_t centered = center(base);
        zero |= centered * centered - 1;  // < 0 for 0 alone
        c = base;
        // base^(q - 2): the bits of 12287 below the first.
        for (unsigned bit = 13; bit-- > 0;) {
            c = montgomery_multiply(c, c);
            if (((q - 2) >> bit & 1) != 0) c = montgomery_multiply(c, base);
        }
    }
    return ct::declassified(zero) >= 0;
}

template <class Set, class Backend>
void Ring<Set, Backend>::multiply(Poly<Set>& a, const Poly<Set>& b) {
    for (std::size_t i = 0; i < Set::n; ++i) a.c[i] = montgomery_multiply(a.c[i], b.c[i]);
}

template <class Set, class Backend>
void Ring<Set, Backend>::multiply_back(Poly<Set>& a, const Poly<Set>& b) {
    multiply(a, b);
    // Sums are reduced in each layer: they stay within 0.7 q, and their sums within 16 bits.
    for (std::size_t length = 1; length < Set::n; length *= 2) {
        std::size_t zeta = Set::n / length;
        for (std::size_t start = 0; start < Set::n; start += 2 * length) {
            // psi^1024 = -1: the inverse of the factor of block b is minus that of the last but b.
            const std::int16_t factor = zetas[--zeta];
            for (std::size_t i = start; i < start + length; ++i) {
                const std::int32_t low = a.c[i], high = a.c[i + length];
                a.c[i] = barrett_reduce(static_cast<std::int16_t>(low + high));
                a.c[i + length] =
                    montgomery_multiply(static_cast<std::int16_t>(high - low), factor);
            }
        }
    }
    constexpr std::int16_t r_over_n = times_r(power(Set::n, q - 2));
    for (std::int16_t& c : a.c) c = montgomery_multiply(c, r_over_n);
}

template <class Set, class Backend>
std::uint64_t Ring<Set, Backend>::squared_distance(const Poly<Set>& a, const Poly<Set>& b) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < Set::n; ++i) {
        const std::int32_t c = center(a.c[i] - b.c[i]);
        sum += static_cast<std::uint32_t>(c * c);
    }
    return sum;
}

template <class Set, class Backend>
std::uint64_t Ring<Set, Backend>::squared_norm(const Poly<Set>& a) {
    std::uint64_t sum = 0;
    for (const std::int32_t c : a.c) sum += static_cast<std::uint32_t>(c * c);
    return sum;
}

template struct Ring<Set512, Portable>;
template struct Ring<Set1024, Portable>;

}  // namespace quoin::core::falcon
