#include "cli/demo/acts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/plant/interrupt.hpp"
#include "host/descriptor.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds patience{45'000};
constexpr milliseconds silence{2'000};  // how long we listen for samples that must not come

Watch::Condition event(std::string id, std::string subject) {
    return [id = std::move(id), subject = std::move(subject)](const Seen& seen) {
        return seen.id == id && seen.subject == subject;
    };
}

// Ready when the predicate says so, or stopped, or late.
Result<void> poll_until(const std::string& what, const std::function<Result<bool>()>& ready) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
        QUOIN_TRY(const bool now, ready());
        if (now) return {};
        if (std::chrono::steady_clock::now() > deadline) {
            return fail(Code::resource_timeout, "this did not happen within {} ms: {}",
                        patience.count(), what);
        }
        if (wait_for_interrupt(milliseconds(30))) {
            return fail(Code::state_wrong, "stopped while waiting: {}", what);
        }
    }
}

Result<nlohmann::json> samples(const Client& client, const std::string& device, Parameters more) {
    more.emplace_back("device", device);
    QUOIN_TRY(auto answer, client.get(target("telemetry", more)));
    return answer.value("samples", nlohmann::json::array());
}

// The newest stored sample; null: none.
Result<nlohmann::json> newest(const Client& client, const std::string& device) {
    QUOIN_TRY(const auto list, samples(client, device, {{"last", "true"}, {"limit", "1"}}));
    return list.empty() ? nlohmann::json() : list.back();
}

std::uint64_t sequence(const nlohmann::json& sample) {
    return sample.is_object() ? sample.value("seq", std::uint64_t{0}) : 0;
}

// All of 1..N are stored. The newest may be further: what was lost on the way comes again later.
Result<std::uint64_t> contiguous(const Client& client) {
    QUOIN_TRY(const auto shown, client.get(fmt::format("devices/{}", victim)));
    for (const auto& stream : shown.value("streams", nlohmann::json::array())) {
        if (stream.value("stream", "") == "machine") {
            return stream.value("contiguous", std::uint64_t{0});
        }
    }
    return 0;
}

Result<void> flip_a_byte(const std::filesystem::path& file) {
    const Descriptor opened(open(file.c_str(), O_RDWR | O_CLOEXEC));
    unsigned char byte = 0;
    if (!opened || pread(opened.number(), &byte, 1, 100) != 1) {
        return fail(Code::resource_unavailable, "{}: {}", file.string(), std::strerror(errno));
    }
    byte ^= 0x01U;
    if (pwrite(opened.number(), &byte, 1, 100) != 1) {
        return fail(Code::resource_unavailable, "{}: {}", file.string(), std::strerror(errno));
    }
    return {};
}

// On the device's disk is no key, only the names of some in quoin-se.
Result<void> key_is_elsewhere(Stage& stage, const std::string& id) {
    for (const char* name : {"device.key", "attest.key"}) {
        const auto file = device_folder(stage.home, id) / "identity/current" / name;
        QUOIN_TRY(const std::string text, files::read(file));
        if (!text.starts_with("-----BEGIN QUOIN KEY REFERENCE-----")) {
            return fail(Code::integrity_mismatch, "{} holds a key, not a reference to one",
                        file.string());
        }
    }
    stage.narrator.say(id, "its device.key and attest.key name keys in quoin-se, and hold none");
    return {};
}

Result<void> device_runs(Stage& stage, const DemoDevice& device) {
    QUOIN_CHECK(stage.watch.wait(device.id + " gets its certificate", 0,
                                 event("pki.certificate.issued", device.id), patience));
    QUOIN_CHECK(stage.watch.wait(device.id + " connects to the broker", 0,
                                 event("broker.session.opened", device.id), patience));
    if (device.device_class == "mpu") {
        QUOIN_CHECK(key_is_elsewhere(stage, device.id));
        QUOIN_CHECK(stage.watch.wait(device.id + " is attested and trusted", 0,
                                     event("verifier.evidence.trusted", device.id), patience));
    }
    nlohmann::json sample;
    QUOIN_CHECK(
        poll_until("the first sample of " + device.id + " is stored", [&]() -> Result<bool> {
            QUOIN_TRY(sample, newest(stage.client, device.id));
            return !sample.is_null();
        }));
    stage.narrator.say(device.id,
                       fmt::format("samples are stored, the newest: #{} {}", sequence(sample),
                                   sample.value("values", nlohmann::json()).dump()));
    return {};
}

