// Key generation, for any backend: specification, Algorithm 5 (NTRUGen).
#pragma once

#include "core/crypto/falcon/gaussian.hpp"
#include "core/crypto/falcon/keygen.hpp"
#include "core/crypto/falcon/lanes.hpp"
#include "core/crypto/falcon/wiped.hpp"
#include "core/crypto/keccak/keccak.hpp"

namespace quoin::core::falcon {

template <class Set, class Backend>
class KeyGenerator {
    using Real = RealOf<Backend>;
    using Fft = falcon::Fft<Real, LanesOf<Backend>>;
    using Ring = falcon::Ring<Set, RingOf<Backend>>;
    static constexpr std::size_t n = Set::n;

public:
    KeyGenerator(KeygenWorkspace<Set, Backend>& workspace, PrngKey key)
        : w_(workspace), prng_(workspace.prng, key) {}

    // f, g, F and G of one candidate, and h; false if it is refused.
    bool try_candidate(std::span<std::uint8_t, Set::public_key_size> public_key) {
        sample(w_.basis.f);
        sample(w_.basis.g);
        if (!is_short() || !is_short_orthogonalised()) return false;
        if (!make_public_key<Set, RingOf<Backend>>(public_key, w_.basis, w_.a, w_.b)) return false;
        return NtruSolver<Set, Real, LanesOf<Backend>>(w_.solver).solve(w_.basis);
    }

private:
    static constexpr const auto& table() {
        if constexpr (n == 512) {
            return gaussian_512;
        } else {
            return gaussian_1024;
        }
    }

    // Algorithm 5, lines 2 to 4, by the cumulative table instead of sums of SamplerZ. The sum of
    // the coefficients is odd: so that the resultant of f is, as big_inverse() needs. Coefficients
    // that the encoding has no room for are drawn again.
    void sample(std::array<std::int8_t, n>& f) {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::int32_t c = coefficient();
            f[i] = static_cast<std::int8_t>(c);
            sum += static_cast<std::uint32_t>(c);
            if (i + 1 == n && ct::declassified(sum & 1U) == 0) {
                sum -= static_cast<std::uint32_t>(c);
                --i;
            }
        }
    }
    std::int32_t coefficient() {
        constexpr std::int32_t largest = (1 << (Set::fg_bits - 1)) - 1;
        for (;;) {
            const auto u = load_little_endian<std::uint64_t>(prng_.take(8));
            const std::uint64_t below = u >> 1U;
            std::uint32_t z = 0;
            for (const std::uint64_t entry : table()) {
                z += static_cast<std::uint32_t>((below - entry) >> 63U);
            }
            const std::uint32_t sign = 0U - (static_cast<std::uint32_t>(u) & 1U);
            const auto c = static_cast<std::int32_t>((z ^ sign) - sign);
            if (ct::declassified(static_cast<std::uint32_t>(largest) - z) >> 31U == 0) return c;
        }
    }

    // Line 5, the first half of gamma: |(g, -f)|^2 <= 1.17^2 q = 16822.4.
    bool is_short() const {
        std::int32_t norm = 0;
        for (std::size_t i = 0; i < n; ++i) {
            norm += w_.basis.f[i] * w_.basis.f[i] + w_.basis.g[i] * w_.basis.g[i];
        }
        return ct::declassified(norm <= 16822);
    }

    // The second half: |(q f*, q g*) / (f f* + g g*)|^2, which is q^2 times the mean of 1 / (f f* +
    // g g*) over the roots.
    bool is_short_orthogonalised() {
        auto& [f, g, sums, unused] = w_.solver.reals;
        for (std::size_t i = 0; i < n; ++i) {
            f[i] = Real::from_integer(w_.basis.f[i]);
            g[i] = Real::from_integer(w_.basis.g[i]);
        }
        Fft::transform(f.data(), n);
        Fft::transform(g.data(), n);
        Fft::for_lanes(n / 2, [&]<class V>(V, std::size_t i) {
            const auto a = Fft::template get<V>(f.data(), i, n);
            const auto b = Fft::template get<V>(g.data(), i, n);
            (V::all(Real::from_integer(1)) / (a.squared_norm() + b.squared_norm()))
                .store(sums.data() + i);
        });
        Real total = Real::from_integer(0);
        for (std::size_t i = 0; i < n / 2; ++i) total = total + sums[i];
        const Real norm = total * Real::from_integer(std::int64_t{q} * q * 2 / n);
        return ct::declassified(norm.floor() <= 16822);
    }

    KeygenWorkspace<Set, Backend>& w_;
    Prng<Backend> prng_;
};

// Section 3.11.5.
template <class Set>
void encode_private_key(std::span<std::uint8_t, Set::private_key_size> private_key,
                        const Basis<Set>& basis) {
    constexpr std::size_t fg_size = Set::fg_bits * Set::n / 8;
    private_key[0] = Set::private_key_header;
    const auto encode = [&]<unsigned Width>(MutableBytes to,
                                            const std::array<std::int8_t, Set::n>& from) {
        pack_fields<Width>(to, [&](std::size_t i) { return static_cast<std::uint32_t>(from[i]); });
    };
    encode.template operator()<Set::fg_bits>(private_key.subspan(1, fg_size), basis.f);
    encode.template operator()<Set::fg_bits>(private_key.subspan(1 + fg_size, fg_size), basis.g);
    encode.template operator()<8>(private_key.subspan(1 + 2 * fg_size), basis.F);
}

template <class Set, class Backend>
Result<void> keygen(const Seed& seed, std::span<std::uint8_t, Set::public_key_size> public_key,
                    std::span<std::uint8_t, Set::private_key_size> private_key,
                    KeygenWorkspace<Set, Backend>& workspace) {
    const Wiped wiped(workspace);
    std::array<std::uint8_t, prng_key_size> key;
    const Wiped wiped_key(key);
    constexpr std::array<std::uint8_t, 2> for_keygen{0xff, Set::log_n};
    keccak::Shake256<RingOf<Backend>>::digest(key, for_keygen, seed.expose());
    KeyGenerator<Set, Backend> generator(workspace, key);
    for (int candidate = 0; candidate < 65536; ++candidate) {
        if (!generator.try_candidate(public_key)) continue;
        ct::declassify(Bytes(public_key));
        encode_private_key<Set>(private_key, workspace.basis);
        return {};
    }
    return std::unexpected(Code::internal);
}

}  // namespace quoin::core::falcon
