#include "broker/guard.hpp"

#include <fmt/format.h>

namespace quoin::broker {
namespace {

std::string_view access_name(Access access) {
    switch (access) {
        case Access::read:
            return "read";
        case Access::write:
            return "write";
        case Access::subscribe:
            return "subscribe";
    }
    return "?";
}

// Topics in reports: enough to see what was tried.
constexpr std::size_t max_topic_bytes = 256;
constexpr std::size_t max_sessions_in_a_line = 400;  // of ids of 128 bytes: it fits

}  // namespace

Result<void> Guard::take(feed::ToPlugin message) {
    std::string id;
    if (const auto* device = std::get_if<feed::Device>(&message)) id = device->id;
    QUOIN_TRY(const StateTable::Change change, state_.apply(std::move(message), broker_.now()));
    if (change == StateTable::Change::device) apply_device(id);
    if (change == StateTable::Change::revocation) apply_revocation();
    if (change == StateTable::Change::everything) apply_snapshot();
    note_freshness();
    return {};
}

void Guard::apply_device(const std::string& id) {
    const bool closed = end_if_it_must(id);
    log_isolation(id, closed);
    reports_.add(feed::Applied{state_.seq(), id, closed, broker_.now().utc_ms});
}

bool Guard::end_if_it_must(const std::string& client_id) {
    const Session* session = sessions_.find(client_id);
    if (session == nullptr) return false;
    const auto stay = check_stay(state_, session->subject, session->serial);
    return !stay && end_session(client_id, stay.error().message, false);
}

// All sessions first, then what is written about them. Of many only those that had a session are
// told one by one.
void Guard::apply_revocation() {
    const std::vector<std::string>& ended = state_.ended();
    std::vector<std::string> closed;
    for (const std::string& subject : ended) {
        for (const std::string& id : sessions_.clients_of(subject)) {
            if (end_if_it_must(id)) closed.push_back(id);
        }
    }
    broker_.log(Level::notice, fmt::format("revocation {}: {} devices, {} sessions closed",
                                           state_.revocation(), ended.size(), closed.size()));
    const std::int64_t now = broker_.now().utc_ms;
    if (ended.size() == 1 && closed.empty()) {
        reports_.add(feed::Applied{state_.seq(), ended.front(), false, now});
    }
    for (const std::string& id : closed) reports_.add(feed::Applied{state_.seq(), id, true, now});
}

void Guard::report_sessions() {
    std::vector<std::string> clients = sessions_.clients();
    while (!clients.empty()) {
        const auto rest = clients.begin() + static_cast<std::ptrdiff_t>(
                                                std::min(clients.size(), max_sessions_in_a_line));
        reports_.add(feed::Sessions{{clients.begin(), rest}});
        clients.erase(clients.begin(), rest);
    }
}

void Guard::apply_snapshot() {
    broker_.log(Level::notice, fmt::format("the state of {} devices is there", state_.size()));
    for (const std::string& id : sessions_.clients()) {
        if (!end_if_it_must(id)) continue;
        reports_.add(feed::Applied{state_.seq(), id, true, broker_.now().utc_ms});
    }
    report_sessions();
}

void Guard::log_isolation(const std::string& id, bool closed) {
    const DeviceState* state = state_.find(id);
    if (state == nullptr || state->grant != feed::Grant::none) return;
    broker_.log(Level::notice,
                fmt::format("{}: isolated, {} ({}): {}", id, state->state, printable(state->reason),
                            closed ? "its session is closed" : "it has no session"));
}

// The will is not sent for a device that may not speak any more; may() would refuse it anyway.
bool Guard::end_session(const std::string& client_id, const std::string& why, bool with_will) {
    Session* session = sessions_.find(client_id);
    if (session == nullptr) return false;
    session->kicked_because = why;
    broker_.log(Level::notice, fmt::format("{}: session ended: {}", client_id, why));
    if (broker_.kick(client_id, with_will)) return true;
    broker_.log(Level::error, fmt::format("{}: Mosquitto does not know this session", client_id));
    return false;
}

Result<std::string> Guard::connect(const Client& client, const Credential& credential) {
    const auto checked = check_connect(state_, client.id, credential, broker_.now());
    if (!checked) {
        sessions_.remove(client.key);
        const std::string& id = credential.identity.id;
        broker_.log(Level::notice, fmt::format("refused {} from {}: {}", id, client.address,
                                               checked.error().message));
        reports_.add(feed::Refused{id, checked.error().message, client.address, credential.serial});
        return std::unexpected(checked.error());
    }
    const bool is_new =
        sessions_.add(client.key, {client.id, subject_of(credential.identity), credential.serial,
                                   credential.not_after_ms, std::string{}});
    if (is_new) reports_.add(feed::Connected{client.id, credential.serial, client.address});
    return client.id;
}

void Guard::refuse(const Client& client, const std::string& serial, const Error& why) {
    broker_.log(Level::notice, fmt::format("refused client \"{}\" from {}: {}",
                                           printable(client.id), client.address, why.message));
    reports_.add(feed::Refused{"", why.message, client.address, serial});
}

bool Guard::keep_stored(const Client& client) const {
    return !client.id.empty() && client.username == client.id;
}

bool Guard::may(ClientKey key, std::string_view client_id, Access access, std::string_view topic) {
    const Now now = broker_.now();
    if (broker::may(state_, client_id, access, topic, now)) return true;
    // Reads are fenced at every delivery, and stored or synthetic clients try nothing themselves.
    if (access == Access::read || !sessions_.contains(key)) return false;
    if (!denials_.allow(now.boot_ms)) return false;
    broker_.log(Level::notice, fmt::format("{}: may not {} {}", printable(client_id),
                                           access_name(access), printable(topic)));
    reports_.add(feed::Denied{std::string(client_id), std::string(access_name(access)),
                              std::string(topic.substr(0, max_topic_bytes))});
    return false;
}

void Guard::left(ClientKey key) {
    const auto session = sessions_.remove(key);
    if (!session) return;
    reports_.add(feed::Disconnected{
        session->client_id, session->kicked_because.empty() ? "closed" : session->kicked_because});
}

void Guard::tick() {
    for (const std::string& client_id : sessions_.expired(broker_.now().utc_ms)) {
        end_session(client_id, "its certificate has expired", true);
    }
    note_freshness();
    note_losses();
}

void Guard::note_freshness() {
    const bool fresh = state_.is_fresh(broker_.now());
    if (fresh == was_fresh_) return;
    was_fresh_ = fresh;
    if (fresh) {
        broker_.log(Level::notice, "the state of the devices is fresh: devices may come");
    } else {
        broker_.log(Level::warning,
                    "the state of the devices is too old: nobody may connect, and no device "
                    "publish or read, until quoind is back");
    }
}

void Guard::note_losses() {
    if (const auto count = denials_.take_suppressed(broker_.now().boot_ms); count > 0) {
        broker_.log(Level::notice, fmt::format("{} more denials were not listed", count));
    }
    if (const auto count = reports_.take_lost(); count > 0) {
        broker_.log(Level::warning,
                    fmt::format("{} reports to quoind were lost: it does not read", count));
    }
}

}  // namespace quoin::broker
