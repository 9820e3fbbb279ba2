#include "broker/feed_client.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace quoin::broker {
namespace {

// Nobody listens: look again soon. A connection that went wrong: a snapshot is work, so not at
// once.
constexpr std::int64_t redial_ms = 200;
constexpr std::int64_t recover_ms = 1000;
constexpr std::size_t max_backlog_bytes = 256 * 1024;

extern "C" void wake_up(int) noexcept {}

}  // namespace

WakeSignal::WakeSignal() {
    struct sigaction action{};
    action.sa_handler = wake_up;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGIO, &action, &before_);
}

WakeSignal::~WakeSignal() { ::sigaction(SIGIO, &before_, nullptr); }

Result<void> WakeSignal::watch(int socket) const {
    const int flags = ::fcntl(socket, F_GETFL);
    if (flags < 0 || ::fcntl(socket, F_SETOWN, ::getpid()) != 0 ||
        ::fcntl(socket, F_SETFL, flags | O_ASYNC) != 0) {
        return fail(Code::resource_unavailable, "feed: SIGIO: {}", std::strerror(errno));
    }
    return {};
}

void FeedClient::tick() {
    if (!socket_) dial();
    if (!socket_) return;
    const auto exchanged = exchange();
    if (!exchanged) lose(exchanged.error(), recover_ms);
}

void FeedClient::dial() {
    if (broker_.now().boot_ms < next_try_boot_ms_) return;
    auto connected = feed::LineSocket::connect(path_);
    if (!connected) return lose(connected.error(), redial_ms);
    socket_.emplace(std::move(*connected));
    const auto watched = wake_.watch(socket_->number());
    if (!watched) return lose(watched.error(), recover_ms);
    feed::PluginHello hello{.pid = ::getpid()};
    const auto random = crypto::random_bytes(hello.nonce);
    if (!random) return lose(random.error(), recover_ms);
    socket_->queue(feed::encode(feed::FromPlugin{hello}));
    guard_.feed_opened(hello.nonce);
    broker_.log(Level::notice, "connected to quoind");
    last_error_.clear();
}

Result<void> FeedClient::exchange() {
    QUOIN_CHECK(socket_->receive([this](std::string_view line) -> Result<void> {
        QUOIN_TRY(feed::ToPlugin message, feed::decode_to_plugin(line));
        return guard_.take(std::move(message));
    }));
    while (socket_->backlog_bytes() < max_backlog_bytes) {
        const auto line = guard_.reports().take();
        if (!line) break;
        socket_->queue(*line);
    }
    return socket_->flush();
}

void FeedClient::lose(const Error& why, std::int64_t retry_ms) {
    socket_.reset();
    next_try_boot_ms_ = broker_.now().boot_ms + retry_ms;
    // Once for each reason: the next tries fail in the same way.
    if (why.message == last_error_) return;
    last_error_ = why.message;
    broker_.log(Level::warning, "no connection to quoind: " + why.message);
}

}  // namespace quoin::broker
