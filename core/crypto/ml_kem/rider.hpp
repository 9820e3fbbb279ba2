// A hash that does not depend on the matrix, to be made while that is sampled: with four Keccaks at
// a time, it rides along for nothing.
#pragma once

#include "core/crypto/keccak/keccak.hpp"

namespace quoin::core::ml_kem {

// output = SHA3-256 or SHAKE256 of first || second. Both have a rate of 136 bytes.
struct Rider {
    enum class Hash : std::uint8_t { sha3_256 = 0x06, shake256 = 0x1f };  // the domain, padded

    Bytes first;
    Bytes second;
    Hash hash = Hash::sha3_256;
    MutableBytes output;  // 32 bytes; empty: nobody rides

    void run() const {
        keccak::Sponge<keccak::Form<Portable>> sponge;
        sponge.absorb(first, 136);
        sponge.absorb(second, 136);
        sponge.squeeze(output, 136, static_cast<std::uint8_t>(hash));
    }
};

}  // namespace quoin::core::ml_kem
