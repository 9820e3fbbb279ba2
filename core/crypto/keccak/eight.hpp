// Eight states of Keccak in registers of 512 bits: for who reads eight streams at once and lays
// them out as it needs them (ml_dsa's matrix). Callers of hashes use keccak.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/crypto/backend.hpp"

namespace quoin::core::keccak {

// Lane i of state `way` in lanes[i][way].
struct EightStates {
    alignas(64) std::array<std::array<std::uint64_t, 8>, 25> lanes{};
};

// Keccak-f[1600]: FIPS 202, section 3.3. Of the backend Avx512 only.
void permute(EightStates& states);

}  // namespace quoin::core::keccak
