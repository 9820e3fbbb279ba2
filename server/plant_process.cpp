#include "server/plant_process.hpp"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "host/approved_mode.hpp"
#include "host/audit/signers.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/integrity/integrity.hpp"
#include "host/keys/program_key.hpp"
#include "host/tls/status.hpp"
#include "host/tls/suites.hpp"
#include "host/x509/former_roots.hpp"
#include "server/bus/clock.hpp"
#include "server/pki/migration.hpp"
#include "server/schema.hpp"
#include "server/verifier/references.hpp"

namespace quoin::server {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using std::chrono::milliseconds;

constexpr std::size_t database_connections = 8;
constexpr std::size_t max_https_body_bytes = 8 << 20;  // a batch list

HttpResponse text_response(int status, std::string body) {
    return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(body)};
}

HttpResponse certificate_response(const x509::Certificate& certificate) {
    const auto der = certificate.der();
    if (!der) return net::problem(der.error());
    return {.content_type = "application/pkix-cert", .body = std::string(text_of(*der))};
}

telemetry::SampleFilter filter_of(const SampleQuery& query) {
    return {.device = query.device,
            .stream = query.stream,
            .after_seq = query.after_seq,
            .from_ms = query.from_ms,
            .to_ms = query.to_ms,
            .limit = query.limit,
            .last = query.last};
}

// Strangers and devices send requests for certificates; only operators send lists.
std::size_t body_limit(const HttpRequest& request) {
    if (request.client_chain.empty()) return max_est_body_bytes;
    const auto identity = request.client_chain.front().identity();
    const bool is_operator = identity && identity->kind == x509::Kind::operator_;
    return is_operator ? max_https_body_bytes : max_est_body_bytes;
}

bool asks_for_status(const HttpRequest& request) {
    return request.path == "/ocsp" || request.path.starts_with("/ocsp/");
}

spdlog::level::level_enum log_level(audit::Severity severity) {
    if (severity <= audit::Severity::error) return spdlog::level::err;
    return severity == audit::Severity::warning ? spdlog::level::warn : spdlog::level::info;
}

// Where others ask about certificates; none for a wildcard.
std::string status_url(const Settings& settings, std::uint16_t port) {
    if (!settings.status_url.empty()) return settings.status_url;
    const std::string& host = settings.http.address;
    if (host == "0.0.0.0" || host == "::") return {};
    const bool v6 = host.find(':') != std::string::npos;
    return v6 ? fmt::format("http://[{}]:{}", host, port) : fmt::format("http://{}:{}", host, port);
}

// Keys that are not where the configuration would have them: made in a fallback, or before it said
// so.
Result<void> tell_fallbacks(const std::filesystem::path& home, const keys::Choice& choice) {
    if (choice.store.empty()) return {};
    for (const std::string_view name :
         {"pki/issuing", "services/quoind", "services/broker", "services/telemetry",
          "services/verifier", "services/audit", "services/ra", "services/ocsp"}) {
        const std::filesystem::path file = home / fmt::format("{}.key", name);
        QUOIN_TRY(const keys::KeyPlace place, keys::place_of_key(file));
        if (!keys::is_elsewhere(choice, place)) continue;
        spdlog::warn("key_fallback file={} in={} configured={}", file.string(),
                     place.store.empty() ? keys::software_keys : place.store, choice.store);
    }
    return {};
}

std::vector<Metric> crypto_metrics() {
    const crypto::ModuleReport report = crypto::module_report();
    const auto gauge = [](std::string_view name, std::string_view help, double value) {
        return Metric{.name = name, .help = help, .type = "gauge", .values = {{"", value}}};
    };
    return {gauge("quoin_crypto_operational", "1: no self-test of the cryptography has failed.",
                  report.state == crypto::ModuleState::operational ? 1 : 0),
            gauge("quoin_crypto_approved_mode", "1: this process is in approved mode.",
                  approved_mode() ? 1 : 0),
            gauge("quoin_crypto_self_tests", "Self-tests that were passed since the start.",
                  static_cast<double>(report.tests)),
            gauge("quoin_crypto_self_test_timestamp_seconds", "When the last one was passed.",
                  static_cast<double>(report.tested_at_ms) / 1000),
            gauge("quoin_crypto_start_seconds", "How long the self-tests of the start took.",
                  report.start_ms / 1000)};
}

