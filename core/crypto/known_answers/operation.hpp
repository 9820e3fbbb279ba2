// Known answers of every algorithm: for self-tests at start, and for the images of tests/core.
//
//   for (const Operation& operation : ml_dsa<Portable>()) {
//       for (unsigned round = 0; round < operation.rounds; ++round) {
//           if (!operation.run(memory, round)) ...;                         // what is measured
//           if (operation.check && !operation.check(memory, round)) ...;  // what it gave
//       }
//   }
//
// In this order: an operation may use what the one before it left in memory.kept.
// Nothing here is secret. Threads: no shared state; one Memory for each run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "core/base/bytes.hpp"
#include "core/crypto/backend.hpp"

namespace quoin::core::known_answers {

// The caller's, both aligned to 64 bytes: keys and signatures, and workspaces.
struct Memory {
    std::span<unsigned char> kept;
    std::span<unsigned char> scratch;

    // Plain data: no constructor runs. What does not fit is a bug of who made the image.
    template <class T>
    static T& as(std::span<unsigned char> bytes) {
        static_assert(std::is_trivially_destructible_v<T> && std::is_aggregate_v<T> &&
                      alignof(T) <= 64);
        if (bytes.size() < sizeof(T)) __builtin_trap();
        return *__builtin_launder(reinterpret_cast<T*>(bytes.data()));
    }
    template <class T>
    T& kept_as() const {
        return as<T>(kept);
    }
    template <class T>
    T& scratch_as() const {
        return as<T>(scratch);
    }
};

// Enough for every operation; each image of tests/core says how little its own need.
inline constexpr std::size_t kept_size = 16 * 1024;
inline constexpr std::size_t scratch_size = 160 * 1024;

struct Operation {
    std::string_view name;
    bool (*run)(const Memory& memory, unsigned round);
    // nullptr: run() tells alone.
    bool (*check)(const Memory& memory, unsigned round) = nullptr;
    unsigned rounds = 1;  // a power of two
};

using Operations = std::span<const Operation>;

// Of each algorithm, on one backend. What a target does not build does not link.
template <class Backend>
Operations sha2();
template <class Backend>
Operations keccak();
Operations hmac();
template <class Backend>
Operations aes();
Operations curve25519();
template <class Backend>
Operations ml_kem();
template <class Backend>
Operations ml_dsa();
Operations ml_dsa_44();
Operations ml_dsa_low_memory();
template <class Backend>
Operations ml_dsa_verify();
Operations ml_dsa_verify_low_memory();
template <class Backend>
Operations hybrid_kems();  // X25519MLKEM768, X-Wing
template <class Backend>
Operations slh_dsa_sign();  // hundreds of thousands of hashes
template <class Backend>
Operations slh_dsa_verify();
template <class Backend>
Operations composite();  // verification of ML-DSA+Ed25519
template <class Backend>
Operations falcon_verify();
Operations falcon_sign();    // Falcon-512 by integers alone
Operations falcon_keygen();  // the same
template <class Backend>
Operations lms_sign();
template <class Backend>
Operations lms_verify();

// Never inlined, so that nobody can know the answer while compiling.
[[gnu::noinline]] bool same(Bytes a, Bytes b);

// Not constant: a vector of the wrong length ends the compilation here.
void this_hex_has_another_length();

// The bytes of a vector, while compiling: hex<4>("c0ffee00").
template <std::size_t Size>
consteval std::array<std::uint8_t, Size> hex(std::string_view text) {
    if (text.size() != 2 * Size) this_hex_has_another_length();
    const auto nibble = [](char digit) {
        return digit <= '9' ? digit - '0' : digit - 'a' + 10;  // lower case only
    };
    std::array<std::uint8_t, Size> bytes{};
    const char* digit = text.data();  // clang counts steps: no call that can be spared
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(16 * nibble(digit[0]) + nibble(digit[1]));
        digit += 2;
    }
    return bytes;
}

}  // namespace quoin::core::known_answers
