#include "server/fleet/fleet.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

#include "server/bus/clock.hpp"
#include "server/fleet/intake.hpp"
#include "server/fleet/revocation.hpp"

namespace quoin::server {
namespace {

constexpr std::size_t max_reason_bytes = 256;  // the column's

std::string bounded(std::string_view text) { return std::string(text.substr(0, max_reason_bytes)); }

// Runs a change, and logs what cannot be told to anybody else.
void log_failure(std::string_view doing, std::string_view device, const Result<void>& result) {
    if (!result) spdlog::error("fleet: {} of {}: {}", doing, device, result.error().message);
}

Result<void> record_verdict(soci::session& session, const VerdictReached& verdict) {
    const std::string name(verdict_name(verdict.verdict));
    const std::string reason = bounded(verdict.reason);
    const std::string level = verdict.level.substr(0, 32);
    session << "UPDATE devices SET verdict = :verdict, verdict_reason = :reason, verdict_level = "
               ":level, "
               "verdict_ms = :at WHERE device_id = :id",
        soci::use(name), soci::use(reason), soci::use(level), soci::use(verdict.at_ms),
        soci::use(verdict.device);
    return {};
}

// By device, or service.NAME.
using RevokedSerials = std::map<std::string, std::vector<std::string>>;

RevokedSerials revoked_serials(soci::session& session, std::int64_t now_ms) {
    RevokedSerials revoked;
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT kind, subject_id, serial FROM certificates WHERE kind IN "
                            "('device', 'attest', 'service') AND revoked_ms > 0 AND not_after_ms "
                            "> :now",
         soci::use(now_ms));
    for (const soci::row& row : rows) {
        const std::string_view prefix =
            row.get<std::string>(0) == "service" ? feed::service_prefix : "";
        revoked[std::string(prefix) + row.get<std::string>(1)].push_back(row.get<std::string>(2));
    }
    return revoked;
}

}  // namespace

Fleet::Fleet(FleetOptions options, store::Database& database, Bus& bus, audit::Log& audit)
    : options_(std::move(options)), database_(database), bus_(bus), audit_(audit) {
    bus_.verdict_reached.listen([this](const VerdictReached& verdict) { on_verdict(verdict); });
    bus_.certificate_issued.listen([this](const CertificateIssued& issued) {
        if (issued.kind == "device") log_failure("enrolment", issued.device, enrol(issued.device));
    });
}

Result<Imported> Fleet::import(std::string_view batch, bool readmit, std::string_view actor) {
    const auto imported = take_batch(batch, readmit);
    if (!imported) {
        audit_.append(audit::Id::fleet_batch_refused, "",
                      {{"actor", actor}, {"reason", imported.error().message}});
    } else {
        audit_.append(
            audit::Id::fleet_batch_imported, "",
            {{"actor", actor}, {"added", imported->added}, {"readmitted", imported->readmitted}});
    }
    return imported;
}

Result<Imported> Fleet::take_batch(std::string_view batch, bool readmit) {
    QUOIN_TRY(const std::vector<InventoryLine> lines, parse_batch(batch));
    const std::lock_guard lock(order_);
    QUOIN_TRY(const Intake intake,
              database_.transaction([&](soci::session& session) -> Result<Intake> {
                  return take_in(session, lines, readmit, now_ms());
              }));
    for (const Admission& admission : intake) {
        publish({.id = admission.line.silicon_id,
                 .device_class = admission.line.device_class,
                 .epoch = admission.epoch,
                 .state = State::expected,
                 .reason = std::string(admission.epoch > 1 ? not_back : not_enrolled)});
    }
    const auto back = std::ranges::count_if(intake, [](const auto& one) { return one.epoch > 1; });
    for (const Admission& admission : intake) {
        if (admission.epoch == 1) continue;
        audit_.append(
            audit::Id::fleet_device_readmitted, admission.line.silicon_id,
            {{"epoch", admission.epoch}, {"birth_cert_sha256", admission.line.birth_cert_sha256}});
    }
    const auto readmitted = static_cast<std::size_t>(back);
    return Imported{.added = intake.size() - readmitted, .readmitted = readmitted};
}

