// Composite verification over any backend: for the .cpp files that instantiate it.
#pragma once

#include <array>

#include "core/crypto/hybrid/composite.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::hybrid {

// M' of draft-ietf-lamps-pq-composite-sigs-19, section 2.2.
class SignedPart {
public:
    SignedPart(std::string_view label, const ml_dsa::Context& context, Bytes message) {
        put(bytes_of("CompositeAlgorithmSignatures2025"));
        put(bytes_of(label));
        const std::array<std::uint8_t, 1> size = {
            static_cast<std::uint8_t>(context.bytes().size())};
        put(size);
        put(context.bytes());
        put(sha2::Sha512::of(message));
    }
    Bytes bytes() const { return Bytes(bytes_).first(size_); }

private:
    void put(Bytes part) {
        for (const std::uint8_t byte : part) bytes_[size_++] = byte;
    }

    std::array<std::uint8_t, 32 + 30 + 1 + ml_dsa::Context::max_size + 64> bytes_{};
    std::size_t size_ = 0;
};

template <class Composite, class Backend>
Result<void> verify(CompositePublicKey<Composite> public_key, Bytes message,
                    const ml_dsa::Context& context, CompositeSignature<Composite> signature,
                    ml_dsa::VerifyWorkspace<typename Composite::Set, Backend>& workspace) {
    using Set = Composite::Set;
    static_assert(Composite::label.size() == 30);
    static_assert(Composite::public_key_size == Set::public_key_size + ed25519::public_key_size);
    static_assert(Composite::signature_size == Set::signature_size + ed25519::signature_size);
    const SignedPart signed_part(Composite::label, context, message);
    QUOIN_TRY(const ml_dsa::Context label, ml_dsa::Context::of(bytes_of(Composite::label)));
    // Both, always: neither the time nor the error says which of them failed.
    const Result<void> lattice = ml_dsa::verify<Set, Backend>(
        public_key.template first<Set::public_key_size>(), signed_part.bytes(), label,
        signature.template first<Set::signature_size>(), workspace);
    const Result<void> curve =
        ed25519::verify(public_key.template last<ed25519::public_key_size>(), signed_part.bytes(),
                        signature.template last<ed25519::signature_size>());
    if (!curve && curve.error() == Code::peer_malformed) return curve;
    if (!lattice || !curve) return std::unexpected(Code::integrity_signature);
    return {};
}

}  // namespace quoin::core::hybrid
