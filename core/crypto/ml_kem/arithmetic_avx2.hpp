// Arithmetic<Avx2>: the types. The functions are in arithmetic_avx2.cpp and coding_avx2.cpp.
#pragma once

#include <span>

#include "core/base/bytes.hpp"
#include "core/crypto/ml_kem/poly.hpp"

namespace quoin::core::ml_kem {

template <>
struct Arithmetic<Avx2> {
    // The two multipliers of vpmaddwd, for each pair of coefficients (b0, b1) of a polynomial in
    // the NTT domain: (b0, b1 gamma) gives c0 = a0 b0 + a1 b1 gamma, (b1, b0) gives c1.
    struct Multiplicand {
        alignas(32) std::array<std::int16_t, 256> direct;
        alignas(32) std::array<std::int16_t, 256> swapped;
    };

    // A sum of at most four products. Refers to its operands until it is finished.
    class Sum {
    public:
        void clear() { count_ = 0; }
        // |a| < 2^12, |b| < 2200: the sum stays below 2^27.
        void add(const Poly& a, const Multiplicand& b) {
            a_[count_] = &a;
            b_[count_++] = &b;
        }
        // out = sum R^-1, |out| < 2800.
        void finish(Poly& out) const;

    private:
        std::array<const Poly*, 4> a_;
        std::array<const Multiplicand*, 4> b_;
        std::size_t count_;
    };

    // As in arithmetic_portable.hpp, but where that promises q / 2, here it is 2200.
    static void ntt(Poly& f);
    static void inverse_ntt(Poly& f);  // |f| < 2800 in, |f| < 2400 out
    static void prepare(Multiplicand& out, const Poly& f);
    static void undo_montgomery(Poly& f);
    static void add(Poly& f, const Poly& g);
    static void subtract_from(Poly& f, const Poly& g);
    static void reduce(Poly& f);
    static void encode(std::span<std::uint8_t, 384> out, const Poly& f);
    static void decode(Poly& f, std::span<const std::uint8_t, 384> bytes);
    static bool is_canonical(std::span<const std::uint8_t, 384> bytes);
    template <std::size_t D>
    static void compress(std::span<std::uint8_t, 32 * D> out, const Poly& f);
    template <std::size_t D>
    static void decompress(Poly& f, std::span<const std::uint8_t, 32 * D> bytes);
    template <std::size_t Eta>
    static void sample_cbd(Poly& f, std::span<const std::uint8_t, 64 * Eta> bytes);
};

template <>
struct Arithmetic<Avx512> : Arithmetic<Avx2> {};

}  // namespace quoin::core::ml_kem