Result<Fleet::Device> Fleet::load(soci::session& session, std::string_view name) {
    Device device{.id = std::string(name)};
    std::string class_text;
    std::string state;
    long long epoch = 1;
    session << "SELECT class, state, reason, verdict_ms, epoch FROM devices WHERE device_id = :id",
        soci::use(device.id), soci::into(class_text), soci::into(state), soci::into(device.reason),
        soci::into(device.verdict_ms), soci::into(epoch);
    if (!session.got_data()) {
        return fail(Code::input_not_found, "there is no device {} in the inventory", name);
    }
    device.epoch = static_cast<std::uint64_t>(epoch);
    QUOIN_TRY(device.device_class, class_by_name(class_text));
    QUOIN_TRY(device.state, state_by_name(state));
    return device;
}

void Fleet::save(soci::session& session, Device& device) {
    const std::string state(state_name(device.state));
    device.reason = bounded(device.reason);
    const std::int64_t now = now_ms();
    session << "UPDATE devices SET state = :state, reason = :why, updated_ms = :now WHERE "
               "device_id = :id",
        soci::use(state), soci::use(device.reason), soci::use(now), soci::use(device.id);
}

void Fleet::on_verdict(const VerdictReached& verdict) {
    log_failure("verdict", verdict.device, apply_verdict(verdict));
}

Result<void> Fleet::apply_verdict(const VerdictReached& verdict) {
    const std::lock_guard lock(order_);
    std::optional<State> next;
    Device device;
    const auto committed = database_.transaction([&](soci::session& session) -> Result<void> {
        QUOIN_TRY(device, load(session, verdict.device));
        // One that was overtaken by a newer one, and one about a device that is out, say nothing.
        // An untrusted one always counts: the clock may have been set back.
        const bool overtaken =
            verdict.at_ms < device.verdict_ms && verdict.verdict != Verdict::untrusted;
        if (!takes_verdicts(device.state) || overtaken) return {};
        next = next_state(device.state, device.device_class, life_event(verdict.verdict));
        device.state = next.value_or(device.state);
        if (verdict.verdict == Verdict::trusted) {
            device.reason.clear();
        } else if (device.device_class == DeviceClass::mpu || next) {
            device.reason = fmt::format("{}: {}", verdict_name(verdict.verdict), verdict.reason);
        }
        save(session, device);
        return record_verdict(session, verdict);
    });
    if (!committed && verdict.verdict == Verdict::untrusted) shut_out(verdict);
    QUOIN_CHECK(committed);
    unrecorded_.erase(verdict.device);
    if (!next) return {};
    publish(device);
    const bool out = device.state == State::quarantined;
    audit_.append(out ? audit::Id::fleet_device_quarantined : audit::Id::fleet_state_changed,
                  device.id, {{"state", state_name(device.state)}, {"reason", device.reason}});
    return {};
}

// A database that cannot commit must not keep a compromised device on the broker. Under order_.
void Fleet::shut_out(const VerdictReached& verdict) {
    const bool first = unrecorded_.insert_or_assign(verdict.device, verdict).second;
    if (!first) return;
    const std::string reason =
        bounded(fmt::format("{}: {}", verdict_name(verdict.verdict), verdict.reason));
    publish({.id = verdict.device,
             .device_class = DeviceClass::mpu,  // the others are not appraised
             .state = State::quarantined,
             .reason = reason});
    audit_.append(audit::Id::fleet_device_quarantined, verdict.device,
                  {{"state", "not recorded yet"}, {"reason", reason}});
}

