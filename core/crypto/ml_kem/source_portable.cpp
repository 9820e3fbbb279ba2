#include "core/crypto/ml_kem/source_portable.hpp"

namespace quoin::core::ml_kem {

void sample_ntt(Poly& out, std::span<const std::uint8_t, 32> rho, std::uint8_t first,
                std::uint8_t second) {
    const std::array<std::uint8_t, 2> position{first, second};
    keccak::Shake128<Portable> xof;
    xof.absorb(rho).absorb(position);
    std::array<std::uint8_t, keccak::Shake128<Portable>::rate> block{};
    for (std::size_t found = 0; found < 256;) {
        xof.squeeze(block);
        for (std::size_t at = 0; at < block.size() && found < 256; at += 3) {
            const unsigned d1 = block[at] | (block[at + 1] & 15U) << 8U;
            const unsigned d2 = block[at + 1] >> 4U | unsigned{block[at + 2]} << 4U;
            if (d1 < q) out.c[found++] = static_cast<std::int16_t>(d1);
            if (d2 < q && found < 256) out.c[found++] = static_cast<std::int16_t>(d2);
        }
    }
}

void prf(MutableBytes out, std::span<const std::uint8_t, 32> seed, std::uint8_t n) {
    keccak::Shake256<Portable>::digest(out, seed, std::span(&n, 1));
}

}  // namespace quoin::core::ml_kem
