// Barrett's reduction with limbs of b = 2^32: A. Menezes, P. van Oorschot, S. Vanstone, "Handbook
// of Applied Cryptography", algorithm 14.42, with k = 8 limbs.
#include "core/crypto/curve25519/scalar.hpp"

#include "core/base/constant_time.hpp"

namespace quoin::core::curve25519 {
namespace {

template <std::size_t Size>
using Limbs = std::array<std::uint32_t, Size>;

constexpr Limbs<9> order = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000, 0};
constexpr Limbs<9> mu = {  // floor(b^16 / L)
    0x0a2c131b, 0xed9ce5a3, 0x086329a7, 0x2106215d, 0xffffffeb,
    0xffffffff, 0xffffffff, 0xffffffff, 0x0000000f};

template <std::size_t Size>
constexpr Limbs<Size> load(std::span<const std::uint8_t, 4 * Size> bytes) {
    Limbs<Size> x{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        x[i / 4] |= static_cast<std::uint32_t>(bytes[i]) << (8 * (i % 4));
    }
    return x;
}

// c += a * b, modulo b^Size. In place: no copy is left that nobody wipes.
template <std::size_t Size, std::size_t A, std::size_t B>
void multiply_into(Limbs<Size>& c, const Limbs<A>& a, const Limbs<B>& b) {
    for (std::size_t i = 0; i < A; ++i) {
        std::uint64_t carry = 0;
        for (std::size_t j = 0; i + j < Size; ++j) {
            const std::uint32_t factor = j < B ? b[j] : 0;
            carry += std::uint64_t{a[i]} * factor + c[i + j];
            c[i + j] = static_cast<std::uint32_t>(carry);
            carry >>= 32U;
        }
    }
}

// a - b modulo b^9; gives all ones if a < b, else zero.
std::uint32_t subtract(Limbs<9>& a, const Limbs<9>& b) {
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < 9; ++i) {
        const std::uint64_t t = std::uint64_t{a[i]} - b[i] - borrow;
        a[i] = static_cast<std::uint32_t>(t);
        borrow = t >> 63U;
    }
    return ct::barrier(static_cast<std::uint32_t>(0 - borrow));
}

Scalar reduce_limbs(Limbs<16>& x) {
    Limbs<9> q_1{}, q_3{}, r{}, product{};
    Limbs<18> q_2{};
    for (std::size_t i = 0; i < 9; ++i) q_1[i] = x[7 + i];  // step 1: floor(x / b^(k-1))
    multiply_into(q_2, q_1, mu);
    for (std::size_t i = 0; i < 9; ++i) q_3[i] = q_2[9 + i];  // floor(q_2 / b^(k+1))
    for (std::size_t i = 0; i < 9; ++i) r[i] = x[i];          // step 2
    multiply_into(product, q_3, order);
    subtract(r, product);                      // step 3: r < 3 L
    for (int times = 0; times < 2; ++times) {  // step 4, without a branch
        Limbs<9> reduced = r;
        const std::uint32_t keep = subtract(reduced, order);
        for (std::size_t i = 0; i < 9; ++i) r[i] = (r[i] & keep) | (reduced[i] & ~keep);
        ct::wipe_object(reduced);
    }
    Scalar result{};
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = static_cast<std::uint8_t>(r[i / 4] >> (8 * (i % 4)));
    }
    ct::wipe_object(q_1);
    ct::wipe_object(q_2);
    ct::wipe_object(q_3);
    ct::wipe_object(product);
    ct::wipe_object(r);
    ct::wipe_object(x);
    return result;
}

}  // namespace

Scalar reduce(std::span<const std::uint8_t, 64> wide) {
    Limbs<16> x = load<16>(wide);
    return reduce_limbs(x);
}

Scalar multiply_add(const Scalar& a, const Scalar& b, const Scalar& c) {
    Limbs<8> parts[3] = {load<8>(a), load<8>(b), load<8>(c)};
    Limbs<16> x{};
    for (std::size_t i = 0; i < 8; ++i) x[i] = parts[2][i];
    multiply_into(x, parts[0], parts[1]);
    ct::wipe_object(parts);
    return reduce_limbs(x);
}

bool is_canonical(std::span<const std::uint8_t, 32> s) {
    Limbs<9> x{};
    for (std::size_t i = 0; i < 32; ++i) {
        x[i / 4] |= static_cast<std::uint32_t>(s[i]) << (8 * (i % 4));
    }
    return subtract(x, order) != 0;
}

}  // namespace quoin::core::curve25519