// What a migration has left, before anything of the home is used.
Result<void> settle(const std::filesystem::path& home) {
    QUOIN_TRY(const bool settled, settle_home(home));
    if (settled) spdlog::info("pki: a migration or a rotation that was cut off is finished");
    return remove_retired(home);
}

// A plant's certificates are made by its profile, for its suite.
Result<PkiProfile> profile_for(const std::filesystem::path& home, tls::Suite suite) {
    QUOIN_TRY(PkiProfile profile, load_profile(home));
    if (profile.suite == suite) return profile;
    return fail(Code::config_invalid,
                "{}: the plant was made for suite \"{}\", and quoin.toml says \"{}\": set the "
                "suite that the plant was made for, or make a new one (quoin pki init)",
                (home / "pki/profile.toml").string(), tls::info(profile.suite).name,
                tls::info(suite).name);
}

}  // namespace

Result<std::unique_ptr<PlantProcess>> PlantProcess::start(const ProcessOptions& options) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(settle(options.home));
    QUOIN_TRY(Settings settings, load_settings(options.home));
    spdlog::info("{}", crypto::module_line());
    QUOIN_CHECK(integrity::check_start(options.home, configuration_files(options.home)));
    QUOIN_TRY(PkiProfile profile, profile_for(options.home, settings.suite));
    QUOIN_CHECK(tell_fallbacks(options.home, settings.keys));
    QUOIN_CHECK(files::make_private_folder(options.home / "run"));
    QUOIN_CHECK(files::make_private_folder(options.home / "db"));
    auto lock = files::lock_folder(options.home / "db");
    if (!lock) {
        return fail(Code::state_wrong, "a quoind runs in {} already ({})", options.home.string(),
                    lock.error().message);
    }
    std::unique_ptr<PlantProcess> process(
        new PlantProcess(options.home, std::move(settings), std::move(profile), *std::move(lock)));
    QUOIN_CHECK(process->open_state());
    QUOIN_CHECK(process->listen_http());
    QUOIN_CHECK(process->open_roles());
    QUOIN_CHECK(process->connect_bus());
    QUOIN_CHECK(process->start_broker_roles(options));
    process->fleet_->sweep();  // before any snapshot: finishes what a crash cut off
    QUOIN_CHECK(process->start_feed());
    QUOIN_CHECK(process->listen_https());
    QUOIN_CHECK(process->write_ports());
    process->wired_ = true;
    process->audit_->append(
        audit::Id::quoind_process_started, "",
        {{"site", process->settings_.site}, {"suite", tls::info(process->settings_.suite).name}});
    return process;
}

PlantProcess::~PlantProcess() {
    // The wires first, so that nobody calls what goes away behind them.
    local_.reset();
    https_.reset();
    http_.reset();
    verifier_.reset();
    telemetry_.reset();
    feed_link_ = nullptr;
    feed_.reset();
    if (audit_ && wired_) audit_->append(audit::Id::quoind_process_stopped, "", {});
    if (event_log_.joinable()) {
        event_log_.request_stop();
        event_log_.join();
    }
}

void PlantProcess::tick() {
    fleet_->sweep();
    if (!is_outdated_ && has_another_root()) {
        audit_->append(audit::Id::pki_migration_finished, "", {});
        is_outdated_ = true;
    }
    if (is_outdated_ || is_settling(home_)) return;  // its services are of another root already
    const bool changed = authority_->tick();  // before the services, which a new one has issued
    follow_services();
    ocsp_->tick();
    if (!changed) return;
    const auto followed = replace_responders();
    auto context = followed ? server_context() : std::unexpected(followed.error());
    if (context) {
        https_->replace_tls(*std::move(context));
        spdlog::info("makers or hierarchies changed: new connections are checked against them");
    } else {
        spdlog::error("makers or hierarchies changed, but: {}", context.error().message);
    }
}

