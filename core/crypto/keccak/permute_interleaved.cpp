// Keccak-f[1600] for 32-bit registers: Keccak implementation overview 3.2, section 2.1.
#include <bit>

#include "core/crypto/keccak/rounds.hpp"
#include "core/crypto/keccak/sponge_body.hpp"

namespace quoin::core::keccak {
namespace {

// Swaps the bits of x under the mask with those `shift` above.
constexpr std::uint32_t swap_bits(std::uint32_t x, unsigned shift, std::uint32_t mask) {
    const std::uint32_t t = (x ^ (x >> shift)) & mask;
    return x ^ t ^ (t << shift);
}

// The even bits of x to its lower half, the odd ones to the upper; and back.
constexpr std::uint32_t sort_bits(std::uint32_t x) {
    x = swap_bits(x, 1, 0x22222222);
    x = swap_bits(x, 2, 0x0c0c0c0c);
    x = swap_bits(x, 4, 0x00f000f0);
    return swap_bits(x, 8, 0x0000ff00);
}

constexpr std::uint32_t mix_bits(std::uint32_t x) {
    x = swap_bits(x, 8, 0x0000ff00);
    x = swap_bits(x, 4, 0x00f000f0);
    x = swap_bits(x, 2, 0x0c0c0c0c);
    return swap_bits(x, 1, 0x22222222);
}

// Both by words: 64-bit shifts are dear where this is for.
constexpr std::uint64_t spread(std::uint64_t lane) {
    const std::uint32_t low = sort_bits(static_cast<std::uint32_t>(lane));
    const std::uint32_t high = sort_bits(static_cast<std::uint32_t>(lane >> 32U));
    const std::uint32_t even = (low & 0xffffU) | high << 16U;
    const std::uint32_t odd = low >> 16U | (high & 0xffff0000U);
    return even | std::uint64_t{odd} << 32U;
}

struct Constant {
    std::uint32_t even;
    std::uint32_t odd;
};

consteval std::array<Constant, 24> make_constants() {
    std::array<Constant, 24> constants{};
    for (std::size_t i = 0; i < 24; ++i) {
        const std::uint64_t both = spread(round_constants[i]);
        constants[i] = {static_cast<std::uint32_t>(both), static_cast<std::uint32_t>(both >> 32U)};
    }
    return constants;
}

constexpr std::array<Constant, 24> constants = make_constants();

struct Halves {
    std::uint32_t even;
    std::uint32_t odd;

    static Halves of_constant(std::size_t round) {
        return {constants[round].even, constants[round].odd};
    }
};

Halves operator^(Halves a, Halves b) { return {a.even ^ b.even, a.odd ^ b.odd}; }

Halves xor_five(Halves a, Halves b, Halves c, Halves d, Halves e) { return a ^ b ^ c ^ d ^ e; }

Halves chi(Halves a, Halves b, Halves c) {
    return {a.even ^ (~b.even & c.even), a.odd ^ (~b.odd & c.odd)};
}

template <unsigned Count>
Halves rotate_left(Halves a) {
    constexpr int half = Count / 2;
    if constexpr (Count % 2 == 0) {
        return {std::rotl(a.even, half), std::rotl(a.odd, half)};
    } else {
        return {std::rotl(a.odd, half + 1), std::rotl(a.even, half)};
    }
}

}  // namespace

std::uint64_t interleave(std::uint64_t lane) { return spread(lane); }

std::uint64_t deinterleave(std::uint64_t halves) {
    const auto even = static_cast<std::uint32_t>(halves);
    const auto odd = static_cast<std::uint32_t>(halves >> 32U);
    const std::uint32_t low = mix_bits((even & 0xffffU) | odd << 16U);
    const std::uint32_t high = mix_bits(even >> 16U | (odd & 0xffff0000U));
    return low | std::uint64_t{high} << 32U;
}

void permute(State<Interleaved>& state) {
    Rounds<Interleaved, Halves>::permute(
        [&](std::size_t i) { return Halves{state.halves[2 * i], state.halves[2 * i + 1]}; },
        [&](std::size_t i, Halves a) {
            state.halves[2 * i] = a.even;
            state.halves[2 * i + 1] = a.odd;
        });
}

template class Sponge<Interleaved>;

}  // namespace quoin::core::keccak
