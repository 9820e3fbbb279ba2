// What quoin-se knows of one client: who it is, and the keys that live as long as its connection.
//
//   connected --hello--> greeted --(any command)--> greeted ...  the connection ends: all is wiped
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <variant>

#include "secure_element/key.hpp"
#include "secure_element/sealer.hpp"

namespace quoin::secure_element {

struct Peer {
    uid_t uid = 0;
    pid_t pid = 0;
};

struct Ephemeral {
    Algorithm algorithm = Algorithm::x25519;
    std::unique_ptr<Key> key;
};

using Held = std::variant<Ephemeral, std::unique_ptr<Sealer>>;

struct Session {
    Peer peer;
    bool greeted = false;
    std::string label;
    std::map<std::uint64_t, Held> held;
};

}  // namespace quoin::secure_element
