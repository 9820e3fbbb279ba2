// Signing, for any backend: specification, Algorithms 4 and 10.
//
// The basis B = [[g, -f], [G, -F]] is kept as f, F, g, G. t = (c, 0) B^-1 = (-c F / q, c f / q);
// with integers z near t, s = (t - z) B is s1 = c - z0 g - z1 G and s2 = z0 f + z1 F.
#pragma once

#include "core/crypto/falcon/compress.hpp"
#include "core/crypto/falcon/ff_sampling.hpp"
#include "core/crypto/falcon/hash_to_point.hpp"
#include "core/crypto/falcon/lanes.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/falcon/wiped.hpp"

namespace quoin::core::falcon {

template <class Set>
inline constexpr std::uint64_t inverse_sigma = Set::n == 512 ? 0x3f78b6c2de64c7c9   // 1 / 165.73..
                                                             : 0x3f78531ef6311ae2;  // 1 / 168.38..
template <class Set>
inline constexpr std::uint64_t sigma_min = Set::n == 512 ? 0x3ff47201bf1f7a75   // 1.27783..
                                                         : 0x3ff4c5c19990c764;  // 1.29828..

using Digest = std::array<std::uint8_t, 32>;

template <class Set, class Backend>
class Signer {
    using Real = RealOf<Backend>;
    using Fft = falcon::Fft<Real, LanesOf<Backend>>;
    using Ldl = falcon::Ldl<Real, LanesOf<Backend>>;
    using Source = Prng<Backend>;
    static constexpr std::size_t n = Set::n;

public:
    using Sampling = FfSampling<Real, LanesOf<Backend>, Source>;

    template <class Coefficients>
    static void load(Real* to, const Coefficients& from) {
        for (std::size_t i = 0; i < n; ++i) to[i] = Real::from_integer(from[i]);
        Fft::transform(to, n);
    }

