#include "server/verifier/worker.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "server/bus/clock.hpp"
#include "server/verifier/device_event.hpp"

namespace quoin::verifier {
namespace {

using server::Verdict;

constexpr std::chrono::milliseconds tick_interval{100};
constexpr std::int64_t least_spacing_ms = 500;  // between two challenges of a device
constexpr int max_queued_evidence = 4;          // of a device
constexpr std::size_t max_queue = 10'000;
constexpr std::size_t max_challenges_a_tick = 200;

audit::Id audit_id(Verdict verdict) {
    switch (verdict) {
        case Verdict::trusted:
            return audit::Id::verifier_evidence_trusted;
        case Verdict::untrusted:
            return audit::Id::verifier_evidence_untrusted;
        case Verdict::stale:
        case Verdict::no_policy:
            break;
    }
    return audit::Id::verifier_evidence_stale;
}

std::string isolation_event(const std::string& device, const std::string& reason,
                            std::int64_t at_ms) {
    // All texts are of the plain characters that ids and reasons are made of.
    return fmt::format(R"({{"device":"{}","grant":"none","reason":"{}","at_ms":{}}})", device,
                       reason, at_ms);
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(store::Database& database, const server::Bus& bus,
                                              audit::Log& audit, VerifierOptions options,
                                              Publish publish) {
    const std::int64_t now_ms = server::now_ms();
    QUOIN_TRY(Nonces nonces, Nonces::make(now_ms));
    return std::unique_ptr<Worker>(new Worker(database, bus, audit, std::move(options),
                                              std::move(publish), std::move(nonces), now_ms));
}

Worker::Worker(store::Database& database, const server::Bus& bus, audit::Log& audit,
               VerifierOptions options, Publish publish, Nonces nonces, std::int64_t start_ms)
    : database_(database),
      bus_(bus),
      audit_(audit),
      options_(std::move(options)),
      publish_(std::move(publish)),
      nonces_(std::move(nonces)),
      start_ms_(start_ms),
      jitter_(std::random_device{}()) {
    thread_ = std::thread([this] { run(); });
}

Worker::~Worker() { stop(); }

void Worker::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Worker::message(const std::string& topic, std::string payload) {
    if (const auto device = device_of_topic(topic, options_.site, "event")) {
        return take_event(*device, payload);
    }
    const auto device = device_of_topic(topic, options_.site, "attest/evidence");
    if (!device) return ignore("", device.error().message);
    {
        const std::lock_guard lock(mutex_);
        int& queued = queued_evidence_[std::string(*device)];
        if (queued < max_queued_evidence) {
            ++queued;
            // One byte over the limit says oversize as well as a megabyte does.
            if (payload.size() > evidence::max_message_size) {
                payload.resize(evidence::max_message_size + 1);
            }
            queue_.emplace_back(Evidence{std::string(*device), std::move(payload)});
            wake_.notify_one();
            return;
        }
    }
    ignore(*device, "more evidence at once than is appraised");
}

void Worker::take_event(std::string_view device, std::string_view payload) {
    const auto name = event_name(payload);
    if (!name) {
        audit_.append(audit::Id::device_event_rejected, device, {{"why", name.error().message}});
        return;
    }
    if (*name == "online") return push(Online{std::string(device)});
    audit_.append(audit::Id::device_event_reported, device, {{"event", *name}});
}

void Worker::link(bool up) {
    link_up_ = up;
    wake_.notify_one();
}

void Worker::device_changed(const server::DeviceChanged& changed) {
    push(StateChange{changed.device, changed.device_class, changed.state});
}

void Worker::session_changed(std::string device, bool opened) {
    push(Session{std::move(device), opened});
}

VerifierCounters Worker::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

std::int64_t Worker::clock_ms() const {
    return start_ms_ + std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::steady_clock::now() - started_)
                           .count();
}

std::int64_t Worker::jittered_period_ms() {
    const std::int64_t tenth = std::max<std::int64_t>(1, options_.period.count() / 10);
    return options_.period.count() -
           static_cast<std::int64_t>(jitter_() % static_cast<std::uint64_t>(tenth));
}

void Worker::push(Work work) {
    {
        const std::lock_guard lock(mutex_);
        // State changes are never dropped: they come from us, not from a peer.
        if (queue_.size() >= max_queue && !std::holds_alternative<StateChange>(work)) {
            ++counters_.ignored;
            return;
        }
        queue_.push_back(std::move(work));
    }
    wake_.notify_one();
}

void Worker::run() {
    std::int64_t next_tick_ms = 0;
    for (;;) {
        std::optional<Work> work;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, tick_interval, [this] { return stopping_ || !queue_.empty(); });
            if (stopping_) return;
            if (!queue_.empty()) {
                work = std::move(queue_.front());
                queue_.pop_front();
                if (const auto* evidence = std::get_if<Evidence>(&*work)) {
                    const auto count = queued_evidence_.find(evidence->device);
                    if (--count->second == 0) queued_evidence_.erase(count);
                }
            }
        }
        if (!loaded_) load_devices();
        if (work) std::visit([this](const auto& one) { handle(one); }, *work);
        // All devices are walked: not after each message of a burst.
        if (clock_ms() < next_tick_ms) continue;
        next_tick_ms = clock_ms() + tick_interval.count();
        tick();
    }
}

