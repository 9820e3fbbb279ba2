// MQTT 5 client over TLS, on Boost.MQTT5. No Boost type leaves this header.
//
// Reconnects by itself with jittered backoff and subscribes again after each connect. A PUBACK says
// only that the broker has the message, never that anybody stored it. The broker must show a
// certificate that chains to the context's anchors and names `host`.
// Threads: one I/O thread of its own runs every callback, one at a time; the methods may be called
// from any thread, the destructor from any other. A callback that blocks stops the client's
// reading.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/tls/policy.hpp"

namespace quoin::net {

// Whether the broker's certificate still holds (its status: TLS alone does not ask). `chain`: as
// the handshake verified it, leaf first.
struct BrokerCheck {
    using Chain = std::vector<x509::Certificate>;
    // After each handshake, before CONNECT, on the client's thread: must not block. Calls `done`
    // once, from any thread, within 5 s: longer is a lost connection. An error refuses the broker.
    std::function<void(const Chain& chain, std::function<void(Result<void>)> done)> ask = {};
    // Each `interval` of a session, on the client's thread: must not block. An error ends it.
    std::function<Result<void>(const Chain& chain)> still_good = {};
    std::chrono::milliseconds interval{1000};
};

struct MqttOptions {
    std::string host;  // a DNS name or an IPv4 address
    std::uint16_t port = 8883;
    std::string client_id;
    std::chrono::seconds keep_alive{30};
    std::chrono::seconds session_expiry{3600};
    // Of what the broker may send. Boost.MQTT5 moves this many bytes for every packet it takes from
    // its buffer: no larger than needed.
    std::size_t max_packet_bytes = 64 * 1024;
    // The wait before a new try: doubles from 250 ms up to this, half of it random.
    std::chrono::milliseconds max_backoff{8000};
    BrokerCheck check = {};  // null functions: none
};

// Publishes that wait for the link or for room in flight; one more is resource_full.
inline constexpr std::size_t mqtt_max_queued = 65536;

struct MqttCallbacks {
    // After each CONNACK that accepts. Runs before queued publishes go out, and what it publishes
    // goes out after the subscriptions.
    std::function<void(bool session_present)> connected;
    // The link is lost or was refused (peer_forbidden: by the broker's reason code;
    // peer_unauthenticated: in the TLS handshake, by either side; what BrokerCheck says); it will
    // be tried again. The error says why.
    std::function<void(const Error&)> disconnected;
    std::function<void(std::string topic, std::string payload)> message;
};

class MqttClient {
public:
    static Result<std::unique_ptr<MqttClient>> start(MqttOptions options, tls::Context tls,
                                                     std::vector<std::string> subscriptions,
                                                     MqttCallbacks callbacks);
    virtual ~MqttClient() = default;  // disconnects, joins the thread
    // QoS 0 or 1. In the order of the calls; waits when there is no link yet. `done` gets the
    // PUBACK's verdict (peer_forbidden when the broker says "not authorized") or
    // resource_unavailable when the link was lost before it: nothing is sent again by itself. May
    // be null.
    virtual void publish(std::string topic, std::string payload, int qos, bool retain,
                         std::function<void(Result<void>)> done) = 0;
    // The next connection uses this context; the present one is dropped (certificate renewal), and
    // what was published before fails. On the client's own thread this happens before it returns.
    virtual void replace_tls(tls::Context tls) = 0;
    // Runs `work` on the client's thread.
    virtual void post(std::function<void()> work) = 0;
    // Runs `work` on the client's thread after `delay`.
    virtual void after(std::chrono::milliseconds delay, std::function<void()> work) = 0;
};

}  // namespace quoin::net
