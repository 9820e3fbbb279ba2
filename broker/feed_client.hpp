// The plugin's end of the feed: dials quoind, hands what it says to the guard, sends the reports.
//
// Never waits: each tick() takes what is there. Threads: the broker's thread only.
#pragma once

#include <signal.h>

#include <filesystem>
#include <optional>
#include <string>

#include "broker/guard.hpp"
#include "host/feed/line_socket.hpp"

namespace quoin::broker {

// Mosquitto sleeps up to 100 ms in epoll_wait, and what quoind sends does not wake it: the kernel
// sends SIGIO when a line arrives, which ends the sleep; the tick follows. The handler does
// nothing. A signal that comes just before the sleep is lost, and the line is read up to 100 ms
// later.
class WakeSignal {
public:
    WakeSignal();
    WakeSignal(const WakeSignal&) = delete;
    WakeSignal& operator=(const WakeSignal&) = delete;
    ~WakeSignal();
    Result<void> watch(int socket) const;

private:
    struct sigaction before_{};
};

class FeedClient {
public:
    FeedClient(std::filesystem::path socket, Guard& guard, Broker& broker)
        : path_(std::move(socket)), guard_(guard), broker_(broker) {}

    void tick();

private:
    void dial();
    Result<void> exchange();
    void lose(const Error& why, std::int64_t retry_ms);

    WakeSignal wake_;  // before the socket: without its handler SIGIO would end the process
    std::filesystem::path path_;
    Guard& guard_;
    Broker& broker_;
    std::optional<feed::LineSocket> socket_;
    std::int64_t next_try_boot_ms_ = 0;
    std::string last_error_;
};

}  // namespace quoin::broker