Result<void> PlantProcess::open_state() {
    QUOIN_TRY(services_, load_services(home_, settings_.keys));
    QUOIN_CHECK(write_services());
    QUOIN_TRY(const auto* const own, credentials("audit"));
    QUOIN_TRY(const auto root, x509::Certificate::load(home_ / "pki" / "root.crt"));
    QUOIN_TRY(const auto anchors, x509::with_former_roots(home_ / "pki", root));
    audit::LogOptions log{.file = home_ / "audit" / "audit.jsonl"};
    QUOIN_TRY(log.earlier_keys, audit::earlier_signers(home_, anchors));
    QUOIN_TRY(audit_, audit::Log::open(std::move(log), own->key));
    event_log_ = std::jthread([this](const std::stop_token& stop) { log_events(stop); });
    QUOIN_CHECK(forward_events());
    QUOIN_TRY(database_, store::Database::open(settings_.database_url, database_connections));
    return database_->migrate(migrations());
}

Result<void> PlantProcess::forward_events() {
    if (!settings_.syslog) return {};
    const SyslogSettings& siem = *settings_.syslog;
    QUOIN_TRY(siem_trust_, files::read(siem.trust));
    QUOIN_TRY(tls::Context context, siem_context());
    audit::ForwarderOptions options;
    options.host = siem.host;
    options.port = siem.port;
    options.file = home_ / "audit" / "audit.jsonl";
    options.cursor = home_ / "audit" / "siem.cursor";
    QUOIN_TRY(forwarder_, audit::Forwarder::start(std::move(options), std::move(context), *audit_));
    return {};
}

// Each event of the audit log as a line of ours, until the log closes.
void PlantProcess::log_events(const std::stop_token& stop) {
    std::uint64_t number = audit_->last_number();
    while (!stop.stop_requested()) {
        for (const audit::Event& event : audit_->wait_after(number, 256, milliseconds(500))) {
            number = event.number;
            const audit::CatalogueRow& row = audit::row(event.id);
            spdlog::log(log_level(row.severity), "{} {} {} {}", row.name,
                        audit::severity_name(row.severity),
                        event.subject.empty() ? "-" : event.subject, event.detail);
        }
    }
}

Result<void> PlantProcess::listen_http() {
    net::HttpServerOptions options{.address = settings_.http.address, .port = settings_.http.port};
    options.threads = 2;
    options.max_body_bytes = x509::max_ocsp_request_size;
    options.body_limit = [](const HttpRequest& request) {
        return request.path == "/ocsp" ? x509::max_ocsp_request_size : 0;
    };
    options.ready = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
        if (!wired_ || !asks_for_status(request)) return std::nullopt;
        return ocsp_->handle_at_once(request);
    };
    options.max_connections = 128;
    options.max_streams = 0;
    QUOIN_TRY(http_, net::HttpServer::start(std::move(options), [this](const HttpRequest& request) {
                  return answer_http(request);
              }));
    return {};
}

Result<void> PlantProcess::open_roles() {
    fleet_ = std::make_unique<Fleet>(
        FleetOptions{.site = settings_.site,
                     .verdict_lifetime = settings_.verdict_lifetime,
                     .sign = [this](Bytes message) { return authority_->seal(message); }},
        *database_, bus_, *audit_);
    QUOIN_TRY(authority_, Authority::open({.home = home_,
                                           .site = settings_.site,
                                           .device_lifetime = settings_.device_lifetime,
                                           .crl_lifetime = settings_.crl_lifetime,
                                           .status_url = status_url(settings_, http_->port()),
                                           .keys = settings_.keys,
                                           .suite = settings_.suite},
                                          *database_, bus_, *audit_));
    QUOIN_TRY(
        registration_,
        RegistrationAuthority::open(
            {.home = home_, .site = settings_.site, .policy = settings_.ra, .keys = settings_.keys},
            *database_, *audit_));
    est_ = std::make_unique<Est>(EstOptions{.site = settings_.site,
                                            .profile = profile_,
                                            .broker_host = settings_.broker_host,
                                            .broker_port = settings_.broker_port,
                                            .broker_next_port = settings_.broker_next_port,
                                            .renew_at = settings_.renew_at,
                                            .retry_after = settings_.ra.retry_after},
                                 *registration_, *authority_, *audit_);
    QUOIN_CHECK(open_responder());
    broker_records_ = std::make_unique<BrokerRecords>(*authority_, bus_);
    metrics_ = std::make_unique<Metrics>(bus_, *audit_);
    api_ = std::make_unique<Api>(
        ApiOptions{.site = settings_.site, .suite = std::string(tls::info(settings_.suite).name)},
        sources(), *database_, bus_, *audit_);
    return {};
}

