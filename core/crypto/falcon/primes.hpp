// The primes that big numbers are computed modulo (residue number system), made by make_tables.py.
// For the solver of the NTRU equation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quoin::core::falcon {

struct Prime {
    std::uint32_t p;        // < 2^31, = 1 modulo 2048
    std::uint32_t psi;      // psi^1024 = -1
    std::uint32_t inverse;  // of the product of all primes before it
};

inline constexpr std::size_t prime_count = 312;
extern const Prime primes[prime_count];

}  // namespace quoin::core::falcon
