// X-Wing over any backend: for the .cpp files that instantiate it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/crypto/curve25519/x25519.hpp"
#include "core/crypto/hybrid/x_wing.hpp"
#include "core/crypto/keccak/keccak.hpp"

namespace quoin::core::hybrid::x_wing {

using Set = ml_kem::Set768;

// Section 5.2, expandDecapsulationKey: SHAKE256(seed) gives d, z and the X25519 private key.
template <class Backend>
void expand(Seed seed, Workspace<Backend>& workspace) {
    std::array<std::uint8_t, 96> expanded{};
    keccak::Shake256<>::digest(expanded, seed);
    const std::span<const std::uint8_t, 96> parts(expanded);
    ml_kem::generate<Set, Backend>(workspace.encapsulation_key, workspace.decapsulation_key,
                                   parts.first<32>(), parts.subspan<32, 32>(), workspace.ml_kem);
    for (std::size_t i = 0; i < workspace.x25519.size(); ++i)
        workspace.x25519[i] = expanded[64 + i];
    ct::wipe(expanded);
}

template <class Backend>
void wipe(Workspace<Backend>& workspace) {
    ct::wipe(workspace.decapsulation_key);
    ct::wipe(workspace.x25519);
}

// Section 5.3. The halves are wiped.
inline void combine(std::array<std::uint8_t, 32>& ss_m, std::array<std::uint8_t, 32>& ss_x,
                    Bytes ct_x, Bytes pk_x, SharedSecret shared) {
    constexpr std::array<std::uint8_t, 6> label = {0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c};
    keccak::Sha3_256<>::digest(shared, ss_m, ss_x, ct_x, pk_x, label);
    ct::wipe(ss_m);
    ct::wipe(ss_x);
}

template <class Backend>
void public_key(Seed seed, std::span<std::uint8_t, public_key_size> public_key,
                Workspace<Backend>& workspace) {
    expand(seed, workspace);
    for (std::size_t i = 0; i < Set::encapsulation_key_size; ++i) {
        public_key[i] = workspace.encapsulation_key[i];
    }
    x25519::public_key(workspace.x25519, public_key.last<32>());
    wipe(workspace);
}

// Section 5.4.1.
template <class Backend>
Result<void> encapsulate(PublicKey public_key,
                         std::span<const std::uint8_t, randomness_size> randomness,
                         std::span<std::uint8_t, ciphertext_size> ciphertext, SharedSecret shared,
                         Workspace<Backend>& workspace) {
    ct::wipe(shared);
    QUOIN_TRY(const auto key, ml_kem::EncapsulationKey<Set>::check<Backend>(
                                  public_key.first<Set::encapsulation_key_size>()));
    const auto ek_x = randomness.last<32>();
    std::array<std::uint8_t, 32> ss_m{}, ss_x{};
    QUOIN_CHECK(x25519::shared_secret(ek_x, public_key.last<32>(), ss_x));
    x25519::public_key(ek_x, ciphertext.last<32>());
    ml_kem::encapsulate<Set, Backend>(ss_m, ciphertext.first<Set::ciphertext_size>(), key,
                                      randomness.first<32>(), workspace.ml_kem);
    combine(ss_m, ss_x, ciphertext.last<32>(), public_key.last<32>(), shared);
    return {};
}

// Section 5.5.
template <class Backend>
Result<void> decapsulate(Seed seed, Ciphertext ciphertext, SharedSecret shared,
                         Workspace<Backend>& workspace) {
    ct::wipe(shared);
    expand(seed, workspace);
    std::array<std::uint8_t, 32> ss_m{}, ss_x{}, pk_x{};
    const Result<void> derived =
        x25519::shared_secret(workspace.x25519, ciphertext.last<32>(), ss_x);
    if (derived) {
        x25519::public_key(workspace.x25519, pk_x);
        ml_kem::decapsulate<Set, Backend>(
            ss_m, ml_kem::DecapsulationKey<Set>::danger_unchecked(workspace.decapsulation_key),
            ciphertext.first<Set::ciphertext_size>(), workspace.ml_kem);
        combine(ss_m, ss_x, ciphertext.last<32>(), pk_x, shared);
    }
    wipe(workspace);
    return derived;
}

}  // namespace quoin::core::hybrid::x_wing
