// SHA3-256, -384 and -512 for HMAC and HKDF: hmac::Key<hmac::Sha3<32>>. Sizes: keccak.hpp; the
// block of HMAC is the rate (FIPS 202, table 3: 136, 104, 72). Stack of HMAC beside its objects of
// 432 bytes each, painted, x86-64, release, Portable and Avx2: 736 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/keccak/keccak.hpp"

namespace quoin::core::hmac {

template <std::size_t Size, class Backend = Portable>
class Sha3 {
public:
    static constexpr std::size_t digest_size = Size;
    static constexpr std::size_t block_size = keccak::Sha3<Size, Backend>::rate;

    void update(Bytes message) { sponge_.absorb(message); }
    // As new afterwards.
    void finish(std::span<std::uint8_t, Size> digest) {
        sponge_.finish(digest);
        wipe();
    }
    void wipe() {
        sponge_ = {};
        asm volatile("" : : "r"(this) : "memory");  // the stores happen, though nobody reads them
    }

private:
    keccak::Sha3<Size, Backend> sponge_;
};

}  // namespace quoin::core::hmac
