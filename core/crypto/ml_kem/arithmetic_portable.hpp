// Arithmetic<Portable>: the types. The functions are in arithmetic_portable.cpp.
#pragma once

#include <span>

#include "core/base/bytes.hpp"
#include "core/crypto/ml_kem/poly.hpp"

namespace quoin::core::ml_kem {

template <>
struct Arithmetic<Portable> {
    // A polynomial in the NTT domain that others are multiplied by, with the products that all of
    // these multiplications need: shifted[i] = c[2 i + 1] gamma_i. All reduced.
    struct Multiplicand {
        Poly poly;
        std::array<std::int16_t, 128> shifted;
    };

    // A sum of at most four products.
    class Sum {
    public:
        void clear() {
            for (std::int32_t& c : c_) c = 0;
        }
        // |a| < 2^12, b reduced to |b| <= q / 2: |c| grows by at most 2^24.
        void add(const Poly& a, const Multiplicand& b);
        // out = sum R^-1, |out| < 2600.
        void finish(Poly& out) const;

    private:
        std::array<std::int32_t, 256> c_;
    };

    // FIPS 203, algorithm 9: reduced in, |f| <= q / 2 out.
    static void ntt(Poly& f);
    // Algorithm 10, and times R to make up for Sum: |f| < 2600 in, |f| < 2300 out.
    static void inverse_ntt(Poly& f);
    static void prepare(Multiplicand& out, const Poly& f);
    // Times R, to make up for Sum: |f| <= q / 2 out.
    static void undo_montgomery(Poly& f);
    static void add(Poly& f, const Poly& g);            // f = f + g
    static void subtract_from(Poly& f, const Poly& g);  // f = g - f
    static void reduce(Poly& f);                        // |f| <= q / 2 out

    // ByteEncode_12 of reduced coefficients, and ByteDecode_12: in [0, 2^12) out.
    static void encode(std::span<std::uint8_t, 384> out, const Poly& f);
    static void decode(Poly& f, std::span<const std::uint8_t, 384> bytes);
    // Whether all numbers of an encoded polynomial are below q. Not for secrets.
    static bool is_canonical(std::span<const std::uint8_t, 384> bytes);
    // ByteEncode_d(Compress_d(f)) of reduced coefficients, and back: in [0, q) out.
    template <std::size_t D>
    static void compress(std::span<std::uint8_t, 32 * D> out, const Poly& f);
    template <std::size_t D>
    static void decompress(Poly& f, std::span<const std::uint8_t, 32 * D> bytes);
    // Algorithm 8: |f| <= eta out.
    template <std::size_t Eta>
    static void sample_cbd(Poly& f, std::span<const std::uint8_t, 64 * Eta> bytes);
};

}  // namespace quoin::core::ml_kem
