// Signing in little memory, after the ideas of "Dilithium for Memory Constrained Devices" (Bos,
// Renes, Sprenkels, AFRICACRYPT 2022, eprint 2022/323): A is never stored but multiplied as it
// leaves its SHAKE, y is made again where it is needed, w is held packed, and each product with the
// challenge is made for one polynomial at a time. Steps that hold a sponge are functions of their
// own (noinline), so that their stack is not there all the time.
#include "core/crypto/ml_dsa/sign_body.hpp"

namespace quoin::core::ml_dsa {
namespace {

std::int32_t read_packed(const PackedPoly& from, std::size_t i) {
    const std::uint8_t* const at = from.data() + 3 * i;
    return at[0] | (at[1] << 8) | (at[2] << 16);
}
void write_packed(PackedPoly& to, std::size_t i, std::int32_t value) {
    std::uint8_t* const at = to.data() + 3 * i;
    at[0] = static_cast<std::uint8_t>(value);
    at[1] = static_cast<std::uint8_t>(value >> 8);
    at[2] = static_cast<std::uint8_t>(value >> 16);
}

using Ntt = Ring<Portable>;

// FIPS 204, Algorithm 7, as Signer of sign_body.hpp, where it says what is public.
template <class Set>
struct LowMemorySigner {
    using Codec = Coding<Set, Portable>;
    using Key = PrivateKeyLayout<Set>;
    using Layout = SignatureLayout<Set>;

    PrivateKey<Set> private_key;
    std::span<std::uint8_t, Set::signature_size> signature;
    LowMemorySignWorkspace<Set>& workspace;

    auto challenge_hash() const { return signature.template first<Set::challenge_hash_size>(); }

    // s1, s2 as in Signer::load_key, but only looked at.
    [[nodiscard]] bool key_is_sound() {
        bool sound = true;
        for (std::size_t r = 0; r < Set::l + Set::k; ++r) {
            sound &= Codec::unpack_small(workspace.poly,
                                         private_key.data() + Key::s1 + r * Set::eta_poly_size);
        }
        return sound;
    }

    // Lines 11 and 12 without the inverse transform: w = A y, in [0, q).
    [[gnu::noinline]] void multiply_matrix(PrivateSeed seed, std::size_t kappa) {
        auto& w = workspace.w;
        auto& poly = workspace.poly;
        ct::wipe_object(w);
        const PublicSeed rho = private_key.template first<32>();
        for (std::size_t j = 0; j < Set::l; ++j) {
            mask<Set>(seed, kappa + j, [&](std::size_t at, std::int32_t y) { poly.c[at] = y; });
            Ntt::ntt(poly);
            for (std::size_t i = 0; i < Set::k; ++i) {
                uniform<48>(rho, i, j, [&, &row = w[i]](std::size_t at, std::int32_t a) {
                    const std::int32_t term = to_unsigned(montgomery_multiply(a, poly.c[at]));
                    write_packed(row, at, to_unsigned(read_packed(row, at) + term - q));
                });
            }
        }
    }

    // Lines 12 to 17.
    [[gnu::noinline]] void challenge(const Mu& mu) {
        auto& w = workspace.w;
        auto& poly = workspace.poly;
        keccak::Shake256<> hash;
        hash.absorb(mu.bytes);
        for (PackedPoly& row : w) {
            for (std::size_t at = 0; at < n; ++at) poly.c[at] = read_packed(row, at);
            Ntt::inverse_ntt(poly);
            Ntt::to_unsigned(poly);
            for (std::size_t at = 0; at < n; ++at) write_packed(row, at, poly.c[at]);
            // Where z will stand is room for w1.
            const auto w1 = signature.template subspan<Layout::z, Set::w1_poly_size>();
            Codec::pack_high_bits(w1.data(), poly);
            hash.absorb(w1);
        }
        hash.squeeze(challenge_hash());
    }
    [[gnu::noinline]] void load_challenge() {
        auto& c = workspace.c;
        auto& poly = workspace.poly;
        ct::declassify(Bytes(challenge_hash()));
        sample_in_ball<Set, Portable>(poly, challenge_hash());
        Ntt::ntt(poly);
        Ntt::reduce(poly);
        for (std::size_t at = 0; at < n; ++at) {
            write_packed(c, at, poly.c[at] + (poly.c[at] < 0 ? q : 0));  // public
        }
    }

    // workspace.poly = c times itself, a small polynomial.
    void times_challenge() {
        auto& c = workspace.c;
        auto& poly = workspace.poly;
        Ntt::ntt(poly);
        for (std::size_t at = 0; at < n; ++at) {
            poly.c[at] = montgomery_multiply(read_packed(c, at), poly.c[at]);
        }
        Ntt::inverse_ntt(poly);
        Ntt::reduce(poly);
    }

