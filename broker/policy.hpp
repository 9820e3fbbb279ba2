// Who may connect, publish, subscribe and read: docs/spec/plant.md, "Topics" and "Grants". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/state_table.hpp"
#include "host/x509/identity.hpp"

namespace quoin::broker {

// What a client proved in its handshake. TLS checked the chain; time and state are checked here, on
// each connection, because a resumed session brings an old certificate.
struct Credential {
    x509::Identity identity;
    std::string serial;  // hex, lower case
    std::int64_t not_after_ms = 0;
};

// Ok, or why not, in a sentence that starts with "its" or a noun: "client mpu-1 of ADDRESS:
// <sentence>".
Result<void> check_connect(const StateTable& state, std::string_view client_id,
                           const Credential& credential, Now now);

// Why who has a live session of `serial` must go now; ok: it may stay. The freshness of the
// state does not count: it ends what a device may do, not its session. `subject`: a device, or
// service.NAME.
Result<void> check_stay(const StateTable& state, std::string_view subject, std::string_view serial);

// Whose a certificate is on the broker: the device's id, or service.NAME.
std::string subject_of(const x509::Identity& identity);

// One bit each, as Mosquitto counts them.
enum class Access : std::uint8_t { read = 1, write = 2, subscribe = 4 };

// By client id alone: Mosquitto asks for retained messages and stored sessions with a client that
// has no certificate, and check_connect() tied the id to one. A message is read only while the
// device whose branch it is in may have sent it: that fences retained, queued and will messages.
bool may(const StateTable& state, std::string_view client_id, Access access, std::string_view topic,
         Now now);

// At most 64 characters, anything but printable ASCII as '?': for logs.
std::string printable(std::string_view text);

}  // namespace quoin::broker
