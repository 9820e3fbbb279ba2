// Polynomials and the number-theoretic transform, for each backend. For ml_dsa/ only.
//
// A product of two transformed polynomials carries a factor 2^-32 (Montgomery), which the inverse
// transform takes out again. Transformed polynomials stand in the backend's own order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/crypto/backend.hpp"
#include "core/crypto/ml_dsa/set.hpp"

namespace quoin::core::ml_dsa {

// Coefficients modulo q; each function says in which range. (A plain array: the hardened build
// would check each index of a std::array, which costs a third of the time.)
struct alignas(32) Poly {
    std::int32_t c[n];
};

template <class Backend>
struct Ring {
    // FIPS 204, Algorithm 41. In: |c| < q. Out: |c| < 9 q.
    static void ntt(Poly& w);
    // FIPS 204, Algorithm 42, times 2^32. In: |c| < q. Out: |c| < q.
    static void inverse_ntt(Poly& w);
    // From the standard's order of transformed coefficients, in which A is sampled, to ours.
    static void to_own_order(Poly& w);

    // out = a b 2^-32 (Algorithm 45). In: |a b| < 2^31 q. Out: |c| < q. `out` may be an input.
    static void multiply(Poly& out, const Poly& a, const Poly& b);
    // out = sum of a[i] b[i] 2^-32, i < count. In: |sum| < 2^31 q. Out: |c| < q.
    static void dot(Poly& out, const Poly* a, const Poly* b, std::size_t count);

    // out = a + b, a - b; no reduction. `out` may be an input.
    static void add(Poly& out, const Poly& a, const Poly& b);
    static void subtract(Poly& out, const Poly& a, const Poly& b);
    // reduce() and to_unsigned() of field.hpp on each coefficient.
    static void reduce(Poly& w);
    static void to_unsigned(Poly& w);
    // True if |c| >= bound for some coefficient, all of which are reduced. Looks at all of them.
    static bool exceeds(const Poly& w, std::int32_t bound);
};

template <>
struct Ring<Avx512> : Ring<Avx2> {};

}  // namespace quoin::core::ml_dsa