Result<void> Fleet::enrol(std::string_view name) {
    const std::lock_guard lock(order_);
    bool changed = false;
    Device device;
    const auto committed = database_.transaction([&](soci::session& session) -> Result<void> {
        QUOIN_TRY(device, load(session, name));
        const auto next = next_state(device.state, device.device_class, LifeEvent::enrolled);
        if (!next) return {};
        changed = true;
        device.state = *next;
        if (device.device_class == DeviceClass::mpu) {
            device.reason = "not attested yet";
            save(session, device);
            return {};
        }
        device.reason.clear();
        session << "UPDATE devices SET verdict = 'no policy' WHERE device_id = :id",
            soci::use(device.id);
        save(session, device);
        return {};
    });
    QUOIN_CHECK(committed);
    if (!changed) return {};
    publish(device);
    audit_.append(audit::Id::fleet_state_changed, device.id,
                  {{"state", state_name(device.state)}, {"reason", "enrolled"}});
    return {};
}

Result<State> Fleet::release(std::string_view name, std::string_view actor) {
    const std::lock_guard lock(order_);
    QUOIN_TRY(const Device device, release_row(name));
    publish(device);
    audit_.append(audit::Id::fleet_device_released, device.id, {{"actor", actor}});
    return device.state;
}

Result<Fleet::Device> Fleet::release_row(std::string_view name) {
    return database_.transaction([&](soci::session& session) -> Result<Device> {
        QUOIN_TRY(Device device, load(session, name));
        const auto next = next_state(device.state, device.device_class, LifeEvent::release);
        if (!next) {
            return fail(Code::state_wrong, "{} is {}; only a quarantined device can be released",
                        name, state_name(device.state));
        }
        device.state = *next;
        device.reason = "released; waits for a passing attestation";
        save(session, device);
        // Otherwise the sweep would take the old verdict for one that was cut off.
        QUOIN_CHECK(record_verdict(session, {.device = device.id,
                                             .verdict = Verdict::stale,
                                             .reason = "released",
                                             .level = "",
                                             .at_ms = now_ms()}));
        return device;
    });
}

Result<RevocationOutcome> Fleet::preview(const RevocationRequest& request) {
    QUOIN_CHECK(check_request(request));
    return database_.read(
        [&](soci::session& session) { return find_endings(session, request, now_ms()); });
}

Result<RevocationOutcome> Fleet::revoke(const RevocationRequest& request) {
    QUOIN_CHECK(check_request(request));
    RevocationOutcome outcome;
    {
        const std::lock_guard lock(order_);
        std::vector<feed::SealedStatement> statements;
        QUOIN_TRY(outcome, revoke_rows(request, statements));
        tell(request, outcome, statements);
    }
    CertificatesRevoked revoked;
    for (const DeviceEnding& device : outcome.ended) {
        revoked.subjects.push_back(device.device);
        for (const EndedCertificate& one : device.certificates) {
            revoked.serials.push_back(one.serial);
        }
    }
    if (!outcome.ended.empty()) bus_.certificates_revoked.publish(revoked);
    return outcome;
}

Result<RevocationOutcome> Fleet::revoke_rows(const RevocationRequest& request,
                                             std::vector<feed::SealedStatement>& statements) {
    return database_.transaction([&](soci::session& session) -> Result<RevocationOutcome> {
        const std::int64_t now = now_ms();
        QUOIN_TRY(RevocationOutcome outcome, find_endings(session, request, now));
        QUOIN_CHECK(end_rows(session, request, outcome, now));
        QUOIN_TRY(statements, record_statements(session, request, endings_of(outcome),
                                                options_.site, options_.sign, now));
        if (!statements.empty()) outcome.statement = statements.back().number;
        return outcome;
    });
}

Result<std::vector<std::string>> Fleet::revoke(const NamedRevocation& request) {
    std::vector<std::string> serials;
    {
        const std::lock_guard lock(order_);
        std::vector<feed::SealedStatement> statements;
        QUOIN_TRY(serials, revoke_named_rows(request, statements));
        for (const feed::SealedStatement& sealed : statements) {
            bus_.revocation_stated.publish({sealed});
        }
    }
    for (const std::string& serial : serials) {
        audit_.append(audit::Id::pki_certificate_revoked, "",
                      {{"actor", request.actor},
                       {"kind", request.kind},
                       {"name", request.name},
                       {"serial", serial},
                       {"reason", x509::reason_name(request.reason)}});
    }
    bus_.certificates_revoked.publish({.subjects = {request.name}, .serials = serials});
    return serials;
}

