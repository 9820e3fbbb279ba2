#include "cli/plant/plant.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

#include "broker/mosquitto_conf.hpp"
#include "cli/plant/interrupt.hpp"
#include "cli/supervise/lifetime.hpp"
#include "host/tls/suites.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/migration.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds ready_within{20};
constexpr std::chrono::milliseconds look_every{500};
constexpr unsigned deaths_to_give_up = 3;

Result<std::string> client_anchors(const fs::path& hierarchy) {
    QUOIN_TRY(const std::string root, files::read(hierarchy / "pki/root.crt"));
    QUOIN_TRY(const std::string issuing, files::read(hierarchy / "pki/issuing.crt"));
    return root + issuing;
}

// Which roots there are now: the present one, and while the plant migrates the next.
Result<std::string> hierarchies_of(const fs::path& home,
                                   const std::optional<server::Migration>& migration) {
    QUOIN_TRY(const auto root, x509::Certificate::load(home / "pki/root.crt"));
    QUOIN_TRY(const auto digest, root.front().sha256());
    std::string all = crypto::to_hex(digest);
    if (migration) {
        QUOIN_TRY(const auto next, migration->root.sha256());
        all += " " + crypto::to_hex(next);
    }
    return all;
}

// Where the broker listens, from where it is to be found: an address is listened on; a name that is
// not this machine's own is an operator's word that the plant may be reached from elsewhere.
std::string broker_address(const std::string& host) {
    in_addr parsed{};
    if (inet_pton(AF_INET, host.c_str(), &parsed) == 1) return host;
    return host == "localhost" ? "127.0.0.1" : "0.0.0.0";
}

// Root here is the only user of a namespace (account.hpp): Mosquitto must not look for another.
std::optional<std::string> broker_user() {
    if (geteuid() != 0) return std::nullopt;
    return "root";
}

std::string last_line(const std::string& text) {
    std::string_view rest = text;
    while (rest.ends_with('\n')) rest.remove_suffix(1);
    return std::string(rest.substr(rest.rfind('\n') + 1));
}

}  // namespace

Result<std::unique_ptr<Plant>> Plant::start(const PlantRequest& request, const Programs& programs,
                                            const Say& say,
                                            const std::function<Result<void>()>& before_start) {
    QUOIN_CHECK(files::make_private_folder(request.home / "run"));
    auto lock = files::lock_folder(request.home / "run");
    if (!lock) {
        return fail(Code::state_wrong,
                    "a plant runs in {} already; end it with `quoin down --home {}`",
                    request.home.string(), request.home.string());
    }
    QUOIN_TRY(Prepared prepared, prepare_plant(request, say));
    std::unique_ptr<Plant> plant(
        new Plant(request.home, std::move(prepared), *std::move(lock), programs, say));
    QUOIN_TRY(const Lifetime self, Lifetime::of(getpid()));
    QUOIN_CHECK(self.save(plant->home_ / "run/up.json"));
    if (before_start) QUOIN_CHECK(before_start());
    QUOIN_CHECK(plant->start_broker());
    plant->broker_watch_ =
        std::jthread([&self = *plant](const std::stop_token& stop) { self.watch_broker(stop); });
    QUOIN_CHECK(plant->start_quoind());
    QUOIN_CHECK(plant->wait_until_ready());
    return plant;
}

Plant::~Plant() {
    std::error_code the_next_up_overwrites_it;
    fs::remove(home_ / "run/up.json", the_next_up_overwrites_it);
}

Result<Client> Plant::client() const {
    Context context;
    context.home = home_;
    return Client::open(context);
}

ProcessSpec Plant::process(std::string name, const Descriptor& program,
                           std::vector<std::string> arguments) const {
    const fs::path log = home_ / "log" / (name + ".log");
    return {.name = std::move(name),
            .program = program.number(),
            .arguments = std::move(arguments),
            .folder = home_,
            .log = log};
}

Result<void> Plant::start_broker() {
    const fs::path folder = home_ / "broker";
    const server::Settings& settings = prepared_.settings;
    QUOIN_TRY(const auto migration, server::pending_migration(home_));
    QUOIN_TRY(std::string hierarchies, hierarchies_of(home_, migration));
    QUOIN_TRY(broker_tls_, BrokerTls::open(home_, home_, settings.keys));
    QUOIN_TRY(std::string anchors, client_anchors(home_));
    broker::MosquittoConf conf{.address = broker_address(settings.broker_host),
                               .port = prepared_.ports.mqtt,
                               .ca_file = folder / "ca.pem",
                               .certificate = broker_tls_->certificate_path(),
                               .key = broker_tls_->key_path(),
                               .plugin = descriptor_path(programs_.plugin),
                               .site = settings.site,
                               .feed_socket = home_ / "run/broker.sock",
                               .data_folder = folder / "data",
                               .log_file = {},
                               .user = broker_user()};
    std::vector<tls::Suite> suites{settings.suite};
    std::vector<int> inherited = broker_tls_->descriptors();
    inherited.push_back(programs_.plugin.number());
    broker_next_tls_.reset();
    if (migration) {
        QUOIN_TRY(broker_next_tls_, BrokerTls::open(home_, migration->folder, settings.keys));
        QUOIN_TRY(const std::string more, client_anchors(migration->folder));
        anchors += more;
        conf.second = {.port = settings.broker_next_port,
                       .certificate = broker_next_tls_->certificate_path(),
                       .key = broker_next_tls_->key_path()};
        suites.push_back(migration->profile.suite);
        for (const int one : broker_next_tls_->descriptors()) inherited.push_back(one);
    }
    QUOIN_TRY(const std::string text, broker::render(conf));
    QUOIN_CHECK(files::make_private_folder(folder / "data"));
    QUOIN_CHECK(files::write_atomically(folder / "ca.pem", anchors, 0600));
    QUOIN_CHECK(files::write_atomically(folder / "mosquitto.conf", text, 0600));
    QUOIN_CHECK(files::write_atomically(folder / "openssl.cnf", tls::openssl_conf(suites), 0600));
    ProcessSpec spec =
        process("broker", programs_.mosquitto, {"-c", (folder / "mosquitto.conf").string()});
    spec.inherited = std::move(inherited);
    spec.environment = {"OPENSSL_CONF=" + (folder / "openssl.cnf").string()};
    hierarchies_ = std::move(hierarchies);
    return supervisor_.add(std::move(spec));
}

