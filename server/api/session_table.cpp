#include "server/api/session_table.hpp"

namespace quoin::server {

void SessionTable::take(const feed::FromPlugin& report) {
    const std::lock_guard lock(mutex_);
    if (const auto* opened = std::get_if<feed::Connected>(&report)) {
        ++sessions_[opened->id];
    } else if (const auto* live = std::get_if<feed::Sessions>(&report)) {
        for (const std::string& id : live->ids) sessions_.try_emplace(id, 1);
    } else if (const auto* closed = std::get_if<feed::Disconnected>(&report)) {
        const auto found = sessions_.find(closed->id);
        if (found != sessions_.end() && --found->second <= 0) sessions_.erase(found);
    }
}

void SessionTable::clear() {
    const std::lock_guard lock(mutex_);
    sessions_.clear();
}

bool SessionTable::contains(std::string_view client) const {
    const std::lock_guard lock(mutex_);
    return sessions_.contains(client);
}

std::int64_t SessionTable::size() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::int64_t>(sessions_.size());
}

}  // namespace quoin::server