// The broker knows services, too; operators have no business there.
Result<std::vector<std::string>> Fleet::revoke_named_rows(
    const NamedRevocation& request, std::vector<feed::SealedStatement>& statements) {
    using Serials = std::vector<std::string>;
    return database_.transaction([&](soci::session& session) -> Result<Serials> {
        const std::int64_t now = now_ms();
        Serials serials = end_named_rows(session, request, now);
        if (serials.empty()) {
            return fail(Code::input_not_found, "{} {} has no certificate{}{} that is not revoked",
                        request.kind, request.name, request.serial.empty() ? "" : " ",
                        request.serial);
        }
        if (request.kind != "service") return serials;
        const RevocationRequest why{
            .devices = {}, .reason = request.reason, .note = {}, .actor = request.actor};
        std::vector<feed::Ending> endings{
            {.device = std::string(feed::service_prefix) + request.name, .serials = serials}};
        QUOIN_TRY(statements, record_statements(session, why, std::move(endings), options_.site,
                                                options_.sign, now));
        return serials;
    });
}

// Under order_. The statements first: they are what closes sessions.
void Fleet::tell(const RevocationRequest& request, const RevocationOutcome& outcome,
                 const std::vector<feed::SealedStatement>& statements) {
    for (const feed::SealedStatement& sealed : statements) {
        bus_.revocation_stated.publish({sealed});
    }
    const std::string text = revocation_text(request);
    for (const DeviceEnding& ending : outcome.ended) {
        unrecorded_.erase(ending.device);
        bus_.device_changed.publish({.device = ending.device,
                                     .device_class = ending.device_class,
                                     .epoch = ending.epoch,
                                     .state = std::string(state_name(State::revoked)),
                                     .grant = feed::Grant::none,
                                     .reason = text});
        audit_.append(audit::Id::fleet_device_revoked, ending.device,
                      {{"actor", request.actor},
                       {"reason", text},
                       {"certificates", ending.certificates.size()},
                       {"enrolments", ending.enrolments.size()},
                       {"statement", outcome.statement}});
    }
}

Result<feed::PlantState> Fleet::snapshot() {
    const std::lock_guard lock(order_);
    return database_.read([this](soci::session& session) -> Result<feed::PlantState> {
        RevokedSerials revoked = revoked_serials(session, now_ms());
        feed::PlantState plant;
        const soci::rowset<soci::row> rows =
            (session.prepare << "SELECT device_id, state, reason, epoch FROM devices");
        for (const soci::row& row : rows) {
            QUOIN_TRY(const State state, state_by_name(row.get<std::string>(1)));
            auto id = row.get<std::string>(0);
            auto serials_of = std::move(revoked[id]);
            revoked.erase(id);
            const bool shut = unrecorded_.contains(id);
            plant.devices.push_back({.seq = 0,
                                     .id = std::move(id),
                                     .epoch = static_cast<std::uint64_t>(row.get<long long>(3)),
                                     .grant = shut ? feed::Grant::none : grant_of(state),
                                     .state = row.get<std::string>(1),
                                     .reason = row.get<std::string>(2),
                                     .revoked = std::move(serials_of)});
        }
        for (auto& [id, serials] : revoked) {
            if (!feed::is_service(id)) continue;
            plant.devices.push_back({.seq = 0,
                                     .id = id,
                                     .grant = feed::Grant::none,
                                     .state = "service",
                                     .reason = {},
                                     .revoked = std::move(serials)});
        }
        QUOIN_TRY(const LastStatement last, last_statement(session));
        plant.number = last.number;
        plant.last = last.digest;
        return plant;
    });
}

