// Where the pseudo-random polynomials come from, for Portable: each is sampled when it is asked
// for, into the one place that the workspace has for it.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/crypto/ml_kem/arithmetic_portable.hpp"
#include "core/crypto/ml_kem/rider.hpp"

namespace quoin::core::ml_kem {

template <class Set, class Backend>
struct Workspace;

template <class Set>
struct Workspace<Set, Portable> {
    std::array<typename Arithmetic<Portable>::Multiplicand, Set::k> vector;
    Poly result;
    Poly scratch;
    typename Arithmetic<Portable>::Sum sum;

    // The place of operand j of a product that is being summed up: one for all.
    Poly& operand(std::size_t) { return scratch; }
};

// SampleNTT (FIPS 203, algorithm 7) of SHAKE128(rho || first || second), in [0, q).
void sample_ntt(Poly& out, std::span<const std::uint8_t, 32> rho, std::uint8_t first,
                std::uint8_t second);
// PRF (section 4.1): SHAKE256(seed || n).
void prf(MutableBytes out, std::span<const std::uint8_t, 32> seed, std::uint8_t n);

template <class Set, class Backend>
class Source;

template <class Set>
class Source<Set, Portable> {
public:
    explicit Source(Workspace<Set, Portable>& workspace) : workspace_(workspace) {}

    enum class Matrix : std::uint8_t { plain, transposed };

    // A, or its transpose; the rider is a hash that is due anyway.
    void set_matrix(std::span<const std::uint8_t, 32> rho, Matrix matrix, const Rider& rider) {
        for (std::size_t i = 0; i < 32; ++i) rho_[i] = rho[i];
        matrix_ = matrix;
        if (!rider.output.empty()) rider.run();
    }

    const Poly& entry(std::size_t row, std::size_t column) {
        // A[i, j] = SampleNTT(rho || j || i): FIPS 203, algorithm 13, line 5.
        const auto i = static_cast<std::uint8_t>(matrix_ == Matrix::plain ? row : column);
        const auto j = static_cast<std::uint8_t>(matrix_ == Matrix::plain ? column : row);
        sample_ntt(workspace_.scratch, rho_, j, i);
        return workspace_.scratch;
    }

private:
    Workspace<Set, Portable>& workspace_;
    std::array<std::uint8_t, 32> rho_{};
    Matrix matrix_ = Matrix::plain;
};

// The noise of one seed: polynomial n is CBD of PRF(seed, n).
template <class Set, class Backend>
class Noise;

template <class Set>
class Noise<Set, Portable> {
public:
    // `first` of eta1, then `count - first` of eta2.
    Noise(Workspace<Set, Portable>&, std::span<const std::uint8_t, 32> seed, std::size_t,
          std::size_t)
        : seed_(seed) {}

    template <std::size_t Eta>
    void sample(Poly& out, std::size_t n) const {
        std::array<std::uint8_t, 64 * Eta> bytes{};
        prf(bytes, seed_, static_cast<std::uint8_t>(n));
        Arithmetic<Portable>::sample_cbd<Eta>(out, bytes);
        ct::wipe(bytes);
    }

private:
    std::span<const std::uint8_t, 32> seed_;
};

}  // namespace quoin::core::ml_kem
