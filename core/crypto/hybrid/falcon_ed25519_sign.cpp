#include <algorithm>

#include "core/crypto/falcon/wiped.hpp"
#include "core/crypto/hybrid/falcon_ed25519.hpp"
#include "core/crypto/hybrid/falcon_ed25519_message.hpp"

namespace quoin::core::hybrid {

template <class Backend>
Result<void> falcon_ed25519_keygen(
    const FalconEd25519Seed& seed,
    std::span<std::uint8_t, FalconEd25519::public_key_size> public_key,
    std::span<std::uint8_t, FalconEd25519::private_key_size> private_key,
    falcon::KeygenWorkspace<falcon::Set512, Backend>& workspace) {
    using Set = falcon::Set512;
    falcon::Seed lattice_seed;
    std::ranges::copy(seed.expose().first<48>(), lattice_seed.expose_to_fill().begin());
    const auto curve_seed = seed.expose().last<ed25519::seed_size>();
    const ed25519::PrivateKey<> curve(curve_seed);
    std::ranges::copy(curve.public_key(), public_key.last<ed25519::public_key_size>().begin());
    std::ranges::copy(curve_seed, private_key.last<ed25519::seed_size>().begin());
    return falcon::keygen<Set, Backend>(lattice_seed, public_key.first<Set::public_key_size>(),
                                        private_key.first<Set::private_key_size>(), workspace);
}

template <class Backend>
Result<void> falcon_ed25519_sign(
    std::span<const std::uint8_t, FalconEd25519::private_key_size> private_key, Bytes message,
    falcon::Randomness randomness, std::span<std::uint8_t, FalconEd25519::signature_size> signature,
    falcon::SignWorkspace<falcon::Set512, Backend>& workspace) {
    using Set = falcon::Set512;
    // Before anything is written there: the message may be where the signature goes.
    const auto signed_part = falcon_ed25519_message(message);
    const Result<std::size_t> lattice = falcon::sign<Set, Backend>(
        private_key.first<Set::private_key_size>(), signed_part, randomness, falcon::Format::padded,
        signature.first<Set::padded_signature_size>(), workspace);
    const ed25519::PrivateKey<> curve(private_key.last<ed25519::seed_size>());
    curve.sign(signed_part, signature.last<ed25519::signature_size>());
    if (lattice) return {};
    std::ranges::fill(signature, std::uint8_t{0});
    return std::unexpected(lattice.error());
}

#define QUOIN_INSTANTIATE_SIGN(Backend)                                                            \
    template Result<void> falcon_ed25519_sign<Backend>(                                            \
        std::span<const std::uint8_t, FalconEd25519::private_key_size>, Bytes, falcon::Randomness, \
        std::span<std::uint8_t, FalconEd25519::signature_size>,                                    \
        falcon::SignWorkspace<falcon::Set512, Backend>&)
#define QUOIN_INSTANTIATE_KEYGEN(Backend)                                                  \
    template Result<void> falcon_ed25519_keygen<Backend>(                                  \
        const FalconEd25519Seed&, std::span<std::uint8_t, FalconEd25519::public_key_size>, \
        std::span<std::uint8_t, FalconEd25519::private_key_size>,                          \
        falcon::KeygenWorkspace<falcon::Set512, Backend>&)

QUOIN_INSTANTIATE_SIGN(Portable);
QUOIN_INSTANTIATE_SIGN(falcon::Integer);
#if defined(__x86_64__)
QUOIN_INSTANTIATE_SIGN(Avx2);
#endif
QUOIN_INSTANTIATE_KEYGEN(Portable);
QUOIN_INSTANTIATE_KEYGEN(falcon::Integer);

}  // namespace quoin::core::hybrid
