// What an image consists of: each file of images/ says it.
#pragma once

#include "core/crypto/known_answers/operation.hpp"

namespace quoin::tests {

using core::known_answers::Memory;
using core::known_answers::Operation;
using core::known_answers::Operations;
using Group = Operations (*)();

std::span<const Group> image();
const Memory& memory();

// As much as an image lends its operations: it counts into the image's RAM.
template <std::size_t Kept_size, std::size_t Scratch_size>
const Memory& memory_of() {
    alignas(64) static constinit std::array<unsigned char, Kept_size> kept{};
    alignas(64) static constinit std::array<unsigned char, Scratch_size> scratch{};
    static constinit const Memory lent{kept, scratch};
    return lent;
}

// The measuring itself, and memcpy and its like.
Operations machine();

}  // namespace quoin::tests