    // G = B B*: Algorithm 4, line 4. g00 and g11 have n / 2 reals.
    static void gram(Real* g00, Real* g01, Real* g11, const Real* f, const Real* F, const Real* g,
                     const Real* G) {
        Fft::for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            const auto a = Fft::template get<V>(f, i, n), b = Fft::template get<V>(F, i, n);
            const auto c = Fft::template get<V>(g, i, n), d = Fft::template get<V>(G, i, n);
            (c.squared_norm() + a.squared_norm()).store(g00 + i);
            (d.squared_norm() + b.squared_norm()).store(g11 + i);
            Fft::put(g01, i, n, c * d.conjugate() + a * b.conjugate());
        });
    }

    // t, of c (transformed; divided by q here): t0 = -c F / q and t1 = c f / q may be F and f.
    static void target(Real* t0, Real* t1, Real* c, const Real* f, const Real* F) {
        Fft::scale(c, Real::from_bits(0x3f1554e39097a782), n);  // 1 / 12289
        Fft::for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            const auto value = Fft::template get<V>(c, i, n);
            const auto product = Fft::template get<V>(F, i, n) * value;
            Fft::put(t1, i, n, Fft::template get<V>(f, i, n) * value);
            Fft::put(t0, i, n, Complex<V>{-product.re, -product.im});
        });
    }

    // sum = z0 a + z1 b, transformed back; a may be sum.
    static void combine(Real* sum, const Real* z0, const Real* a, const Real* z1, const Real* b) {
        Fft::for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            Fft::put(sum, i, n,
                     Fft::template get<V>(z0, i, n) * Fft::template get<V>(a, i, n) +
                         Fft::template get<V>(z1, i, n) * Fft::template get<V>(b, i, n));
        });
        Fft::transform_back(sum, n);
    }

    // The squared norm of c - sum, or of sum if c is null; rounds to s if not null. What is beyond
    // any signature sets `large`.
    static std::uint64_t norm(const Real* sum, const Poly<Set>* c, Poly<Set>* s,
                              std::uint64_t& large) {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::int64_t rounded = sum[i].round();
            const std::int64_t value = c == nullptr ? rounded : c->c[i] - rounded;
            large |= static_cast<std::uint64_t>((value + 32767) | (32767 - value));
            total += static_cast<std::uint64_t>(value * value) & 0xffffffffU;
            if (s != nullptr) s->c[i] = static_cast<std::int16_t>(value);
        }
        return total;
    }

    // Algorithm 10. sample(source, c, s2, large) makes s from c with fresh z and gives its norm.
    template <class Sample>
    static Result<std::size_t> sign(const Digest& key_hash, Bytes message, Randomness randomness,
                                    Format format, SignatureBuffer<Set> signature,
                                    Attempt<Set>& attempt, Sample sample) {
        const std::span<std::uint8_t, salt_size> salt = signature.template subspan<1, salt_size>();
        constexpr std::array<std::uint8_t, 1> for_salt{0};
        keccak::Shake256<RingOf<Backend>>::digest(salt, for_salt, key_hash, randomness);
        ct::declassify(Bytes(salt));
        keccak::Shake256<RingOf<Backend>> xof;
        xof.absorb(salt).absorb(message);
        hash_to_point(attempt.c, xof);
        Digest message_hash;
        xof.squeeze(message_hash);
        // More than a few are refused only by a broken processor, or a private key that is none.
        for (std::uint8_t count = 1; count != 0; ++count) {
            const std::array<std::uint8_t, 1> for_attempt{count};
            std::array<std::uint8_t, prng_key_size> prng_key;
            const Wiped wiped(prng_key);
            keccak::Shake256<RingOf<Backend>>::digest(prng_key, for_attempt, key_hash, randomness,
                                                      message_hash);
            Source source(attempt.prng, prng_key);
            std::uint64_t large = 0;
            const std::uint64_t squared_norm = sample(source, attempt.c, attempt.s2, large);
            if (ct::declassified((large >> 63U) | (Set::beta_squared - squared_norm) >> 63U) != 0) {
                continue;
            }
            ct::declassify(attempt.s2);
            const std::size_t size =
                compress<Set>(attempt.s2, std::span(signature).template subspan<1 + salt_size>());
            if (size != 0) {
                signature[0] = Set::signature_header;
                return format == Format::padded ? signature.size() : 1 + salt_size + size;
            }
            format = Format::padded;
        }
        return std::unexpected(Code::internal);
    }

    // s and its norm from z in t0 and t1; scratch: 2 n reals. basis(i, to) gives f, F, g or G,
    // transformed, and may put it in `to`.
    template <class GetBasis>
    static std::uint64_t finish(const Real* t0, const Real* t1, const Poly<Set>& c, Poly<Set>& s2,
                                Real* scratch, GetBasis basis, std::uint64_t& large) {
        const Real* f = basis(0, scratch);
        const Real* F = basis(1, scratch + n);
        combine(scratch, t0, f, t1, F);
        const std::uint64_t s2_norm = norm(scratch, nullptr, &s2, large);
        const Real* g = basis(2, scratch);
        const Real* G = basis(3, scratch + n);
        combine(scratch, t0, g, t1, G);
        return s2_norm + norm(scratch, &c, nullptr, large);
    }

    static Width<Real, Source> width(Source& source) {
        return {source, Real::from_bits(inverse_sigma<Set>), Real::from_bits(sigma_min<Set>)};
    }

    // The private key's part in everything that must differ from key to key.
    static void hash_key(Digest& hash, PrivateKey<Set> private_key) {
        keccak::Shake256<RingOf<Backend>>::digest(hash, private_key);
    }

    static bool decode(SignWorkspace<Set, Backend>& workspace, PrivateKey<Set> private_key) {
        return decode_private_key(workspace.basis, private_key) &&
               complete_basis<Set, RingOf<Backend>>(workspace.basis, workspace.attempt.c,
                                                    workspace.attempt.s2);
    }

    // An attempt whose tree is made on the way.
    static std::uint64_t sample_dynamic(Source& source, const Poly<Set>& c, Poly<Set>& s2,
                                        std::uint64_t& large,
                                        SignWorkspace<Set, Backend>& workspace) {
        auto& poly = workspace.reals.poly;
        const Basis<Set>& basis = workspace.basis;
        const std::array<const std::array<std::int8_t, n>*, 4> small{&basis.f, &basis.F, &basis.g,
                                                                     &basis.G};
        Real* const g00 = poly[0].data();
        Real* const g11 = g00 + n / 2;
        Real* const g01 = poly[1].data();
        Real* const t1 = poly[2].data();  // f, then t1
        Real* const t0 = poly[3].data();  // F, then t0
        Real* const rest = poly[4].data();
        for (std::size_t i = 0; i < 4; ++i) load(poly[2 + i].data(), *small[i]);
        gram(g00, g01, g11, t1, t0, poly[4].data(), poly[5].data());
        load(poly[6].data(), c.c);
        target(t0, t1, poly[6].data(), t1, t0);
        Sampling(width(source)).sample_dynamic(t0, t1, g00, g01, g11, n, rest);
        return finish(
            t0, t1, c, s2, rest,
            [&](std::size_t i, Real* to) {
                load(to, *small[i]);
                return to;
            },
            large);
    }
};

