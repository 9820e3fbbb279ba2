#include "broker/sessions.hpp"

#include "host/feed/revocation.hpp"

namespace quoin::broker {

bool Sessions::add(ClientKey key, Session session) {
    const bool is_new = !remove(key);
    by_client_id_[session.client_id] = key;
    by_end_.emplace(session.not_after_ms, key);
    by_key_.emplace(key, std::move(session));
    return is_new;
}

std::optional<Session> Sessions::remove(ClientKey key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    Session session = std::move(found->second);
    by_key_.erase(found);
    by_end_.erase({session.not_after_ms, key});
    const auto named = by_client_id_.find(session.client_id);
    if (named != by_client_id_.end() && named->second == key) by_client_id_.erase(named);
    return session;
}

Session* Sessions::find(std::string_view client_id) {
    const auto named = by_client_id_.find(std::string(client_id));
    return named == by_client_id_.end() ? nullptr : &by_key_.at(named->second);
}

std::vector<std::string> Sessions::expired(std::int64_t utc_ms) const {
    std::vector<std::string> ids;
    for (const auto& [end_ms, key] : by_end_) {
        if (end_ms > utc_ms) break;
        ids.push_back(by_key_.at(key).client_id);
    }
    return ids;
}

std::vector<std::string> Sessions::clients() const {
    std::vector<std::string> ids;
    for (const auto& [id, key] : by_client_id_) ids.push_back(id);
    return ids;
}

std::vector<std::string> Sessions::clients_of(std::string_view subject) const {
    if (!feed::is_service(subject)) return {std::string(subject)};
    std::vector<std::string> ids;
    for (const auto& [id, key] : by_client_id_) {
        if (by_key_.at(key).subject == subject) ids.push_back(id);
    }
    return ids;
}

}  // namespace quoin::broker
