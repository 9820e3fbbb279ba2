// The plugin without Mosquitto: lets clients in, keeps their sessions, throws them out, reports.
//
// Threads: the broker's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/policy.hpp"
#include "broker/reports.hpp"
#include "broker/sessions.hpp"
#include "broker/state_table.hpp"

namespace quoin::broker {

enum class Level : std::uint8_t { info, notice, warning, error };

// What the guard needs of the broker.
class Broker {
public:
    virtual ~Broker() = default;
    virtual Now now() const = 0;
    virtual void log(Level level, const std::string& text) = 0;
    // Closes the socket of a live session before it returns, and calls Guard::left() on the way.
    // Never for a stored session without a socket: Mosquitto 2.0.21 would put it on its list of
    // expiring sessions a second time and later use freed memory. False: no such client.
    virtual bool kick(const std::string& client_id, bool with_will) = 0;
};

struct Client {
    ClientKey key = nullptr;
    std::string id;        // the MQTT client id
    std::string username;  // what Mosquitto holds for it now
    std::string address;
};

class Guard {
public:
    Guard(std::string site, IssuerKey issuer_key, Broker& broker)
        : state_(std::move(site), std::move(issuer_key)), broker_(broker) {}

    // From the feed. An error ends its connection.
    Result<void> take(feed::ToPlugin message);
    void feed_opened(const feed::Nonce& nonce) { state_.open(nonce); }

    // A client that showed a certificate: at its CONNECT, and again when Mosquitto reloads. The
    // answer is the username to set: the device id, or the client id of a service.
    Result<std::string> connect(const Client& client, const Credential& credential);
    // A client whose certificate names nobody.
    void refuse(const Client& client, const std::string& serial, const Error& why);
    // A session without a socket, when Mosquitto reloads (SIGHUP). It is kept if it is one that
    // this plugin named before, also when its device may do nothing now: refusing it is the use of
    // freed memory described above, and may() fences whatever goes in or out of it.
    bool keep_stored(const Client& client) const;
    bool may(ClientKey key, std::string_view client_id, Access access, std::string_view topic);
    void left(ClientKey key);
    // Ends sessions whose certificate has ended; notices when the state gets old.
    void tick();

    Reports& reports() { return reports_; }
    const StateTable& state() const { return state_; }

private:
    void apply_device(const std::string& id);
    void apply_revocation();
    void apply_snapshot();
    bool end_if_it_must(const std::string& client_id);
    void report_sessions();
    bool end_session(const std::string& client_id, const std::string& why, bool with_will);
    void log_isolation(const std::string& id, bool closed);
    void note_freshness();
    void note_losses();

    StateTable state_;
    Broker& broker_;
    Sessions sessions_;
    Reports reports_;
    Limiter denials_{20};
    bool was_fresh_ = false;
};

}  // namespace quoin::broker
