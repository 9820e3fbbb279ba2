// The comparisons of each kind. Inside host/crypto/measure only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "host/crypto/backends.hpp"
#include "host/crypto/measure/measure.hpp"

namespace quoin::crypto::measure {

using Comparisons = std::vector<Comparison>;

void add_kems(Comparisons& all);
void add_signatures(Comparisons& all);
void add_curves(Comparisons& all);
void add_hybrids(Comparisons& all);
void add_symmetric(Comparisons& all);

// Ends the program if ours refused, as PeerKey does for OpenSSL: a refusal is fast, and no figure.
void must_work(bool worked, std::string_view operation);

// Bytes that are not all the same, the same in each run.
template <std::size_t Size>
std::array<std::uint8_t, Size> pattern(std::uint8_t first) {
    std::array<std::uint8_t, Size> bytes{};
    for (std::size_t i = 0; i < Size; ++i) bytes[i] = static_cast<std::uint8_t>(first + 7 * i);
    return bytes;
}

}  // namespace quoin::crypto::measure
