// The operations of ml_kem.hpp for any set and backend; a .cpp of each operation and backend
// instantiates them.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/base/declassify.hpp"
#include "core/crypto/keccak/lane.hpp"
#include "core/crypto/ml_kem/pke.hpp"

namespace quoin::core::ml_kem {

using Digest = std::array<std::uint8_t, 32>;
using TwoSeeds = std::array<std::uint8_t, 64>;

// The two halves of G's output: FIPS 203, section 4.1.
template <class Backend, class Last>
TwoSeeds hash_g(std::span<const std::uint8_t, 32> first, const Last& last) {
    TwoSeeds output{};
    keccak::Sha3_512<Backend>::digest(output, first, last);
    return output;
}

inline std::span<const std::uint8_t, 32> first_half(const TwoSeeds& seeds) {
    return std::span(seeds).first<32>();
}

inline std::span<const std::uint8_t, 32> second_half(const TwoSeeds& seeds) {
    return std::span(seeds).last<32>();
}

// By pointers: the checked spans of hardened builds would keep these loops at a byte for a step.
inline void copy(MutableBytes to, Bytes from) {
    if (to.size() < from.size()) __builtin_trap();
    std::uint8_t* const target = to.data();
    const std::uint8_t* const source = from.data();
    const std::size_t size = from.size();
    for (std::size_t i = 0; i < size; ++i) target[i] = source[i];
}

// Zero if both are the same. The sizes are equal, and multiples of eight.
inline std::uint64_t difference_of(Bytes a, Bytes b) {
    if (a.size() != b.size()) __builtin_trap();
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < a.size(); i += 8) {
        difference |= keccak::load_lane(a.data() + i) ^ keccak::load_lane(b.data() + i);
    }
    return difference;
}

// Algorithm 16.
template <class Set, class Backend>
void generate(std::span<std::uint8_t, Set::encapsulation_key_size> encapsulation_key,
              std::span<std::uint8_t, Set::decapsulation_key_size> decapsulation_key, Random d,
              Random z, Workspace<Set, Backend>& workspace) {
    constexpr std::size_t k = Set::k;
    const std::array<std::uint8_t, 1> rank{static_cast<std::uint8_t>(k)};
    TwoSeeds seeds = hash_g<Backend>(d, rank);  // algorithm 13, line 1
    ct::declassify(Bytes(first_half(seeds)));   // rho: part of the encapsulation key
    Pke<Set, Backend>::generate(encapsulation_key, decapsulation_key.template first<384 * k>(),
                                first_half(seeds), second_half(seeds), workspace);
    constexpr std::size_t at = 384 * k + Set::encapsulation_key_size;
    copy(decapsulation_key.subspan(384 * k), encapsulation_key);
    keccak::Sha3_256<Backend>::digest(decapsulation_key.template subspan<at, 32>(),
                                      encapsulation_key);
    copy(decapsulation_key.subspan(at + 32), z);
    ct::wipe(seeds);
    ct::wipe_object(workspace);
}

// Algorithm 17.
template <class Set, class Backend>
void encapsulate(SharedSecret shared_secret,
                 std::span<std::uint8_t, Set::ciphertext_size> ciphertext,
                 EncapsulationKey<Set> key, Random m, Workspace<Set, Backend>& workspace) {
    Digest h{};
    typename Pke<Set, Backend>::Matrices matrix(workspace);
    matrix.set_matrix(key.bytes().template last<32>(),
                      Pke<Set, Backend>::Matrices::Matrix::transposed,
                      {key.bytes(), {}, Rider::Hash::sha3_256, h});
    TwoSeeds seeds = hash_g<Backend>(m, h);
    Pke<Set, Backend>::encrypt(
        [&](std::size_t offset, Bytes bytes) { copy(ciphertext.subspan(offset), bytes); }, matrix,
        key, m, second_half(seeds), workspace);
    copy(shared_secret, first_half(seeds));
    ct::wipe(seeds);
    ct::wipe_object(workspace);
}

// Algorithm 18.
template <class Set, class Backend>
void decapsulate(SharedSecret shared_secret, DecapsulationKey<Set> key,
                 std::span<const std::uint8_t, Set::ciphertext_size> ciphertext,
                 Workspace<Set, Backend>& workspace) {
    constexpr std::size_t k = Set::k;
    constexpr std::size_t at = 384 * k + Set::encapsulation_key_size;
    const auto encapsulation_key = EncapsulationKey<Set>::danger_unchecked(
        key.bytes().template subspan<384 * k, Set::encapsulation_key_size>());
    Digest message{};
    Pke<Set, Backend>::decrypt(message, key.bytes().template first<384 * k>(), ciphertext,
                               workspace);
    Digest rejected{};  // line 7: J(z || c)
    typename Pke<Set, Backend>::Matrices matrix(workspace);
    matrix.set_matrix(
        encapsulation_key.bytes().template last<32>(),
        Pke<Set, Backend>::Matrices::Matrix::transposed,
        {key.bytes().template subspan<at + 32, 32>(), ciphertext, Rider::Hash::shake256, rejected});
    TwoSeeds seeds = hash_g<Backend>(message, key.bytes().template subspan<at, 32>());
    std::uint64_t difference = 0;
    Pke<Set, Backend>::encrypt(
        [&](std::size_t offset, Bytes bytes) {
            difference |= difference_of(bytes, ciphertext.subspan(offset, bytes.size()));
        },
        matrix, encapsulation_key, message, second_half(seeds), workspace);
    // Lines 9-11: all ones if c' = c, without a branch.
    const std::uint64_t differs = ct::barrier((difference | (0 - difference)) >> 63U);
    const auto same = static_cast<std::uint8_t>(differs - 1);
    for (std::size_t i = 0; i < 32; ++i) {
        shared_secret[i] = static_cast<std::uint8_t>((seeds[i] & same) | (rejected[i] & ~same));
    }
    ct::wipe(message);
    ct::wipe(rejected);
    ct::wipe(seeds);
    ct::wipe_object(workspace);
}

// Section 7.2, step 2: ByteEncode_12(ByteDecode_12(ek)) = ek, that is, each number is below q.
template <class Set>
template <class Backend>
Result<EncapsulationKey<Set>> EncapsulationKey<Set>::check(Encoded bytes) {
    for (std::size_t i = 0; i < Set::k; ++i) {
        const std::span<const std::uint8_t, 384> encoded(bytes.data() + 384 * i, 384);
        if (!Arithmetic<Backend>::is_canonical(encoded)) {
            return std::unexpected(Code::peer_malformed);
        }
    }
    return EncapsulationKey(bytes);
}

// Section 7.3, step 3: H(ek) is as stored.
template <class Set>
template <class Backend>
Result<DecapsulationKey<Set>> DecapsulationKey<Set>::check(Encoded bytes) {
    constexpr std::size_t at = 384 * Set::k + Set::encapsulation_key_size;
    std::array<std::uint8_t, 32> hash{};
    keccak::Sha3_256<Backend>::digest(
        hash, bytes.template subspan<384 * Set::k, Set::encapsulation_key_size>());
    if (!ct::equal(hash, bytes.template subspan<at, 32>())) {
        return std::unexpected(Code::integrity_mismatch);
    }
    return DecapsulationKey(bytes);
}

}  // namespace quoin::core::ml_kem
