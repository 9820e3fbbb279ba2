#include "cli/demo/narrator.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "cli/output.hpp"

namespace quoin::cli {
namespace {

struct Phrase {
    std::string_view id;
    std::string_view text;
    std::string_view topic;  // a phrase repeats only after another of the same topic
};

constexpr std::array phrases{
    Phrase{"pki.certificate.issued", "enrolled: certificate issued", "certificate"},
    Phrase{"pki.certificate.renewed", "certificate renewed", "certificate"},
    Phrase{"pki.enrolment.refused", "enrolment refused", "certificate"},
    Phrase{"broker.session.opened", "connected to the broker over PQ/TLS", "session"},
    Phrase{"broker.session.closed", "session ended", "session"},
    Phrase{"broker.session.isolated", "ISOLATED: the broker closed its session", "session"},
    Phrase{"broker.session.refused", "tries to come back: refused by the broker", "session"},
    Phrase{"broker.access.denied", "may not use this topic (yet)", "access"},
    Phrase{"verifier.evidence.trusted", "attested: trusted", "verdict"},
    Phrase{"verifier.evidence.untrusted", "attested: UNTRUSTED", "verdict"},
    Phrase{"verifier.evidence.stale", "gave no evidence in time", "verdict"},
    Phrase{"fleet.device.quarantined", "quarantined", "state"},
    Phrase{"fleet.device.released", "released by the operator: may be attested again", "state"},
    Phrase{"telemetry.samples.suspect", "its samples since the last good evidence are suspect",
           "suspect"},
    Phrase{"telemetry.samples.dropped", "dropped samples from its full queue", "queue"},
};

const Phrase* phrase_for(std::string_view id) {
    for (const Phrase& phrase : phrases) {
        if (phrase.id == id) return &phrase;
    }
    return nullptr;
}

std::string details(const nlohmann::json& detail) {
    std::string text;
    for (const char* name : {"kind", "verdict", "reason", "why", "level", "topic"}) {
        if (detail.contains(name) && detail[name] != nlohmann::json(""))
            text += fmt::format(" {}={}", name, plain(detail[name]));
    }
    return text;
}

}  // namespace

void Narrator::act(const std::string& title) {
    if (quiet_) return;
    const std::scoped_lock lock(mutex_);
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    fmt::print("\n{}== {} =={}\n", terminal ? "\033[1m" : "", title, terminal ? "\033[0m" : "");
    std::fflush(stdout);
}

void Narrator::line(std::int64_t at_ms, const std::string& who, const std::string& what) {
    if (quiet_) return;
    const std::scoped_lock lock(mutex_);
    const double seconds = static_cast<double>(at_ms - start_ms_) / 1000;
    fmt::print("{:>8.3f} s  {:<6}  {}\n", seconds, who, printable(what));
    std::fflush(stdout);
}

void Narrator::show(const Seen& seen) {
    const Phrase* phrase = phrase_for(seen.id);
    if (phrase == nullptr || seen.subject.empty()) return;
    if (seen.subject.starts_with("service.")) return;  // ours, not devices
    const std::string text = std::string(phrase->text) + details(seen.detail);
    std::string& last = last_[seen.subject + " " + std::string(phrase->topic)];
    if (last == text) return;
    last = text;
    line(seen.time_ms, seen.subject, text);
}

}  // namespace quoin::cli