    // Lines 19, 21 and 23 for r0: w becomes w - c s2.
    [[gnu::noinline]] [[nodiscard]] bool low_bits_pass(std::size_t i) {
        auto& w = workspace.w;
        auto& poly = workspace.poly;
        const std::uint8_t* const s2 = private_key.data() + Key::s2 + i * Set::eta_poly_size;
        static_cast<void>(Codec::unpack_small(poly, s2));
        times_challenge();
        for (std::size_t at = 0; at < n; ++at) {
            // w in [0, q), |c s2| <= beta: one correction on either side
            std::int32_t difference = to_unsigned(read_packed(w[i], at) - poly.c[at]);
            difference = to_unsigned(difference - q);
            write_packed(w[i], at, difference);
            poly.c[at] = decompose<Set>(difference).low;
        }
        return !ct::declassified(Ntt::exceeds(poly, Set::gamma2 - Set::beta));
    }

    // Lines 18, 20 and 23 for z, with y made again.
    [[gnu::noinline]] [[nodiscard]] bool respond(PrivateSeed seed, std::size_t kappa,
                                                 std::size_t j) {
        auto& poly = workspace.poly;
        const std::uint8_t* const s1 = private_key.data() + Key::s1 + j * Set::eta_poly_size;
        static_cast<void>(Codec::unpack_small(poly, s1));
        times_challenge();
        mask<Set>(seed, kappa + j, [&](std::size_t at, std::int32_t y) { poly.c[at] += y; });
        if (ct::declassified(Ntt::exceeds(poly, Set::gamma1 - Set::beta))) return false;
        Codec::pack_z(signature.data() + Layout::z + j * Set::z_poly_size, poly);
        return true;
    }

    // Lines 25 to 28 for row i; `index` ones stand in the hint already.
    [[gnu::noinline]] [[nodiscard]] bool hint(std::size_t i, std::size_t& index) {
        auto& w = workspace.w;
        auto& poly = workspace.poly;
        Codec::unpack_t0(poly, private_key.data() + Key::t0 + i * Set::t0_poly_size);
        times_challenge();
        if (ct::declassified(Ntt::exceeds(poly, Set::gamma2))) return false;
        std::uint8_t* const h = signature.data() + Layout::h;
        for (std::size_t at = 0; at < n; ++at) {
            // MakeHint(-c t0, w - c s2 + c t0): Algorithm 39
            const std::int32_t before = read_packed(w[i], at);
            const std::int32_t after = to_unsigned(to_unsigned(before + poly.c[at]) - q);
            const std::int32_t changed = decompose<Set>(before).high ^ decompose<Set>(after).high;
            if (ct::declassified(changed) == 0) continue;
            if (index == Set::omega) return false;
            h[index++] = static_cast<std::uint8_t>(at);
        }
        h[Set::omega + i] = static_cast<std::uint8_t>(index);
        return true;
    }

    [[nodiscard]] bool attempt(PrivateSeed seed, std::size_t kappa, const Mu& mu) {
        multiply_matrix(seed, kappa);
        challenge(mu);
        load_challenge();
        for (std::size_t i = 0; i < Set::k; ++i) {
            if (!low_bits_pass(i)) return false;
        }
        for (std::size_t j = 0; j < Set::l; ++j) {
            if (!respond(seed, kappa, j)) return false;
        }
        std::size_t index = 0;
        for (std::size_t i = 0; i < Set::k; ++i) {
            if (!hint(i, index)) return false;
        }
        for (; index < Set::omega; ++index) signature[Layout::h + index] = 0;
        return true;
    }

    [[gnu::noinline]] void make_seed(std::array<std::uint8_t, 64>& seed, Randomness randomness,
                                     const Mu& mu) {
        mask_seed<Portable>(seed, private_key.template subspan<Key::K, 32>(), randomness, mu);
    }

    [[nodiscard]] Result<void> run(Randomness randomness, const Mu& mu) {
        if (!key_is_sound()) return std::unexpected(Code::peer_malformed);
        std::array<std::uint8_t, 64> seed{};
        make_seed(seed, randomness, mu);
        bool done = false;
        for (std::size_t i = 0; i < max_attempts && !done; ++i) {
            done = attempt(seed, i * Set::l, mu);
        }
        ct::wipe(seed);
        if (!done) {
            ct::wipe(signature);
            return std::unexpected(Code::internal);
        }
        ct::declassify(Bytes(signature));
        return {};
    }
};

}  // namespace

template <class Set>
Result<void> sign_mu_low_memory(PrivateKey<Set> private_key, const Mu& mu, Randomness randomness,
                                std::span<std::uint8_t, Set::signature_size> signature,
                                LowMemorySignWorkspace<Set>& workspace) {
    LowMemorySigner<Set> signer{private_key, signature, workspace};
    const Result<void> result = signer.run(randomness, mu);
    ct::wipe_object(workspace);
    return result;
}

template Result<void> sign_mu_low_memory<Set44>(PrivateKey<Set44>, const Mu&, Randomness,
                                                std::span<std::uint8_t, Set44::signature_size>,
                                                LowMemorySignWorkspace<Set44>&);
template Result<void> sign_mu_low_memory<Set65>(PrivateKey<Set65>, const Mu&, Randomness,
                                                std::span<std::uint8_t, Set65::signature_size>,
                                                LowMemorySignWorkspace<Set65>&);
template Result<void> sign_mu_low_memory<Set87>(PrivateKey<Set87>, const Mu&, Randomness,
                                                std::span<std::uint8_t, Set87::signature_size>,
                                                LowMemorySignWorkspace<Set87>&);

}  // namespace quoin::core::ml_dsa
