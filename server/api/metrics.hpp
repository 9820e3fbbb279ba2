// What /metrics and /readyz tell. A device id is never a label: the number of series is bounded.
//
// Source: Prometheus text format 0.0.4. Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/audit/audit.hpp"
#include "server/api/session_table.hpp"
#include "server/bus/bus.hpp"
#include "server/bus/histogram.hpp"

namespace quoin::server {

struct Metric {
    std::string_view name;  // without labels
    std::string_view help;
    std::string_view type;  // "counter" or "gauge"
    // Label set ("" or `{a="b"}`, made by the program) and value.
    std::vector<std::pair<std::string, double>> values;
};
std::string to_text(const Metric& metric);
// A histogram in seconds.
std::string to_text(std::string_view name, std::string_view help, const Histogram& histogram);

class Metrics {
public:
    // Listens to verdicts, samples and the broker's reports on `bus`.
    Metrics(Bus& bus, const audit::Log& audit);

    bool broker_up() const { return broker_up_; }
    std::int64_t broker_sessions() const { return sessions_.size(); }
    bool has_session(std::string_view client) const { return sessions_.contains(client); }
    // All of it. `more`: what only the other roles know.
    std::string text(const std::vector<Metric>& more) const;

private:
    const audit::Log& audit_;
    std::int64_t started_ms_;
    std::array<std::atomic<std::uint64_t>, 4> verdicts_{};
    SessionTable sessions_;
    std::atomic<bool> broker_up_{false};
    Histogram delay_;
};

}  // namespace quoin::server
