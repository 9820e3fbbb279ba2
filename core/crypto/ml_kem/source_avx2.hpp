// Where the pseudo-random polynomials come from, for Avx2 and Avx512: four Keccak states at a time
// sample the whole matrix, then all of the noise, into the workspace.
#pragma once

#include "core/crypto/ml_kem/arithmetic_avx2.hpp"
#include "core/crypto/ml_kem/source_portable.hpp"

namespace quoin::core::ml_kem {

// PRF outputs of up to nine nonces and three that make up a group of four; 192 bytes each are used.
struct NoiseBytes {
    alignas(32) std::array<std::array<std::uint8_t, 224>, 12> of;
};

template <class Set>
struct WideWorkspace {
    std::array<typename Arithmetic<Avx2>::Multiplicand, Set::k> vector;
    Poly result;
    std::array<Poly, Set::k> operands;
    typename Arithmetic<Avx2>::Sum sum;
    // The sampler writes up to 15 coefficients past the end of a polynomial: the last is for that.
    std::array<Poly, Set::k * Set::k + 1> matrix;
    NoiseBytes noise;

    Poly& operand(std::size_t j) { return operands[j]; }
};

template <class Set>
struct Workspace<Set, Avx2> : WideWorkspace<Set> {};
template <class Set>
struct Workspace<Set, Avx512> : WideWorkspace<Set> {};

// matrix[i] = SampleNTT(rho || positions[i]), in [0, q); `matrix` has one more for the overflow.
template <class Backend>
void sample_matrix(std::span<Poly> matrix, std::span<const std::uint8_t, 32> rho,
                   std::span<const std::uint16_t> positions, const Rider& rider);
// out[n] = PRF(seed, n) for n < count: 192 bytes up to `long_count`, then 128.
template <class Backend>
void fill_noise(NoiseBytes& out, std::span<const std::uint8_t, 32> seed, std::size_t count,
                std::size_t long_count);

template <class Set, class Backend>
class WideSource {
public:
    explicit WideSource(WideWorkspace<Set>& workspace) : workspace_(workspace) {}

    enum class Matrix : std::uint8_t { plain, transposed };

    void set_matrix(std::span<const std::uint8_t, 32> rho, Matrix matrix, const Rider& rider) {
        std::array<std::uint16_t, k * k> positions{};
        for (std::size_t row = 0; row < k; ++row) {
            for (std::size_t column = 0; column < k; ++column) {
                // A[i, j] = SampleNTT(rho || j || i): FIPS 203, algorithm 13, line 5.
                const std::size_t i = matrix == Matrix::plain ? row : column;
                const std::size_t j = matrix == Matrix::plain ? column : row;
                positions[k * row + column] = static_cast<std::uint16_t>(j | i << 8U);
            }
        }
        sample_matrix<Backend>(workspace_.matrix, rho, positions, rider);
    }

    const Poly& entry(std::size_t row, std::size_t column) const {
        return workspace_.matrix[k * row + column];
    }

private:
    static constexpr std::size_t k = Set::k;
    WideWorkspace<Set>& workspace_;
};

template <class Set>
class Source<Set, Avx2> : public WideSource<Set, Avx2> {
public:
    using WideSource<Set, Avx2>::WideSource;
};
template <class Set>
class Source<Set, Avx512> : public WideSource<Set, Avx512> {
public:
    using WideSource<Set, Avx512>::WideSource;
};

template <class Set, class Backend>
class WideNoise {
public:
    WideNoise(WideWorkspace<Set>& workspace, std::span<const std::uint8_t, 32> seed,
              std::size_t first, std::size_t count)
        : bytes_(workspace.noise) {
        fill_noise<Backend>(workspace.noise, seed, count, Set::eta1 == 3 ? first : 0);
    }

    template <std::size_t Eta>
    void sample(Poly& out, std::size_t n) const {
        Arithmetic<Avx2>::sample_cbd<Eta>(out, std::span(bytes_.of[n]).template first<64 * Eta>());
    }

private:
    const NoiseBytes& bytes_;
};

template <class Set>
class Noise<Set, Avx2> : public WideNoise<Set, Avx2> {
public:
    using WideNoise<Set, Avx2>::WideNoise;
};
template <class Set>
class Noise<Set, Avx512> : public WideNoise<Set, Avx512> {
public:
    using WideNoise<Set, Avx512>::WideNoise;
};

}  // namespace quoin::core::ml_kem
