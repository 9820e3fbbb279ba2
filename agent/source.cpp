#include "agent/source.hpp"

#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>

namespace quoin::agent {

bool wait_until(const std::stop_token& stop, std::chrono::steady_clock::time_point when) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop, when, [] { return false; });
    return !stop.stop_requested();
}

std::int64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

bool store(Queue& queue, const std::vector<Sample>& samples, const std::optional<Cursor>& cursor,
           const std::string& source, const std::stop_token& stop) {
    bool said_full = false;
    while (!stop.stop_requested()) {
        const auto added = queue.add(samples, cursor);
        if (added && *added == Added::full) {
            if (!said_full) spdlog::warn("queue_full source={} rows={}", source, queue.rows());
            said_full = true;
            queue.wait_for_room(stop);
            continue;
        }
        if (added) {
            if (*added == Added::dropped) {
                spdlog::warn("queue_dropped source={} dropped={}", source, queue.dropped());
            }
            return true;
        }
        spdlog::error("queue_failed source={} error=\"{}\"", source, added.error().message);
        if (added.error().code == Code::input_invalid) return true;  // it will never fit: go on
        wait_until(stop, std::chrono::steady_clock::now() + std::chrono::seconds(1));
    }
    return false;
}

}  // namespace quoin::agent
