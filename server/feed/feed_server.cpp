#include "server/feed/feed_server.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <variant>

#include "host/feed/line_socket.hpp"

namespace quoin::server {
namespace {

using Clock = std::chrono::steady_clock;

enum class Phase : std::uint8_t { idle, greeting, snapshotting, live };

class Server final : public FeedServer {
public:
    Server(FeedOptions options, Snapshot snapshot, feed::Sign sign, Current current, const Bus& bus,
           Descriptor listener, Descriptor waker)
        : options_(std::move(options)),
          snapshot_(std::move(snapshot)),
          sign_(std::move(sign)),
          current_(std::move(current)),
          bus_(bus),
          listener_(std::move(listener)),
          waker_(std::move(waker)),
          thread_([this] { run(); }) {}

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() override {
        stopping_ = true;
        wake();
        thread_.join();
        ::unlink(options_.socket.c_str());
    }

    void push(feed::Device device) override { push_line(std::move(device)); }

    void push(const feed::SealedStatement& statement) override { push_line(statement); }

private:
    using Change = std::variant<feed::Device, feed::SealedStatement>;

    void push_line(Change change) {
        const std::lock_guard lock(mutex_);
        if (phase_ == Phase::snapshotting) {
            meanwhile_.push_back(std::move(change));
        } else if (phase_ == Phase::live) {
            append(std::move(change));
            wake();
        }
    }

    // The thread. Everything below runs on it; what push() touches is under mutex_.
    void run() {
        next_heartbeat_ = Clock::now();
        while (!stopping_) {
            wait();
            accept_plugin();
            if (plugin_) serve_plugin();
        }
        drop("quoind ends");
    }

    void wait() {
        std::array<pollfd, 3> events{pollfd{listener_.number(), POLLIN, 0},
                                     pollfd{waker_.number(), POLLIN, 0},
                                     pollfd{plugin_ ? plugin_->number() : -1, POLLIN, 0}};
        if (plugin_ && plugin_->backlog_bytes() > 0) events[2].events |= POLLOUT;
        if (::poll(events.data(), events.size(), timeout_ms()) < 0 && errno != EINTR) {
            spdlog::error("broker feed: poll: {}", std::strerror(errno));
        }
        std::uint64_t ignored = 0;
        if (::read(waker_.number(), &ignored, sizeof ignored) < 0 && errno != EAGAIN) {
            spdlog::error("broker feed: eventfd: {}", std::strerror(errno));
        }
    }

    int timeout_ms() const {
        if (!plugin_) return -1;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(next_heartbeat_ - Clock::now());
        return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
    }

    void accept_plugin() {
        Descriptor socket(
            ::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) return;
        const auto uid = feed::peer_uid(socket.number());
        if (!uid || (*uid != ::geteuid() && *uid != options_.broker_uid)) {
            spdlog::warn("broker feed: refused a connection of user {}",
                         uid ? std::to_string(*uid) : uid.error().message);
            return;
        }
        if (plugin_) drop("a newer connection");
        plugin_.emplace(std::move(socket));
        set_phase(Phase::greeting);
    }

    void serve_plugin() {
        const auto received =
            plugin_->receive([this](std::string_view line) { return take(line); });
        if (!received) return drop(received.error().message);
        beat();
        if (!move_outbox()) return drop("it must greet the new issuing CA");
        if (plugin_->backlog_bytes() > limit_bytes_) return drop("the plugin reads too slowly");
        const auto flushed = plugin_->flush();
        if (!flushed) drop(flushed.error().message);
    }

    Result<void> take(std::string_view line) {
        QUOIN_TRY(const feed::FromPlugin report, feed::decode_from_plugin(line));
        const bool is_hello = std::holds_alternative<feed::PluginHello>(report);
        if (phase_ == Phase::greeting) {
            if (!is_hello) return fail(Code::peer_malformed, "feed: the first line is not a hello");
            return send_snapshot(std::get<feed::PluginHello>(report).nonce);
        }
        if (is_hello) return fail(Code::peer_malformed, "feed: a second hello");
        bus_.broker_session.publish({report});
        return {};
    }

    Result<void> send_snapshot(const feed::Nonce& nonce) {
        set_phase(Phase::snapshotting);
        // Without the lock: push() never waits for the database. What is pushed meanwhile goes out
        // behind the snapshot, whether the snapshot has seen it or not; statements only if not.
        QUOIN_TRY(feed::PlantState state, snapshot_());
        const std::size_t devices = state.devices.size();
        QUOIN_TRY(Snapshotted made, make_snapshot(std::move(state), nonce));
        {
            const std::lock_guard lock(mutex_);
            issuer_ = std::move(made.seal.issuer);
            outbox_ += feed::encode(feed::ToPlugin{
                feed::Hello{options_.site, options_.epoch, options_.lifetime.count(), issuer_}});
            const std::uint64_t count = made.lines.size();
            for (feed::Device& line : made.lines) append(Change(std::move(line)));
            outbox_ += feed::encode(
                feed::ToPlugin{feed::SnapshotEnd{seq_, count, made.head, made.seal.signature}});
            limit_bytes_ = outbox_.size() + options_.max_backlog_bytes;
            for (Change& change : meanwhile_) {
                const auto* statement = std::get_if<feed::SealedStatement>(&change);
                const bool is_known = statement != nullptr && statement->number <= made.number;
                if (!is_known) append(std::move(change));
            }
            meanwhile_.clear();
            phase_ = Phase::live;
        }
        spdlog::info("broker feed: the broker's plugin has the state of {} devices", devices);
        bus_.broker_link.publish({true});
        return {};
    }

    struct Snapshotted {
        std::vector<feed::Device> lines;
        std::uint64_t number = 0;
        crypto::ByteVector head;
        feed::Seal seal;
    };

