// quoind: all roles of a plant in one process, wired together.
//
//   bus:    verifier -> fleet -> feed (broker)      telemetry -> followers, metrics
//           pki -> fleet -> pki (revocation list)   feed -> audit, metrics, verifier
//   wires:  HTTPS -> EST, REST, OCSP      Unix socket -> REST      HTTP -> CRL, OCSP, health,
//           metrics
//
// Threads: start(), tick() and the destructor from one thread.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/audit/forwarder.hpp"
#include "host/files/files.hpp"
#include "host/net/http.hpp"
#include "host/store/database.hpp"
#include "server/api/api.hpp"
#include "server/api/metrics.hpp"
#include "server/broker_check.hpp"
#include "server/bus/bus.hpp"
#include "server/config/settings.hpp"
#include "server/feed/feed_server.hpp"
#include "server/fleet/fleet.hpp"
#include "server/pki/authority.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/est.hpp"
#include "server/pki/ocsp.hpp"
#include "server/pki/registration.hpp"
#include "server/service_files.hpp"
#include "server/telemetry/telemetry.hpp"
#include "server/verifier/verifier.hpp"

namespace quoin::server {

struct ProcessOptions {
    std::filesystem::path home;
    bool telemetry = true;  // roles that need the broker; the others always run
    bool verifier = true;
};

// renew_services(), with what is to be told in the log.
Result<void> renew_and_log(const std::filesystem::path& home);

class PlantProcess {
public:
    // Everything is up when it returns: migrated, listening, HOME/run/ports.json written. The
    // broker may come later. A home that another quoind holds is state_wrong.
    static Result<std::unique_ptr<PlantProcess>> start(const ProcessOptions& options);
    PlantProcess(const PlantProcess&) = delete;
    PlantProcess& operator=(const PlantProcess&) = delete;
    ~PlantProcess();
    // About once a second: what only time brings.
    void tick();
    // The plant has another root than this process works with (a migration was finished): it must
    // be ended, and started again.
    bool is_outdated() const { return is_outdated_; }

private:
    PlantProcess(std::filesystem::path home, Settings settings, PkiProfile profile,
                 files::Lock lock)
        : home_(std::move(home)),
          settings_(std::move(settings)),
          profile_(std::move(profile)),
          lock_(std::move(lock)),
          renewal_([home = home_] { return renew_and_log(home); }) {}

    Result<void> open_state();
    Result<void> forward_events();
    Result<void> listen_http();
    Result<void> open_roles();
    Result<void> open_responder();
    Result<void> replace_responders();
    Result<void> connect_bus();
    Result<void> start_broker_roles(const ProcessOptions& options);
    Result<void> start_feed();
    Result<void> listen_https();
    Result<void> write_ports() const;
    Result<void> write_services() const;
    void log_events(const std::stop_token& stop);

    void follow_services();
    void follow_siem_trust();
    bool has_another_root() const;
    Result<tls::Credentials> credentials_of_next(const NextHierarchy& next,
                                                 std::string_view service) const;
    Result<void> use_services(ServiceSet set);

    Result<const tls::Credentials*> credentials(std::string_view service) const;
    Result<tls::Context> client_context(std::string_view service) const;
    Result<tls::Context> server_context() const;
    Result<tls::Context> siem_context() const;
    net::MqttOptions broker(const std::string& client_id) const;
    ApiSources sources();
    Result<std::uint64_t> next_epoch();

    net::HttpResponse answer_http(const net::HttpRequest& request);
    net::HttpResponse answer_https(const net::HttpRequest& request);
    net::HttpResponse answer_issuing(std::string_view path) const;
    net::HttpResponse answer_ready();
    std::vector<Metric> role_metrics() const;
    void audit_tls(const std::string& peer, const std::string& reason);
    void audit_broker(const BrokerSession& session);

    // In the order in which they need each other; destroyed in the reverse.
    std::filesystem::path home_;
    Settings settings_;
    PkiProfile profile_;
    files::Lock lock_;
    ServiceSet services_;
    std::string services_trouble_;  // that was told
    Renewal renewal_;
    bool is_outdated_ = false;
    std::unique_ptr<audit::Log> audit_;
    std::unique_ptr<audit::Forwarder> forwarder_;  // to a SIEM, when there is one
    std::string siem_trust_;                       // the text of its CA bundle
    std::unique_ptr<store::Database> database_;
    Bus bus_;
    std::unique_ptr<Fleet> fleet_;
    std::unique_ptr<Authority> authority_;
    std::unique_ptr<RegistrationAuthority> registration_;
    std::unique_ptr<Est> est_;
    std::unique_ptr<OcspResponder> ocsp_;
    std::unique_ptr<BrokerRecords> broker_records_;
    std::unique_ptr<Metrics> metrics_;
    std::unique_ptr<Api> api_;
    std::atomic<FeedServer*> feed_link_ =
        nullptr;  // while a role may publish before the feed is there
    std::unique_ptr<FeedServer> feed_;
    std::unique_ptr<telemetry::Telemetry> telemetry_;
    std::unique_ptr<verifier::Verifier> verifier_;
    std::atomic<bool> wired_ = false;  // until then HTTP answers "starting"
    std::unique_ptr<net::HttpServer> http_;
    std::unique_ptr<net::HttpServer> https_;
    std::atomic<net::HttpServer*> https_link_ = nullptr;  // for revocations, which it may answer
    std::unique_ptr<net::HttpServer> local_;
    std::jthread event_log_;
};

}  // namespace quoin::server