Result<void> PlantProcess::open_responder() {
    const double live_per_s = settings_.ocsp_live_per_peer;
    ocsp_ = std::make_unique<OcspResponder>(
        OcspOptions{
            .lifetime = settings_.ocsp_lifetime, .live_per_s = live_per_s, .burst = 2 * live_per_s},
        *database_, bus_, *audit_);
    return replace_responders();
}

Result<void> PlantProcess::connect_bus() {
    bus_.device_changed.listen([this](const DeviceChanged& change) {
        FeedServer* feed = feed_link_;
        if (feed == nullptr) return;                      // the first snapshot will have it
        if (change.state == feed::revoked_state) return;  // it is said by a statement
        feed->push(feed::Device{.seq = 0,
                                .id = change.device,
                                .epoch = change.epoch,
                                .grant = change.grant,
                                .state = change.state,
                                .reason = change.reason,
                                .revoked = {}});
    });
    bus_.revocation_stated.listen([this](const RevocationStated& stated) {
        if (FeedServer* feed = feed_link_; feed != nullptr) feed->push(stated.sealed);
    });
    bus_.certificates_revoked.listen([this](const CertificatesRevoked& revoked) {
        net::HttpServer* https = https_link_;
        if (https != nullptr) https->close_connections(revoked.serials);
    });
    authority_->list_revocations();
    bus_.broker_session.listen([this](const BrokerSession& session) { audit_broker(session); });
    bus_.broker_link.listen([this](const BrokerLink& link) {
        audit_->append(link.up ? audit::Id::broker_link_established : audit::Id::broker_link_lost,
                       "", {});
    });
    return {};
}

void PlantProcess::audit_tls(const std::string& peer, const std::string& reason) {
    audit_->append(audit::Id::api_access_refused, "",
                   {{"peer", peer}, {"call", "TLS handshake"}, {"reason", reason}});
}

void PlantProcess::audit_broker(const BrokerSession& session) {
    const auto note = [this](audit::Id id, std::string_view device, const audit::Detail& detail) {
        audit_->append(id, device, detail);
    };
    if (const auto* applied = std::get_if<feed::Applied>(&session.report)) {
        note(applied->closed ? audit::Id::broker_session_isolated : audit::Id::broker_state_applied,
             applied->id, {{"at_ms", applied->at_ms}});
    } else if (const auto* refused = std::get_if<feed::Refused>(&session.report)) {
        note(audit::Id::broker_session_refused, refused->id,
             {{"why", refused->why}, {"peer", refused->peer}, {"serial", refused->serial}});
    } else if (const auto* opened = std::get_if<feed::Connected>(&session.report)) {
        note(audit::Id::broker_session_opened, opened->id,
             {{"peer", opened->peer}, {"serial", opened->serial}});
    } else if (const auto* closed = std::get_if<feed::Disconnected>(&session.report)) {
        note(audit::Id::broker_session_closed, closed->id, {{"reason", closed->reason}});
    } else if (const auto* denied = std::get_if<feed::Denied>(&session.report)) {
        note(audit::Id::broker_access_denied, denied->id,
             {{"access", denied->access}, {"topic", denied->topic}});
    }
}

Result<void> PlantProcess::start_broker_roles(const ProcessOptions& options) {
    if (options.telemetry) {
        QUOIN_TRY(tls::Context tls, client_context("telemetry"));
        telemetry::TelemetryOptions settings{.broker = broker("service.telemetry"), .ingest = {}};
        settings.ingest.site = settings_.site;
        settings.ingest.rate_per_s = settings_.rate_per_device;
        settings.ingest.burst = settings_.rate_burst;
        QUOIN_TRY(telemetry_, telemetry::Telemetry::start(*database_, bus_, *audit_, std::move(tls),
                                                          std::move(settings)));
    }
    if (options.verifier) {
        QUOIN_TRY(const evidence::Level level, verifier::level_by_name(settings_.minimum_level));
        QUOIN_TRY(tls::Context tls, client_context("verifier"));
        QUOIN_TRY(verifier_, verifier::Verifier::start(*database_, bus_, *audit_, std::move(tls),
                                                       {.site = settings_.site,
                                                        .broker = broker("service.verifier"),
                                                        .period = settings_.verifier_period,
                                                        .timeout = settings_.verifier_timeout,
                                                        .lifetime = settings_.verdict_lifetime,
                                                        .minimum_level = level}));
    }
    return {};
}

