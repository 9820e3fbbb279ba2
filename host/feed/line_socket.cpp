#include "host/feed/line_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace quoin::feed {
namespace {

constexpr int stream_type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

std::string reason() { return std::strerror(errno); }

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& text = path.native();
    if (text.empty() || text.size() > max_socket_path_bytes()) {
        return fail(Code::config_invalid,
                    "{}: a socket's path has 1 to {} bytes, this one has {}: choose a shorter home",
                    text, max_socket_path_bytes(), text.size());
    }
    text.copy(address.sun_path, text.size());
    return address;
}

// Connects, or says why not.
Result<Descriptor> dial(const std::filesystem::path& path) {
    QUOIN_TRY(const sockaddr_un address, address_of(path));
    Descriptor dialled(::socket(AF_UNIX, stream_type, 0));
    if (!dialled) return fail(Code::resource_unavailable, "socket: {}", reason());
    if (::connect(dialled.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
        0) {
        return fail(Code::resource_unavailable, "{}: {}", path.native(), reason());
    }
    return dialled;
}

Result<void> remove_dead_socket(const std::filesystem::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return {};
    if (!S_ISSOCK(status.st_mode)) {
        return fail(Code::input_conflict, "{}: is there already and is not a socket; remove it",
                    path.native());
    }
    if (dial(path)) {
        return fail(Code::input_conflict, "{}: another process serves this socket; end it first",
                    path.native());
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return fail(Code::resource_unavailable, "{}: {}", path.native(), reason());
    }
    return {};
}

}  // namespace

Result<LineSocket> LineSocket::connect(const std::filesystem::path& path) {
    QUOIN_TRY(Descriptor dialled, dial(path));
    return LineSocket(std::move(dialled));
}

Result<void> LineSocket::receive(const std::function<Result<void>(std::string_view)>& take) {
    std::array<char, 64 * 1024> chunk{};
    for (std::size_t total = 0; total < max_receive_bytes;) {
        const ssize_t size = ::recv(socket_.number(), chunk.data(), chunk.size(), 0);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
        if (size < 0) return fail(Code::resource_unavailable, "feed: {}", reason());
        if (size == 0) return fail(Code::resource_unavailable, "feed: the other side closed it");
        arrived_.append(chunk.data(), static_cast<std::size_t>(size));
        total += static_cast<std::size_t>(size);
        QUOIN_CHECK(split_lines(take));
    }
    return {};
}

Result<void> LineSocket::split_lines(const std::function<Result<void>(std::string_view)>& take) {
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = arrived_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
        QUOIN_CHECK(take(std::string_view(arrived_).substr(begin, end - begin)));
    }
    arrived_.erase(0, begin);
    if (arrived_.size() > max_line_bytes) {
        return fail(Code::peer_oversize, "feed: a line is longer than {} bytes", max_line_bytes);
    }
    return {};
}

Result<void> LineSocket::flush() {
    while (sent_ < backlog_.size()) {
        const ssize_t size = ::send(socket_.number(), backlog_.data() + sent_,
                                    backlog_.size() - sent_, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (size < 0) return fail(Code::resource_unavailable, "feed: {}", reason());
        sent_ += static_cast<std::size_t>(size);
    }
    // Copying the rest only when at least half is gone keeps the cost linear.
    if (sent_ * 2 >= backlog_.size()) {
        backlog_.erase(0, sent_);
        sent_ = 0;
    }
    return {};
}

std::size_t max_socket_path_bytes() { return sizeof(sockaddr_un::sun_path) - 1; }

Result<Descriptor> listen_unix(const std::filesystem::path& path) {
    QUOIN_TRY(const sockaddr_un address, address_of(path));
    QUOIN_CHECK(remove_dead_socket(path));
    Descriptor listener(::socket(AF_UNIX, stream_type, 0));
    if (!listener) return fail(Code::resource_unavailable, "socket: {}", reason());
    // The mode of the socket before bind() is the mode of the file that bind() makes: no moment in
    // which others could open it.
    if (::fchmod(listener.number(), S_IRUSR | S_IWUSR) != 0 ||
        ::bind(listener.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0 ||
        ::listen(listener.number(), 8) != 0) {
        return fail(Code::resource_unavailable, "{}: {}", path.native(), reason());
    }
    return listener;
}

Result<std::uint32_t> peer_uid(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return fail(Code::resource_unavailable, "SO_PEERCRED: {}", reason());
    }
    return peer.uid;
}

}  // namespace quoin::feed
