#include "cli/demo/watch.hpp"

#include <algorithm>

#include "cli/plant/interrupt.hpp"

namespace quoin::cli {
namespace {

constexpr std::chrono::milliseconds interval{30};

}  // namespace

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Watch::Watch(Client client, std::function<void(const Seen&)> show)
    : client_(std::move(client)), show_(std::move(show)) {
    client_.set_timeout(std::chrono::seconds(2));
    thread_ = std::thread([this] { run(); });
}

Watch::~Watch() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
        changed_.notify_all();
    }
    thread_.join();
}

void Watch::run() {
    while (true) {
        // While quoind is away there is nothing to see; its events are all there when it is back.
        const auto answer =
            client_.get(target("events", {{"after", std::to_string(last_)}, {"limit", "500"}}));
        if (answer) {
            for (const auto& event : answer->value("events", nlohmann::json::array())) take(event);
        }
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, interval, [this] { return ending_; })) return;
    }
}

void Watch::take(const nlohmann::json& event) {
    Seen seen{.number = event.value("number", std::uint64_t{0}),
              .time_ms = event.value("time_ms", std::int64_t{0}),
              .id = event.value("id", ""),
              .subject = event.value("subject", ""),
              .detail = event.value("detail", nlohmann::json::object())};
    if (seen.number <= last_) return;
    last_ = seen.number;
    show_(seen);
    const std::scoped_lock lock(mutex_);
    seen_.push_back(std::move(seen));
    changed_.notify_all();
}

Result<Seen> Watch::wait(const std::string& what, std::int64_t from_ms, const Condition& condition,
                         std::chrono::milliseconds timeout) const {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::unique_lock lock(mutex_);
    std::size_t looked_at = 0;
    while (true) {
        for (; looked_at < seen_.size(); ++looked_at) {
            const Seen& seen = seen_[looked_at];
            if (seen.time_ms >= from_ms && condition(seen)) return seen;
        }
        if (interrupted()) return fail(Code::state_wrong, "stopped while waiting: {}", what);
        if (std::chrono::steady_clock::now() >= deadline) {
            return fail(Code::resource_timeout, "this did not happen within {} ms: {}",
                        timeout.count(), what);
        }
        changed_.wait_for(lock, std::chrono::milliseconds(100));
    }
}

}  // namespace quoin::cli
