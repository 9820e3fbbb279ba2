#include "tests/broker/plant.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>

#include "broker/mosquitto_conf.hpp"
#include "host/tls/policy.hpp"

namespace quoin::test {
namespace {

using crypto::Algorithm;
using x509::Kind;
using x509::Profile;

std::filesystem::path make_folder() {
    std::array<char, 32> name{"/tmp/quoin-broker-XXXXXX"};
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name.data();
}

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

std::string pem(const x509::Certificate& certificate) {
    const auto text = certificate.pem();
    EXPECT_TRUE(text);
    return text ? *text : std::string{};
}

std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
    ::close(socket);
    return ntohs(address.sin_port);
}

}  // namespace

std::optional<x509::test::Pki> Plant::pki_;
std::optional<std::filesystem::path> Plant::suite_folder_;

void Plant::make_identity(const std::string& name, const x509::test::Pki& pki,
                          const x509::test::LeafRequest& request) {
    const auto leaf = x509::test::make_leaf(pki, request);
    ASSERT_TRUE(leaf) << leaf.error().message;
    const auto key = leaf->key.danger_to_clear_pem();
    ASSERT_TRUE(key);
    write(*suite_folder_ / (name + ".crt"), pem(leaf->certificate) + pem(pki.issuing.certificate));
    write(*suite_folder_ / (name + ".key"), *key);
}

void Plant::SetUpTestSuite() {
    suite_folder_ = make_folder();
    ::setenv("OPENSSL_CONF", openssl_conf_of_clients().c_str(), 1);
    auto pki = x509::test::make_pki(Algorithm::ml_dsa_65_ed25519, Algorithm::ml_dsa_65_ed25519);
    ASSERT_TRUE(pki) << pki.error().message;
    pki_ = std::move(*pki);
    write(*suite_folder_ / "ca.crt", pem(pki_->root.certificate) + pem(pki_->issuing.certificate));
    make_identity("broker", *pki_,
                  {.profile = Profile::server,
                   .kind = Kind::service,
                   .id = "broker",
                   .algorithm = Algorithm::ml_dsa_65_ed25519,
                   .names = {"127.0.0.1", "localhost"}});
    for (const std::string id : {"a", "b", "c"}) {
        make_identity(id, *pki_, {.id = id, .algorithm = Algorithm::ml_dsa_44_ed25519});
    }
    for (const std::string id : {"telemetry", "verifier"}) {
        make_identity("service." + id, *pki_,
                      {.profile = Profile::service,
                       .kind = Kind::service,
                       .id = id,
                       .algorithm = Algorithm::ml_dsa_65_ed25519});
    }
}

void Plant::TearDownTestSuite() {
    std::filesystem::remove_all(*suite_folder_);
    suite_folder_.reset();
    pki_.reset();
}

void Plant::SetUp() {
    folder_ = make_folder();
    port_ = free_port();
    for (const std::string id : {"a", "b"}) {
        devices_[id] = feed::Device{
            .id = id, .grant = feed::Grant::full, .state = "active", .reason = "", .revoked = {}};
    }
    bus_ = std::make_unique<server::Bus>();
    bus_->broker_session.listen([this](const server::BrokerSession& session) {
        const std::lock_guard lock(mutex_);
        reports_.push_back(feed::encode(session.report));
    });
    bus_->broker_link.listen([this](const server::BrokerLink& link) {
        const std::lock_guard lock(mutex_);
        link_up_ = link.up;
    });
}

void Plant::TearDown() {
    if (HasFailure()) std::fputs(broker_log().c_str(), stderr);
    server_.reset();
    if (broker_) {
        EXPECT_TRUE(broker_->is_running()) << "the broker has crashed";
        stop_broker(SIGTERM);
    }
    std::filesystem::remove_all(folder_);
}

