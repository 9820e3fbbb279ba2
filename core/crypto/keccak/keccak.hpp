// SHA3-224/256/384/512, SHAKE128 and SHAKE256 (FIPS 202), incremental, and SHAKEs four at a time.
//
//   keccak::Shake256<> xof;                          keccak::Sha3_256<Avx2>::digest(output, a, b);
//   xof.absorb(seed).absorb(nonce);
//   xof.squeeze(first);
//   xof.squeeze(more);                               // continues
//
// | hash     | digest | rate (bytes) |      | type          | size of the object |
// | SHA3-224 | 28     | 144          |      | one state     | 216                |
// | SHA3-256 | 32     | 136          |      | four, AVX2    | 832                |
// | SHA3-384 | 48     | 104          |
// | SHA3-512 | 64     | 72           |
// | SHAKE128 | any    | 168          |
// | SHAKE256 | any    | 136          |
//
// Nothing fails: absorbing after squeezing, and four views of unequal length, are bugs of the
// caller and trap. Stack of a permutation: about 500 bytes (four at once: 1.8 KiB).
// Time depends on lengths only. States are wiped when destroyed. Copies are allowed: a common
// prefix is absorbed once. Threads: one owner for each object.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/keccak/sponge.hpp"

namespace quoin::core::keccak {

template <std::size_t Rate, class Backend>
class Shake {
public:
    static constexpr std::size_t rate = Rate;

    Shake& absorb(Bytes input) {
        sponge_.absorb(input, Rate);
        return *this;
    }
    // Each call continues where the last one ended.
    void squeeze(MutableBytes output) { sponge_.squeeze(output, Rate, 0x1f); }

    // output = SHAKE(parts[0] || parts[1] || ...).
    template <class... Parts>
    static void digest(MutableBytes output, const Parts&... parts) {
        Shake xof;
        (xof.absorb(parts), ...);
        xof.squeeze(output);
    }

private:
    Sponge<Form<Backend>> sponge_;
};

// Four SHAKEs of equal lengths at once.
template <std::size_t Rate, class Backend>
class ShakeX4 {
public:
    static constexpr std::size_t rate = Rate;

    ShakeX4& absorb(const std::array<Bytes, 4>& inputs) {
        for (const Bytes& input : inputs) {
            if (input.size() != inputs[0].size()) __builtin_trap();
        }
        sponges_.absorb(inputs, Rate);
        return *this;
    }
    // The same bytes into all four.
    ShakeX4& absorb_common(Bytes input) { return absorb({input, input, input, input}); }
    void squeeze(const std::array<MutableBytes, 4>& outputs) {
        for (const MutableBytes& output : outputs) {
            if (output.size() != outputs[0].size()) __builtin_trap();
        }
        sponges_.squeeze(outputs, Rate, 0x1f);
    }

private:
    FourSponges<Backend> sponges_;
};

template <std::size_t Size, class Backend>
class Sha3 {
public:
    static constexpr std::size_t size = Size;
    static constexpr std::size_t rate = 200 - 2 * Size;

    Sha3& absorb(Bytes input) {
        sponge_.absorb(input, rate);
        return *this;
    }
    // Once; the object is spent then.
    void finish(std::span<std::uint8_t, Size> output) { sponge_.squeeze(output, rate, 0x06); }

    // output = SHA3(parts[0] || parts[1] || ...).
    template <class... Parts>
    static void digest(std::span<std::uint8_t, Size> output, const Parts&... parts) {
        Sha3 hash;
        (hash.absorb(parts), ...);
        hash.finish(output);
    }

private:
    Sponge<Form<Backend>> sponge_;
};

template <class Backend = Portable>
using Shake128 = Shake<168, Backend>;
template <class Backend = Portable>
using Shake256 = Shake<136, Backend>;
template <class Backend = Portable>
using Shake128x4 = ShakeX4<168, Backend>;
template <class Backend = Portable>
using Shake256x4 = ShakeX4<136, Backend>;
template <class Backend = Portable>
using Sha3_224 = Sha3<28, Backend>;
template <class Backend = Portable>
using Sha3_256 = Sha3<32, Backend>;
template <class Backend = Portable>
using Sha3_384 = Sha3<48, Backend>;
template <class Backend = Portable>
using Sha3_512 = Sha3<64, Backend>;

}  // namespace quoin::core::keccak
