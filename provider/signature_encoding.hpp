// The DER of keys: RFC 9881 and draft-ietf-lamps-pq-composite-sigs-19, section 5. Parameters are
// absent and sizes fixed, so each form is a fixed head and the raw key.
//
//   SubjectPublicKeyInfo  SEQUENCE { AlgorithmIdentifier, BIT STRING { public key } }
//   PrivateKeyInfo        SEQUENCE { INTEGER 0, AlgorithmIdentifier, OCTET STRING { 64 bytes } }
//                         of composites; ML-DSA's has several forms, which the default provider
//                         reads
#pragma once

#include <array>

#include "provider/signature_forms.hpp"

namespace quoin::provider {

template <class Form>
constexpr auto public_key_head() {
    constexpr std::string_view id = Form::row.algorithm_id;
    constexpr std::size_t bits = Form::public_key_size + 1;  // with the count of unused bits
    constexpr std::size_t inner = id.size() + 4 + bits;
    static_assert(bits >= 256 && inner < 65536);
    std::array<std::uint8_t, 4 + id.size() + 5> head = {0x30, 0x82, inner >> 8U, inner & 0xffU};
    std::ranges::copy(id, head.begin() + 4);
    constexpr std::array<std::uint8_t, 5> bit_string = {0x03, 0x82, bits >> 8U, bits & 0xffU, 0};
    std::ranges::copy(bit_string, head.end() - 5);
    return head;
}

template <class Form>
    requires(!Form::is_expanded)
constexpr auto private_key_head() {
    constexpr std::string_view id = Form::row.algorithm_id;
    constexpr std::size_t inner = 3 + id.size() + 2 + Form::seed_size;
    static_assert(inner < 128);
    std::array<std::uint8_t, 5 + id.size() + 2> head = {0x30, inner, 0x02, 1, 0};
    std::ranges::copy(id, head.begin() + 5);
    head[5 + id.size()] = 0x04;
    head[6 + id.size()] = Form::seed_size;
    return head;
}

template <class Form>
inline constexpr auto public_head = public_key_head<Form>();
template <class Form>
inline constexpr auto private_head = private_key_head<Form>();

}  // namespace quoin::provider
