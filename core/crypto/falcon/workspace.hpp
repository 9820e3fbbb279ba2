// Memory that operations take from their caller.
#pragma once

#include "core/crypto/falcon/ring.hpp"

namespace quoin::core::falcon {

template <class Set>
struct VerifyWorkspace {
    Poly<Set> s;
    Poly<Set> h;  // then c
};

}  // namespace quoin::core::falcon
