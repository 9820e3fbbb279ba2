#include "host/audit/siem_link.hpp"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace quoin::audit {
namespace {

constexpr std::chrono::milliseconds close_limit{2000};

struct AddressDeleter {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

int poll_one(int socket, short events, std::chrono::milliseconds timeout) {
    pollfd waiting{.fd = socket, .events = events, .revents = 0};
    for (;;) {
        const int ready = ::poll(&waiting, 1, static_cast<int>(timeout.count()));
        if (ready >= 0 || errno != EINTR) return ready;
    }
}

// 0, or the errno of the failure.
int connect_within(int socket, const addrinfo& address, std::chrono::milliseconds timeout) {
    if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    if (poll_one(socket, POLLOUT, timeout) <= 0) return ETIMEDOUT;
    int reason = 0;
    socklen_t size = sizeof reason;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 ? reason : errno;
}

void tune(int socket, std::chrono::milliseconds timeout) {
    // Best effort: without them a broken connection is noticed later.
    const int on = 1;
    const auto limit = static_cast<unsigned>(timeout.count());
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
}

Result<int> connect_any(const std::string& host, std::uint16_t port,
                        std::chrono::milliseconds timeout) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICSERV;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int resolved = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (resolved != 0) {
        return fail(Code::resource_unavailable, "SIEM {}: {}", host, ::gai_strerror(resolved));
    }
    const std::unique_ptr<addrinfo, AddressDeleter> list(found);
    int reason = EHOSTUNREACH;
    for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
        const int made = ::socket(each->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (made < 0) {
            reason = errno;
            continue;
        }
        reason = connect_within(made, *each, timeout);
        if (reason == 0) return made;
        ::close(made);
    }
    return fail(Code::resource_unavailable, "SIEM {}:{}: {}", host, port, std::strerror(reason));
}

}  // namespace

void SiemLink::SslDeleter::operator()(SSL* connection) const noexcept { SSL_free(connection); }

Result<std::unique_ptr<SiemLink>> SiemLink::dial(const std::string& host, std::uint16_t port,
                                                 SSL_CTX* context,
                                                 std::chrono::milliseconds timeout) {
    QUOIN_TRY(const int socket, connect_any(host, port, timeout));
    std::unique_ptr<SiemLink> link(new SiemLink(socket, timeout));
    tune(socket, timeout);
    QUOIN_CHECK(link->handshake(host, context));
    return link;
}

SiemLink::~SiemLink() {
    connection_.reset();
    ::close(socket_);
}

Result<void> SiemLink::wait_for(int result, std::string_view doing) {
    const int want = SSL_get_error(connection_.get(), result);
    const short events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE) {
        if (poll_one(socket_, events, timeout_) > 0) return {};
        return fail(Code::resource_timeout, "SIEM: {}: no progress within {} ms", doing,
                    timeout_.count());
    }
    const long verified = SSL_get_verify_result(connection_.get());
    std::string reason = crypto::openssl_error();
    if (verified != X509_V_OK) reason = X509_verify_cert_error_string(verified);
    return fail(verified != X509_V_OK ? Code::peer_unauthenticated : Code::resource_unavailable,
                "SIEM: {}: {}", doing, reason.empty() ? "the connection was closed" : reason);
}

Result<void> SiemLink::handshake(const std::string& host, SSL_CTX* context) {
    connection_.reset(SSL_new(context));
    if (!connection_ || SSL_set_fd(connection_.get(), socket_) != 1) {
        return fail(Code::internal, "SIEM: {}", crypto::openssl_error());
    }
    QUOIN_CHECK(tls::expect_server(connection_.get(), host));
    for (;;) {
        ERR_clear_error();
        const int result = SSL_connect(connection_.get());
        if (result == 1) return {};
        QUOIN_CHECK(wait_for(result, "TLS handshake"));
    }
}

Result<void> SiemLink::send(std::string_view message) {
    const std::string frame = fmt::format("{} {}", message.size(), message);
    for (;;) {
        ERR_clear_error();
        std::size_t written = 0;
        const int result = SSL_write_ex(connection_.get(), frame.data(), frame.size(), &written);
        if (result == 1) return {};
        QUOIN_CHECK(wait_for(result, "sending"));
    }
}

Result<void> SiemLink::check() {
    std::array<char, 512> ignored{};
    for (;;) {
        // Also takes in what TLS itself sends, session tickets for one.
        ERR_clear_error();
        std::size_t got = 0;
        const int result = SSL_read_ex(connection_.get(), ignored.data(), ignored.size(), &got);
        if (result == 1) continue;
        if (SSL_get_error(connection_.get(), result) == SSL_ERROR_WANT_READ) return {};
        return wait_for(result, "connection");
    }
}

bool SiemLink::is_drained() const {
    int unacknowledged = 0;
    return ::ioctl(socket_, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

bool SiemLink::close() {
    timeout_ = std::min(timeout_, close_limit);
    for (;;) {
        ERR_clear_error();
        const int result = SSL_shutdown(connection_.get());
        if (result == 1) return true;
        // 0: our end is sent, theirs has not come yet.
        if (result == 0) {
            if (poll_one(socket_, POLLIN, timeout_) <= 0) return false;
            std::array<char, 512> ignored{};
            std::size_t got = 0;
            const int read = SSL_read_ex(connection_.get(), ignored.data(), ignored.size(), &got);
            if (read == 1) continue;
            const int why = SSL_get_error(connection_.get(), read);
            if (why == SSL_ERROR_ZERO_RETURN) return true;
            if (why != SSL_ERROR_WANT_READ) return false;
            continue;
        }
        if (!wait_for(result, "closing")) return false;
    }
}

}  // namespace quoin::audit
