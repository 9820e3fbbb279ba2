// Four SHAKEs at a time, and their streams eight candidates at a time.
#include "core/crypto/ml_dsa/avx2.hpp"
#include "core/crypto/target_avx2.hpp"
// Belongs into the region.
#include "core/crypto/ml_dsa/lanes_avx2.hpp"

namespace quoin::core::ml_dsa {
namespace {

// Four streams, with room for loads that reach beyond the end.
template <std::size_t Size>
struct Streams {
    static constexpr std::size_t size = Size;
    alignas(32) std::uint8_t bytes[4][Size + 32];

    std::array<MutableBytes, 4> views(std::size_t begin, std::size_t count) {
        return {MutableBytes(bytes[0] + begin, count), MutableBytes(bytes[1] + begin, count),
                MutableBytes(bytes[2] + begin, count), MutableBytes(bytes[3] + begin, count)};
    }
};

// Two bytes after each of the four seeds.
using Nonces = std::array<std::array<std::uint8_t, 2>, 4>;
std::array<Bytes, 4> views(const Nonces& nonces) {
    return {nonces[0], nonces[1], nonces[2], nonces[3]};
}

// FIPS 204, Algorithm 14, for the candidates of in[0, size); `count` of 256 are there already.
// Public: branches on rho.
std::size_t take_uniform(std::int32_t* out, std::size_t count, const std::uint8_t* in,
                         std::size_t size) {
    const Vector order = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1,  //
                                          4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const Vector bits = _mm256_set1_epi32(0x7fffff);
    const Vector modulus = _mm256_set1_epi32(q);
    std::size_t at = 0;
    for (; at + 24 <= size && count + 8 <= n; at += 24) {
        const Vector bytes = _mm256_loadu_si256(reinterpret_cast<const Vector*>(in + at));
        const Vector halves = _mm256_permute4x64_epi64(bytes, 0x94);
        const Vector values = _mm256_and_si256(_mm256_shuffle_epi8(halves, order), bits);
        const unsigned mask = sign_mask(_mm256_cmpgt_epi32(modulus, values));
        store_unaligned(out + count, compact(values, mask));
        count += static_cast<std::size_t>(__builtin_popcount(mask));
    }
    for (; at + 3 <= size && count < n; at += 3) {
        const std::int32_t c = in[at] | (in[at + 1] << 8) | ((in[at + 2] & 0x7f) << 16);
        out[count] = c;
        count += c < q ? 1 : 0;
    }
    return count;
}

// Four polynomials of A, row-major from `first` on, in our order.
template <class Set, class Backend>
void four_uniform(Poly* const* out, PublicSeed rho, std::size_t first) {
    Nonces nonces;
    for (std::size_t way = 0; way < 4; ++way) {
        nonces[way] = {static_cast<std::uint8_t>((first + way) % Set::l),
                       static_cast<std::uint8_t>((first + way) / Set::l)};
    }
    keccak::Shake128x4<Backend> streams;
    streams.absorb_common(rho).absorb(views(nonces));
    constexpr std::size_t rate = 168;
    // 280 candidates, of which each is refused with probability 2^-10: nearly always enough.
    Streams<5 * rate> buffer{};
    std::size_t counts[4] = {};
    streams.squeeze(buffer.views(0, 5 * rate));
    for (std::size_t way = 0; way < 4; ++way) {
        counts[way] = take_uniform(out[way]->c, 0, buffer.bytes[way], 5 * rate);
    }
    while (counts[0] < n || counts[1] < n || counts[2] < n || counts[3] < n) {
        streams.squeeze(buffer.views(0, rate));
        for (std::size_t way = 0; way < 4; ++way) {
            counts[way] = take_uniform(out[way]->c, counts[way], buffer.bytes[way], rate);
        }
    }
    for (std::size_t way = 0; way < 4; ++way) Ring<Avx2>::to_own_order(*out[way]);
}

// `count` polynomials of A from number `first` on. Beyond the last the lanes work for nothing.
template <class Set, class Backend>
void many_uniform(Poly* out, PublicSeed rho, std::size_t first, std::size_t count) {
    if constexpr (std::is_same_v<Backend, Avx512>) {
        many_uniform_by_eight<Set>(out, rho, first, count);
        return;
    }
    Poly unused{};
    for (std::size_t i = 0; i < count; i += 4) {
        Poly* four[4];
        for (std::size_t way = 0; way < 4; ++way) {
            four[way] = i + way < count ? out + i + way : &unused;
        }
        four_uniform<Set, Backend>(four, rho, first + i);
    }
}

// FIPS 204, Algorithm 15.
template <class Set>
Vector small_coefficients(Vector half_bytes) {
    if constexpr (Set::eta == 4) return _mm256_sub_epi32(_mm256_set1_epi32(4), half_bytes);
    const Vector fifth =
        _mm256_srli_epi32(_mm256_mullo_epi16(half_bytes, _mm256_set1_epi32(205)), 10);
    const Vector five_times = _mm256_add_epi32(_mm256_slli_epi32(fifth, 2), fifth);
    return _mm256_sub_epi32(_mm256_set1_epi32(2), _mm256_sub_epi32(half_bytes, five_times));
}

// FIPS 204, Algorithm 31, for the half bytes of in[0, size), size a multiple of four. Public by
// design: which are refused.
template <class Set>
std::size_t take_small(std::int32_t* out, std::size_t count, const std::uint8_t* in,
                       std::size_t size) {
    const Vector shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    const Vector limit = _mm256_set1_epi32(half_byte_limit<Set>);
    for (std::size_t at = 0; at < size && count < n; at += 4) {
        const int word = in[at] | (in[at + 1] << 8) | (in[at + 2] << 16) |
                         static_cast<int>(static_cast<unsigned>(in[at + 3]) << 24U);
        const Vector half_bytes = _mm256_and_si256(
            _mm256_srlv_epi32(_mm256_set1_epi32(word), shifts), _mm256_set1_epi32(15));
        const unsigned mask = ct::declassified(sign_mask(_mm256_cmpgt_epi32(limit, half_bytes)));
        const Vector values = compact(small_coefficients<Set>(half_bytes), mask);
        if (count + 8 <= n) {
            store_unaligned(out + count, values);
        } else {
            alignas(32) std::int32_t last[8];
            store(last, values);
            for (std::size_t i = 0; count + i < n; ++i) out[count + i] = last[i];
            ct::wipe_object(last);
        }
        count += static_cast<std::size_t>(__builtin_popcount(mask));
    }
    return count;
}

template <class Set, class Backend>
void four_small(Poly* const* out, PrivateSeed seed, std::size_t first) {
    Nonces nonces;
    for (std::size_t way = 0; way < 4; ++way) {
        nonces[way] = {static_cast<std::uint8_t>(first + way), 0};
    }
    keccak::Shake256x4<Backend> streams;
    streams.absorb_common(seed).absorb(views(nonces));
    constexpr std::size_t rate = 136;
    Streams<2 * rate> buffer{};
    std::size_t counts[4] = {};
    streams.squeeze(buffer.views(0, 2 * rate));
    for (std::size_t way = 0; way < 4; ++way) {
        counts[way] = take_small<Set>(out[way]->c, 0, buffer.bytes[way], 2 * rate);
    }
    while (counts[0] < n || counts[1] < n || counts[2] < n || counts[3] < n) {
        streams.squeeze(buffer.views(0, rate));
        for (std::size_t way = 0; way < 4; ++way) {
            counts[way] = take_small<Set>(out[way]->c, counts[way], buffer.bytes[way], rate);
        }
    }
    ct::wipe_object(buffer);
}

// Four polynomials of Algorithm 34, kappa + r from `first` on.
template <class Set, class Backend>
void four_masks(Poly* out, PrivateSeed seed, std::size_t first) {
    Nonces nonces;
    for (std::size_t way = 0; way < 4; ++way) {
        nonces[way] = {static_cast<std::uint8_t>(first + way),
                       static_cast<std::uint8_t>((first + way) >> 8U)};
    }
    keccak::Shake256x4<Backend> streams;
    streams.absorb_common(seed).absorb(views(nonces));
    Streams<Set::z_poly_size> buffer{};
    streams.squeeze(buffer.views(0, Set::z_poly_size));
    const Vector gamma1 = _mm256_set1_epi32(Set::gamma1);
    for (std::size_t way = 0; way < 4; ++way) {
        const std::uint8_t* in = buffer.bytes[way];
        for (std::size_t i = 0; i < n; i += 8, in += Set::z_bits) {
            store(out[way].c + i, _mm256_sub_epi32(gamma1, unpack_eight<Set::z_bits>(in)));
        }
    }
    ct::wipe_object(buffer);
}

}  // namespace

template <class Set, class Backend>
    requires by_four<Backend>
void Sampler<Set, Backend>::multiply_row(Poly& out, PublicSeed rho, std::size_t row, const Poly* z,
                                         Poly* buffer) {
    constexpr std::size_t at_once = rows_at_once<Set, Backend>;
    if (row % at_once == 0) {
        const std::size_t rows = row + at_once < Set::k ? at_once : Set::k - row;
        many_uniform<Set, Backend>(buffer, rho, row * Set::l, rows * Set::l);
    }
    // |A| < q, |z| < 9 q, l <= 7: 63 q^2 < 2^31 q
    Ring<Avx2>::dot(out, buffer + row % at_once * Set::l, z, Set::l);
}

template <class Set, class Backend>
    requires by_four<Backend>
void Sampler<Set, Backend>::expand_matrix(Poly* a, PublicSeed rho) {
    many_uniform<Set, Backend>(a, rho, 0, Set::k * Set::l);
}

template <class Set, class Backend>
    requires by_four<Backend>
void Sampler<Set, Backend>::expand_secret(Poly* s, PrivateSeed seed) {
    Poly unused{};
    for (std::size_t r = 0; r < Set::l + Set::k; r += 4) {
        Poly* four[4];
        for (std::size_t way = 0; way < 4; ++way) {
            four[way] = r + way < Set::l + Set::k ? s + r + way : &unused;
        }
        four_small<Set, Backend>(four, seed, r);
    }
    ct::wipe_object(unused);
}

template <class Set, class Backend>
    requires by_four<Backend>
void Sampler<Set, Backend>::expand_mask(Poly* pool, std::size_t& held, PrivateSeed seed,
                                        std::size_t kappa) {
    const std::size_t left = held > Set::l ? held - Set::l : 0;
    for (std::size_t i = 0; i < left; ++i) pool[i] = pool[Set::l + i];
    for (held = left; held < Set::l; held += 4)
        four_masks<Set, Backend>(pool + held, seed, kappa + held);
}

template struct Sampler<Set44, Avx2>;
template struct Sampler<Set65, Avx2>;
template struct Sampler<Set87, Avx2>;
template struct Sampler<Set44, Avx512>;
template struct Sampler<Set65, Avx512>;
template struct Sampler<Set87, Avx512>;

}  // namespace quoin::core::ml_dsa

#include "core/crypto/target_pop.hpp"
