// Polynomials modulo q and X^n + 1 (specification, section 3.2), for each backend. For falcon/
// only.
#pragma once

#include <array>
#include <cstdint>

#include "core/crypto/backend.hpp"
#include "core/crypto/falcon/mod_q.hpp"

namespace quoin::core::falcon {

template <class Set>
struct alignas(32) Poly {
    std::array<std::int16_t, Set::n> c;
};

// The number-theoretic transform; a transformed polynomial is in the backend's own order.
template <class Set, class Backend>
struct Ring {
    // In: |c| <= q / 2. Out: |c| <= 2.4 q.
    static void transform(Poly<Set>& a);
    // In: as from transform(). Out: the Montgomery form, |c| < q.
    static void to_montgomery(Poly<Set>& a);
    // The transformed inverse in Montgomery form, |c| < q, of a as from transform(); false if there
    // is none, which is public. Constant time.
    static bool invert(Poly<Set>& a);
    // The transformed product, |c| < q. a: as from transform(); b: in Montgomery form.
    static void multiply(Poly<Set>& a, const Poly<Set>& b);
    // The untransformed product. a: as from transform(); b: in Montgomery form. Out: |c| <= 0.57 q.
    static void multiply_back(Poly<Set>& a, const Poly<Set>& b);
    // The sum of squares of the centred a - b: |a| <= 0.57 q, |b| <= q / 2.
    static std::uint64_t squared_distance(const Poly<Set>& a, const Poly<Set>& b);
    // The sum of squares of a.
    static std::uint64_t squared_norm(const Poly<Set>& a);
};

}  // namespace quoin::core::falcon
