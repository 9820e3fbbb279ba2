// The parts that the secret operations of a backend are made of. For falcon/ only.
#pragma once

#include "core/crypto/falcon/fft.hpp"
#include "core/crypto/falcon/real.hpp"

namespace quoin::core::falcon {

// Specialised in avx2.hpp.
template <class Backend>
struct Lanes {
    using Type = OneLane<RealOf<Backend>, Backend>;
};
template <class Backend>
using LanesOf = Lanes<Backend>::Type;

// Of the operations on integers: the number-theoretic transform and Keccak.
template <class Backend>
using RingOf = std::conditional_t<std::is_same_v<Backend, Integer>, Portable, Backend>;

}  // namespace quoin::core::falcon