void Plant::start_quoind(std::chrono::milliseconds lifetime) {
    auto started = server::FeedServer::start(
        {.socket = folder_ / "broker.sock",
         .site = std::string(x509::test::site),
         .epoch = ++epoch_,
         .lifetime = lifetime,
         .broker_uid = {}},
        [this]() -> Result<feed::PlantState> {
            const std::lock_guard lock(mutex_);
            feed::PlantState state;
            for (const auto& [id, device] : devices_) state.devices.push_back(device);
            return state;
        },
        [](Bytes message) -> Result<feed::Seal> {
            QUOIN_TRY(auto signature, pki_->issuing.key.sign(message));
            QUOIN_TRY(auto issuer, pki_->issuing.certificate.der());
            return feed::Seal{.signature = std::move(signature), .issuer = std::move(issuer)};
        },
        [] { return true; }, *bus_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
}

void Plant::start_broker() {
    broker::MosquittoConf conf;
    conf.port = port_;
    conf.ca_file = suite_file("ca.crt");
    conf.certificate = suite_file("broker.crt");
    conf.key = suite_file("broker.key");
    conf.plugin = QUOIN_BROKER_PLUGIN;
    conf.site = x509::test::site;
    conf.feed_socket = folder_ / "broker.sock";
    conf.data_folder = folder_;
    // As the test's user: Mosquitto would leave root for a user that cannot read the files.
    if (::geteuid() == 0) conf.user = "root";
    const auto text = broker::render(conf);
    ASSERT_TRUE(text) << text.error().message;
    write(folder_ / "mosquitto.conf", *text);
    write(folder_ / "openssl.cnf", tls::openssl_conf(tls::Suite::hybrid));
    broker_.emplace(
        std::vector<std::string>{"/usr/sbin/mosquitto", "-c", folder_ / "mosquitto.conf"},
        folder_ / "mosquitto.log", broker_environment());
    ASSERT_TRUE(wait_for_log(" running")) << broker_log();
    ASSERT_TRUE(!server_ || wait_for_link(true));
}

std::vector<std::string> Plant::broker_environment() const {
    // As the supervisor does: the plugin checks what the issuing CA has signed.
    std::vector<std::string> environment{"OPENSSL_CONF=" + (folder_ / "openssl.cnf").native(),
                                         "QUOIN_PROVIDER=" + crypto::provider_file().native()};
    // Under a sanitizer: its library, for a program that has none.
    if (const char* preload = QUOIN_BROKER_PRELOAD; *preload != '\0') {
        environment.push_back(fmt::format("LD_PRELOAD={}", preload));
        environment.emplace_back("ASAN_OPTIONS=detect_leaks=0");
    }
    return environment;
}

void Plant::stop_broker(int signal) {
    broker_->signal(signal);
    EXPECT_TRUE(broker_->wait());
    broker_.reset();
}

void Plant::set(const std::string& id, feed::Grant grant, std::string state,
                std::vector<std::string> revoked) {
    feed::Device device{.id = id,
                        .grant = grant,
                        .state = std::move(state),
                        .reason = "by the test",
                        .revoked = std::move(revoked)};
    {
        const std::lock_guard lock(mutex_);
        devices_[id] = device;
    }
    if (server_) server_->push(device);
}

std::vector<std::string> Plant::identity_arguments(const std::string& name) const {
    return {"-h",       "127.0.0.1",
            "-p",       std::to_string(port_),
            "--cafile", suite_file("ca.crt"),
            "--cert",   suite_file(name + ".crt"),
            "--key",    suite_file(name + ".key"),
            "-q",       "1"};
}

Process Plant::client(const std::string& program, const std::string& name,
                      std::vector<std::string> arguments,
                      const std::vector<std::string>& environment) {
    std::vector<std::string> argv{"stdbuf", "-oL", program};
    for (std::string& argument : identity_arguments(name)) argv.push_back(std::move(argument));
    if (std::ranges::find(arguments, "-i") == arguments.end())
        argv.insert(argv.end(), {"-i", name});
    for (std::string& argument : arguments) argv.push_back(std::move(argument));
    return Process(std::move(argv), folder_ / fmt::format("client-{}.out", ++outputs_),
                   environment);
}

std::unique_ptr<Process> Plant::subscribe(const std::string& name, const std::string& topic,
                                          std::vector<std::string> more) {
    std::vector<std::string> arguments{"-t", topic, "-v", "-d"};
    for (std::string& argument : more) arguments.push_back(std::move(argument));
    auto process = std::make_unique<Process>(client("mosquitto_sub", name, std::move(arguments)));
    EXPECT_TRUE(eventually([&] {
        return process->output().contains("Subscribed (") || !process->is_running();
    })) << process->output();
    EXPECT_TRUE(process->is_running()) << process->output();
    return process;
}

int Plant::publish(const std::string& name, const std::string& topic, const std::string& payload,
                   std::vector<std::string> more) {
    std::vector<std::string> arguments{"-t", topic, "-m", payload};
    for (std::string& argument : more) arguments.push_back(std::move(argument));
    Process process = client("mosquitto_pub", name, std::move(arguments));
    return process.wait().value_or(-1);
}

bool Plant::reported(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(reports_, [&](const auto& line) { return line.contains(part); });
}

bool Plant::wait_for_report(const std::string& part) {
    return eventually([&] { return reported(part); });
}

bool Plant::wait_for_log(const std::string& part) {
    return eventually([&] { return broker_log().contains(part); });
}

bool Plant::wait_for_link(bool up) {
    return eventually([&] {
        const std::lock_guard lock(mutex_);
        return link_up_ == up;
    });
}

std::string Plant::serial_of(const std::string& name) const {
    const auto chain = x509::Certificate::load(suite_file(name + ".crt"));
    EXPECT_TRUE(chain);
    return chain ? chain->front().serial_hex() : std::string{};
}

std::int64_t Plant::not_after_ms(const std::string& name) const {
    const auto chain = x509::Certificate::load(suite_file(name + ".crt"));
    EXPECT_TRUE(chain);
    return chain ? chain->front().not_after_ms() : 0;
}

}  // namespace quoin::test
