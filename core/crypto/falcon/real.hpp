// Which arithmetic of binary64 a backend has.
#pragma once

#include <type_traits>

#include "core/crypto/backend.hpp"
#include "core/crypto/falcon/emulated.hpp"
#include "core/crypto/falcon/hardware.hpp"

namespace quoin::core::falcon {

// A backend of the secret operations: Portable without floating point, whose binary64 is made of
// integer instructions. For processors without it, and for boot loaders.
struct Integer {};

template <class Backend>
using RealOf = std::conditional_t<std::is_same_v<Backend, Integer>, Emulated, Hardware>;

}  // namespace quoin::core::falcon