// Every attestable device, 5 ms apart. Whether it is online is not known: it is asked.
void Worker::load_devices() {
    const auto devices = attestable_devices(database_);
    if (!devices) {
        if (!load_failed_) spdlog::warn("verifier: {}; trying again", devices.error().message);
        load_failed_ = true;
        return;
    }
    loaded_ = true;
    std::int64_t due_ms = clock_ms();
    const std::int64_t age_base_ms = server::now_ms();
    for (const DeviceRow& row : *devices) {
        Watched& watched = watched_[row.device];
        watched.attestable = true;
        watched.passed = row.verdict == "trusted";
        watched.stale = row.verdict == "stale";
        // A pass from the future (the clock was set back) is no fresher than now.
        watched.pass_ms = clock_ms() - std::max<std::int64_t>(0, age_base_ms - row.last_pass_ms);
        watched.challenge_due_ms = due_ms += 5;
    }
}

void Worker::handle(const Online& online) {
    const auto found = watched_.find(online.device);
    if (found == watched_.end() || !found->second.attestable) return;
    found->second.offline = false;
    found->second.challenge_due_ms =
        std::max(clock_ms(), found->second.challenged_ms + least_spacing_ms);
}

void Worker::handle(const StateChange& change) {
    const bool attestable = is_attestable(change.state, change.device_class);
    if (!attestable && !watched_.contains(change.device)) return;
    Watched& watched = watched_[change.device];
    if (watched.attestable == attestable) return;
    watched.attestable = attestable;
    watched.passed = false;
    // What was asked before it was shut out says nothing about it afterwards.
    watched.nonces.forget();
    if (attestable) watched.challenge_due_ms = clock_ms() + least_spacing_ms;
}

void Worker::handle(const Session& session) {
    const auto found = watched_.find(session.device);
    if (found == watched_.end()) return;
    found->second.offline = !session.opened;
    // Its agent says `online` when it can answer; this is for one that does not.
    if (session.opened) found->second.challenge_due_ms = clock_ms() + 1000;
}

void Worker::tick() {
    const std::int64_t now_ms = clock_ms();
    std::size_t challenges = 0;
    for (auto& [device, watched] : watched_) {
        if (!watched.attestable) continue;
        if (watched.passed && now_ms - watched.pass_ms >= options_.lifetime.count()) {
            conclude(device, watched,
                     {.device = device,
                      .at_ms = server::now_ms(),
                      .appraisal = {.verdict = Verdict::stale, .reason = "no_answer", .level = {}},
                      .asked_ms = 0,
                      .boot_counter = {},
                      .release = {}});
        }
        if (watched.offline || !link_up_ || now_ms < watched.challenge_due_ms) continue;
        if (++challenges > max_challenges_a_tick) continue;
        challenge(device, watched);
    }
}

void Worker::challenge(const std::string& device, Watched& watched) {
    const std::int64_t now_ms = clock_ms();
    const auto nonce = nonces_.issue(device, watched.nonces, now_ms);
    watched.challenged_ms = now_ms;
    // Without an answer it is asked again when this one is too late.
    watched.challenge_due_ms = now_ms + std::min(options_.timeout, options_.period).count();
    if (!nonce) {
        spdlog::error("verifier: no nonce for {}: {}", device, nonce.error().message);
        return;
    }
    const attest::Challenge challenge{
        .nonce = *nonce, .issued_ms = issued_ms_of(*nonce), .timeout_ms = options_.timeout.count()};
    publish_(fmt::format("quoin/{}/{}/attest/challenge", options_.site, device),
             attest::encode_challenge(challenge));
    audit_.append(audit::Id::verifier_challenge_sent, device);
    const std::lock_guard lock(mutex_);
    ++counters_.challenges;
}