Result<std::uint64_t> PlantProcess::next_epoch() {
    return database_->transaction([](soci::session& session) -> Result<std::uint64_t> {
        std::int64_t epoch = 0;
        session << "SELECT number FROM meta WHERE name = 'feed_epoch'", soci::into(epoch);
        const bool first = !session.got_data();
        epoch = std::max(epoch + 1, now_ms());  // also after a restore of an older database
        if (first) {
            session << "INSERT INTO meta (name, number) VALUES ('feed_epoch', :epoch)",
                soci::use(epoch);
        } else {
            session << "UPDATE meta SET number = :epoch WHERE name = 'feed_epoch'",
                soci::use(epoch);
        }
        return static_cast<std::uint64_t>(epoch);
    });
}

Result<void> PlantProcess::start_feed() {
    QUOIN_TRY(const std::uint64_t epoch, next_epoch());
    QUOIN_TRY(feed_, FeedServer::start(
                         {.socket = home_ / "run" / "broker.sock",
                          .site = settings_.site,
                          .epoch = epoch,
                          .lifetime = settings_.feed_lifetime,
                          .broker_uid = std::nullopt},
                         [this]() -> Result<feed::PlantState> {
                             if (fleet_->is_current()) return fleet_->snapshot();
                             return fail(Code::state_stale, "states may have run out unnoticed");
                         },
                         [this](Bytes head) { return authority_->seal(head); },
                         [this] { return fleet_->is_current(); }, bus_));
    feed_link_ = feed_.get();
    return {};
}

Result<void> PlantProcess::listen_https() {
    QUOIN_TRY(tls::Context context, server_context());
    net::HttpServerOptions options{.address = settings_.https.address,
                                   .port = settings_.https.port};
    options.tls = std::move(context);
    options.max_body_bytes = max_https_body_bytes;
    options.body_limit = body_limit;
    options.on_refused_certificate = [this](const std::string& peer, const std::string& reason) {
        audit_tls(peer, reason);
    };
    QUOIN_TRY(https_,
              net::HttpServer::start(std::move(options), [this](const HttpRequest& request) {
                  return answer_https(request);
              }));
    https_link_ = https_.get();
    net::HttpServerOptions local{.address = "unix:" + (home_ / "run" / "quoind.sock").string()};
    local.max_body_bytes = max_https_body_bytes;
    local.max_connections = 128;
    QUOIN_TRY(local_, net::HttpServer::start(std::move(local), [this](const HttpRequest& request) {
                  return api_->handle(request);
              }));
    return {};
}

Result<void> PlantProcess::write_ports() const {
    const nlohmann::json ports{
        {"mqtt", settings_.broker_port}, {"https", https_->port()}, {"http", http_->port()}};
    return files::write_atomically(home_ / "run" / "ports.json", ports.dump() + "\n", 0600);
}

net::MqttOptions PlantProcess::broker(const std::string& client_id) const {
    net::MqttOptions options;
    options.host = settings_.broker_host;
    options.port = settings_.broker_port;
    options.client_id = client_id;
    // Nothing is kept for us: devices send again what was not acknowledged, the verifier asks
    // again. Mosquitto 2.0.21 can lose its send quota with a kept session that it ended for a
    // protocol error (quoind killed while it caught up), and then holds that session's messages for
    // ever.
    options.session_expiry = std::chrono::seconds(0);
    options.check = broker_records_->check();
    return options;
}

