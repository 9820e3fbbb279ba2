#include "agent/agent.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <random>
#include <thread>

#include "agent/attestation.hpp"
#include "agent/config.hpp"
#include "agent/enrolment.hpp"
#include "agent/queue.hpp"
#include "agent/renewal.hpp"
#include "agent/session.hpp"
#include "agent/source.hpp"
#include "agent/succession.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/files/files.hpp"
#include "host/integrity/integrity.hpp"
#include "host/keys/program_key.hpp"

namespace quoin::agent {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds first_wait{1000};
constexpr milliseconds longest_wait{300'000};  // an operator who has changed his mind waits so long
constexpr milliseconds look_interval{1000};    // for what makes a renewal due early

std::minstd_rand& randomness() {
    static thread_local std::minstd_rand random(std::random_device{}());
    return random;
}

// The wait after a failure: longer each time; much longer when the plant has said no, which only an
// operator changes. Between a half and the whole of it.
class Backoff {
public:
    explicit Backoff(milliseconds when_refused) : when_refused_(when_refused) {}
    milliseconds after(const Error& error) {
        // A wrong authorisation counts towards a TPM's lockout: not often either.
        const bool refused =
            error.code == Code::peer_forbidden || error.code == Code::input_unauthenticated;
        const milliseconds least = refused ? when_refused_ : first_wait;
        const milliseconds most = refused ? longest_wait : std::max(when_refused_, first_wait);
        wait_ = std::clamp(wait_ * 2, least, most);
        std::uniform_int_distribution<std::int64_t> pick(wait_.count() / 2, wait_.count());
        return milliseconds(pick(randomness()));
    }

private:
    milliseconds when_refused_;
    milliseconds wait_{0};
};

bool expired(const Identity& identity) { return identity.certificate().not_after_ms() <= now_ms(); }

std::int64_t issued_ms(const Identity& identity) {
    return identity.certificate().not_before_ms() + milliseconds(x509::clock_skew).count();
}

std::int64_t life_ms(const Identity& identity) {
    return std::max<std::int64_t>(0, identity.certificate().not_after_ms() - issued_ms(identity));
}

milliseconds time_to_renewal(const Identity& identity, double renew_at) {
    return wait_for_renewal(
        {.from_ms = issued_ms(identity), .to_ms = identity.certificate().not_after_ms()}, renew_at,
        now_ms(), randomness());
}

std::unique_ptr<Source> make_source(const std::variant<CsvOptions, ModbusOptions>& options,
                                    Queue& queue) {
    if (const auto* csv = std::get_if<CsvOptions>(&options)) return make_csv_source(*csv, queue);
    return make_modbus_source(std::get<ModbusOptions>(options), queue);
}

Result<void> check_file(const keys::Choice& choice, const std::filesystem::path& file) {
    if (!choice.production || !std::filesystem::exists(file)) return {};
    QUOIN_TRY(const keys::KeyPlace place, keys::place_of_key(file));
    return place.store.empty() ? keys::check_software_key(choice, file.string()) : Result<void>{};
}

// What agent.toml says, unless the device has moved to a stronger suite since.
Result<Standing> standing_of(const Config& config, const IdentityStore& store) {
    QUOIN_TRY(auto moved, store.standing());
    if (moved && moved->suite > config.suite) return *std::move(moved);
    QUOIN_TRY(auto anchors, x509::Certificate::load(config.trust));
    return Standing{config.suite, std::move(anchors)};
}

// The sources on their threads; the destructor stops and joins them.
class Sources {
public:
    Sources(const Config& config, Queue& queue) {
        for (const auto& options : config.sources) all_.push_back(make_source(options, queue));
        for (const auto& source : all_) {
            threads_.emplace_back([&source](const std::stop_token& stop) { source->run(stop); });
        }
    }

private:
    std::vector<std::unique_ptr<Source>> all_;
    std::vector<std::jthread> threads_;
};

class Agent {
public:
    Agent(const RunOptions& options, Config config, IdentityStore store, Birth birth,
          DeviceClass device_class, Standing standing)
        : options_(options),
          config_(std::move(config)),
          store_(std::move(store)),
          birth_(std::move(birth)),
          class_(device_class),
          enrolment_(std::in_place, config_, store_,
                     EstClient(config_.plant, standing.suite, std::move(standing.anchors)),
                     class_) {}

    Result<void> run(const std::stop_token& stop);

private:
    Result<std::optional<Enrolled>> enrolled(const std::stop_token& stop);
    Result<std::optional<Identity>> usable_identity() const;
    Result<Outcome> enrol_once(const std::optional<Identity>& present);
    Result<Outcome> renew_once(const Identity& present);
    milliseconds wait_for_operator(const Pending& pending) const;
    Result<void> check_keys() const;
    void follow_trust();
    bool wait_until_renewal(Clock::time_point due, const Session& session,
                            const std::stop_token& stop);
    Result<bool> serve(Enrolled& enrolled, Session& session, const std::stop_token& stop);
    Result<bool> look_around(Enrolled& enrolled);
    Result<bool> move(Enrolled& enrolled, const std::string& offered);
    Clock::time_point next_look() const;
    std::optional<Enrolled> renewed(const Identity& present, const std::stop_token& stop);
    Result<void> with_session(Enrolled enrolled, Queue& queue, std::optional<Sources>& sources,
                              const std::stop_token& stop);

    const RunOptions options_;
    const Config config_;
    const IdentityStore store_;
    const Birth birth_;
    const DeviceClass class_;
    std::optional<Enrolment> enrolment_;  // another one after a move
    std::optional<Enrolment> way_;        // of a move that is not done
    std::string trust_seen_;              // the file's text
    std::string trust_trouble_;           // that was told
    bool has_other_trust_ = false;        // than the session
    std::uint64_t boot_counter_ = 0;
};

// What was enrolled before the profile was "production", or put in place of a reference.
Result<void> Agent::check_keys() const {
    QUOIN_TRY(const auto files, store_.key_files());
    for (const std::filesystem::path& file : files) {
        QUOIN_CHECK(check_file(config_.keys, file));
        QUOIN_TRY(const keys::KeyPlace place, keys::place_of_key(file));
        if (!keys::is_elsewhere(config_.keys, place)) continue;
        spdlog::warn("key_fallback file={} in={} configured={}: until the next renewal",
                     file.string(), place.store.empty() ? keys::software_keys : place.store,
                     config_.keys.store);
    }
    return {};
}

// The one on disk; none: there is none yet, or the store of its keys is away and has a fallback.
Result<std::optional<Identity>> Agent::usable_identity() const {
    QUOIN_CHECK(check_keys());
    QUOIN_TRY(const bool out_of_reach, enrolment_->is_out_of_reach());
    if (!out_of_reach) return store_.current();
    spdlog::warn("key_out_of_reach device={}: enrolling again by birth", birth_.device);
    return std::nullopt;
}

// The identity on disk, or a new one.
Result<Outcome> Agent::enrol_once(const std::optional<Identity>& present) {
    if (present && !expired(*present)) {
        QUOIN_TRY(PlantInfo plant, enrolment_->plant(*present));
        return Enrolled{*present, std::move(plant)};
    }
    if (present) spdlog::warn("expired device={}: enrolling again by birth", present->device);
    QUOIN_TRY(Outcome outcome, enrolment_->enrol());
    if (const auto* fresh = std::get_if<Enrolled>(&outcome)) {
        spdlog::info("enrolled device={} site={} class={} serial={} expires_ms={}",
                     fresh->identity.device, fresh->identity.site, class_name(class_),
                     fresh->identity.certificate().serial_hex(),
                     fresh->identity.certificate().not_after_ms());
    }
    return outcome;
}

// As long as the plant says, and somewhat more by chance: many devices may wait for one operator.
milliseconds Agent::wait_for_operator(const Pending& pending) const {
    const milliseconds least = pending.retry_after;
    std::uniform_int_distribution<std::int64_t> more(0, least.count() / 10);
    const milliseconds wait = least + milliseconds(more(randomness()));
    const auto keys = enrolment_->asked_keys();
    spdlog::info("enrol_pending device={} retry_ms={} key_sha256={} plant=\"{}\"", birth_.device,
                 wait.count(), keys ? *keys : keys.error().message, pending.words);
    return wait;
}

Result<std::optional<Enrolled>> Agent::enrolled(const std::stop_token& stop) {
    Backoff backoff(config_.renew_retry);
    while (!stop.stop_requested()) {
        follow_trust();
        const auto present = usable_identity();
        if (!present && present.error().code == Code::integrity_mismatch) {
            return std::unexpected(present.error());  // its own files are damaged
        }
        auto got = present ? enrol_once(*present) : std::unexpected(present.error());
        if (got) {
            if (auto* done = std::get_if<Enrolled>(&*got)) return std::move(*done);
            if (!wait_until(stop, Clock::now() + wait_for_operator(std::get<Pending>(*got)))) break;
            continue;
        }
        const Error& error = got.error();
        if (error.code == Code::config_invalid) return std::unexpected(error);
        const milliseconds wait = backoff.after(error);
        spdlog::warn("{} device={} retry_ms={} error=\"{}\"",
                     error.code == Code::peer_forbidden ? "enrol_refused" : "enrol_failed",
                     birth_.device, wait.count(), error.message);
        if (!wait_until(stop, Clock::now() + wait)) break;
    }
    return std::nullopt;
}

Result<Outcome> Agent::renew_once(const Identity& present) {
    QUOIN_TRY(const bool out_of_reach, enrolment_->is_out_of_reach());
    return expired(present) || out_of_reach ? enrolment_->enrol() : enrolment_->renew(present);
}

std::optional<Enrolled> Agent::renewed(const Identity& present, const std::stop_token& stop) {
    Backoff backoff(config_.renew_retry);
    while (!stop.stop_requested()) {
        follow_trust();
        auto outcome = renew_once(present);
        if (outcome && std::holds_alternative<Pending>(*outcome)) {
            wait_until(stop, Clock::now() + wait_for_operator(std::get<Pending>(*outcome)));
            continue;
        }
        if (outcome) {
            auto* const fresh = std::get_if<Enrolled>(&*outcome);
            spdlog::info("renewed device={} serial={} expires_ms={}", fresh->identity.device,
                         fresh->identity.certificate().serial_hex(),
                         fresh->identity.certificate().not_after_ms());
            return std::move(*fresh);
        }
        const Error& error = outcome.error();
        const milliseconds wait = backoff.after(error);
        spdlog::warn("{} device={} retry_ms={} error=\"{}\"",
                     error.code == Code::peer_forbidden ? "renew_refused" : "renew_failed",
                     birth_.device, wait.count(), error.message);
        wait_until(stop, Clock::now() + wait);
    }
    return std::nullopt;
}

// Other roots in the file that agent.toml names count at once. One that cannot be read does not.
void Agent::follow_trust() {
    const auto text = files::read(config_.trust);
    if (text && *text == trust_seen_) return;
    if (text) trust_seen_ = *text;
    const auto standing = text ? standing_of(config_, store_) : std::unexpected(text.error());
    if (!standing) {
        if (standing.error().message != trust_trouble_) {
            spdlog::error("trust_kept error=\"{}\"", standing.error().message);
        }
        trust_trouble_ = standing.error().message;
        return;
    }
    trust_trouble_.clear();
    if (std::ranges::equal(standing->anchors, enrolment_->standing().anchors,
                           [](const auto& one, const auto& other) {
                               return X509_cmp(one.native(), other.native()) == 0;
                           })) {
        return;
    }
    spdlog::warn("trust_replaced file={} roots={}", config_.trust.string(),
                 standing->anchors.size());
    enrolment_.emplace(config_, store_,
                       EstClient(config_.plant, standing->suite, standing->anchors), class_);
    way_.reset();
    has_other_trust_ = true;
}

// Devices look at different times, so that a plant does not migrate in one minute.
Clock::time_point Agent::next_look() const {
    const milliseconds period = config_.look;
    std::uniform_int_distribution<std::int64_t> pick(period.count() / 2, period.count() * 3 / 2);
    return Clock::now() + milliseconds(pick(randomness()));
}

// Follows a plant that migrates. False: it stays as it is; the error says why.
Result<bool> Agent::move(Enrolled& enrolled, const std::string& offered) {
    QUOIN_TRY(const tls::Suite suite, stronger_suite(enrolment_->standing().suite, offered));
    // Kept while an operator has not decided: the plant issues once for a key.
    if (!way_ || way_->target() != suite) {
        QUOIN_TRY(Enrolment way, enrolment_->move_to(suite));
        way_.emplace(std::move(way));
    }
    QUOIN_TRY(Outcome outcome, way_->renew(enrolled.identity));
    if (const auto* pending = std::get_if<Pending>(&outcome)) {
        return fail(Code::state_wrong, "an operator has not decided: {}", pending->words);
    }
    Enrolled moved = std::get<Enrolled>(std::move(outcome));
    way_.reset();
    Standing standing = *moved.identity.standing;
    enrolment_.emplace(config_, store_,
                       EstClient(config_.plant, standing.suite, std::move(standing.anchors)),
                       class_);
    enrolled = std::move(moved);
    spdlog::info("moved device={} suite={} serial={} broker={}:{}", birth_.device,
                 tls::info(suite).name, enrolled.identity.certificate().serial_hex(),
                 enrolled.plant.broker_host, enrolled.plant.broker_port);
    return true;
}

// Whether the plant migrates, or its broker is elsewhere now. True: another session is needed.
Result<bool> Agent::look_around(Enrolled& enrolled) {
    QUOIN_TRY(PlantInfo now, enrolment_->plant(enrolled.identity));
    if (!now.next_suite.empty()) {
        auto moved = move(enrolled, now.next_suite);
        if (!moved) {
            spdlog::warn(
                "{} device={} next={} error=\"{}\"",
                moved.error().code == Code::peer_forbidden ? "move_refused" : "move_failed",
                birth_.device, now.next_suite, moved.error().message);
        } else {
            return true;
        }
    }
    const bool has_moved = now.broker_host != enrolled.plant.broker_host ||
                           now.broker_port != enrolled.plant.broker_port;
    if (has_moved) spdlog::info("broker_moved to={}:{}", now.broker_host, now.broker_port);
    enrolled.plant = std::move(now);
    return has_moved;
}

// False: stopped. A renewal is due at `due`, or when the attestation key is of no use any more;
// another session when it is to be held to other roots.
bool Agent::wait_until_renewal(Clock::time_point due, const Session& session,
                               const std::stop_token& stop) {
    while (Clock::now() < due && !session.needs_attestation_key()) {
        if (!wait_until(stop, std::min(due, Clock::now() + look_interval))) return false;
        follow_trust();
        if (has_other_trust_) return true;
    }
    return !stop.stop_requested();
}

// True: it goes on with another session.
Result<bool> Agent::serve(Enrolled& enrolled, Session& session, const std::stop_token& stop) {
    const auto after = [](milliseconds wait) { return Clock::now() + wait; };
    Clock::time_point renewal =
        after(attestation_key_fits(enrolled.identity, config_)
                  ? time_to_renewal(enrolled.identity, enrolled.plant.renew_at)
                  : milliseconds(0));
    Clock::time_point look = next_look();
    has_other_trust_ = false;
    while (wait_until_renewal(std::min(renewal, look), session, stop)) {
        if (has_other_trust_) return true;
        if (Clock::now() < renewal && !session.needs_attestation_key()) {
            look = next_look();
            const auto other = look_around(enrolled);
            if (!other) spdlog::debug("look_failed error=\"{}\"", other.error().message);
            if (other && *other) return true;
            // Spread by the times at which devices look.
            if (enrolled.plant.renew) renewal = Clock::now();
            continue;
        }
        way_.reset();  // of one device one request waits: this one supersedes that of a move
        std::optional<Enrolled> fresh = renewed(enrolled.identity, stop);
        if (!fresh) return false;
        const bool has_moved = fresh->plant.broker_host != enrolled.plant.broker_host ||
                               fresh->plant.broker_port != enrolled.plant.broker_port;
        enrolled = *std::move(fresh);
        if (has_moved || has_other_trust_) return true;
        QUOIN_CHECK(session.replace(enrolled.identity));
        enrolment_->remove_old_keys(enrolled.identity.device);
        // A wrong clock may find the new certificate due at once: not in a loop.
        const milliseconds least(life_ms(enrolled.identity) / 20);
        renewal = after(std::max(time_to_renewal(enrolled.identity, enrolled.plant.renew_at),
                                 std::max(least, first_wait)));
    }
    return false;
}

Result<void> Agent::with_session(Enrolled enrolled, Queue& queue, std::optional<Sources>& sources,
                                 const std::stop_token& stop) {
    const tls::Suite suite = enrolment_->standing().suite;
    if (enrolled.plant.suite != tls::info(suite).name) {
        return fail(Code::config_invalid, "suite is \"{}\", the plant's is \"{}\": set it in {}",
                    tls::info(suite).name, enrolled.plant.suite,
                    (config_.home / config_file_name).string());
    }
    for (bool goes_on = true; goes_on;) {
        QUOIN_TRY(const auto session,
                  Session::start(config_,
                                 {enrolled.plant.broker_host, enrolled.plant.broker_port, class_,
                                  boot_counter_, enrolment_->standing()},
                                 queue, enrolled.identity));
        enrolment_->remove_old_keys(enrolled.identity.device);
        auto served = serve(enrolled, *session, stop);
        goes_on = served && *served;
        if (!goes_on) sources.reset();
        if (!served) return std::unexpected(served.error());
    }
    return {};
}

Result<void> Agent::run(const std::stop_token& stop) {
    QUOIN_TRY(boot_counter_, next_boot_counter(config_.home));
    spdlog::info("started device={} class={}{} release={} counter={}", birth_.device,
                 class_name(class_),
                 class_ == DeviceClass::mcu ? " label=\"simulated MCU (Linux process)\"" : "",
                 config_.release, boot_counter_);
    if (options_.once_enrol) {
        QUOIN_TRY(const auto done, enrolled(stop));
        return done ? Result<void>{} : fail(Code::state_wrong, "stopped before the enrolment");
    }
    QUOIN_TRY(const auto queue, Queue::open(config_.home / "queue.sqlite", config_.queue));
    if (queue->rows() > 0) spdlog::info("queue_holds rows={}", queue->rows());
    std::optional<Sources> sources(std::in_place, config_, *queue);
    auto got = enrolled(stop);
    if (!got) return std::unexpected(got.error());
    if (!*got) return {};
    return with_session(std::move(**got), *queue, sources, stop);
}

}  // namespace

Result<void> run(const RunOptions& options, const std::stop_token& stop) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_TRY(Config config, load_config(options.home));
    tls::apply(config.crypto);
    QUOIN_CHECK(integrity::check_start(options.home, std::array{options.home / config_file_name}));
    spdlog::info("{}", crypto::module_line());
    // Two agents would give the same sequences to different samples.
    const auto lock = files::lock_folder(options.home);
    if (!lock) {
        return fail(Code::state_wrong, "{}: is another agent running here? Stop it first",
                    lock.error().message);
    }
    QUOIN_TRY(IdentityStore store, IdentityStore::open(options.home, attestation_stores(config)));
    QUOIN_TRY(Birth birth, store.birth());
    QUOIN_CHECK(check_file(config.keys, options.home / "birth.key"));
    QUOIN_TRY(const DeviceClass device_class, class_of(config, birth));
    QUOIN_TRY(Standing standing, standing_of(config, store));
    Agent agent(options, std::move(config), std::move(store), std::move(birth), device_class,
                std::move(standing));
    return agent.run(stop);
}

}  // namespace quoin::agent
