#include "sim/proxy/relay.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <list>
#include <string>
#include <vector>

namespace quoin::sim {
namespace {

constexpr std::size_t piece_bytes = 4096;
constexpr std::size_t max_held_bytes = 4U
                                       << 20U;  // then reading stops: TCP's back pressure goes on

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

struct Piece {
    std::int64_t due_ms;
    std::string bytes;
};

// One direction: what was read from `from` waits here until it is due at `to`.
struct Direction {
    Direction(int from_, int to_, const FaultOptions& options, std::uint64_t number)
        : from(from_), to(to_), faults(options, number) {}
    int from, to;
    Faults faults;
    std::deque<Piece> held = {};
    std::size_t held_bytes = 0;
    bool ended = false;   // `from` will send no more
    bool closed = false;  // and `to` was told
};

struct Link {
    int client, server;
    Direction up, down;
    bool dead = false;
};

class PollRelay final : public Relay {
public:
    PollRelay(int listener, std::uint16_t own_port, const RelayOptions& options)
        : listener_(listener), port_(own_port), options_(options) {}
    PollRelay(const PollRelay&) = delete;
    PollRelay& operator=(const PollRelay&) = delete;
    ~PollRelay() override {
        for (const Link& link : links_) close_link(link);
        close(listener_);
    }

    std::uint16_t port() const override { return port_; }

    void run(const std::atomic<bool>& stop) override {
        while (!stop) {
            wait();
            accept_all();
            for (Link& link : links_) {
                for (Direction* direction : {&link.up, &link.down}) {
                    if (!link.dead) link.dead = !receive(*direction) || !deliver(*direction);
                }
                if (link.up.closed && link.down.closed) link.dead = true;
            }
            links_.remove_if([](const Link& link) {
                if (link.dead) close_link(link);
                return link.dead;
            });
        }
    }

private:
    static void close_link(const Link& link) {
        const linger hard{.l_onoff = 1, .l_linger = 0};
        for (const int socket : {link.client, link.server}) {
            if (!link.up.closed || !link.down.closed) {
                setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            }
            close(socket);
        }
    }

    void wait() const {
        std::vector<pollfd> handles{{.fd = listener_, .events = POLLIN, .revents = 0}};
        std::int64_t timeout = 100;
        const std::int64_t now = now_ms();
        for (const Link& link : links_) {
            for (const Direction* direction : {&link.up, &link.down}) {
                if (!direction->ended && direction->held_bytes < max_held_bytes) {
                    handles.push_back({.fd = direction->from, .events = POLLIN, .revents = 0});
                }
                if (direction->held.empty()) continue;
                const std::int64_t left = direction->held.front().due_ms - now;
                if (left <= 0) {
                    handles.push_back({.fd = direction->to, .events = POLLOUT, .revents = 0});
                } else {
                    timeout = std::min(timeout, left);
                }
            }
        }
        poll(handles.data(), handles.size(), static_cast<int>(timeout));
    }

    void accept_all() {
        while (true) {
            const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (client < 0) return;
            const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const sockaddr_in address = loopback(options_.upstream_port);
            if (server < 0 ||
                connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
                close(client);
                if (server >= 0) close(server);
                continue;
            }
            fcntl(server, F_SETFL, O_NONBLOCK);
            const int yes = 1;
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            const std::uint64_t number = accepted_++;
            links_.push_back(Link{client, server,
                                  Direction(client, server, options_.faults, number * 2),
                                  Direction(server, client, options_.faults, number * 2 + 1)});
        }
    }

    // False: the connection is to be cut.
    static bool receive(Direction& direction) {
        std::array<char, piece_bytes> buffer{};
        while (!direction.ended && direction.held_bytes < max_held_bytes) {
            const ssize_t count = recv(direction.from, buffer.data(), buffer.size(), 0);
            if (count < 0) return errno == EAGAIN || errno == EINTR;
            if (count == 0) {
                direction.ended = true;
                return true;
            }
            const auto size = static_cast<std::size_t>(count);
            const std::int64_t now = now_ms();
            const Fate fate = direction.faults.next(now, size);
            if (fate.reset) return false;
            direction.held.push_back({now + fate.delay_ms, std::string(buffer.data(), size)});
            direction.held_bytes += size;
        }
        return true;
    }

    static bool deliver(Direction& direction) {
        while (!direction.held.empty() && direction.held.front().due_ms <= now_ms()) {
            std::string& bytes = direction.held.front().bytes;
            const ssize_t sent = send(direction.to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) return errno == EAGAIN || errno == EINTR;
            direction.held_bytes -= static_cast<std::size_t>(sent);
            bytes.erase(0, static_cast<std::size_t>(sent));
            if (!bytes.empty()) return true;
            direction.held.pop_front();
        }
        if (direction.held.empty() && direction.ended && !direction.closed) {
            shutdown(direction.to, SHUT_WR);
            direction.closed = true;
        }
        return true;
    }

    int listener_;
    std::uint16_t port_;
    RelayOptions options_;
    std::list<Link> links_;
    std::uint64_t accepted_ = 0;
};

}  // namespace

Result<std::unique_ptr<Relay>> Relay::listen(const RelayOptions& options) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = loopback(options.listen_port);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener < 0 || bind(listener, generic, size) != 0 || ::listen(listener, 128) != 0 ||
        getsockname(listener, generic, &size) != 0) {
        const int reason = errno;
        if (listener >= 0) close(listener);
        return fail(Code::resource_unavailable, "cannot listen on 127.0.0.1:{}: {}",
                    options.listen_port, std::strerror(reason));
    }
    return std::make_unique<PollRelay>(listener, ntohs(address.sin_port), options);
}

}  // namespace quoin::sim
