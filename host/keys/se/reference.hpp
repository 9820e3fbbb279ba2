// A key of quoin-se by name, in place of a private key: a PEM with the label "QUOIN KEY REFERENCE"
// around
//
//   SEQUENCE { UTF8String uri }        uri: quoin:se?socket=PATH&key=NAME
//
// PATH is absolute and NAME is quoin-se's name for the key; %XX stands for any byte (RFC 3986).
// Nothing secret is in it: what opens quoin-se is the uid of the program that asks.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/error.hpp"

namespace quoin::keys::se {

inline constexpr std::string_view reference_label = "QUOIN KEY REFERENCE";

struct KeyReference {
    std::string socket;
    std::string key;
    bool operator==(const KeyReference&) const = default;
};

std::vector<std::uint8_t> encode_reference(const KeyReference& reference);  // DER
// input_not_found: something else than a reference; input_invalid: a wrong one.
Result<KeyReference> decode_reference(Bytes der);

}  // namespace quoin::keys::se
