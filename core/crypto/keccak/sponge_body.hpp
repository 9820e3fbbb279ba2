// The members of the sponges, for the .cpp of each backend, which instantiates them.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/crypto/keccak/lane.hpp"
#include "core/crypto/keccak/sponge.hpp"

namespace quoin::core::keccak {

inline std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

// Cuts bytes [position, position + size) of a block at the bounds of lanes: whole(lane, at) for
// eight bytes, part(lane, at, count, offset in the lane) for the rest.
template <class Whole, class Part>
void for_each_lane(std::size_t position, std::size_t size, Whole whole, Part part) {
    std::size_t at = 0;
    std::size_t lane = position / 8;
    if (const std::size_t offset = position % 8; offset != 0) {
        at = smaller(8 - offset, size);
        part(lane++, 0, at, offset);
    }
    for (; at + 8 <= size; at += 8) whole(lane++, at);
    if (at < size) part(lane, at, size - at, 0);
}

// For output that may be a key.
template <class States>
[[gnu::always_inline]] inline void permute_to_output(States& states) {
    permute(states);
    ct::wipe_stack<permutation_stack<States>>();
}

template <class Backend>
Sponge<Backend>::~Sponge() {
    ct::wipe_object(state_);
}

template <class Backend>
void Sponge<Backend>::absorb(Bytes input, std::size_t rate) {
    if (squeezing_) __builtin_trap();
    const std::uint8_t* from = input.data();
    std::size_t left = input.size();
    while (left > 0) {
        if (position_ == rate) {
            permute(state_);
            position_ = 0;
        }
        const std::size_t size = smaller(left, rate - position_);
        for_each_lane(
            position_, size,
            [&](std::size_t lane, std::size_t at) { state_.xor_lane(lane, load_lane(from + at)); },
            [&](std::size_t lane, std::size_t at, std::size_t count, std::size_t offset) {
                state_.xor_lane(lane, load_part(from + at, count, offset));
            });
        position_ += size;
        from += size;
        left -= size;
    }
}

template <class Backend>
void Sponge<Backend>::squeeze(MutableBytes output, std::size_t rate, std::uint8_t suffix) {
    if (!squeezing_) {
        if (position_ == rate) {
            permute_to_output(state_);
            position_ = 0;
        }
        state_.xor_lane(position_ / 8, std::uint64_t{suffix} << (8 * (position_ % 8)));
        state_.xor_lane((rate - 1) / 8, std::uint64_t{0x80} << (8 * ((rate - 1) % 8)));
        position_ = rate;
        squeezing_ = true;
    }
    std::uint8_t* to = output.data();
    std::size_t left = output.size();
    while (left > 0) {
        if (position_ == rate) {
            permute_to_output(state_);
            position_ = 0;
        }
        const std::size_t size = smaller(left, rate - position_);
        for_each_lane(
            position_, size,
            [&](std::size_t lane, std::size_t at) { store_lane(state_.lane(lane), to + at); },
            [&](std::size_t lane, std::size_t at, std::size_t count, std::size_t offset) {
                store_part(state_.lane(lane), to + at, count, offset);
            });
        position_ += size;
        to += size;
        left -= size;
    }
}

template <class Backend>
FourSponges<Backend>::~FourSponges() {
    ct::wipe_object(states_);
}

template <class Backend>
void FourSponges<Backend>::absorb(const std::array<Bytes, 4>& inputs, std::size_t rate) {
    if (squeezing_) __builtin_trap();
    const std::size_t total = inputs[0].size();
    for (std::size_t done = 0; done < total;) {
        if (position_ == rate) {
            permute(states_);
            position_ = 0;
        }
        const std::size_t size = smaller(total - done, rate - position_);
        for (std::size_t way = 0; way < 4; ++way) {
            const std::uint8_t* from = inputs[way].data() + done;
            for_each_lane(
                position_, size,
                [&](std::size_t lane, std::size_t at) {
                    states_.lanes[lane][way] ^= load_lane(from + at);
                },
                [&](std::size_t lane, std::size_t at, std::size_t count, std::size_t offset) {
                    states_.lanes[lane][way] ^= load_part(from + at, count, offset);
                });
        }
        position_ += size;
        done += size;
    }
}

template <class Backend>
void FourSponges<Backend>::squeeze(const std::array<MutableBytes, 4>& outputs, std::size_t rate,
                                   std::uint8_t suffix) {
    const std::size_t total = outputs[0].size();
    if (!squeezing_) {
        if (position_ == rate) {
            permute_to_output(states_);
            position_ = 0;
        }
        for (std::uint64_t& lane : states_.lanes[position_ / 8]) {
            lane ^= std::uint64_t{suffix} << (8 * (position_ % 8));
        }
        for (std::uint64_t& lane : states_.lanes[(rate - 1) / 8]) {
            lane ^= std::uint64_t{0x80} << (8 * ((rate - 1) % 8));
        }
        position_ = rate;
        squeezing_ = true;
    }
    for (std::size_t done = 0; done < total;) {
        if (position_ == rate) {
            permute_to_output(states_);
            position_ = 0;
        }
        const std::size_t size = smaller(total - done, rate - position_);
        for (std::size_t way = 0; way < 4; ++way) {
            std::uint8_t* to = outputs[way].data() + done;
            for_each_lane(
                position_, size,
                [&](std::size_t lane, std::size_t at) {
                    store_lane(states_.lanes[lane][way], to + at);
                },
                [&](std::size_t lane, std::size_t at, std::size_t count, std::size_t offset) {
                    store_part(states_.lanes[lane][way], to + at, count, offset);
                });
        }
        position_ += size;
        done += size;
    }
}

}  // namespace quoin::core::keccak
