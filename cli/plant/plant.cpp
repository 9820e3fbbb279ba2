#include "cli/plant/plant.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <system_error>

#include "broker/mosquitto_conf.hpp"
#include "cli/plant/interrupt.hpp"
#include "cli/supervise/lifetime.hpp"
#include "host/tls/policy.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds ready_within{20};
constexpr std::chrono::milliseconds look_every{500};
constexpr unsigned deaths_to_give_up = 3;

Result<std::string> client_anchors(const fs::path& home) {
    QUOIN_TRY(const std::string root, files::read(home / "pki/root.crt"));
    QUOIN_TRY(const std::string issuing, files::read(home / "pki/issuing.crt"));
    return root + issuing;
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
        new Plant(request.home, std::move(prepared), *std::move(lock), say));
    QUOIN_TRY(const Lifetime self, Lifetime::of(getpid()));
    QUOIN_CHECK(self.save(plant->home_ / "run/up.json"));
    if (before_start) QUOIN_CHECK(before_start());
    QUOIN_CHECK(plant->start_broker(programs));
    QUOIN_CHECK(plant->start_quoind(programs));
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

Result<void> Plant::start_broker(const Programs& programs) {
    const fs::path folder = home_ / "broker";
    QUOIN_TRY(broker_tls_, BrokerTls::open(home_, prepared_.settings.keys));
    QUOIN_TRY(const std::string anchors, client_anchors(home_));
    QUOIN_TRY(const std::string conf,
              broker::render({.address = broker_address(prepared_.settings.broker_host),
                              .port = prepared_.ports.mqtt,
                              .ca_file = folder / "ca.pem",
                              .certificate = broker_tls_->certificate_path(),
                              .key = broker_tls_->key_path(),
                              .plugin = descriptor_path(programs.plugin),
                              .site = prepared_.settings.site,
                              .feed_socket = home_ / "run/broker.sock",
                              .data_folder = folder / "data",
                              .log_file = {},
                              .user = broker_user()}));
    QUOIN_CHECK(files::make_private_folder(folder / "data"));
    QUOIN_CHECK(files::write_atomically(folder / "ca.pem", anchors, 0600));
    QUOIN_CHECK(files::write_atomically(folder / "mosquitto.conf", conf, 0600));
    QUOIN_CHECK(files::write_atomically(folder / "openssl.cnf",
                                        tls::openssl_conf(prepared_.settings.suite), 0600));
    ProcessSpec spec =
        process("broker", programs.mosquitto, {"-c", (folder / "mosquitto.conf").string()});
    spec.inherited = broker_tls_->descriptors();
    spec.inherited.push_back(programs.plugin.number());
    spec.environment = {"OPENSSL_CONF=" + (folder / "openssl.cnf").string()};
    QUOIN_CHECK(supervisor_.add(std::move(spec)));
    broker_watch_ = std::jthread([this](const std::stop_token& stop) { watch_broker(stop); });
    return {};
}

// By looking, not by inotify: the folder itself is exchanged, and a second is soon enough.
void Plant::watch_broker(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock(mutex);
    std::string trouble;
    while (!ended.wait_for(lock, stop, look_every, [] { return false; }) &&
           !stop.stop_requested()) {
        const auto renewed = broker_tls_->refresh();
        if (!renewed && renewed.error().message != trouble) {
            trouble = renewed.error().message;
            say_(fmt::format("the broker keeps its certificate: {}", trouble));
        }
        if (!renewed || !*renewed) continue;
        trouble.clear();
        // If it does not run now, it reads them when it starts.
        const auto told = supervisor_.signal("broker", SIGHUP);
        say_(fmt::format("the broker has a new certificate, serial {}{}", broker_tls_->serial_hex(),
                         told ? "" : "; it will use it when it starts"));
    }
}

Result<void> Plant::start_quoind(const Programs& programs) {
    return supervisor_.add(process("quoind", programs.quoind, {"--home", home_.string()}));
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