void Worker::handle(const Evidence& evidence) {
    const auto found = watched_.find(evidence.device);
    if (found == watched_.end() || !found->second.attestable) {
        return ignore(evidence.device, "evidence of a device that is not asked for any");
    }
    Watched& watched = found->second;
    watched.offline = false;
    const auto digest = crypto::sha3_512(bytes_of(evidence.bytes));
    if (!digest) {
        spdlog::error("verifier: {}", digest.error().message);
        return;
    }
    // QoS 1 may bring a message twice.
    if (*digest == watched.last_evidence) return ignore(evidence.device, "redelivered");
    appraise_evidence(evidence, watched);
    watched.last_evidence = *digest;
}

void Worker::appraise_evidence(const Evidence& evidence, Watched& watched) {
    const auto opened = attest::open_evidence(bytes_of(evidence.bytes));
    const std::string release = opened ? std::string(opened->claims().release) : std::string();
    auto record = load_record(database_, evidence.device, release, server::now_ms());
    if (!record || !*record) {
        spdlog::error("verifier: evidence of {} is dropped, it will be asked again: {}",
                      evidence.device, record ? "not in the inventory" : record.error().message);
        return;
    }
    if (!is_attestable((*record)->row.state, (*record)->row.device_class)) {
        return ignore(evidence.device, "evidence of a device that is not asked for any");
    }
    Facts& facts = (*record)->facts;
    facts.minimum_level = options_.minimum_level;
    if (opened) {
        const auto state = nonces_.classify(evidence.device, opened->claims().nonce, watched.nonces,
                                            clock_ms(), options_.timeout.count());
        if (!state) {
            spdlog::error("verifier: {}", state.error().message);
            return;
        }
        facts.nonce = *state;
        if (*state == NonceState::superseded) {
            return ignore(evidence.device, "an answer to an old challenge");
        }
    }
    VerdictRow row{.device = evidence.device,
                   .at_ms = server::now_ms(),
                   .appraisal = appraise(opened, facts),
                   .asked_ms = 0,
                   .boot_counter = {},
                   .release = {}};
    const Verdict verdict = row.appraisal.verdict;
    if (verdict != Verdict::untrusted)
        watched.nonces.answered(issued_ms_of(opened->claims().nonce));
    if (verdict == Verdict::stale && watched.stale) {
        return ignore(evidence.device, "late again");
    }
    if (verdict == Verdict::trusted) {
        row.asked_ms = issued_ms_of(opened->claims().nonce);
        row.boot_counter = opened->claims().boot_counter;
        row.release = release;
        watched.pass_ms = clock_ms();
        watched.challenge_due_ms = clock_ms() + jittered_period_ms();
    }
    conclude(evidence.device, watched, row);
}

// Record, audit, tell the others; the order matters to the fleet, which reads what was recorded.
void Worker::conclude(const std::string& device, Watched& watched, const VerdictRow& row) {
    const Appraisal& appraisal = row.appraisal;
    const bool untrusted = appraisal.verdict == Verdict::untrusted;
    if (const auto recorded = record_verdict(database_, row); !recorded) {
        spdlog::error("verifier: verdict {} ({}) about {} is not recorded: {}",
                      verdict_name(appraisal.verdict), appraisal.reason, device,
                      recorded.error().message);
        // A pass that nobody can look up later is none (I10). A failure is told all the same.
        if (!untrusted) return;
    }
    watched.passed = appraisal.verdict == Verdict::trusted;
    watched.stale = appraisal.verdict == Verdict::stale;
    audit_.append(audit_id(appraisal.verdict), device,
                  {{"reason", appraisal.reason}, {"level", appraisal.level}});
    bus_.verdict_reached.publish({.device = device,
                                  .verdict = appraisal.verdict,
                                  .reason = appraisal.reason,
                                  .level = appraisal.level,
                                  .at_ms = row.at_ms});
    if (untrusted) {
        publish_(fmt::format("quoin-events/{}/isolation", options_.site),
                 isolation_event(device, appraisal.reason, row.at_ms));
    }
    const std::lock_guard lock(mutex_);
    if (untrusted) {
        ++counters_.untrusted;
    } else {
        ++(watched.passed ? counters_.trusted : counters_.stale);
    }
}

void Worker::ignore(std::string_view device, std::string_view why) {
    audit_.append(audit::Id::verifier_evidence_rejected, device, {{"why", why}});
    const std::lock_guard lock(mutex_);
    ++counters_.ignored;
}

}  // namespace quoin::verifier
