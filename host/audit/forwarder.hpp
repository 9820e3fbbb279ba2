// Forwards the audit log to a SIEM: RFC 5424 messages over TLS (RFC 5425).
//
// The log's own file is the spool. A cursor on disk says up to where the SIEM has the events; it
// moves when the SIEM's kernel has acknowledged the bytes and the connection then lived for
// `confirm_after`, or when the connection was closed in order. After a break everything behind the
// cursor is sent again: the order is kept, and a message that comes twice has the same number. RFC
// 5425 has no acknowledgement: what a SIEM loses later than `confirm_after` behind its kernel is
// lost. More than `max_backlog` events behind: the oldest are left out, and audit.siem.lost says
// how many.
//
// Threads: one of its own. The log must outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "host/audit/audit.hpp"
#include "host/error.hpp"
#include "host/tls/policy.hpp"

namespace quoin::audit {

struct ForwarderOptions {
    std::string host;
    std::uint16_t port = 6514;            // RFC 5425, section 4.1
    std::filesystem::path file;           // the log's
    std::filesystem::path cursor;         // HOME/audit/siem.cursor
    std::uint64_t max_backlog = 100'000;  // events
    std::chrono::milliseconds confirm_after{2000};
    std::chrono::milliseconds timeout{10'000};     // to connect, and for any progress
    std::chrono::milliseconds first_backoff{500};  // doubles up to …, with jitter
    std::chrono::milliseconds last_backoff{60'000};
};

// A client of the SIEM, with the groups of `suite`. Its certificate is ML-DSA or composite,
// whatever the suite (docs/decisions/0008); with `danger_classical_certificate` a classical one, of
// a SIEM of today. `credentials` when the SIEM asks for a client certificate.
Result<tls::Context> siem_context(tls::Suite suite, bool danger_classical_certificate,
                                  std::span<const x509::Certificate> anchors,
                                  const tls::Credentials* credentials);

class Forwarder {
public:
    // Starts its thread; a SIEM that is away is no error. A cursor that cannot be read is
    // config_invalid.
    static Result<std::unique_ptr<Forwarder>> start(ForwarderOptions options, tls::Context context,
                                                    Log& log);
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;
    // Closes the connection in order, within `timeout`; what was not sent waits in the file.
    ~Forwarder();

    // For the next connection.
    void replace_tls(tls::Context context);

    struct Status {
        bool is_connected = false;
        std::uint64_t confirmed_number = 0;  // the SIEM has all events up to this one
        std::uint64_t backlog = 0;           // events behind it
        std::uint64_t lost = 0;              // left out since the start
        std::string error;                   // why there is no connection
    };
    Status status() const;

private:
    struct State;
    explicit Forwarder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace quoin::audit