// By looking, not by inotify: the folder itself is exchanged, and a second is soon enough.
void Plant::watch_broker(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, stop, look_every, [] { return false; }) &&
           !stop.stop_requested()) {
        const auto seen = look_at_broker();
        if (seen) {
            trouble_.clear();
        } else if (seen.error().message != trouble_) {
            trouble_ = seen.error().message;
            say_(fmt::format("the broker goes on as it is: {}", trouble_));
        }
    }
}

Result<void> Plant::look_at_broker() {
    if (server::is_settling(home_)) return {};  // until it is done
    QUOIN_TRY(const bool is_new, follow_migration());
    if (is_new) {
        say_("the broker was started again: the plant's hierarchies have changed");
        return {};
    }
    QUOIN_TRY(bool is_renewed, broker_tls_->refresh());
    if (broker_next_tls_) {
        QUOIN_TRY(const bool next_is_renewed, broker_next_tls_->refresh());
        is_renewed = is_renewed || next_is_renewed;
    }
    if (!is_renewed) return {};
    // If it does not run now, it reads them when it starts.
    const auto told = supervisor_.signal("broker", SIGHUP);
    say_(fmt::format("the broker has a new certificate, serial {}{}", broker_tls_->serial_hex(),
                     told ? "" : "; it will use it when it starts"));
    return {};
}

// Mosquitto cannot add a listener while it runs: it is started again when a migration has begun,
// was aborted or finished. quoind follows by itself. True: it was.
Result<bool> Plant::follow_migration() {
    QUOIN_TRY(const auto migration, server::pending_migration(home_));
    QUOIN_TRY(const std::string hierarchies, hierarchies_of(home_, migration));
    if (hierarchies == hierarchies_) return false;
    // With an address of its own for devices (--broker-listen), that stays where it is.
    QUOIN_TRY(server::Settings settings, server::load_settings(home_));
    // quoind first: a broker that knows nothing of the devices refuses them, and they wait longer
    // each time.
    if (!quoind_is_of(settings.suite)) return false;
    if (prepared_.ports.mqtt == prepared_.settings.broker_port) {
        prepared_.ports.mqtt = settings.broker_port;
    }
    prepared_.settings = std::move(settings);
    // Not there: an earlier start failed.
    if (const auto stopped = supervisor_.stop("broker");
        !stopped && stopped.error().code != Code::input_not_found) {
        return std::unexpected(stopped.error());
    }
    QUOIN_CHECK(start_broker());
    return true;
}

bool Plant::quoind_is_of(tls::Suite suite) const {
    const auto asked = client();
    const auto status = asked ? asked->get("status") : std::unexpected(asked.error());
    return status && status->value("suite", "") == tls::info(suite).name;
}

Result<void> Plant::start_quoind() {
    return supervisor_.add(process("quoind", programs_.quoind, {"--home", home_.string()}));
}

Result<void> Plant::wait_until_ready() const {
    const std::string& address = prepared_.settings.http.address;
    std::string host = address.contains(':') ? "[" + address + "]" : address;
    if (address == "0.0.0.0" || address == "::") host = "127.0.0.1";
    const net::HttpClientOptions options{
        .base_url = fmt::format("http://{}:{}", host, prepared_.ports.http),
        .timeout = std::chrono::seconds(2)};
    const auto deadline = std::chrono::steady_clock::now() + ready_within;
    std::string answer = "it did not answer";
    while (std::chrono::steady_clock::now() < deadline) {
        if (const auto reply = net::http_request(options, "GET", "/readyz"); reply) {
            if (reply->status == 200) return {};
            answer = fmt::format("/readyz said {}: {}", reply->status, last_line(reply->body));
        }
        for (const char* name : {"broker", "quoind"}) {
            if (supervisor_.deaths(name) >= deaths_to_give_up) return cannot_start(name);
        }
        if (wait_for_interrupt(std::chrono::milliseconds(20))) {
            return fail(Code::state_wrong, "stopped while the plant was starting");
        }
    }
    return fail(Code::resource_timeout,
                "quoind was not ready within {} s: {}; see quoind.log and broker.log in {}",
                ready_within.count(), answer, (home_ / "log").string());
}

Result<void> Plant::cannot_start(const std::string& name) const {
    const fs::path log = home_ / "log" / (name + ".log");
    const auto text = files::read(log);
    return fail(Code::resource_unavailable, "{} does not start: {} (log: {})", name,
                text ? last_line(*text) : text.error().message, log.string());
}

}  // namespace quoin::cli