    Result<Snapshotted> make_snapshot(feed::PlantState state, const feed::Nonce& nonce) {
        std::ranges::sort(state.devices, {}, &feed::Device::id);
        feed::EntriesDigest entries;
        std::vector<feed::Device> lines;
        for (feed::Device& device : state.devices) {
            for (feed::Device& line : lines_of(std::move(device))) {
                QUOIN_CHECK(entries.add(line.id, line.epoch, line.state == feed::revoked_state,
                                        line.revoked));
                lines.push_back(std::move(line));
            }
        }
        feed::Head head{.site = options_.site, .number = state.number, .last = state.last};
        head.nonce = nonce;
        QUOIN_TRY(head.entries, entries.finish());
        QUOIN_TRY(crypto::ByteVector signed_head, feed::encode_head(head));
        QUOIN_TRY(feed::Seal seal, sign_(signed_head));
        return Snapshotted{.lines = std::move(lines),
                           .number = state.number,
                           .head = std::move(signed_head),
                           .seal = std::move(seal)};
    }

    static std::vector<feed::Device> lines_of(feed::Device device) {
        constexpr std::size_t most = 1000;  // serials of 40 digits: they fit a line
        std::vector<std::string> serials = std::exchange(device.revoked, {});
        std::vector<feed::Device> lines;
        do {
            const auto rest = std::prev(
                serials.end(), static_cast<std::ptrdiff_t>(std::min(serials.size(), most)));
            device.revoked.assign(rest, serials.end());
            serials.erase(rest, serials.end());
            lines.push_back(device);
        } while (!serials.empty());
        return lines;
    }

    // Under the lock.
    void append(Change change) {
        if (const auto* sealed = std::get_if<feed::SealedStatement>(&change)) {
            wrong_issuer_ = wrong_issuer_ || sealed->seal.issuer != issuer_;
            outbox_ += feed::encode(feed::ToPlugin{
                feed::Revocation{++seq_, sealed->statement, sealed->seal.signature}});
            return;
        }
        auto& device = std::get<feed::Device>(change);
        device.seq = ++seq_;
        outbox_ += feed::encode(feed::ToPlugin{std::move(device)});
    }

    void beat() {
        if (Clock::now() < next_heartbeat_) return;
        next_heartbeat_ = Clock::now() + options_.lifetime / 4;
        const bool current = current_();
        if (current != was_current_) {
            spdlog::log(current ? spdlog::level::info : spdlog::level::err,
                        "broker feed: heartbeats {}",
                        current ? "go on" : "stop: states may have run out unnoticed");
        }
        was_current_ = current;
        if (!current) return;
        const std::lock_guard lock(mutex_);
        if (phase_ == Phase::live) outbox_ += feed::encode(feed::ToPlugin{feed::Heartbeat{seq_}});
    }

    // False: what is in it is signed by a CA that the plugin was not told of.
    bool move_outbox() {
        const std::lock_guard lock(mutex_);
        if (wrong_issuer_) return false;
        plugin_->queue(outbox_);
        outbox_.clear();
        return true;
    }

    void drop(const std::string& why) {
        if (!plugin_) return;
        const bool was_live = phase_ == Phase::live;
        plugin_.reset();
        set_phase(Phase::idle);
        spdlog::warn("broker feed: the plugin is gone: {}", why);
        if (was_live) bus_.broker_link.publish({false});
    }

    void set_phase(Phase phase) {
        const std::lock_guard lock(mutex_);
        phase_ = phase;
        wrong_issuer_ = false;
        outbox_.clear();
        meanwhile_.clear();
    }

    void wake() {
        const std::uint64_t one = 1;
        // Fails only when the counter is full: then the thread is awake already.
        if (::write(waker_.number(), &one, sizeof one) < 0 && errno != EAGAIN) {
            spdlog::error("broker feed: eventfd: {}", std::strerror(errno));
        }
    }

    const FeedOptions options_;
    const Snapshot snapshot_;
    const feed::Sign sign_;
    const Current current_;
    const Bus& bus_;
    const Descriptor listener_;
    const Descriptor waker_;
    std::optional<feed::LineSocket> plugin_;
    std::size_t limit_bytes_ = 0;
    Clock::time_point next_heartbeat_;
    bool was_current_ = true;

    std::mutex mutex_;
    Phase phase_ = Phase::idle;  // written by the thread only
    std::uint64_t seq_ = 0;
    std::string outbox_;
    std::vector<Change> meanwhile_;
    crypto::ByteVector issuer_;  // of the hello
    bool wrong_issuer_ = false;

    std::atomic<bool> stopping_ = false;
    std::thread thread_;  // last: starts when everything else is there
};

}  // namespace

Result<std::unique_ptr<FeedServer>> FeedServer::start(FeedOptions options, Snapshot snapshot,
                                                      feed::Sign sign, Current current,
                                                      const Bus& bus) {
    if (options.lifetime < std::chrono::milliseconds(4)) {
        return fail(Code::config_invalid, "broker feed: a lifetime of {} ms is too short",
                    options.lifetime.count());
    }
    QUOIN_TRY(Descriptor listener, feed::listen_unix(options.socket));
    if (options.broker_uid && ::chown(options.socket.c_str(), *options.broker_uid, -1U) != 0) {
        return fail(Code::resource_unavailable, "{}: cannot be given to user {}: {}",
                    options.socket.native(), *options.broker_uid, std::strerror(errno));
    }
    Descriptor waker(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!waker) {
        return fail(Code::resource_unavailable, "eventfd: {}", std::strerror(errno));
    }
    return std::make_unique<Server>(std::move(options), std::move(snapshot), std::move(sign),
                                    std::move(current), bus, std::move(listener), std::move(waker));
}

}  // namespace quoin::server