ApiSources PlantProcess::sources() {
    return {
        .authenticate =
            [this](std::span<const x509::Certificate> chain) {
                return authority_->authenticate(chain);
            },
        .import = [this](std::string_view batch, bool readmit,
                         std::string_view actor) -> Result<ImportOutcome> {
            QUOIN_TRY(const Imported imported, fleet_->import(batch, readmit, actor));
            return ImportOutcome{.added = imported.added, .readmitted = imported.readmitted};
        },
        .release = [this](std::string_view device, std::string_view actor) -> Result<std::string> {
            QUOIN_TRY(const State state, fleet_->release(device, actor));
            return std::string(state_name(state));
        },
        .revoke =
            [this](const RevocationRequest& request, bool dry_run) {
                return dry_run ? fleet_->preview(request) : fleet_->revoke(request);
            },
        .has_session = [this](const std::string& device) { return metrics_->has_session(device); },
        .revoke_named = [this](const NamedRevocation& what) -> Result<std::vector<std::string>> {
            QUOIN_CHECK(authority_->record_home());  // one that was never used
            return fleet_->revoke(what);
        },
        .approve = [this](std::int64_t number,
                          std::string_view actor) { return registration_->approve(number, actor); },
        .refuse =
            [this](std::int64_t number, std::string_view reason, std::string_view actor) {
                return registration_->refuse(number, reason, actor);
            },
        .add_release = [this](std::string_view manifest, std::string_view actor) -> Result<void> {
            const auto added = verifier::import_release(*database_, manifest);
            if (!added) {
                audit_->append(audit::Id::fleet_release_refused, "",
                               {{"actor", actor}, {"reason", added.error().message}});
                return std::unexpected(added.error());
            }
            audit_->append(audit::Id::fleet_release_added, "",
                           {{"actor", actor}, {"values", *added}});
            return {};
        },
        .samples =
            [this](const SampleQuery& query) {
                return telemetry::query(*database_, filter_of(query));
            },
        .export_samples = [this](const SampleQuery& query) -> std::function<SamplePage()> {
            auto pages = std::make_shared<telemetry::Export>(*database_, filter_of(query));
            return [pages] { return pages->next(); };
        },
        .sample_count = [this] { return telemetry::sample_count(*database_); },
        .broker_connected = [this] { return metrics_->broker_up(); },
        .migration = [this]() -> std::optional<MigrationState> {
            const NextPointer next = authority_->next();
            if (!next) return std::nullopt;
            return MigrationState{.suite = std::string(tls::info(next->profile.suite).name),
                                  .issuer = next->issuer->certificate.serial_hex()};
        },
    };
}

HttpResponse PlantProcess::answer_https(const HttpRequest& request) {
    if (request.path == "/ocsp") return ocsp_->handle(request);
    if (request.path.starts_with("/.well-known/")) return est_->handle(request);
    if (request.path.starts_with("/api/")) return api_->handle(request);
    return net::problem(
        {Code::input_not_found, fmt::format("there is nothing at {}", request.path)});
}

HttpResponse PlantProcess::answer_http(const HttpRequest& request) {
    if (asks_for_status(request)) {
        return wired_ ? ocsp_->handle(request) : text_response(503, "starting\n");
    }
    if (request.method != "GET") {
        HttpResponse response = net::problem({Code::input_invalid, "use GET"});
        response.status = 405;
        response.headers.emplace_back("Allow", "GET");
        return response;
    }
    if (request.path == "/livez") return text_response(200, "alive\n");
    if (!wired_) return text_response(503, "starting\n");
    if (request.path == "/readyz") return answer_ready();
    if (request.path == "/crl.pem") {
        return {.content_type = "application/x-pem-file", .body = authority_->crl_pem()};
    }
    if (request.path.starts_with("/issuing")) return answer_issuing(request.path);
    if (request.path == "/root.crt") return certificate_response(authority_->root());
    if (request.path == "/metrics") {
        std::string text = metrics_->text(role_metrics());
        if (telemetry_) {
            text += to_text("quoin_commit_seconds", "How long a batch of samples took to commit.",
                            telemetry_->counters().commit_time);
        }
        return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
                .body = std::move(text)};
    }
    return net::problem(
        {Code::input_not_found, fmt::format("there is nothing at {}", request.path)});
}

// "/issuing-SERIAL.crt" and ".crl" of an issuing CA; "/issuing.crt" and ".crl" of the present one.
HttpResponse PlantProcess::answer_issuing(std::string_view path) const {
    for (const IssuerPointer& issuer : authority_->all_issuers()) {
        const std::string serial = issuer->certificate.serial_hex();
        const bool is_present = serial == authority_->issuing().serial_hex();
        const std::string name = fmt::format("/issuing-{}", serial);
        const auto is = [&](std::string_view kind) {
            return path == name + std::string(kind) ||
                   (is_present && path == fmt::format("/issuing{}", kind));
        };
        if (is(".crt")) return certificate_response(issuer->certificate);
        if (is(".crl")) {
            return {.content_type = "application/pkix-crl", .body = authority_->crl_der(serial)};
        }
    }
    return net::problem({Code::input_not_found, "there is no such issuing CA"});
}

