// H_msg of a message in pure mode, and what is read from it. Inside core/crypto/slh_dsa only.
// Source: FIPS 205, sections 9.2, 10.2 and 11.
#pragma once

#include "core/crypto/slh_dsa/hash.hpp"

namespace quoin::core::slh_dsa {

// Algorithm 22, line 8: M' = 0x00 || len(ctx) || ctx || M.
struct Message {
    Bytes context;  // at most 255 bytes
    Bytes bytes;

    template <class Absorb>
    void into(Absorb absorb) const {
        const std::array<std::uint8_t, 2> head = {0, static_cast<std::uint8_t>(context.size())};
        absorb(Bytes(head));
        absorb(context);
        absorb(bytes);
    }
};
inline constexpr std::size_t max_context_size = 255;

template <class Set>
using Digest = std::array<std::uint8_t, Set::m>;

// MGF1 of RFC 8017, appendix B.2.1, over SHA-256 or SHA-512.
template <class Hash, std::size_t Size>
void mgf1(Bytes seed_a, Bytes seed_b, Bytes seed_c, std::array<std::uint8_t, Size>& out) {
    std::uint8_t counter = 0;
    for (std::size_t done = 0; done < Size; ++counter) {
        Hash hash;
        hash.update(seed_a);
        hash.update(seed_b);
        hash.update(seed_c);
        const std::array<std::uint8_t, 4> count = {0, 0, 0, counter};
        hash.update(count);
        for (const std::uint8_t byte : hash.finish()) {
            if (done < Size) out[done++] = byte;
        }
    }
}

// Section 11.1 and 11.2: H_msg(R, PK.seed, PK.root, M').
template <class Set, class Backend>
Digest<Set> hash_message(Bytes randomizer, std::span<const std::uint8_t, 2 * Set::n> public_key,
                         const Message& message) {
    Digest<Set> digest;
    if constexpr (Set::is_shake) {
        keccak::Shake256<Single<Backend>> hash;
        hash.absorb(randomizer).absorb(public_key);
        message.into([&](Bytes part) { hash.absorb(part); });
        hash.squeeze(digest);
    } else {
        using Hash = std::conditional_t<uses_sha512<Set>, sha2::Hash<sha2::Set512, Portable>,
                                        sha2::Hash<sha2::Set256, Single<Backend>>>;
        Hash hash;
        hash.update(randomizer);
        hash.update(public_key);
        message.into([&](Bytes part) { hash.update(part); });
        const auto inner = hash.finish();
        mgf1<Hash>(randomizer, public_key.template first<Set::n>(), inner, digest);
    }
    return digest;
}

// Algorithm 19, lines 6 to 13: which FORS leaves, which tree, which of its leaves.
template <class Set>
struct Selection {
    explicit Selection(const Digest<Set>& digest) {
        for (unsigned i = 0; i < Set::k; ++i) fors[i] = bits(digest, i * Set::a, Set::a);
        const Bytes rest = Bytes(digest).subspan(Set::md_size);
        for (const std::uint8_t byte : rest.first(Set::tree_size)) tree = (tree << 8U) | byte;
        constexpr unsigned tree_bits = Set::h - Set::h_prime;
        if constexpr (tree_bits < 64) tree &= (std::uint64_t{1} << tree_bits) - 1;
        for (const std::uint8_t byte : rest.subspan(Set::tree_size)) leaf = (leaf << 8U) | byte;
        leaf &= (std::uint32_t{1} << Set::h_prime) - 1;
    }

    std::array<std::uint32_t, Set::k> fors;
    std::uint64_t tree = 0;
    std::uint32_t leaf = 0;

private:
    // Algorithm 4, base_2b: `count` bits from bit `first` on, the highest first.
    static std::uint32_t bits(Bytes bytes, unsigned first, unsigned count) {
        std::uint32_t value = 0;
        for (unsigned bit = first; bit < first + count; ++bit) {
            value = (value << 1U) | ((bytes[bit / 8] >> (7 - bit % 8)) & 1U);
        }
        return value;
    }
};

}  // namespace quoin::core::slh_dsa
