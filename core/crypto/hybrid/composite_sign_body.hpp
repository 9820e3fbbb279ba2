// Composite key generation and signing over any backend: for the .cpp files that instantiate it.
#pragma once

#include <algorithm>

#include "core/base/constant_time.hpp"
#include "core/crypto/hybrid/composite_loaded.hpp"
#include "core/crypto/hybrid/composite_message.hpp"

namespace quoin::core::hybrid {

template <class Composite, class Backend>
Result<void> CompositePrivateKey<Composite, Backend>::load(
    std::span<const std::uint8_t, composite_private_key_size> private_key,
    CompositeLoadWorkspace<Composite, Backend>& workspace) {
    ml_dsa::Seed xi;
    std::ranges::copy(private_key.template first<32>(), xi.expose_to_fill().begin());
    const std::span public_key(public_key_);
    ml_dsa::keygen<Set, Backend>(xi, public_key.template first<Set::public_key_size>(),
                                 workspace.expanded, workspace.keygen);
    const Result<void> loaded = lattice_.load(workspace.expanded);
    ct::wipe(workspace.expanded);
    curve_.emplace(private_key.template last<ed25519::seed_size>());
    std::ranges::copy(curve_->public_key(),
                      public_key.template last<ed25519::public_key_size>().begin());
    if (!loaded) return std::unexpected(Code::internal);
    return {};
}

// draft-ietf-lamps-pq-composite-sigs-19, section 3.2.
template <class Composite, class Backend>
Result<void> CompositePrivateKey<Composite, Backend>::sign(
    Bytes message, const ml_dsa::Context& context, ml_dsa::Randomness randomness,
    std::span<std::uint8_t, Composite::signature_size> signature,
    ml_dsa::SignScratch<Set, Backend>& scratch) const {
    // Before anything is written there: the message may be where the signature goes.
    const SignedPart signed_part(Composite::label, context, message);
    std::ranges::fill(signature, std::uint8_t{0});
    if (!curve_) return std::unexpected(Code::state_wrong);
    QUOIN_TRY(const ml_dsa::Context label, ml_dsa::Context::of(bytes_of(Composite::label)));
    const Result<void> lattice =
        lattice_.sign(signed_part.bytes(), label, randomness,
                      signature.template first<Set::signature_size>(), scratch);
    curve_->sign(signed_part.bytes(), signature.template last<ed25519::signature_size>());
    if (!lattice) std::ranges::fill(signature, std::uint8_t{0});
    return lattice;
}

}  // namespace quoin::core::hybrid
