// Signing for any backend; sign.cpp and sign_avx2.cpp instantiate it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/base/declassify.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/ml_dsa/coding.hpp"
#include "core/crypto/ml_dsa/layout.hpp"
#include "core/crypto/ml_dsa/loaded.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/ml_dsa/sample.hpp"

namespace quoin::core::ml_dsa {

// FIPS 204, appendix C, table 3: the least bound that an implementation may put on the loop.
inline constexpr std::size_t max_attempts = 814;

// rho'' = H(K || rnd || μ, 64): Algorithm 7, line 7.
template <class Backend>
void mask_seed(std::array<std::uint8_t, 64>& seed, std::span<const std::uint8_t, 32> K,
               Randomness randomness, const Mu& mu) {
    keccak::Shake256<Backend>::digest(seed, K, randomness, mu.bytes);
}

// FIPS 204, Algorithm 7, lines 1 to 5. False if s1 or s2 have coefficients out of range.
template <class Set, class Backend>
[[nodiscard]] bool load_key(SigningKey<Set, Backend>& key, PrivateKey<Set> private_key) {
    using Layout = PrivateKeyLayout<Set>;
    using Codec = Coding<Set, Backend>;
    auto& [K, s1, s2, t0] = key.secrets;
    const std::uint8_t* const sk = private_key.data();
    bool sound = true;
    for (std::size_t j = 0; j < Set::l; ++j) {
        sound &= Codec::unpack_small(s1[j], sk + Layout::s1 + j * Set::eta_poly_size);
        Ring<Backend>::ntt(s1[j]);
    }
    for (std::size_t i = 0; i < Set::k; ++i) {
        sound &= Codec::unpack_small(s2[i], sk + Layout::s2 + i * Set::eta_poly_size);
        Ring<Backend>::ntt(s2[i]);
        Codec::unpack_t0(t0[i], sk + Layout::t0 + i * Set::t0_poly_size);
        Ring<Backend>::ntt(t0[i]);
    }
    if (!sound) return false;
    for (std::size_t i = 0; i < K.size(); ++i) K[i] = sk[Layout::K + i];
    for (std::size_t i = 0; i < key.tr.size(); ++i) key.tr[i] = sk[Layout::tr + i];
    Sampler<Set, Backend>::expand_matrix(key.matrix.data(), private_key.template first<32>());
    return true;
}

// FIPS 204, Algorithm 7 (ML-DSA.Sign_internal), in steps.
//
// Public by design, and declassified here: the challenge hash of each attempt (a hash of w1, which
// hides y; Algorithm 29 branches on it), whether a polynomial of an attempt was refused (that
// depends on y, which is thrown away, not on the key: each coefficient is refused with the same
// probability whatever the key), and the hint of an attempt that passed the other checks (it is
// made of public values, t0 being computable from a few signatures).
template <class Set, class Backend>
struct Signer {
    using Codec = Coding<Set, Backend>;
    using Ntt = Ring<Backend>;
    using Layout = SignatureLayout<Set>;

    const SigningKey<Set, Backend>& key;
    std::span<std::uint8_t, Set::signature_size> signature;
    SignScratch<Set, Backend>& scratch;
    std::size_t masks_held = 0;  // of scratch.secrets.y

    auto challenge_hash() const { return signature.template first<Set::challenge_hash_size>(); }

    // Lines 11 to 17: y, w, and the challenge into signature and scratch.c.
    void commit(PrivateSeed seed, std::size_t kappa, const Mu& mu) {
        auto& [y, z, w, w1, product] = scratch.secrets;
        Sampler<Set, Backend>::expand_mask(y.data(), masks_held, seed, kappa);
        for (std::size_t j = 0; j < Set::l; ++j) {
            z[j] = y[j];
            Ntt::ntt(z[j]);
        }
        keccak::Shake256<Backend> hash;
        hash.absorb(mu.bytes);
        for (std::size_t i = 0; i < Set::k; ++i) {
            // |A| < q, |z| < 9 q, l <= 7: 63 q^2 < 2^31 q
            Ntt::dot(w[i], &key.matrix[i * Set::l], z.data(), Set::l);
            Ntt::inverse_ntt(w[i]);
            Ntt::to_unsigned(w[i]);
            Codec::decompose(w[i], w1[i].data());
            std::array<std::uint8_t, Set::w1_poly_size> packed{};
            Codec::pack_w1(packed.data(), w1[i].data());
            hash.absorb(packed);
            ct::wipe(packed);
        }
        hash.squeeze(challenge_hash());
        ct::declassify(Bytes(challenge_hash()));
        sample_in_ball<Set, Backend>(scratch.c, challenge_hash());
        Ntt::ntt(scratch.c);
    }

    // c s, a small polynomial (|c s| <= tau 2^12): for the transformed s.
    void times_challenge(Poly& out, const Poly& s) {
        Ntt::multiply(out, scratch.c, s);  // 81 q^2 < 2^31 q
        Ntt::inverse_ntt(out);
    }

    [[nodiscard]] static bool refused(const Poly& w, std::int32_t bound) {
        return ct::declassified(Ntt::exceeds(w, bound));
    }

