// The sponge construction on bytes (FIPS 202, section 4), one and four at a time, for keccak.hpp.
//
// The rate is a run-time value, so that all hashes of a backend share one object.
#pragma once

#include <array>

#include "core/base/bytes.hpp"
#include "core/crypto/keccak/state.hpp"

namespace quoin::core::keccak {

template <class Backend>
class Sponge {
public:
    Sponge() = default;
    Sponge(const Sponge&) = default;
    Sponge& operator=(const Sponge&) = default;
    ~Sponge();

    // Absorbing after squeezing is a bug of the caller and traps.
    void absorb(Bytes input, std::size_t rate);
    // The first call pads with `suffix`: the domain bits, then pad10*1.
    void squeeze(MutableBytes output, std::size_t rate, std::uint8_t suffix);

private:
    State<Backend> state_;
    std::size_t position_ = 0;  // in [0, rate]: bytes absorbed into, or squeezed from, this block
    bool squeezing_ = false;
};

template <class Backend>
class FourSponges {
public:
    FourSponges() = default;
    FourSponges(const FourSponges&) = default;
    FourSponges& operator=(const FourSponges&) = default;
    ~FourSponges();

    // The four views have the same length: keccak.hpp sees to it.
    void absorb(const std::array<Bytes, 4>& inputs, std::size_t rate);
    void squeeze(const std::array<MutableBytes, 4>& outputs, std::size_t rate, std::uint8_t suffix);

private:
    FourStates<Backend> states_;
    std::size_t position_ = 0;
    bool squeezing_ = false;
};

// Without vectors: four after another.
template <>
class FourSponges<Portable> {
public:
    void absorb(const std::array<Bytes, 4>& inputs, std::size_t rate) {
        for (std::size_t way = 0; way < 4; ++way) ways_[way].absorb(inputs[way], rate);
    }
    void squeeze(const std::array<MutableBytes, 4>& outputs, std::size_t rate,
                 std::uint8_t suffix) {
        for (std::size_t way = 0; way < 4; ++way) ways_[way].squeeze(outputs[way], rate, suffix);
    }

private:
    std::array<Sponge<Form<Portable>>, 4> ways_;
};

}  // namespace quoin::core::keccak
