// Verification for any backend; verify.cpp and verify_avx2.cpp instantiate it.
#pragma once

#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/ml_dsa/coding.hpp"
#include "core/crypto/ml_dsa/layout.hpp"
#include "core/crypto/ml_dsa/loaded.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/ml_dsa/sample.hpp"

namespace quoin::core::ml_dsa {

// FIPS 204, Algorithm 8 (ML-DSA.Verify_internal), in steps. All of it is public.
template <class Set, class Backend>
struct Verifier {
    using Codec = Coding<Set, Backend>;
    using Ntt = Ring<Backend>;
    using Layout = SignatureLayout<Set>;

    Signature<Set> signature;
    keccak::Shake256<Backend> hash{};

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
    // t1 2^d of row i, transformed: |t| < 9 q.
    static void load_t1(Poly& t, PublicKey<Set> public_key, std::size_t i) {
        Codec::unpack_t1(t, public_key.data() + 32 + i * Set::t1_poly_size);
        Ntt::ntt(t);
    }
    // Lines 9, 10 and 12 of row i; w = sum of A z, |w| < q; `product` may be t1.
    void finish_row(Poly& w, const Poly& t1, const Poly& c, Poly& product, std::size_t i) {
        Ntt::multiply(product, t1, c);  // |c| < 9 q: 81 q^2 < 2^31 q
        Ntt::subtract(w, w, product);
        Ntt::reduce(w);
        Ntt::inverse_ntt(w);
        Ntt::to_unsigned(w);
        // UseHint where the hint is set: a multiple of 2 gamma2 with the right high bits
        for (std::size_t at = hint_begin<Set>(hint(), i); at < hint_end<Set>(hint(), i); ++at) {
            std::int32_t& coefficient = w.c[hint()[at]];
            coefficient = 2 * Set::gamma2 * use_set_hint<Set>(coefficient);
        }
        std::array<std::uint8_t, Set::w1_poly_size> w1{};
        Codec::pack_high_bits(w1.data(), w);
        hash.absorb(w1);
    }
    // Lines 12 and 13
    [[nodiscard]] Result<void> answer() {
        std::array<std::uint8_t, Set::challenge_hash_size> again{};
        hash.squeeze(again);
        if (!ct::equal(again, challenge_hash())) {
            return std::unexpected(Code::integrity_signature);
        }
        return {};
    }
};

// row(i) makes scratch.w the sum of A[i, j] z[j], |w| < q, and returns the transformed t1 2^d.
template <class Set, class Backend, class Row>
Result<void> verify_rows(const Mu& mu, Signature<Set> signature, VerifyScratch<Set>& scratch,
                         Row row) {
    Verifier<Set, Backend> verifier{signature};
    if (!is_hint<Set>(verifier.hint())) return std::unexpected(Code::integrity_signature);
    for (std::size_t j = 0; j < Set::l; ++j) {
        if (!verifier.load_z(scratch.z[j], j)) return std::unexpected(Code::integrity_signature);
    }
    verifier.hash.absorb(mu.bytes);
    verifier.load_challenge(scratch.c);
    for (std::size_t i = 0; i < Set::k; ++i) {
        const Poly& t1 = row(i);
        verifier.finish_row(scratch.w, t1, scratch.c, scratch.t, i);
    }
    return verifier.answer();
}

template <class Set, class Backend>
Result<void> verify_mu(PublicKey<Set> public_key, const Mu& mu, Signature<Set> signature,
                       VerifyWorkspace<Set, Backend>& workspace) {
    auto& [scratch, rows] = workspace;
    return verify_rows<Set, Backend>(mu, signature, scratch, [&](std::size_t i) -> const Poly& {
        Sampler<Set, Backend>::multiply_row(scratch.w, public_key.template first<32>(), i,
                                            scratch.z.data(), rows.data());
        Verifier<Set, Backend>::load_t1(scratch.t, public_key, i);
        return scratch.t;
    });
}

template <class Set, class Backend>
Result<void> verify(PublicKey<Set> public_key, Bytes message, const Context& context,
                    Signature<Set> signature, VerifyWorkspace<Set, Backend>& workspace) {
    if (!is_hint<Set>(signature.data() + SignatureLayout<Set>::h)) {  // before anything costs
        return std::unexpected(Code::integrity_signature);
    }
    const PublicKeyHash tr = public_key_hash<Backend>(public_key);
    const Mu mu = MessageHash<Backend>(tr, context).absorb(message).finish();
    return verify_mu<Set, Backend>(public_key, mu, signature, workspace);
}

template <class Set, class Backend>
void LoadedPublicKey<Set, Backend>::load(PublicKey<Set> public_key) {
    Sampler<Set, Backend>::expand_matrix(matrix_.data(), public_key.template first<32>());
    for (std::size_t i = 0; i < Set::k; ++i) {
        Verifier<Set, Backend>::load_t1(t1_[i], public_key, i);
    }
    hash_ = public_key_hash<Backend>(public_key);
    loaded_ = true;
}

template <class Set, class Backend>
Result<void> LoadedPublicKey<Set, Backend>::verify_mu(const Mu& mu, Signature<Set> signature,
                                                      VerifyScratch<Set>& scratch) const {
    if (!loaded_) return std::unexpected(Code::state_wrong);
    return verify_rows<Set, Backend>(mu, signature, scratch, [&](std::size_t i) -> const Poly& {
        Ring<Backend>::dot(scratch.w, &matrix_[i * Set::l], scratch.z.data(), Set::l);
        return t1_[i];
    });
}

template <class Set, class Backend>
Result<void> LoadedPublicKey<Set, Backend>::verify(Bytes message, const Context& context,
                                                   Signature<Set> signature,
                                                   VerifyScratch<Set>& scratch) const {
    if (!loaded_) return std::unexpected(Code::state_wrong);
    if (!is_hint<Set>(signature.data() + SignatureLayout<Set>::h)) {  // before anything costs
        return std::unexpected(Code::integrity_signature);
    }
    const Mu mu = MessageHash<Backend>(hash_, context).absorb(message).finish();
    return verify_mu(mu, signature, scratch);
}

}  // namespace quoin::core::ml_dsa
