// The comparisons of each kind. Inside host/crypto/measure only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/crypto/backend.hpp"
#include "host/crypto/measure/measure.hpp"
#include "host/crypto/processor.hpp"

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

// Calls work.operator()<Backend>() with the AVX2 build where this processor runs it.
template <class Work>
void with_best_vectors(Work work) {
    if constexpr (core::avx2_is_built) {
        if (processor().avx2) return work.template operator()<core::Avx2>();
    }
    work.template operator()<core::Portable>();
}

// The lattices', which have one build more.
template <class Work>
void with_widest_vectors(Work work) {
    if constexpr (core::avx2_is_built) {
        if (processor().avx512) return work.template operator()<core::Avx512>();
    }
    with_best_vectors(work);
}

// The same for SHA-256 in a row: the SHA instructions.
template <class Work>
void with_best_sha256(Work work) {
    if constexpr (core::avx2_is_built) {
        if (processor().sha_ni) return work.template operator()<core::ShaNi>();
    }
    work.template operator()<core::Portable>();
}

}  // namespace quoin::crypto::measure
