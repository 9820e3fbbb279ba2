// The transform with 16 coefficients in a register.
//
// Own order: each block of 256 coefficients is a 16 x 16 matrix that is transposed before the last
// four layers, which would otherwise run inside registers: they run between them.
#include "core/base/declassify.hpp"
#include "core/crypto/falcon/ring.hpp"
#include "core/crypto/target_avx2.hpp"

namespace quoin::core::falcon {
namespace {

using Vector = __m256i;
using Sixteen = std::int16_t[16];

constexpr std::array<std::int16_t, 1024> zetas = make_zetas();

constexpr std::int16_t times_q_inverse(std::int16_t factor) {
    return static_cast<std::int16_t>(factor * q_inverse);
}

// For each block of 256: the factors of the last four layers (1, 2, 4 and 8 of them), for each row
// of the matrix; and their products by q^-1.
template <class Set>
struct Twiddles {
    alignas(32) Sixteen lanes[Set::n / 256][15];
    alignas(32) Sixteen lanes_q[Set::n / 256][15];
};

template <class Set>
consteval Twiddles<Set> make_twiddles(bool inverse) {
    Twiddles<Set> twiddles{};
    for (std::size_t block = 0; block < Set::n / 256; ++block) {
        for (std::size_t i = 0; i < 16; ++i) {
            const std::size_t row = 16 * block + i;
            for (std::size_t groups = 1; groups <= 8; groups *= 2) {
                const std::size_t blocks = groups * Set::n / 16;
                for (std::size_t group = 0; group < groups; ++group) {
                    const std::size_t b = groups * row + group;
                    const std::int16_t factor =
                        inverse ? static_cast<std::int16_t>(-zetas[2 * blocks - 1 - b])
                                : zetas[blocks + b];
                    twiddles.lanes[block][groups - 1 + group][i] = factor;
                    twiddles.lanes_q[block][groups - 1 + group][i] = times_q_inverse(factor);
                }
            }
        }
    }
    return twiddles;
}

template <class Set>
constexpr Twiddles<Set> forward = make_twiddles<Set>(false);
template <class Set>
constexpr Twiddles<Set> backward = make_twiddles<Set>(true);

Vector load(const std::int16_t* from) {
    return _mm256_load_si256(reinterpret_cast<const Vector*>(from));
}
void store(std::int16_t* to, Vector value) {
    _mm256_store_si256(reinterpret_cast<Vector*>(to), value);
}

// A factor and its product by q^-1.
struct Factor {
    Vector value;
    Vector value_q;
};
Factor broadcast(std::int16_t factor) {
    return {_mm256_set1_epi16(factor), _mm256_set1_epi16(times_q_inverse(factor))};
}

Vector times(Vector a, Factor b) {
    const Vector m = _mm256_mullo_epi16(a, b.value_q);
    return _mm256_sub_epi16(_mm256_mulhi_epi16(a, b.value),
                            _mm256_mulhi_epi16(m, _mm256_set1_epi16(q)));
}

// barrett_reduce, but that the quotient is rounded twice: |result| <= q / 2 + 12.
Vector reduce(Vector a) {
    const Vector high = _mm256_mulhi_epi16(a, _mm256_set1_epi16(5461));
    const Vector quotient = _mm256_srai_epi16(_mm256_add_epi16(high, _mm256_set1_epi16(512)), 10);
    return _mm256_sub_epi16(a, _mm256_mullo_epi16(quotient, _mm256_set1_epi16(q)));
}

void butterfly(Vector& a, Vector& b, Factor factor) {
    const Vector t = times(b, factor);
    b = _mm256_sub_epi16(a, t);
    a = _mm256_add_epi16(a, t);
}

void butterfly_back(Vector& a, Vector& b, Factor factor) {
    const Vector difference = _mm256_sub_epi16(a, b);
    a = reduce(_mm256_add_epi16(a, b));
    b = times(difference, factor);
}

// The 8 x 8 matrices of both halves.
void transpose_8(Vector* r) {
    Vector a[8];
    for (int i = 0; i < 4; ++i) {
        a[i] = _mm256_unpacklo_epi16(r[2 * i], r[2 * i + 1]);      // columns 0..3
        a[4 + i] = _mm256_unpackhi_epi16(r[2 * i], r[2 * i + 1]);  // columns 4..7
    }
    for (int half = 0; half < 2; ++half) {
        const Vector* from = a + 4 * half;
        const Vector top_low = _mm256_unpacklo_epi32(from[0], from[1]);
        const Vector top_high = _mm256_unpackhi_epi32(from[0], from[1]);
        const Vector bottom_low = _mm256_unpacklo_epi32(from[2], from[3]);
        const Vector bottom_high = _mm256_unpackhi_epi32(from[2], from[3]);
        r[4 * half] = _mm256_unpacklo_epi64(top_low, bottom_low);
        r[4 * half + 1] = _mm256_unpackhi_epi64(top_low, bottom_low);
        r[4 * half + 2] = _mm256_unpacklo_epi64(top_high, bottom_high);
        r[4 * half + 3] = _mm256_unpackhi_epi64(top_high, bottom_high);
    }
}

void transpose(Vector* r) {
    transpose_8(r);
    transpose_8(r + 8);
    for (int i = 0; i < 8; ++i) {
        const Vector low = _mm256_permute2x128_si256(r[i], r[8 + i], 0x20);
        r[8 + i] = _mm256_permute2x128_si256(r[i], r[8 + i], 0x31);
        r[i] = low;
    }
}

// Whether this layer must reduce its input first: see ring_portable.cpp.
template <class Set>
constexpr bool reduces_at(std::size_t length) {
    const std::size_t blocks = Set::n / 2 / length;
    return blocks == 8 || blocks == 64 || blocks == 512;
}

// One of the last four layers, on the transposed block.
template <class Set>
void lanes_layer(Vector* v, std::size_t length, const Sixteen* lanes, const Sixteen* lanes_q) {
    if (reduces_at<Set>(length)) {
        for (int i = 0; i < 16; ++i) v[i] = reduce(v[i]);
    }
    const std::size_t groups = 8 / length;
    for (std::size_t group = 0; group < groups; ++group) {
        const Factor factor{load(lanes[groups - 1 + group]), load(lanes_q[groups - 1 + group])};
        for (std::size_t i = 2 * group * length; i < (2 * group + 1) * length; ++i) {
            butterfly(v[i], v[i + length], factor);
        }
    }
}

void lanes_layer_back(Vector* v, std::size_t length, const Sixteen* lanes, const Sixteen* lanes_q) {
    const std::size_t groups = 8 / length;
    for (std::size_t group = 0; group < groups; ++group) {
        const Factor factor{load(lanes[groups - 1 + group]), load(lanes_q[groups - 1 + group])};
        for (std::size_t i = 2 * group * length; i < (2 * group + 1) * length; ++i) {
            butterfly_back(v[i], v[i + length], factor);
        }
    }
}

}  // namespace

template <class Set, class Backend>
void Ring<Set, Backend>::transform(Poly<Set>& a) {
    for (std::size_t length = Set::n / 2; length >= 16; length /= 2) {
        std::size_t zeta = Set::n / length / 2;
        for (std::size_t start = 0; start < Set::n; start += 2 * length) {
            const Factor factor = broadcast(zetas[zeta++]);
            for (std::size_t i = start; i < start + length; i += 16) {
                Vector low = load(&a.c[i]), high = load(&a.c[i + length]);
                if (reduces_at<Set>(length)) low = reduce(low), high = reduce(high);
                butterfly(low, high, factor);
                store(&a.c[i], low);
                store(&a.c[i + length], high);
            }
        }
    }
    for (std::size_t block = 0; block < Set::n / 256; ++block) {
        Vector v[16];
        for (std::size_t i = 0; i < 16; ++i) v[i] = load(&a.c[256 * block + 16 * i]);
        transpose(v);
        for (std::size_t length = 8; length > 0; length /= 2) {
            lanes_layer<Set>(v, length, forward<Set>.lanes[block], forward<Set>.lanes_q[block]);
        }
        for (std::size_t i = 0; i < 16; ++i) store(&a.c[256 * block + 16 * i], v[i]);
    }
}

template <class Set, class Backend>
void Ring<Set, Backend>::to_montgomery(Poly<Set>& a) {
    const Factor r_squared = broadcast(times_r(times_r(1)));
    for (std::size_t i = 0; i < Set::n; i += 16) {
        store(&a.c[i], times(load(&a.c[i]), r_squared));
    }
}

template <class Set, class Backend>
bool Ring<Set, Backend>::invert(Poly<Set>& a) {
    const Factor r_squared = broadcast(times_r(times_r(1)));
    const Vector inverse = _mm256_set1_epi16(static_cast<std::int16_t>(q_inverse));
    const auto product = [&](Vector x, Vector y) {
        return times(x, {y, _mm256_mullo_epi16(y, inverse)});
    };
    Vector zeros = _mm256_setzero_si256();
    for (std::size_t i = 0; i < Set::n; i += 16) {
        const Vector base = times(load(&a.c[i]), r_squared);
        zeros = _mm256_or_si256(zeros, _mm256_cmpeq_epi16(reduce(base), _mm256_setzero_si256()));
        Vector c = base;
        // base^(q - 2): the bits of 12287 below the first.
        for (unsigned bit = 13; bit-- > 0;) {
            c = product(c, c);
            if (((q - 2) >> bit & 1) != 0) c = product(c, base);
        }
        store(&a.c[i], c);
    }
    return ct::declassified(_mm256_movemask_epi8(zeros)) == 0;
}

template <class Set, class Backend>
void Ring<Set, Backend>::multiply(Poly<Set>& a, const Poly<Set>& b) {
    const Vector inverse = _mm256_set1_epi16(static_cast<std::int16_t>(q_inverse));
    for (std::size_t i = 0; i < Set::n; i += 16) {
        const Vector factor = load(&b.c[i]);
        store(&a.c[i], times(load(&a.c[i]), {factor, _mm256_mullo_epi16(factor, inverse)}));
    }
}

template <class Set, class Backend>
void Ring<Set, Backend>::multiply_back(Poly<Set>& a, const Poly<Set>& b) {
    const Vector inverse = _mm256_set1_epi16(static_cast<std::int16_t>(q_inverse));
    for (std::size_t block = 0; block < Set::n / 256; ++block) {
        Vector v[16];
        for (std::size_t i = 0; i < 16; ++i) {
            const std::size_t at = 256 * block + 16 * i;
            const Vector factor = load(&b.c[at]);
            v[i] = times(load(&a.c[at]), {factor, _mm256_mullo_epi16(factor, inverse)});
        }
        for (std::size_t length = 1; length <= 8; length *= 2) {
            lanes_layer_back(v, length, backward<Set>.lanes[block], backward<Set>.lanes_q[block]);
        }
        transpose(v);
        for (std::size_t i = 0; i < 16; ++i) store(&a.c[256 * block + 16 * i], v[i]);
    }
    const Factor r_over_n = broadcast(times_r(power(Set::n, q - 2)));
    for (std::size_t length = 16; length < Set::n; length *= 2) {
        std::size_t zeta = Set::n / length;
        for (std::size_t start = 0; start < Set::n; start += 2 * length) {
            const Factor factor = broadcast(static_cast<std::int16_t>(-zetas[--zeta]));
            for (std::size_t i = start; i < start + length; i += 16) {
                Vector low = load(&a.c[i]), high = load(&a.c[i + length]);
                butterfly_back(low, high, factor);
                if (length == Set::n / 2) {
                    low = times(low, r_over_n);
                    high = times(high, r_over_n);
                }
                store(&a.c[i], low);
                store(&a.c[i + length], high);
            }
        }
    }
}

namespace {

// Sums of squares of pairs, in four lanes of 64 bits.
class SquareSum {
public:
    SquareSum() : sum_(_mm256_setzero_si256()) {}
    void add(Vector a) {
        const Vector pairs = _mm256_madd_epi16(a, a);  // < 2^31
        const Vector zero = _mm256_setzero_si256();
        sum_ = _mm256_add_epi64(sum_, _mm256_unpacklo_epi32(pairs, zero));
        sum_ = _mm256_add_epi64(sum_, _mm256_unpackhi_epi32(pairs, zero));
    }
    std::uint64_t total() const {
        alignas(32) std::uint64_t lanes[4];
        _mm256_store_si256(reinterpret_cast<Vector*>(lanes), sum_);
        return lanes[0] + lanes[1] + lanes[2] + lanes[3];
    }

private:
    Vector sum_;
};

}  // namespace

template <class Set, class Backend>
std::uint64_t Ring<Set, Backend>::squared_distance(const Poly<Set>& a, const Poly<Set>& b) {
    const Vector half = _mm256_set1_epi16(q / 2), modulus = _mm256_set1_epi16(q);
    SquareSum sum;
    for (std::size_t i = 0; i < Set::n; i += 16) {
        Vector c = _mm256_sub_epi16(load(&a.c[i]), load(&b.c[i]));
        const Vector above = _mm256_cmpgt_epi16(c, half);
        const Vector below = _mm256_cmpgt_epi16(_mm256_sub_epi16(_mm256_setzero_si256(), half), c);
        c = _mm256_sub_epi16(c, _mm256_and_si256(above, modulus));
        sum.add(_mm256_add_epi16(c, _mm256_and_si256(below, modulus)));
    }
    return sum.total();
}

template <class Set, class Backend>
std::uint64_t Ring<Set, Backend>::squared_norm(const Poly<Set>& a) {
    SquareSum sum;
    for (std::size_t i = 0; i < Set::n; i += 16) sum.add(load(&a.c[i]));
    return sum.total();
}

template struct Ring<Set512, Avx2>;
template struct Ring<Set1024, Avx2>;

}  // namespace quoin::core::falcon

#include "core/crypto/target_pop.hpp"
