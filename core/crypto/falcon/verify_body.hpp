// Verification, for any backend.
#pragma once

#include "core/crypto/falcon/coding.hpp"
#include "core/crypto/falcon/falcon.hpp"
#include "core/crypto/falcon/hash_to_point.hpp"

namespace quoin::core::falcon {

// Algorithm 16, lines 2 to 4: s2 of a signature. salt || compressed s2 follow the header.
template <class Set>
bool decode_signature(Poly<Set>& s2, Bytes signature) {
    constexpr std::size_t start = 1 + salt_size;
    return signature.size() > start && signature[0] == Set::signature_header &&
           decompress(s2, signature.subspan(start), signature.size() == Set::padded_signature_size);
}

// h: transformed, in Montgomery form; may be workspace.h.
template <class Set, class Backend>
Result<void> verify_with(const Poly<Set>& h, Bytes message, Bytes signature,
                         VerifyWorkspace<Set>& workspace) {
    using Ring = Ring<Set, Backend>;
    auto& [s, c] = workspace;
    const std::uint64_t s2_norm = Ring::squared_norm(s);
    Ring::transform(s);
    Ring::multiply_back(s, h);
    keccak::Shake256<Backend> xof;
    xof.absorb(signature.subspan(1, salt_size)).absorb(message);
    hash_to_point(c, xof);
    // Line 5: s1 = c - s2 h; line 6.
    if (s2_norm + Ring::squared_distance(s, c) > Set::beta_squared) {
        return std::unexpected(Code::integrity_signature);
    }
    return {};
}

template <class Set, class Backend>
bool load_public_key(Poly<Set>& h, PublicKey<Set> public_key) {
    if (!decode_public_key(h, public_key)) return false;
    Ring<Set, Backend>::transform(h);
    Ring<Set, Backend>::to_montgomery(h);
    return true;
}

template <class Set, class Backend>
Result<void> verify(PublicKey<Set> public_key, Bytes message, Bytes signature,
                    VerifyWorkspace<Set>& workspace) {
    if (!decode_signature(workspace.s, signature)) {
        return std::unexpected(Code::integrity_signature);
    }
    if (!load_public_key<Set, Backend>(workspace.h, public_key)) {
        return std::unexpected(Code::peer_malformed);
    }
    return verify_with<Set, Backend>(workspace.h, message, signature, workspace);
}

template <class Set, class Backend>
Result<void> LoadedPublicKey<Set, Backend>::load(PublicKey<Set> public_key) {
    loaded_ = load_public_key<Set, Backend>(h_, public_key);
    if (!loaded_) return std::unexpected(Code::peer_malformed);
    return {};
}

template <class Set, class Backend>
Result<void> LoadedPublicKey<Set, Backend>::verify(Bytes message, Bytes signature,
                                                   VerifyWorkspace<Set>& workspace) const {
    if (!loaded_) return std::unexpected(Code::state_wrong);
    if (!decode_signature(workspace.s, signature)) {
        return std::unexpected(Code::integrity_signature);
    }
    return verify_with<Set, Backend>(h_, message, signature, workspace);
}

}  // namespace quoin::core::falcon