// What was stored although it was made after the session had been closed.
Result<void> nothing_came(Stage& stage, std::int64_t closed_ms) {
    QUOIN_TRY(const auto list, samples(stage.client, victim,
                                       {{"from_ms", std::to_string(closed_ms)}, {"limit", "1"}}));
    if (list.empty()) return {};
    return fail(Code::integrity_mismatch,
                "sample #{} of {} was made after its session was closed, and is stored",
                sequence(list.front()), victim);
}

// Every sequence from 1 to `last` is there exactly once.
Result<void> check_no_gap(const Client& client, std::uint64_t last) {
    std::uint64_t expected = 1;
    while (expected <= last) {
        QUOIN_TRY(const auto page, samples(client, victim,
                                           {{"stream", "machine"},
                                            {"after_seq", std::to_string(expected - 1)},
                                            {"limit", "1000"}}));
        if (page.empty()) {
            return fail(Code::integrity_mismatch, "{}: sample #{} is missing", victim, expected);
        }
        for (const auto& sample : page) {
            if (expected > last) break;
            if (sequence(sample) != expected) {
                return fail(Code::integrity_mismatch, "{}: sample #{} is missing, #{} follows",
                            victim, expected, sequence(sample));
            }
            ++expected;
        }
    }
    return {};
}

}  // namespace

Result<void> act_running(Stage& stage) {
    for (const DemoDevice& device : stage.devices) QUOIN_CHECK(device_runs(stage, device));
    return {};
}

Result<void> act_attack(Stage& stage) {
    const auto file = device_folder(stage.home, victim) / measured_file;
    const std::int64_t altered_ms = now_ms();
    QUOIN_CHECK(flip_a_byte(file));
    stage.narrator.say(
        victim, fmt::format("one bit of {} is flipped, behind everybody's back", measured_file));
    QUOIN_TRY(const Seen verdict,
              stage.watch.wait("the verifier notices the altered file", altered_ms,
                               event("verifier.evidence.untrusted", victim), patience));
    QUOIN_TRY(const Seen closed,
              stage.watch.wait("the broker closes the session", altered_ms,
                               event("broker.session.isolated", victim), patience));
    QUOIN_TRY(const Seen refused,
              stage.watch.wait("the broker refuses its return", closed.time_ms,
                               event("broker.session.refused", victim), patience));
    stage.narrator.say("",
                       fmt::format("altered -> verdict {} ms, verdict -> session closed {} ms, "
                                   "closed -> return refused {} ms",
                                   verdict.time_ms - altered_ms, closed.time_ms - verdict.time_ms,
                                   refused.time_ms - closed.time_ms));
    stage.times["attack"] = {{"verdict_ms", verdict.time_ms - altered_ms},
                             {"closed_ms", closed.time_ms - verdict.time_ms},
                             {"refused_ms", refused.time_ms - closed.time_ms},
                             {"reason", verdict.detail.value("reason", "")}};
    if (wait_for_interrupt(silence)) return fail(Code::state_wrong, "stopped while listening");
    QUOIN_CHECK(nothing_came(stage, closed.time_ms));
    stage.narrator.say(victim, fmt::format("none of what it measured in the {} ms since is stored",
                                           now_ms() - closed.time_ms));
    return {};
}

Result<void> act_release(Stage& stage) {
    const std::int64_t released_ms = now_ms();
    QUOIN_CHECK(flip_a_byte(device_folder(stage.home, victim) / measured_file));
    stage.narrator.say(victim, fmt::format("{} is restored", measured_file));
    QUOIN_CHECK(stage.client.post(fmt::format("devices/{}/release", victim), "{}"));
    QUOIN_TRY(const Seen trusted,
              stage.watch.wait("the released device is attested and trusted", released_ms,
                               event("verifier.evidence.trusted", victim), patience));
    std::uint64_t count = 0;
    QUOIN_CHECK(poll_until("telemetry of the released device resumes", [&]() -> Result<bool> {
        QUOIN_TRY(const auto sample, newest(stage.client, victim));
        count = sequence(sample);
        return count > 0 && sample.value("ts_ms", std::int64_t{0}) > trusted.time_ms;
    }));
    QUOIN_CHECK(poll_until("all that it had to keep is stored", [&]() -> Result<bool> {
        QUOIN_TRY(const std::uint64_t stored, contiguous(stage.client));
        return stored >= count;
    }));
    QUOIN_CHECK(check_no_gap(stage.client, count));
    stage.narrator.say(victim,
                       fmt::format("telemetry resumed; {} samples, #1 to #{}, none missing: its "
                                   "queue kept what it could not send",
                                   count, count));
    stage.times["release"] = {{"trusted_ms", trusted.time_ms - released_ms},
                              {"resumed_ms", now_ms() - released_ms},
                              {"samples", count}};
    return {};
}

}  // namespace quoin::cli
