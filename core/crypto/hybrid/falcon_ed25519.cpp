#include "core/crypto/hybrid/falcon_ed25519.hpp"

#include "core/crypto/hybrid/falcon_ed25519_message.hpp"

namespace quoin::core::hybrid {

// Both, always: neither the time nor the error says which of them failed.
template <class Backend>
Result<void> falcon_ed25519_verify(
    std::span<const std::uint8_t, FalconEd25519::public_key_size> public_key, Bytes message,
    std::span<const std::uint8_t, FalconEd25519::signature_size> signature,
    falcon::VerifyWorkspace<falcon::Set512>& workspace) {
    using Set = falcon::Set512;
    const auto signed_part = falcon_ed25519_message(message);
    const Result<void> lattice =
        falcon::verify<Set, Backend>(public_key.first<Set::public_key_size>(), signed_part,
                                     signature.first<Set::padded_signature_size>(), workspace);
    const Result<void> curve =
        ed25519::verify(public_key.last<ed25519::public_key_size>(), signed_part,
                        signature.last<ed25519::signature_size>());
    for (const Result<void>& half : {lattice, curve}) {
        if (!half && half.error() == Code::peer_malformed) return half;
    }
    if (!lattice || !curve) return std::unexpected(Code::integrity_signature);
    return {};
}

template Result<void> falcon_ed25519_verify<Portable>(
    std::span<const std::uint8_t, FalconEd25519::public_key_size>, Bytes,
    std::span<const std::uint8_t, FalconEd25519::signature_size>,
    falcon::VerifyWorkspace<falcon::Set512>&);
#if defined(__x86_64__)
template Result<void> falcon_ed25519_verify<Avx2>(
    std::span<const std::uint8_t, FalconEd25519::public_key_size>, Bytes,
    std::span<const std::uint8_t, FalconEd25519::signature_size>,
    falcon::VerifyWorkspace<falcon::Set512>&);
#endif

}  // namespace quoin::core::hybrid
