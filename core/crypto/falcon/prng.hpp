// The random bytes of the sampler: ChaCha20 (RFC 8439, section 2.3; nonce 0), eight blocks at a
// time. For falcon/ only.
//
// Word w of block 8 r + j of the key stream is at 32 w + 4 j of the r-th 512 bytes: the order in
// which vectors make them. A take that does not fit in what is left of those drops it.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/constant_time.hpp"
#include "core/base/endian.hpp"

namespace quoin::core::falcon {

inline constexpr std::size_t prng_key_size = 32;
using PrngKey = std::span<const std::uint8_t, prng_key_size>;

struct PrngState {
    alignas(32) std::array<std::uint8_t, 512> stream;
    std::array<std::uint32_t, 8> key;
    std::uint32_t counter;  // of the next block
};

// Fills `stream` and advances the counter by 8.
template <class Backend>
void refill(PrngState& state);

template <class Backend_>
class Prng {
public:
    using Backend = Backend_;

    explicit Prng(PrngState& state, PrngKey key) : state_(state) {
        for (std::size_t i = 0; i < 8; ++i) {
            state_.key[i] = load_little_endian<std::uint32_t>(key.data() + 4 * i);
        }
        state_.counter = 0;
    }
    Prng(const Prng&) = delete;
    Prng& operator=(const Prng&) = delete;
    ~Prng() { ct::wipe_object(state_); }

    // The next bytes; valid until the next call.
    const std::uint8_t* take(std::size_t size) {
        if (used_ + size > state_.stream.size()) {
            refill<Backend>(state_);
            used_ = 0;
        }
        const std::uint8_t* taken = state_.stream.data() + used_;
        used_ += size;
        return taken;
    }

private:
    PrngState& state_;
    std::size_t used_ = sizeof PrngState::stream;
};

}  // namespace quoin::core::falcon
