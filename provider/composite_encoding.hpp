// The DER of composite keys: draft-ietf-lamps-pq-composite-sigs-19, section 5. Parameters are
// absent and sizes fixed, so each form is a fixed head and the raw key.
//
//   SubjectPublicKeyInfo  SEQUENCE { AlgorithmIdentifier, BIT STRING { public key } }
//   PrivateKeyInfo        SEQUENCE { INTEGER 0, AlgorithmIdentifier, OCTET STRING { 64 bytes } }
#pragma once

#include <array>

#include "provider/signature_forms.hpp"

namespace quoin::provider {

inline constexpr std::size_t composite_id_size = 12;  // of the AlgorithmIdentifier

template <class Form>
constexpr auto public_key_head() {
    constexpr std::size_t bits = Form::public_key_size + 1;  // with the count of unused bits
    constexpr std::size_t inner = composite_id_size + 4 + bits;
    static_assert(inner >= 256 && inner < 65536 && Form::row.algorithm_id.size() == 12);
    std::array<std::uint8_t, 4 + composite_id_size + 5> head = {0x30, 0x82, inner >> 8U,
                                                                inner & 0xffU};
    for (std::size_t i = 0; i < composite_id_size; ++i) {
        head[4 + i] = static_cast<std::uint8_t>(Form::row.algorithm_id[i]);
    }
    constexpr std::array<std::uint8_t, 5> bit_string = {0x03, 0x82, bits >> 8U, bits & 0xffU, 0};
    std::ranges::copy(bit_string, head.end() - 5);
    return head;
}

template <class Form>
constexpr auto private_key_head() {
    constexpr std::size_t inner = 3 + composite_id_size + 2 + Form::seed_size;
    static_assert(inner < 128 && Form::row.algorithm_id.size() == composite_id_size);
    std::array<std::uint8_t, 5 + composite_id_size + 2> head = {0x30, inner, 0x02, 1, 0};
    for (std::size_t i = 0; i < composite_id_size; ++i) {
        head[5 + i] = static_cast<std::uint8_t>(Form::row.algorithm_id[i]);
    }
    head[5 + composite_id_size] = 0x04;
    head[6 + composite_id_size] = Form::seed_size;
    return head;
}

template <class Form>
inline constexpr auto public_head = public_key_head<Form>();
template <class Form>
inline constexpr auto private_head = private_key_head<Form>();

}  // namespace quoin::provider