    // Lines 18 to 30. The order of the checks is ours: the most likely refusal first, and each
    // polynomial as soon as it is there. False if this attempt is refused.
    [[nodiscard]] bool respond() {
        auto& [y, z, w, w1, product] = scratch.secrets;
        // r0 = LowBits(w - c s2): w0 - c s2 is the same wherever it is small enough to pass.
        for (std::size_t i = 0; i < Set::k; ++i) {
            times_challenge(product, key.secrets.s2[i]);
            Ntt::subtract(w[i], w[i], product);
            Ntt::reduce(w[i]);
            if (refused(w[i], Set::gamma2 - Set::beta)) return false;
        }
        for (std::size_t j = 0; j < Set::l; ++j) {
            times_challenge(z[j], key.secrets.s1[j]);
            Ntt::add(z[j], z[j], y[j]);
            Ntt::reduce(z[j]);
            if (refused(z[j], Set::gamma1 - Set::beta)) return false;
        }
        for (std::size_t i = 0; i < Set::k; ++i) {
            times_challenge(product, key.secrets.t0[i]);
            Ntt::reduce(product);
            if (refused(product, Set::gamma2)) return false;
            Ntt::add(w[i], w[i], product);
        }
        return encode();
    }

    // Lines 26, 28 and 33 (Algorithm 26, with Algorithm 20 for the hint).
    [[nodiscard]] bool encode() {
        auto& [y, z, w, w1, product] = scratch.secrets;
        std::uint8_t* const h = signature.data() + Layout::h;
        std::size_t index = 0;
        HintPositions positions{};
        for (std::size_t i = 0; i < Set::k; ++i) {
            const std::size_t count = Codec::make_hint(positions, w[i], w1[i].data());
            if (index + count > Set::omega) return false;
            for (std::size_t at = 0; at < count; ++at) h[index++] = positions[at];
            h[Set::omega + i] = static_cast<std::uint8_t>(index);
        }
        for (; index < Set::omega; ++index) h[index] = 0;
        for (std::size_t j = 0; j < Set::l; ++j) {
            Codec::pack_z(signature.data() + Layout::z + j * Set::z_poly_size, z[j]);
        }
        return true;
    }

    [[nodiscard]] Result<void> run(Randomness randomness, const Mu& mu) {
        std::array<std::uint8_t, 64> seed{};
        mask_seed<Backend>(seed, key.secrets.K, randomness, mu);
        bool done = false;
        for (std::size_t attempt = 0; attempt < max_attempts && !done; ++attempt) {
            commit(seed, attempt * Set::l, mu);
            done = respond();
        }
        ct::wipe(seed);
        ct::wipe_object(scratch.secrets);
        if (!done) {
            ct::wipe(signature);
            return std::unexpected(Code::internal);
        }
        ct::declassify(Bytes(signature));
        return {};
    }
};

// μ of `message` for the key with the hash tr.
template <class Backend>
Mu mu_of(std::span<const std::uint8_t, 64> tr, const Context& context, Bytes message) {
    PublicKeyHash hash{};
    for (std::size_t i = 0; i < tr.size(); ++i) hash.bytes[i] = tr[i];
    return MessageHash<Backend>(hash, context).absorb(message).finish();
}

template <class Set, class Backend>
Result<void> sign_mu(PrivateKey<Set> private_key, const Mu& mu, Randomness randomness,
                     std::span<std::uint8_t, Set::signature_size> signature,
                     SignWorkspace<Set, Backend>& workspace) {
    Result<void> result = std::unexpected(Code::peer_malformed);
    if (load_key<Set, Backend>(workspace.key, private_key)) {
        result =
            Signer<Set, Backend>{workspace.key, signature, workspace.scratch}.run(randomness, mu);
    }
    ct::wipe_object(workspace.key.secrets);
    return result;
}

template <class Set, class Backend>
Result<void> sign(PrivateKey<Set> private_key, Bytes message, const Context& context,
                  Randomness randomness, std::span<std::uint8_t, Set::signature_size> signature,
                  SignWorkspace<Set, Backend>& workspace) {
    const Mu mu = mu_of<Backend>(private_key.template subspan<PrivateKeyLayout<Set>::tr, 64>(),
                                 context, message);
    return sign_mu<Set, Backend>(private_key, mu, randomness, signature, workspace);
}

template <class Set, class Backend>
Result<void> LoadedPrivateKey<Set, Backend>::load(PrivateKey<Set> private_key) {
    loaded_ = load_key<Set, Backend>(key_, private_key);
    if (loaded_) return {};
    ct::wipe_object(key_);
    return std::unexpected(Code::peer_malformed);
}

template <class Set, class Backend>
Result<void> LoadedPrivateKey<Set, Backend>::sign_mu(
    const Mu& mu, Randomness randomness, std::span<std::uint8_t, Set::signature_size> signature,
    SignScratch<Set, Backend>& scratch) const {
    if (!loaded_) return std::unexpected(Code::state_wrong);
    return Signer<Set, Backend>{key_, signature, scratch}.run(randomness, mu);
}

template <class Set, class Backend>
Result<void> LoadedPrivateKey<Set, Backend>::sign(
    Bytes message, const Context& context, Randomness randomness,
    std::span<std::uint8_t, Set::signature_size> signature,
    SignScratch<Set, Backend>& scratch) const {
    if (!loaded_) return std::unexpected(Code::state_wrong);
    return sign_mu(mu_of<Backend>(key_.tr, context, message), randomness, signature, scratch);
}

}  // namespace quoin::core::ml_dsa
