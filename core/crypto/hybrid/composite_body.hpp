// Composite verification over any backend: for the .cpp files that instantiate it.
#pragma once

#include <algorithm>

#include "core/crypto/hybrid/composite_loaded.hpp"
#include "core/crypto/hybrid/composite_message.hpp"

namespace quoin::core::hybrid {

// Both, always: neither the time nor the error says which of them failed.
// `lattice_verify(signed_part, label)` is ML-DSA's.
template <class Composite>
Result<void> verify_both(std::span<const std::uint8_t, ed25519::public_key_size> curve_key,
                         Bytes message, const ml_dsa::Context& context,
                         CompositeSignature<Composite> signature, const auto& lattice_verify) {
    using Set = Composite::Set;
    static_assert(Composite::label.size() == 30);
    static_assert(Composite::public_key_size == Set::public_key_size + ed25519::public_key_size);
    static_assert(Composite::signature_size == Set::signature_size + ed25519::signature_size);
    const SignedPart signed_part(Composite::label, context, message);
    QUOIN_TRY(const ml_dsa::Context label, ml_dsa::Context::of(bytes_of(Composite::label)));
    const Result<void> lattice = lattice_verify(signed_part.bytes(), label);
    const Result<void> curve = ed25519::verify(curve_key, signed_part.bytes(),
                                               signature.template last<ed25519::signature_size>());
    if (!curve && curve.error() == Code::peer_malformed) return curve;
    if (!lattice || !curve) return std::unexpected(Code::integrity_signature);
    return {};
}

template <class Composite, class Backend>
Result<void> verify(CompositePublicKey<Composite> public_key, Bytes message,
                    const ml_dsa::Context& context, CompositeSignature<Composite> signature,
                    ml_dsa::VerifyWorkspace<typename Composite::Set, Backend>& workspace) {
    using Set = Composite::Set;
    return verify_both<Composite>(
        public_key.template last<ed25519::public_key_size>(), message, context, signature,
        [&](Bytes signed_part, const ml_dsa::Context& label) {
            return ml_dsa::verify<Set, Backend>(
                public_key.template first<Set::public_key_size>(), signed_part, label,
                signature.template first<Set::signature_size>(), workspace);
        });
}

template <class Composite, class Backend>
void CompositeLoadedPublicKey<Composite, Backend>::load(CompositePublicKey<Composite> public_key) {
    lattice_.load(public_key.template first<Composite::Set::public_key_size>());
    std::ranges::copy(public_key.template last<ed25519::public_key_size>(), curve_.begin());
}

template <class Composite, class Backend>
Result<void> CompositeLoadedPublicKey<Composite, Backend>::verify(
    Bytes message, const ml_dsa::Context& context, CompositeSignature<Composite> signature,
    ml_dsa::VerifyScratch<typename Composite::Set>& scratch) const {
    return verify_both<Composite>(
        curve_, message, context, signature, [&](Bytes signed_part, const ml_dsa::Context& label) {
            return lattice_.verify(signed_part, label,
                                   signature.template first<Composite::Set::signature_size>(),
                                   scratch);
        });
}

}  // namespace quoin::core::hybrid
