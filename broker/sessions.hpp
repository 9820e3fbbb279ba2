// The live sessions that the plugin let in, by Mosquitto's own pointer: while one client takes over
// another's session, two of them have the same client id for a moment.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace quoin::broker {

using ClientKey = const void*;

struct Session {
    std::string client_id;
    std::string subject;  // whose it is: the device, or service.NAME
    std::string serial;
    std::int64_t not_after_ms = 0;
    std::string kicked_because;  // empty: nobody threw it out
};

class Sessions {
public:
    // Replaces what was known of this key. False: it was there already.
    bool add(ClientKey key, Session session);
    // The session, when the key was known.
    std::optional<Session> remove(ClientKey key);
    bool contains(ClientKey key) const { return by_key_.contains(key); }
    // The live session of a client id, for changes; null: none.
    Session* find(std::string_view client_id);
    // Client ids whose certificate has ended.
    std::vector<std::string> expired(std::int64_t utc_ms) const;
    std::vector<std::string> clients() const;
    std::vector<std::string> clients_of(std::string_view subject) const;
    std::size_t size() const { return by_key_.size(); }

private:
    std::unordered_map<ClientKey, Session> by_key_;
    std::unordered_map<std::string, ClientKey> by_client_id_;
    std::set<std::pair<std::int64_t, ClientKey>> by_end_;
};

}  // namespace quoin::broker
