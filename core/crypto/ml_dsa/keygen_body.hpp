// Key generation for any backend; keygen.cpp and keygen_avx2.cpp instantiate it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/base/declassify.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/ml_dsa/coding.hpp"
#include "core/crypto/ml_dsa/layout.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/ml_dsa/sample.hpp"

namespace quoin::core::ml_dsa {

template <class Set, class Backend>
void keygen(const Seed& xi, std::span<std::uint8_t, Set::public_key_size> public_key,
            std::span<std::uint8_t, Set::private_key_size> private_key,
            KeygenWorkspace<Set, Backend>& workspace) {
    using Layout = PrivateKeyLayout<Set>;
    using Codec = Coding<Set, Backend>;
    auto& [s, t, t0] = workspace.secrets;
    std::uint8_t* const pk = public_key.data();
    std::uint8_t* const sk = private_key.data();

    // Line 1: (rho, rho', K) = H(xi || k || l, 128)
    constexpr std::array<std::uint8_t, 2> dimensions{Set::k, Set::l};
    std::array<std::uint8_t, 128> seeds{};
    keccak::Shake256<Backend>::digest(seeds, xi.expose(), dimensions);
    ct::declassify(Bytes(seeds).first(32));  // rho is part of the public key
    const std::span<const std::uint8_t, 128> all(seeds);
    const PublicSeed rho = all.template first<32>();
    for (std::size_t i = 0; i < 32; ++i) {
        pk[i] = seeds[i];
        sk[Layout::rho + i] = seeds[i];
        sk[Layout::K + i] = seeds[96 + i];
    }

    // Line 4
    Sampler<Set, Backend>::expand_secret(s.data(), all.template subspan<32, 64>());
    for (std::size_t r = 0; r < Set::l + Set::k; ++r) {
        Codec::pack_small(sk + Layout::s1 + r * Set::eta_poly_size, s[r]);
    }
    for (std::size_t r = 0; r < Set::l; ++r) Ring<Backend>::ntt(s[r]);

    for (std::size_t i = 0; i < Set::k; ++i) {
        // Lines 3 and 5: t = A s1 + s2, |t| < q + eta
        Sampler<Set, Backend>::multiply_row(t, rho, i, s.data(), workspace.rows.data());
        Ring<Backend>::inverse_ntt(t);
        Ring<Backend>::add(t, t, s[Set::l + i]);
        Ring<Backend>::reduce(t);
        Ring<Backend>::to_unsigned(t);
        // Lines 6, 8 and 10
        Codec::power2round(t, t0);
        Codec::pack_t1(pk + 32 + i * Set::t1_poly_size, t);
        Codec::pack_t0(sk + Layout::t0 + i * Set::t0_poly_size, t0);
    }
    ct::declassify(Bytes(public_key));

    // Line 9: tr = H(pk, 64)
    keccak::Shake256<Backend>::digest(private_key.template subspan<Layout::tr, 64>(), public_key);
    ct::wipe(seeds);
    ct::wipe_object(workspace.secrets);
}

}  // namespace quoin::core::ml_dsa
