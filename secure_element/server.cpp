#include "secure_element/server.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <system_error>

#include "core/base/constant_time.hpp"
#include "host/keys/se/bus.hpp"
#include "secure_element/session.hpp"

namespace quoin::secure_element {
namespace {

using namespace keys::se;

constexpr std::size_t read_size = 64U << 10U;
constexpr int write_timeout_ms = 5000;

std::unexpected<Error> system_failure(const std::filesystem::path& path, std::string_view doing) {
    return fail(Code::resource_unavailable, "{}: cannot {}: {}", path.string(), doing,
                std::generic_category().message(errno));
}

// Whether all went out before the other side kept us waiting too long.
bool write_output(int socket, Framing& framing) {
    while (!framing.output().empty()) {
        const Bytes rest = framing.output();
        const ssize_t count = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            framing.sent(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            pollfd waiting{socket, POLLOUT, 0};
            if (::poll(&waiting, 1, write_timeout_ms) <= 0) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace

struct Server::Connection {
    Descriptor socket;
    std::unique_ptr<Framing> framing;
    Session session;
};

Server::Server(Element& element, ServerOptions options)
    : element_(element),
      options_(std::move(options)),
      running_(options_.threads),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::listen(Element& element, ServerOptions options) {
    std::unique_ptr<Server> server(new Server(element, std::move(options)));
    epoll_event event{EPOLLIN, {.ptr = nullptr}};  // level-triggered: it ends every thread
    if (!server->epoll_ || !server->stop_event_ ||
        ::epoll_ctl(server->epoll_.number(), EPOLL_CTL_ADD, server->stop_event_.number(), &event) !=
            0) {
        return system_failure("epoll", "be made");
    }
    QUOIN_CHECK(server->add_listener(server->options_.socket, false));
    if (!server->options_.bus_socket.empty()) {
        QUOIN_CHECK(server->add_listener(server->options_.bus_socket, true));
    }
    return server;
}

Result<void> Server::add_listener(const std::filesystem::path& path, bool is_bus) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& name = path.native();
    if (name.size() >= sizeof address.sun_path) {
        return fail(Code::config_invalid, "{}: a socket's path has at most {} characters", name,
                    sizeof address.sun_path - 1);
    }
    std::ranges::copy(name, address.sun_path);
    struct stat status{};
    if (::lstat(name.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) {
            return fail(Code::config_invalid, "{}: is there already, and is no socket", name);
        }
        ::unlink(name.c_str());
    }
    auto listener = std::make_unique<Listener>();
    listener->socket = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    listener->is_bus = is_bus;
    // Everybody may connect; who is answered, decides the uid that the kernel names.
    if (!listener->socket ||
        ::bind(listener->socket.number(), reinterpret_cast<const sockaddr*>(&address),
               sizeof address) != 0 ||
        ::chmod(name.c_str(), 0666) != 0 || ::listen(listener->socket.number(), 64) != 0 ||
        !watch(listener->socket.number(), listener.get(), EPOLL_CTL_ADD)) {
        return system_failure(path, "listen");
    }
    listeners_.push_back(std::move(listener));
    return {};
}

bool Server::watch(int descriptor, void* what, int operation) const {
    epoll_event event{EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, {.ptr = what}};
    return ::epoll_ctl(epoll_.number(), operation, descriptor, &event) == 0;
}

void Server::start() {
    for (unsigned i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] {
            running_.count_down();
            released_.wait();
            work();
        });
    }
    running_.wait();
}

void Server::release() { released_.count_down(); }

void Server::stop() {
    if (!released_.try_wait()) released_.count_down();
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(stop_event_.number(), &one, sizeof one);
    threads_.clear();  // joins
}

void Server::work() {
    const auto buffer = std::make_unique<std::array<std::uint8_t, read_size>>();
    for (;;) {
        epoll_event event{};
        const int count = ::epoll_wait(epoll_.number(), &event, 1, -1);
        if (count < 0 && errno == EINTR) continue;
        if (count != 1 || event.data.ptr == nullptr) return;
        const auto listener = std::ranges::find_if(
            listeners_, [&](const auto& one) { return one.get() == event.data.ptr; });
        if (listener != listeners_.end()) {
            accept_one(**listener);
            continue;
        }
        serve(*static_cast<Connection*>(event.data.ptr), *buffer);
    }
}

void Server::accept_one(Listener& listener) {
    auto connection = std::make_unique<Connection>();
    connection->socket = Descriptor(
        ::accept4(listener.socket.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    static_cast<void>(watch(listener.socket.number(), &listener, EPOLL_CTL_MOD));
    if (!connection->socket) return;
    if (listener.is_bus) {
        connection->framing = std::make_unique<BusFraming>(BusSide::secure_element);
    } else {
        connection->framing = std::make_unique<LengthFraming>(max_frame_size);
    }
    if (!admit(*connection)) return;
    Connection& kept = *connection;
    {
        const std::scoped_lock lock(mutex_);
        connections_.emplace(&kept, std::move(connection));
    }
    if (!watch(kept.socket.number(), &kept, EPOLL_CTL_ADD)) close(kept);
}

bool Server::admit(Connection& connection) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(connection.socket.number(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
        return false;
    }
    connection.session.peer = {who.uid, who.pid};
    const auto refuse = [&](Code code, const std::string& why) {
        spdlog::warn("refused_connection uid={} pid={} code={} reason=\"{}\"", who.uid, who.pid,
                     code_name(code), why);
        if (connection.framing->send(write_refusal(0, code, why))) {
            static_cast<void>(write_output(connection.socket.number(), *connection.framing));
        }
        return false;
    };
    if (!options_.allowed.contains(who.uid)) {
        return refuse(Code::peer_forbidden,
                      fmt::format("uid {} may not use this quoin-se (--allow-uid)", who.uid));
    }
    const std::scoped_lock lock(mutex_);
    const auto own = std::ranges::count_if(
        connections_, [&](const auto& other) { return other.second->session.peer.uid == who.uid; });
    if (connections_.size() < max_connections &&
        static_cast<std::size_t>(own) < max_connections_of_one_uid) {
        return true;
    }
    return refuse(Code::resource_full, fmt::format("{} connections are open, {} of them of uid {}",
                                                   connections_.size(), own, who.uid));
}

void Server::serve(Connection& connection, MutableBytes buffer) {
    if (read_and_answer(connection, buffer) &&
        watch(connection.socket.number(), &connection, EPOLL_CTL_MOD)) {
        return;
    }
    close(connection);
}

// One read: what is left makes the connection ready again. False: it is over.
bool Server::read_and_answer(Connection& connection, MutableBytes buffer) {
    const ssize_t count = ::recv(connection.socket.number(), buffer.data(), buffer.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    const auto got = buffer.first(static_cast<std::size_t>(count));
    Bytes rest = got;
    bool alive = true;
    while (alive && !rest.empty()) {
        const auto used = connection.framing->feed(rest);
        if (!used) {
            const auto refusal = write_refusal(0, used.error(), "this is no frame; good-bye");
            static_cast<void>(connection.framing->send(refusal));
            static_cast<void>(write_output(connection.socket.number(), *connection.framing));
            alive = false;
            break;
        }
        rest = rest.subspan(*used);
        alive = answer(connection);
    }
    core::ct::wipe(got);
    return alive;
}

bool Server::answer(Connection& connection) {
    Framing& framing = *connection.framing;
    if (framing.has_message()) {
        WipedBytes reply;
        const bool was_zeroized = element_.zeroized();
        reply.assign(element_.answer(connection.session, framing.message()));
        framing.next_message();
        if (!framing.send(reply.bytes())) {
            const auto refusal =
                write_refusal(0, Code::resource_full, "the reply is too long for this bus");
            if (!framing.send(refusal)) return false;
        }
        if (!was_zeroized && element_.zeroized()) close_all_but(connection);
    }
    return write_output(connection.socket.number(), framing);
}

void Server::close(Connection& connection) {
    std::unique_ptr<Connection> closed;  // destroyed, and its keys wiped, after the lock
    const std::scoped_lock lock(mutex_);
    const auto found = connections_.find(&connection);
    if (found == connections_.end()) return;
    closed = std::move(found->second);
    connections_.erase(found);
}

// Their ephemeral keys and sessions go with them.
void Server::close_all_but(const Connection& kept) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [pointer, connection] : connections_) {
        if (pointer != &kept) ::shutdown(connection->socket.number(), SHUT_RDWR);
    }
}

}  // namespace quoin::secure_element