HttpResponse PlantProcess::answer_ready() {
    std::string missing;
    const auto module = crypto::operational();
    const auto check = [&missing](bool good, std::string_view what) {
        if (!good) missing += fmt::format("not ready: {}\n", what);
    };
    check(module.has_value(), module ? "" : module.error().message);
    const auto database = database_->read([](soci::session& session) -> Result<void> {
        int one = 0;
        session << "SELECT 1", soci::into(one);
        return {};
    });
    check(database.has_value(), database ? "" : "database: " + database.error().message);
    const auto log = audit_->health();
    check(log.has_value(), log ? "" : "audit log: " + log.error().message);
    check(metrics_->broker_up(), "the broker's plugin is not connected");
    check(!telemetry_ || telemetry_->ready(), "telemetry: no session on the broker, or no commits");
    check(!verifier_ || verifier_->connected(), "verifier: no session on the broker");
    if (!missing.empty()) return text_response(503, missing);
    return text_response(200, fmt::format("ready\n{}\n", crypto::module_line()));
}

std::vector<Metric> PlantProcess::role_metrics() const {
    std::vector<Metric> metrics = crypto_metrics();
    if (const auto counts = fleet_->counts()) {
        Metric devices{
            .name = "quoin_devices", .help = "Devices by state.", .type = "gauge", .values = {}};
        for (const auto& [state, count] : *counts) {
            devices.values.emplace_back(fmt::format("{{state=\"{}\"}}", state),
                                        static_cast<double>(count));
        }
        metrics.push_back(std::move(devices));
    } else {
        spdlog::warn("metrics: {}", counts.error().message);
    }
    if (telemetry_) {
        const telemetry::IngestCounters& counters = telemetry_->counters();
        const auto value = [](const std::atomic<std::uint64_t>& count) {
            return static_cast<double>(count.load());
        };
        metrics.push_back({.name = "quoin_samples_total",
                           .help = "Samples by what became of them, since the start.",
                           .type = "counter",
                           .values = {{"{result=\"received\"}", value(counters.received)},
                                      {"{result=\"stored\"}", value(counters.stored)},
                                      {"{result=\"duplicate\"}", value(counters.duplicates)},
                                      {"{result=\"rejected\"}", value(counters.rejected)},
                                      {"{result=\"overflow\"}", value(counters.overflow)},
                                      {"{result=\"lost\"}", value(counters.lost)}}});
        metrics.push_back({.name = "quoin_commits_total",
                           .help = "Batches of samples by outcome, since the start.",
                           .type = "counter",
                           .values = {{"{outcome=\"done\"}", value(counters.commits)},
                                      {"{outcome=\"failed\"}", value(counters.commit_failures)}}});
    }
    if (verifier_) {
        const verifier::VerifierCounters counters = verifier_->counters();
        metrics.push_back({.name = "quoin_challenges_total",
                           .help = "Requests for evidence, since the start.",
                           .type = "counter",
                           .values = {{"", static_cast<double>(counters.challenges)}}});
    }
    const OcspCounters& status = ocsp_->counters();
    const auto answers = [](const std::atomic<std::uint64_t>& count) {
        return static_cast<double>(count.load());
    };
    metrics.push_back({.name = "quoin_ocsp_answers_total",
                       .help = "Answers about the status of certificates, since the start.",
                       .type = "counter",
                       .values = {{"{kind=\"ahead\"}", answers(status.ahead)},
                                  {"{kind=\"live\"}", answers(status.live)},
                                  {"{kind=\"too_fast\"}", answers(status.too_fast)},
                                  {"{kind=\"failed\"}", answers(status.failed)},
                                  {"{kind=\"malformed\"}", answers(status.malformed)}}});
    if (forwarder_) {
        const audit::Forwarder::Status siem = forwarder_->status();
        metrics.push_back({.name = "quoin_siem_connected",
                           .help = "1: the connection to the SIEM is up.",
                           .type = "gauge",
                           .values = {{"", siem.is_connected ? 1.0 : 0.0}}});
        metrics.push_back({.name = "quoin_siem_backlog_events",
                           .help = "Events that the SIEM does not have yet.",
                           .type = "gauge",
                           .values = {{"", static_cast<double>(siem.backlog)}}});
    }
    return metrics;
}

}  // namespace quoin::server