template <class Set, class Backend>
Result<std::size_t> sign(PrivateKey<Set> private_key, Bytes message, Randomness randomness,
                         Format format, SignatureBuffer<Set> signature,
                         SignWorkspace<Set, Backend>& workspace) {
    using Signer = falcon::Signer<Set, Backend>;
    const Wiped wiped(workspace);
    if (!Signer::decode(workspace, private_key)) return std::unexpected(Code::peer_malformed);
    Digest key_hash;
    const Wiped wiped_hash(key_hash);
    Signer::hash_key(key_hash, private_key);
    return Signer::sign(key_hash, message, randomness, format, signature, workspace.attempt,
                        [&](auto& source, const Poly<Set>& c, Poly<Set>& s2, std::uint64_t& large) {
                            return Signer::sample_dynamic(source, c, s2, large, workspace);
                        });
}

template <class Set, class Backend>
Result<void> public_key_of(PrivateKey<Set> private_key,
                           std::span<std::uint8_t, Set::public_key_size> public_key,
                           SignWorkspace<Set, Backend>& workspace) {
    const Wiped wiped(workspace);
    if (!Signer<Set, Backend>::decode(workspace, private_key) ||
        !make_public_key<Set, RingOf<Backend>>(public_key, workspace.basis, workspace.attempt.c,
                                               workspace.attempt.s2)) {
        return std::unexpected(Code::peer_malformed);
    }
    ct::declassify(Bytes(public_key));
    return {};
}

template <class Set, class Backend>
Result<void> LoadedPrivateKey<Set, Backend>::load(PrivateKey<Set> private_key,
                                                  SignWorkspace<Set, Backend>& workspace) {
    using Signer = falcon::Signer<Set, Backend>;
    constexpr std::size_t n = Set::n;
    const Wiped wiped(workspace);
    loaded_ = false;
    if (!Signer::decode(workspace, private_key)) return std::unexpected(Code::peer_malformed);
    Signer::hash_key(key_.hash, private_key);
    auto& [f, F, g, G] = key_.basis.poly;
    Signer::load(f.data(), workspace.basis.f);
    Signer::load(F.data(), workspace.basis.F);
    Signer::load(g.data(), workspace.basis.g);
    Signer::load(G.data(), workspace.basis.G);
    auto& poly = workspace.reals.poly;
    Signer::gram(poly[0].data(), poly[1].data(), poly[0].data() + n / 2, f.data(), F.data(),
                 g.data(), G.data());
    Ldl<RealOf<Backend>, LanesOf<Backend>>::make_tree(
        key_.tree.data(), poly[0].data(), poly[1].data(), poly[0].data() + n / 2, n,
        RealOf<Backend>::from_bits(inverse_sigma<Set>), poly[2].data());
    loaded_ = true;
    return {};
}

template <class Set, class Backend>
Result<std::size_t> LoadedPrivateKey<Set, Backend>::sign(Bytes message, Randomness randomness,
                                                         Format format,
                                                         SignatureBuffer<Set> signature,
                                                         SignScratch<Set, Backend>& scratch) const {
    using Signer = falcon::Signer<Set, Backend>;
    using Real = RealOf<Backend>;
    if (!loaded_) return std::unexpected(Code::state_wrong);
    const Wiped wiped(scratch);
    const auto& basis = key_.basis.poly;
    auto& poly = scratch.reals.poly;
    return Signer::sign(key_.hash, message, randomness, format, signature, scratch.attempt,
                        [&](auto& source, const Poly<Set>& c, Poly<Set>& s2, std::uint64_t& large) {
                            Real *t0 = poly[0].data(), *t1 = poly[1].data(), *rest = poly[2].data();
                            Signer::load(rest, c.c);
                            Signer::target(t0, t1, rest, basis[0].data(), basis[1].data());
                            typename Signer::Sampling(Signer::width(source))
                                .sample(t0, t1, key_.tree.data(), Set::n, rest);
                            return Signer::finish(
                                t0, t1, c, s2, rest,
                                [&](std::size_t i, Real*) { return basis[i].data(); }, large);
                        });
}

}  // namespace quoin::core::falcon
