// Verification for any backend; verify.cpp and verify_avx2.cpp instantiate it.
#pragma once

#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/ml_dsa/coding.hpp"
#include "core/crypto/ml_dsa/layout.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/ml_dsa/sample.hpp"

namespace quoin::core::ml_dsa {

// FIPS 204, Algorithm 8 (ML-DSA.Verify_internal), in steps. All of it is public.
template <class Set, class Backend>
struct Verifier {
    using Codec = Coding<Set, Backend>;
    using Ntt = Ring<Backend>;
    using Layout = SignatureLayout<Set>;

    PublicKey<Set> public_key;
    Signature<Set> signature;
    keccak::Shake256<Backend> hash{};

    PublicSeed rho() const { return public_key.template first<32>(); }
    const std::uint8_t* hint() const { return signature.data() + Layout::h; }
    auto challenge_hash() const { return signature.template first<Set::challenge_hash_size>(); }

    // A z of the signature, transformed; false if a coefficient is too large (line 13).
    [[nodiscard]] bool load_z(Poly& z, std::size_t j) const {
        Codec::unpack_z(z, signature.data() + Layout::z + j * Set::z_poly_size);
        if (Ntt::exceeds(z, Set::gamma1 - Set::beta)) return false;
        Ntt::ntt(z);
        return true;
    }
    void load_challenge(Poly& c) const {
        sample_in_ball<Set, Backend>(c, challenge_hash());  // line 8
        Ntt::ntt(c);
    }
    // Lines 9, 10 and 12 of row i; w = sum of A z, |w| < q; t is overwritten.
    void finish_row(Poly& w, Poly& t, const Poly& c, std::size_t i) {
        Codec::unpack_t1(t, public_key.data() + 32 + i * Set::t1_poly_size);
        Ntt::ntt(t);
        Ntt::multiply(t, t, c);  // |c| < 9 q, |t| < 9 q: 81 q^2 < 2^31 q
        Ntt::subtract(w, w, t);
        Ntt::reduce(w);
        Ntt::inverse_ntt(w);
        Ntt::to_unsigned(w);
        // UseHint where the hint is set: a multiple of 2 gamma2 with the right high bits
        for (std::size_t at = hint_begin<Set>(hint(), i); at < hint_end<Set>(hint(), i); ++at) {
            std::int32_t& coefficient = w.c[hint()[at]];
            coefficient = 2 * Set::gamma2 * use_set_hint<Set>(coefficient);
        }
        std::array<std::uint8_t, Set::w1_poly_size> w1;
        Codec::pack_high_bits(w1.data(), w);
        hash.absorb(w1);
    }
    // Lines 12 and 13
    [[nodiscard]] Result<void> answer() {
        std::array<std::uint8_t, Set::challenge_hash_size> again;
        hash.squeeze(again);
        if (!ct::equal(again, challenge_hash())) {
            return std::unexpected(Code::integrity_signature);
        }
        return {};
    }
};

template <class Set, class Backend>
Result<void> verify_mu(PublicKey<Set> public_key, const Mu& mu, Signature<Set> signature,
                       VerifyWorkspace<Set, Backend>& workspace) {
    auto& [z, c, w, t, rows] = workspace;
    Verifier<Set, Backend> verifier{public_key, signature};
    if (!is_hint<Set>(verifier.hint())) return std::unexpected(Code::integrity_signature);
    for (std::size_t j = 0; j < Set::l; ++j) {
        if (!verifier.load_z(z[j], j)) return std::unexpected(Code::integrity_signature);
    }
    verifier.hash.absorb(mu.bytes);
    verifier.load_challenge(c);
    for (std::size_t i = 0; i < Set::k; ++i) {
        Sampler<Set, Backend>::multiply_row(w, verifier.rho(), i, z.data(), rows.data());
        verifier.finish_row(w, t, c, i);
    }
    return verifier.answer();
}

template <class Set, class Backend>
Result<void> verify(PublicKey<Set> public_key, Bytes message, const Context& context,
                    Signature<Set> signature, VerifyWorkspace<Set, Backend>& workspace) {
    // Before anything costs: Algorithm 27, line 3
    if (!is_hint<Set>(signature.data() + SignatureLayout<Set>::h)) {
        return std::unexpected(Code::integrity_signature);
    }
    MessageHash<Backend> hash(public_key_hash<Backend>(public_key), context);
    hash.absorb(message);
    return verify_mu<Set, Backend>(public_key, hash.finish(), signature, workspace);
}

}  // namespace quoin::core::ml_dsa
