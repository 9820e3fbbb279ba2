// One TLS connection to a SIEM: syslog messages in octet-counted frames (RFC 5425, section 4.3).
// Private to host/audit.
//
// Threads: one owner, which blocks SIGPIPE.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/error.hpp"
#include "host/tls/policy.hpp"

namespace quoin::audit {

class SiemLink {
public:
    static Result<std::unique_ptr<SiemLink>> dial(const std::string& host, std::uint16_t port,
                                                  SSL_CTX* context,
                                                  std::chrono::milliseconds timeout);
    ~SiemLink();
    SiemLink(const SiemLink&) = delete;
    SiemLink& operator=(const SiemLink&) = delete;

    // Hands the message to the kernel; an error ends the connection.
    Result<void> send(std::string_view message);
    // An error when the SIEM has closed the connection, or it broke.
    Result<void> check();
    // Whether the SIEM's kernel has acknowledged every byte: RFC 5425 has no acknowledgement of its
    // own.
    bool is_drained() const;
    // Ends the connection in order. True: the SIEM has answered with its own end, so it has read
    // all.
    bool close();

private:
    SiemLink(int socket, std::chrono::milliseconds timeout) : socket_(socket), timeout_(timeout) {}
    Result<void> handshake(const std::string& host, SSL_CTX* context);
    // Waits for what OpenSSL wants; an error when it is neither reading nor writing.
    Result<void> wait_for(int result, std::string_view doing);

    struct SslDeleter {
        void operator()(SSL* connection) const noexcept;
    };
    int socket_;
    std::chrono::milliseconds timeout_;
    std::unique_ptr<SSL, SslDeleter> connection_;
};

}  // namespace quoin::audit
