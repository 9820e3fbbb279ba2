// Values that SP 800-208, section 6.1 and RFC 8554, appendix A derive from the seed of a tree:
// H(I || u32str(q) || u16str(i) || 0xff || SEED). Inside core/crypto/lms only.
#pragma once

#include "core/crypto/lms/ots.hpp"
#include "core/crypto/lms/tree.hpp"

namespace quoin::core::lms {

// In the place of chain numbers, which end at 264.
inline constexpr std::uint16_t for_check_value = 0xfffc;  // ours
inline constexpr std::uint16_t for_randomizer = 0xfffd;   // C: SP 800-208, section 6.1
inline constexpr std::uint16_t for_child_seed = 0xfffe;   // as the reference code has it
inline constexpr std::uint16_t for_child_identifier = 0xffff;

template <class Family, class Backend>
void derive(const TreeSecret<Family>& secret, std::uint32_t q, std::uint16_t i,
            std::span<std::uint8_t, Family::n> out) {
    const Chain chain{i, Chain::derivation, Chain::derivation + 1, secret.seed.data(), out.data()};
    ChainRunner<Family, Backend> runner({secret.identifier, q});
    runner.run({&chain, 1});
}

}  // namespace quoin::core::lms
