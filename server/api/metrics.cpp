#include "server/api/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "server/bus/clock.hpp"

namespace quoin::server {

std::string to_text(std::string_view name, std::string_view help, const Histogram& histogram) {
    std::string lines = fmt::format("# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        total += histogram.counts[i].load(std::memory_order_relaxed);
        const std::string bound =
            i < Histogram::bounds_ms.size()
                ? fmt::format("{}", static_cast<double>(Histogram::bounds_ms[i]) / 1000.0)
                : "+Inf";
        lines += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bound, total);
    }
    lines += fmt::format(
        "{0}_sum {1}\n{0}_count {2}\n", name,
        static_cast<double>(histogram.sum_ms.load(std::memory_order_relaxed)) / 1000.0, total);
    return lines;
}

std::string to_text(const Metric& metric) {
    std::string lines =
        fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", metric.name, metric.help, metric.type);
    for (const auto& [labels, value] : metric.values) {
        lines += fmt::format("{}{} {}\n", metric.name, labels, value);
    }
    return lines;
}

Metrics::Metrics(Bus& bus, const audit::Log& audit) : audit_(audit), started_ms_(now_ms()) {
    bus.verdict_reached.listen([this](const VerdictReached& reached) {
        verdicts_.at(static_cast<std::size_t>(reached.verdict)).fetch_add(1);
    });
    bus.samples_stored.listen([this](const SamplesStored& stored) {
        for (const SampleStored& sample : stored.samples) {
            delay_.add(std::max<std::int64_t>(sample.stored_ms - sample.ts_ms, 0));
        }
    });
    bus.broker_session.listen(
        [this](const BrokerSession& session) { sessions_.take(session.report); });
    bus.broker_link.listen([this](const BrokerLink& link) {
        broker_up_ = link.up;
        sessions_.clear();  // the plugin tells its live sessions anew
    });
}

std::string Metrics::text(const std::vector<Metric>& more) const {
    Metric events{.name = "quoin_events_total",
                  .help = "Security events by id, since the start.",
                  .type = "counter",
                  .values = {}};
    for (const auto& [id, count] : audit_.counts()) {
        events.values.emplace_back(fmt::format("{{id=\"{}\"}}", id), static_cast<double>(count));
    }
    Metric verdicts{.name = "quoin_verdicts_total",
                    .help = "Appraisals by verdict, since the start.",
                    .type = "counter",
                    .values = {}};
    constexpr std::array<std::string_view, 4> names{"trusted", "untrusted", "stale", "no_policy"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        verdicts.values.emplace_back(fmt::format("{{verdict=\"{}\"}}", names[i]),
                                     static_cast<double>(verdicts_[i].load()));
    }
    const auto gauge = [](std::string_view name, std::string_view help, double value) {
        return to_text({.name = name, .help = help, .type = "gauge", .values = {{"", value}}});
    };
    std::string all = to_text(events) + to_text(verdicts);
    all += gauge("quoin_broker_up", "1 while the broker's plugin knows every device.",
                 broker_up_ ? 1 : 0);
    all += gauge("quoin_broker_sessions", "Live sessions on the broker.",
                 static_cast<double>(sessions_.size()));
    all += gauge("quoin_uptime_seconds", "Seconds since the start.",
                 static_cast<double>(now_ms() - started_ms_) / 1000.0);
    all += to_text("quoin_sample_delay_seconds", "From a sample's own time to its committed row.",
                   delay_);
    for (const Metric& metric : more) all += to_text(metric);
    return all;
}

}  // namespace quoin::server
