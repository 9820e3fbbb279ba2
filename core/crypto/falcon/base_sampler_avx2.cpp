// BaseSampler with four entries of the table in a vector.
#include "core/crypto/falcon/sampler.hpp"
#include "core/crypto/target_avx2.hpp"

namespace quoin::core::falcon {
namespace {

// The entries as their upper 64 and lower 8 bits, with the highest bit of the former flipped:
// AVX2 compares signed words. Entries that are zero count nothing.
struct Columns {
    alignas(32) std::int64_t high[20];
    alignas(32) std::int64_t low[20];
};
consteval Columns make_columns() {
    Columns columns{};
    for (std::size_t i = 0; i < 20; ++i) {
        const Rcdt entry = i < rcdt.size() ? rcdt[i] : Rcdt{0, 0};
        const std::uint64_t high = std::uint64_t{entry.high} << 56U | entry.low >> 8U;
        columns.high[i] = static_cast<std::int64_t>(high ^ std::uint64_t{1} << 63U);
        columns.low[i] = static_cast<std::int64_t>(entry.low & 0xffU);
    }
    return columns;
}
constexpr Columns columns = make_columns();

}  // namespace

template <>
std::int32_t base_sampler<Avx2>(const std::uint8_t* bytes) {
    const std::uint64_t high_word = __builtin_bswap64(load_little_endian<std::uint64_t>(bytes));
    const __m256i high =
        _mm256_set1_epi64x(static_cast<std::int64_t>(high_word ^ std::uint64_t{1} << 63U));
    const __m256i low = _mm256_set1_epi64x(bytes[8]);
    __m256i count = _mm256_setzero_si256();
    for (std::size_t i = 0; i < 20; i += 4) {
        const auto entry_high =
            _mm256_load_si256(reinterpret_cast<const __m256i*>(columns.high + i));
        const auto entry_low = _mm256_load_si256(reinterpret_cast<const __m256i*>(columns.low + i));
        const __m256i less = _mm256_or_si256(_mm256_cmpgt_epi64(entry_high, high),
                                             _mm256_and_si256(_mm256_cmpeq_epi64(entry_high, high),
                                                              _mm256_cmpgt_epi64(entry_low, low)));
        count = _mm256_sub_epi64(count, less);
    }
    const __m128i half =
        _mm_add_epi64(_mm256_castsi256_si128(count), _mm256_extracti128_si256(count, 1));
    return _mm_cvtsi128_si32(_mm_add_epi64(half, _mm_unpackhi_epi64(half, half)));
}

}  // namespace quoin::core::falcon

#include "core/crypto/target_pop.hpp"