Result<std::vector<std::pair<std::string, std::int64_t>>> Fleet::counts() {
    using Counts = std::vector<std::pair<std::string, std::int64_t>>;
    return database_.read([](soci::session& session) -> Result<Counts> {
        constexpr std::size_t more_than_states = 16;
        std::vector<std::string> states(more_than_states);
        std::vector<std::int64_t> numbers(more_than_states);
        session << "SELECT state, COUNT(*) FROM devices GROUP BY state", soci::into(states),
            soci::into(numbers);
        std::map<std::string, std::int64_t> found;
        for (std::size_t i = 0; i < states.size(); ++i) found[states[i]] = numbers[i];
        Counts counts;
        for (const std::string_view state : state_names()) {
            counts.emplace_back(state, found[std::string(state)]);
        }
        return counts;
    });
}

Result<std::vector<std::string>> Fleet::devices_of(std::string_view condition,
                                                   std::int64_t bound_ms) {
    return database_.read([&](soci::session& session) -> Result<std::vector<std::string>> {
        const std::string statement =
            fmt::format("SELECT device_id FROM devices WHERE {}", condition);
        const soci::rowset<std::string> rows = (session.prepare << statement, soci::use(bound_ms));
        return std::vector<std::string>(rows.begin(), rows.end());
    });
}

// The verifier records a verdict, then the fleet acts on it: two commits. What was cut off between
// them by a crash or a busy database is done here, before the broker gets a snapshot and after.
Result<void> Fleet::finish_isolations() {
    std::map<std::string, VerdictReached, std::less<>> unrecorded;
    {
        const std::lock_guard lock(order_);
        unrecorded = unrecorded_;
    }
    for (const auto& [id, verdict] : unrecorded) QUOIN_CHECK(apply_verdict(verdict));
    QUOIN_TRY(const auto devices,
              devices_of("verdict = 'untrusted' AND state IN ('onboarding', 'active', 'degraded') "
                         "AND verdict_ms >= :bound",
                         0));
    for (const std::string& device : devices) {
        QUOIN_TRY(const std::string reason,
                  database_.read([&](soci::session& session) -> Result<std::string> {
                      std::string text;
                      session << "SELECT verdict_reason FROM devices WHERE device_id = :id",
                          soci::use(device), soci::into(text);
                      return text;
                  }));
        QUOIN_CHECK(apply_verdict({.device = device,
                                   .verdict = Verdict::untrusted,
                                   .reason = reason,
                                   .level = "",
                                   .at_ms = now_ms()}));
    }
    return {};
}

void Fleet::sweep() {
    const auto swept = try_sweep();
    if (swept) {
        swept_ = std::chrono::steady_clock::now();
    } else {
        spdlog::error("fleet: sweep: {}", swept.error().message);
    }
}

bool Fleet::is_current() const {
    constexpr std::chrono::seconds patience(10);
    return std::chrono::steady_clock::now() - swept_.load() < patience;
}

Result<void> Fleet::try_sweep() {
    QUOIN_CHECK(finish_isolations());
    const std::int64_t now = now_ms();
    const std::int64_t oldest =
        now -
        std::chrono::duration_cast<std::chrono::milliseconds>(options_.verdict_lifetime).count();
    QUOIN_TRY(const auto stale,
              devices_of("state = 'active' AND class = 'mpu' AND verdict_ms < :bound", oldest));
    for (const std::string& device : stale) {
        QUOIN_CHECK(apply_verdict(
            {.device = device,
             .verdict = Verdict::stale,
             .reason = fmt::format("no verdict for {} s", options_.verdict_lifetime.count()),
             .level = "",
             .at_ms = now}));
    }
    QUOIN_TRY(const auto cut_off,
              devices_of("state = 'expected' AND EXISTS (SELECT 1 FROM certificates WHERE "
                         "subject_id = device_id AND kind = 'device' AND revoked_ms = 0 AND "
                         "not_after_ms > :bound)",
                         now));
    for (const std::string& device : cut_off) QUOIN_CHECK(enrol(device));
    return {};
}

void Fleet::publish(const Device& device) {
    bus_.device_changed.publish({.device = device.id,
                                 .device_class = std::string(class_name(device.device_class)),
                                 .epoch = device.epoch,
                                 .state = std::string(state_name(device.state)),
                                 .grant = grant_of(device.state),
                                 .reason = device.reason});
}

}  // namespace quoin::server
