// A non-blocking Unix stream socket that carries lines: both ends of the feed use it.
//
// Limits: a line of `max_line_bytes`, `max_receive_bytes` handled by one receive(), and a backlog
// of the caller's choice for what the other side has not read yet. Threads: one owner.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "host/descriptor.hpp"
#include "host/feed/feed.hpp"

namespace quoin::feed {

inline constexpr std::size_t max_receive_bytes = 1024 * 1024;

class LineSocket {
public:
    // Never waits: a listener that is missing or busy is resource_unavailable.
    static Result<LineSocket> connect(const std::filesystem::path& path);
    // `connected` is non-blocking already.
    explicit LineSocket(Descriptor connected) : socket_(std::move(connected)) {}

    // Hands each whole line that has arrived, without its newline, to `take`. The first error, of
    // `take` or of the connection (its end is resource_unavailable), ends the connection's use.
    Result<void> receive(const std::function<Result<void>(std::string_view)>& take);
    // Appends to the backlog.
    void queue(std::string_view line) { backlog_.append(line); }
    // Writes as much of the backlog as the other side takes now.
    Result<void> flush();
    std::size_t backlog_bytes() const { return backlog_.size() - sent_; }
    int number() const { return socket_.number(); }

private:
    Result<void> split_lines(const std::function<Result<void>(std::string_view)>& take);

    Descriptor socket_;
    std::string arrived_;
    std::string backlog_;
    std::size_t sent_ = 0;
};

// The longest path that a Unix socket can have, in bytes.
std::size_t max_socket_path_bytes();
// A listening socket of mode 0600. A socket file that nobody serves any more is replaced; one that
// somebody serves is input_conflict.
Result<Descriptor> listen_unix(const std::filesystem::path& path);
// Who is at the other end (SO_PEERCRED).
Result<std::uint32_t> peer_uid(int socket);

}  // namespace quoin::feed
