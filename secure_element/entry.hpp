// Inside secure_element/element*.cpp only: a key in use, and what a command works in.
#pragma once

#include "secure_element/element.hpp"

namespace quoin::secure_element {

struct Element::Entry {
    std::string name;
    Algorithm algorithm = Algorithm::ed25519;
    std::uint32_t owner = 0;
    Policy policy;
    std::array<std::uint8_t, 32> digest{};  // SHA-256 of the public key
    std::unique_ptr<Key> key;               // null for AES
    std::unique_ptr<Sealer> sealer;         // null for the others

    std::mutex rate;
    double allowed = 0;  // uses left, refilled with time
    std::chrono::steady_clock::time_point refilled;
};

// What the views of a reply point into, until it is written.
struct Element::Scratch {
    keys::se::WipedBytes output;
    keys::se::WipedBytes second;
    EntryPointer entry;
};

// "key_used key=device ..." for people and machines; refusals are limited in number.
void audit(const Session& session, std::string_view event, std::string_view what);

}  // namespace quoin::secure_element
