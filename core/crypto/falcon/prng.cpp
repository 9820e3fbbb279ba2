// ChaCha20 without vectors.
#include <bit>

#include "core/crypto/falcon/prng_body.hpp"
#include "core/crypto/falcon/real.hpp"

namespace quoin::core::falcon {
namespace {

struct Word {
    std::uint32_t value;

    static Word all(std::uint32_t word) { return {word}; }
    static Word counting(std::uint32_t first) { return {first}; }
    template <int Bits>
    Word rotate() const {
        return {std::rotl(value, Bits)};
    }
    void store(std::uint8_t* bytes) const { store_little_endian(bytes, value); }
    friend Word operator+(Word a, Word b) { return {a.value + b.value}; }
    friend Word operator^(Word a, Word b) { return {a.value ^ b.value}; }
};

}  // namespace

template <class Backend>
void refill(PrngState& state) {
    for (std::size_t j = 0; j < 8; ++j) chacha20_blocks<Word>(state, j);
    state.counter += 8;
}

template void refill<Portable>(PrngState&);
template void refill<Integer>(PrngState&);

}  // namespace quoin::core::falcon
