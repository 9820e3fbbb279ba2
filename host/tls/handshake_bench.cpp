// How fast are mutual TLS 1.3 handshakes with our policy, and how many bytes do they take?
//
// For each suite two servers with the same certificates take turns in one run: a plain accept loop
// over tls::server_context, and `openssl s_server`. One client (tls::client_context) shakes hands
// with each, one connection at a time. Printed: handshakes per second, the server's CPU time per
// handshake, bytes each way. usage: handshake_bench [--rounds N] [--handshakes N]
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "host/tls/policy.hpp"

extern char** environ;

namespace {

using namespace quoin;
using Clock = std::chrono::steady_clock;

struct SslDeleter {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslDeleter>;

class Socket {
public:
    explicit Socket(int fd) : fd_(fd) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }

private:
    int fd_;
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

Result<std::unique_ptr<Socket>> connect_to(std::uint16_t port) {
    auto socket = std::make_unique<Socket>(::socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in address = loopback(port);
    if (::connect(socket->fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail(Code::resource_unavailable, "connect to 127.0.0.1:{}: {}", port,
                    strerror(errno));
    }
    const int on = 1;
    ::setsockopt(socket->fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

// A bound, listening socket on a free port.
Result<std::unique_ptr<Socket>> listen_on_free_port(std::uint16_t& port) {
    auto socket = std::make_unique<Socket>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (::bind(socket->fd(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
        ::listen(socket->fd(), 64) != 0 ||
        ::getsockname(socket->fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        return fail(Code::resource_unavailable, "no listening socket: {}", strerror(errno));
    }
    port = ntohs(address.sin_port);
    return socket;
}

struct Material {
    x509::Certificate root;
    tls::Credentials server;
    tls::Credentials client;
};

std::vector<std::string> server_names(x509::Profile profile) {
    if (profile != x509::Profile::server) return {};
    return {"localhost", "127.0.0.1"};
}

Result<Material> make_material(tls::Suite suite) {
    const tls::SuiteInfo& info = tls::info(suite);
    constexpr std::chrono::hours lifetime{24};
    QUOIN_TRY(auto root_key, crypto::PrivateKey::generate(info.root));
    QUOIN_TRY(auto root, x509::issue_root(root_key, {.profile = x509::Profile::root,
                                                     .common_name = "bench root",
                                                     .identity = {},
                                                     .names = {},
                                                     .lifetime = lifetime}));
    QUOIN_TRY(auto issuing_key, crypto::PrivateKey::generate(info.issuing));
    QUOIN_TRY(auto issuing_public, issuing_key.public_key());
    QUOIN_TRY(auto issuing, x509::issue(root_key, root, issuing_public,
                                        {.profile = x509::Profile::issuing,
                                         .common_name = "bench issuing",
                                         .identity = {},
                                         .names = {},
                                         .lifetime = lifetime}));
    const auto leaf = [&](crypto::Algorithm algorithm, x509::Profile profile,
                          x509::Identity identity) -> Result<tls::Credentials> {
        QUOIN_TRY(auto key, crypto::PrivateKey::generate(algorithm));
        QUOIN_TRY(auto subject, key.public_key());
        QUOIN_TRY(auto certificate, x509::issue(issuing_key, issuing, subject,
                                                {.profile = profile,
                                                 .common_name = identity.id,
                                                 .identity = identity,
                                                 .names = server_names(profile),
                                                 .lifetime = lifetime}));
        return tls::Credentials{.chain = {certificate, issuing}, .key = std::move(key)};
    };
    QUOIN_TRY(auto server,
              leaf(info.service, x509::Profile::server,
                   {.kind = x509::Kind::service, .site = "bench", .id = "broker", .role = {}}));
    QUOIN_TRY(auto client,
              leaf(info.mpu, x509::Profile::device,
                   {.kind = x509::Kind::device, .site = "bench", .id = "mpu-1", .role = {}}));
    return Material{std::move(root), std::move(server), std::move(client)};
}

struct Handshake {
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_bytes = 0;
};

// One handshake; the server's byte after it proves that it accepted the client's certificate.
Result<Handshake> shake_hands(SSL_CTX* context, std::uint16_t port) {
    QUOIN_TRY(auto socket, connect_to(port));
    Ssl ssl(SSL_new(context));
    SSL_set1_host(ssl.get(), "localhost");
    SSL_set_fd(ssl.get(), socket->fd());
    if (SSL_connect(ssl.get()) != 1) {
        return fail(Code::peer_unauthenticated, "handshake with port {}: {}", port,
                    crypto::openssl_error());
    }
    constexpr std::string_view line = "CLOSE\n";  // what makes `s_server -rev` hang up
    if (SSL_write(ssl.get(), line.data(), static_cast<int>(line.size())) <= 0) {
        return fail(Code::peer_unauthenticated, "write to port {}: {}", port,
                    crypto::openssl_error());
    }
    Handshake result{.sent_bytes = BIO_number_written(SSL_get_wbio(ssl.get())),
                     .received_bytes = BIO_number_read(SSL_get_rbio(ssl.get()))};
    SSL_shutdown(ssl.get());
    std::array<char, 256> sink{};
    while (SSL_read(ssl.get(), sink.data(), sink.size()) > 0) {
    }
    return result;
}

// Our server: accepts, shakes hands, reads one line, closes.
class OurServer {
public:
    static Result<std::unique_ptr<OurServer>> start(tls::Suite suite, const Material& material) {
        QUOIN_TRY(auto context,
                  tls::server_context(suite, material.server, std::span(&material.root, 1), true));
        auto server = std::unique_ptr<OurServer>(new OurServer(std::move(context)));
        QUOIN_TRY(server->listener_, listen_on_free_port(server->port_));
        server->thread_ = std::thread([raw = server.get()] { raw->serve(); });
        return server;
    }
    ~OurServer() {
        stopping_ = true;
        ::shutdown(listener_->fd(), SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
    }
    std::uint16_t port() const { return port_; }
    std::int64_t cpu_ns() const { return cpu_ns_; }

private:
    explicit OurServer(tls::Context context) : context_(std::move(context)) {}

    void serve() {
        while (!stopping_) {
            Socket client(::accept4(listener_->fd(), nullptr, nullptr, SOCK_CLOEXEC));
            if (client.fd() < 0) continue;
            const int on = 1;
            ::setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            Ssl ssl(SSL_new(context_.get()));
            SSL_set_fd(ssl.get(), client.fd());
            std::array<char, 16> line{};
            if (SSL_accept(ssl.get()) == 1 && SSL_read(ssl.get(), line.data(), line.size()) > 0) {
                SSL_shutdown(ssl.get());
            }
            timespec now{};
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
            cpu_ns_ = now.tv_sec * 1'000'000'000L + now.tv_nsec;
        }
    }

    tls::Context context_;
    std::unique_ptr<Socket> listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::int64_t> cpu_ns_ = 0;
    std::thread thread_;
};

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream file(path);
    file << text;
    if (!file.flush()) return fail(Code::resource_full, "cannot write {}", path.string());
    return {};
}

// `openssl s_server` with the same certificates, under the same policy.
class OpensslServer {
public:
    static Result<std::unique_ptr<OpensslServer>> start(tls::Suite suite, const Material& material,
                                                        const std::filesystem::path& folder) {
        std::uint16_t port = 0;
        {
            QUOIN_TRY(auto probe, listen_on_free_port(port));  // free when it is closed
        }
        QUOIN_TRY(const auto leaf, material.server.chain[0].pem());
        QUOIN_TRY(const auto issuing, material.server.chain[1].pem());
        QUOIN_TRY(const auto root, material.root.pem());
        QUOIN_TRY(const auto key, material.server.key.danger_to_clear_pem());
        QUOIN_CHECK(write_file(folder / "leaf.crt", leaf));
        QUOIN_CHECK(write_file(folder / "issuing.crt", issuing));
        QUOIN_CHECK(write_file(folder / "root.crt", root));
        QUOIN_CHECK(write_file(folder / "key.pem", key));
        const tls::SuiteInfo& info = tls::info(suite);
        std::vector<std::string> command{"openssl",
                                         "s_server",
                                         "-accept",
                                         std::to_string(port),
                                         "-rev",
                                         "-tls1_3",
                                         "-cert",
                                         folder / "leaf.crt",
                                         "-cert_chain",
                                         folder / "issuing.crt",
                                         "-key",
                                         folder / "key.pem",
                                         "-CAfile",
                                         folder / "root.crt",
                                         "-Verify",
                                         "3",
                                         "-verify_quiet",
                                         "-verify_return_error",
                                         "-num_tickets",
                                         "0",
                                         "-groups",
                                         std::string(info.groups),
                                         "-client_sigalgs",
                                         std::string(info.signatures),
                                         "-sigalgs",
                                         std::string(info.signatures),
                                         "-naccept",
                                         "100000000"};
        auto server = std::unique_ptr<OpensslServer>(new OpensslServer(port));
        QUOIN_CHECK(server->spawn(command));
        return server;
    }
    ~OpensslServer() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    std::uint16_t port() const { return port_; }
    std::int64_t cpu_ns() const {
        clockid_t clock{};
        timespec now{};
        if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &now) != 0) return 0;
        return now.tv_sec * 1'000'000'000L + now.tv_nsec;
    }

private:
    explicit OpensslServer(std::uint16_t port) : port_(port) {}

    Result<void> spawn(const std::vector<std::string>& command) {
        std::vector<char*> arguments;
        for (const std::string& word : command)
            arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t actions{};
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        const int failed =
            posix_spawnp(&pid_, "openssl", &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) return fail(Code::resource_unavailable, "openssl: {}", strerror(failed));
        for (int attempt = 0; attempt < 200; ++attempt) {
            if (connect_to(port_)) return {};
            ::poll(nullptr, 0, 25);
        }
        return fail(Code::resource_timeout, "openssl s_server did not listen on port {} in 5 s",
                    port_);
    }

    std::uint16_t port_;
    pid_t pid_ = -1;
};

struct Series {
    std::vector<double> per_second;
    std::vector<double> server_cpu_us;
    Handshake bytes;
};

template <class Server>
Result<void> measure(SSL_CTX* client, const Server& server, int handshakes, Series& series) {
    const std::int64_t cpu_before_ns = server.cpu_ns();
    const auto start = Clock::now();
    for (int i = 0; i < handshakes; ++i) {
        QUOIN_TRY(series.bytes, shake_hands(client, server.port()));
    }
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    series.per_second.push_back(handshakes / elapsed.count());
    series.server_cpu_us.push_back(static_cast<double>(server.cpu_ns() - cpu_before_ns) / 1000.0 /
                                   handshakes);
    return {};
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

nlohmann::json row(std::string_view suite, std::string_view server, const Series& series) {
    const auto [low, high] = std::ranges::minmax(series.per_second);
    const double middle = median(series.per_second);
    return {{"suite", suite},
            {"server", server},
            {"handshakes_per_s", middle},
            {"spread", (high - low) / middle},
            {"server_cpu_us", median(series.server_cpu_us)},
            {"client_to_server_bytes", series.bytes.sent_bytes},
            {"server_to_client_bytes", series.bytes.received_bytes}};
}

Result<void> bench_suite(tls::Suite suite, int rounds, int handshakes, nlohmann::json& rows) {
    QUOIN_TRY(const Material material, make_material(suite));
    QUOIN_TRY(const auto client, tls::client_context(suite, std::span(&material.root, 1),
                                                     tls::Server::broker, &material.client));
    std::string name = std::filesystem::temp_directory_path() / "quoin-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        return fail(Code::resource_unavailable, "no temporary folder: {}", strerror(errno));
    }
    const std::filesystem::path folder = name;
    Series ours;
    Series theirs;
    auto measured = [&]() -> Result<void> {
        QUOIN_TRY(const auto our_server, OurServer::start(suite, material));
        QUOIN_TRY(const auto openssl_server, OpensslServer::start(suite, material, folder));
        for (int round = 0; round < rounds; ++round) {
            QUOIN_CHECK(measure(client.get(), *our_server, handshakes, ours));
            QUOIN_CHECK(measure(client.get(), *openssl_server, handshakes, theirs));
        }
        return {};
    }();
    std::filesystem::remove_all(folder);
    QUOIN_CHECK(std::move(measured));
    rows.push_back(row(tls::info(suite).name, "quoin", ours));
    rows.push_back(row(tls::info(suite).name, "openssl s_server", theirs));
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Mutual TLS handshakes: our policy and openssl s_server, with the same certificates.");
    int rounds = 7;
    int handshakes = 40;
    app.add_option("--rounds", rounds, "interleaved rounds a server")->check(CLI::Range(1, 1000));
    app.add_option("--handshakes", handshakes, "handshakes a round")->check(CLI::Range(1, 100000));
    CLI11_PARSE(app, argc, argv);
    ::signal(SIGPIPE, SIG_IGN);
    nlohmann::json rows = nlohmann::json::array();
    for (const tls::Suite suite : {tls::Suite::classical, tls::Suite::hybrid, tls::Suite::pure}) {
        if (auto done = bench_suite(suite, rounds, handshakes, rows); !done) {
            fmt::print(stderr, "{}: {}\n", tls::info(suite).name, done.error().message);
            return exit_code(done.error().code);
        }
    }
    fmt::print("{}\n", rows.dump(2));
    return 0;
}
