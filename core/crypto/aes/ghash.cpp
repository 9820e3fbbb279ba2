// GHASH without tables: carry-less products out of integer multiplications whose operands have
// three zero bits between any two that count, so that sums never reach the next bit that counts.
// The multipliers of the targets take the same time for all operands (Cortex-M4: UMULL, one cycle).
#include "core/base/constant_time.hpp"
#include "core/crypto/aes/cipher.hpp"

namespace quoin::core::aes_gcm {
namespace {

struct Wide {
    std::uint64_t high, low;
};

// Each of the 16 products has at most 8 ones under one bit: below 16, the width of a hole.
inline std::uint64_t multiply_32(std::uint32_t a, std::uint32_t b) {
    constexpr std::uint32_t every_fourth = 0x11111111;
    std::uint64_t product = 0;
    for (unsigned k = 0; k < 4; ++k) {
        std::uint64_t sum = 0;
        for (unsigned i = 0; i < 4; ++i) {
            sum ^= std::uint64_t{a & (every_fourth << i)} * (b & (every_fourth << ((k - i) % 4)));
        }
        product |= sum & (std::uint64_t{0x1111111111111111} << k);
    }
    return product;
}

// Karatsuba's three products instead of four.
inline Wide multiply_64(std::uint64_t a, std::uint64_t b) {
    const auto a_0 = static_cast<std::uint32_t>(a), a_1 = static_cast<std::uint32_t>(a >> 32U);
    const auto b_0 = static_cast<std::uint32_t>(b), b_1 = static_cast<std::uint32_t>(b >> 32U);
    const std::uint64_t low = multiply_32(a_0, b_0);
    const std::uint64_t high = multiply_32(a_1, b_1);
    const std::uint64_t middle = multiply_32(a_0 ^ a_1, b_0 ^ b_1) ^ low ^ high;
    return {high ^ (middle >> 32U), low ^ (middle << 32U)};
}

// x * y in GF(2^128), SP 800-38D, 6.3. There the leftmost bit is the coefficient of x^0; as
// numbers the operands are mirrored, so their product is one bit short of 256 bits.
Wide multiply(Wide x, Wide y) {
    const Wide low = multiply_64(x.low, y.low);
    const Wide high = multiply_64(x.high, y.high);
    Wide middle = multiply_64(x.low ^ x.high, y.low ^ y.high);
    middle.low ^= low.low ^ high.low;
    middle.high ^= low.high ^ high.high;
    std::uint64_t v[4] = {low.low, low.high ^ middle.low, high.low ^ middle.high, high.high};
    for (std::size_t i = 3; i > 0; --i) v[i] = (v[i] << 1U) | (v[i - 1] >> 63U);
    v[0] <<= 1U;
    // Mirrored, v[0] and v[1] hold x^128 and above: x^128 = 1 + x + x^2 + x^7.
    for (std::size_t i = 0; i < 2; ++i) {
        v[i + 2] ^= v[i] ^ (v[i] >> 1U) ^ (v[i] >> 2U) ^ (v[i] >> 7U);
        v[i + 1] ^= (v[i] << 63U) ^ (v[i] << 62U) ^ (v[i] << 57U);
    }
    return {v[3], v[2]};
}

std::uint64_t load(const std::uint8_t* bytes, std::size_t size) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word = (word << 8U) | (i < size ? bytes[i] : 0U);
    return word;
}

void store(std::uint64_t word, std::uint8_t* bytes) {
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(word >> (56 - 8 * i));
    }
}

}  // namespace

template <class Word>
void Ghash<Bitsliced<Word>>::set_key(const Block& h) {
    high_ = load(h.data(), 8);
    low_ = load(h.data() + 8, 8);
}

template <class Word>
void Ghash<Bitsliced<Word>>::absorb(Block& y, Bytes data) const {
    Wide state{load(y.data(), 8), load(y.data() + 8, 8)};
    while (!data.empty()) {
        const std::size_t size = data.size() < block_size ? data.size() : block_size;
        state.high ^= load(data.data(), size);
        if (size > 8) state.low ^= load(data.data() + 8, size - 8);
        state = multiply(state, {high_, low_});
        data = data.subspan(size);
    }
    store(state.high, y.data());
    store(state.low, y.data() + 8);
}

template <class Word>
void Ghash<Bitsliced<Word>>::wipe() {
    high_ = 0;
    low_ = 0;
    asm volatile("" : : "r"(this) : "memory");
}

template class Ghash<Bitsliced<std::uint32_t>>;
template class Ghash<Bitsliced<std::uint64_t>>;

}  // namespace quoin::core::aes_gcm
