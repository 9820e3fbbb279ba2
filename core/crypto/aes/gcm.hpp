// The mode, over any engine: for the .cpp files that instantiate BasicKey.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/base/declassify.hpp"
#include "core/crypto/aes/aes_gcm.hpp"

namespace quoin::core::aes_gcm {

// Below an operation of the portable engine: slices and spilled variables of SubBytes. It is what
// the frames of make_tag(), apply() and sub_bytes() need, with the 128 bytes below them that x86-64
// lends to leaf functions; the others keep all in registers.
template <class Engine>
void wipe_frames() {}
template <class Engine>
    requires std::is_same_v<Engine, Bitsliced<std::uint32_t>>
void wipe_frames() {
    ct::wipe_stack<sizeof(void*) == 8 ? 640 : 448>();
}
template <class Engine>
    requires std::is_same_v<Engine, Bitsliced<std::uint64_t>>
void wipe_frames() {
    ct::wipe_stack<768>();
}

template <class Set, class Engine>
BasicKey<Set, Engine>::BasicKey(std::span<const std::uint8_t, Set::key_size> key) {
    cipher_.expand(key);
    // H = CIPH_K(0^128): the key stream of an all-zero counter block.
    constexpr std::array<std::uint8_t, iv_size> zero_iv{};
    Block h{};
    cipher_.apply({zero_iv, 0}, h, h.data());
    ghash_.set_key(h);
    ct::wipe(h);
    wipe_frames<Engine>();
}

template <class Set, class Engine>
BasicKey<Set, Engine>::~BasicKey() {
    cipher_.wipe();
    ghash_.wipe();
}

inline bool lengths_are_wrong(Bytes aad, Bytes input, MutableBytes output) {
    return input.size() != output.size() || std::uint64_t{input.size()} > max_plaintext_size ||
           std::uint64_t{aad.size()} > max_aad_size;
}

// SP 800-38D, Algorithm 4, steps 4 to 6 (Algorithm 5, steps 5 to 7).
template <class Set, class Engine>
void BasicKey<Set, Engine>::make_tag(Iv iv, Bytes aad, Bytes ciphertext,
                                     std::span<std::uint8_t, tag_size> tag) const {
    Block y{};
    ghash_.absorb(y, aad);
    ghash_.absorb(y, ciphertext);
    Block lengths{};
    for (std::size_t i = 0; i < 8; ++i) {
        lengths[7 - i] = static_cast<std::uint8_t>((std::uint64_t{aad.size()} << 3U) >> (8 * i));
        lengths[15 - i] =
            static_cast<std::uint8_t>((std::uint64_t{ciphertext.size()} << 3U) >> (8 * i));
    }
    ghash_.absorb(y, lengths);
    cipher_.apply({iv, 1}, y, tag.data());  // J0 = IV | 0^31 | 1
    ct::wipe(y);                            // H is a root of a polynomial that y makes known
}

// SP 800-38D, Algorithm 4.
template <class Set, class Engine>
Result<void> BasicKey<Set, Engine>::seal(Iv iv, Bytes aad, Bytes plaintext, MutableBytes ciphertext,
                                         std::span<std::uint8_t, tag_size> tag) const {
    if (lengths_are_wrong(aad, plaintext, ciphertext)) return std::unexpected(Code::input_invalid);
    cipher_.apply({iv, 2}, plaintext, ciphertext.data());
    make_tag(iv, aad, ciphertext, tag);
    wipe_frames<Engine>();
    return {};
}

// SP 800-38D, Algorithm 5, with the decryption after the comparison.
template <class Set, class Engine>
Result<void> BasicKey<Set, Engine>::open(Iv iv, Bytes aad, Bytes ciphertext, Tag tag,
                                         MutableBytes plaintext) const {
    if (lengths_are_wrong(aad, ciphertext, plaintext)) return std::unexpected(Code::input_invalid);
    Block right{};
    make_tag(iv, aad, ciphertext, right);
    const bool same = ct::equal(right, tag);
    ct::declassify(same);
    ct::wipe(right);  // it would be a forgery's tag
    if (same) {
        cipher_.apply({iv, 2}, ciphertext, plaintext.data());
    } else {
        ct::wipe(plaintext);
    }
    wipe_frames<Engine>();
    if (!same) return std::unexpected(Code::integrity_mismatch);
    return {};
}

}  // namespace quoin::core::aes_gcm
