// How long does a revocation take to reach a socket, with many sessions live? And the rows of a
// large plant, to measure its database.
//
// usage: revoke_bench prepare --home DIR --devices N --more M
//            makes, while quoind is down: N active devices with certificates (PEM in DIR/bench),
//            and M more with rows that only look like it
//        revoke_bench run --home DIR --port N --sessions N --revocations N [--command]
//            opens sessions, revokes, and says what it took from the command to the closed socket.
//            --command: by `quoin device revoke`, its start included; else by REST
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "host/descriptor.hpp"
#include "host/files/files.hpp"
#include "host/net/http.hpp"
#include "host/store/bulk.hpp"
#include "host/store/database.hpp"
#include "host/tls/policy.hpp"
#include "server/config/settings.hpp"
#include "server/schema.hpp"

namespace {

using namespace quoin;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Texts = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

struct Options {
    fs::path home;
    std::uint16_t port = 0;
    int devices = 1000;
    int more = 0;
    int sessions = 1000;
    int revocations = 200;
    int first = 0;
    bool command = false;
};

template <class T>
T must(Result<T> result) {
    if (result) return *std::move(result);
    std::cerr << result.error().message << "\n";
    std::exit(1);
}
void must(const Result<void>& result) {
    if (result) return;
    std::cerr << result.error().message << "\n";
    std::exit(1);
}

std::string name_of(int number) { return fmt::format("bench-{:06}", number); }

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

struct Rows {
    Texts ids, digests, serials, ders, hashes;
    Numbers ends;
};

void insert(store::Database& database, const Rows& rows) {
    const std::size_t size = rows.ids.size();
    const Texts empty(size);
    const Numbers zero(size, 0);
    const Numbers now(size, now_ms());
    must(database.transaction([&](soci::session& session) -> Result<void> {
        const std::vector<store::Column> devices{{"device_id", rows.ids},
                                                 {"silicon_id", rows.ids},
                                                 {"class", Texts(size, "mcu")},
                                                 {"birth_cert_sha256", rows.digests},
                                                 {"state", Texts(size, "active")},
                                                 {"reason", empty},
                                                 {"release_version", empty},
                                                 {"boot_counter", zero},
                                                 {"verdict", empty},
                                                 {"verdict_reason", empty},
                                                 {"verdict_level", empty},
                                                 {"verdict_ms", zero},
                                                 {"last_pass_ms", zero},
                                                 {"created_ms", now},
                                                 {"updated_ms", now}};
        store::insert_new(session, "devices", devices);
        const std::vector<store::Column> certificates{
            {"serial", rows.serials},    {"kind", Texts(size, "device")},
            {"subject_id", rows.ids},    {"not_before_ms", now},
            {"not_after_ms", rows.ends}, {"revoked_ms", zero},
            {"sha3_512", rows.hashes},   {"der", rows.ders}};
        store::insert_new(session, "certificates", certificates);
        return {};
    }));
}

// All sessions have one key: what is measured does not depend on it.
void prepare(const Options& options) {
    const auto settings = must(server::load_settings(options.home));
    const auto unlock = must(crypto::existing_unlock_key(options.home / "unlock.key"));
    const auto issuing = must(x509::Certificate::load(options.home / "pki/issuing.crt")).front();
    const auto issuing_key =
        must(crypto::PrivateKey::load(options.home / "pki/issuing.key", unlock));
    const auto key = must(crypto::PrivateKey::generate(tls::info(settings.suite).mcu));
    const auto public_key = must(key.public_key());
    const fs::path folder = options.home / "bench";
    must(files::make_private_folder(folder));
    const auto key_pem = must(key.to_encrypted_pem(unlock));
    must(files::write_atomically(folder / "key.pem", key_pem, 0600));
    auto database = must(store::Database::open(settings.database_url, 1));
    must(database->migrate(server::migrations()));
    Rows rows;
    for (int i = 0; i < options.devices + options.more; ++i) {
        const bool real = i < options.devices;
        rows.ids.push_back(name_of(i));
        rows.digests.push_back(fmt::format("{:064x}", i + 1));
        if (real) {
            const auto certificate =
                must(x509::issue(issuing_key, issuing, public_key,
                                 {.profile = x509::Profile::device,
                                  .common_name = name_of(i),
                                  .identity = x509::Identity{.kind = x509::Kind::device,
                                                             .site = settings.site,
                                                             .id = name_of(i),
                                                             .role = std::nullopt},
                                  .names = {},
                                  .lifetime = std::chrono::hours(24)}));
            const auto pem = must(certificate.pem());
            must(files::write_atomically(folder / (name_of(i) + ".crt"), pem, 0600));
            rows.serials.push_back(certificate.serial_hex());
            rows.ends.push_back(certificate.not_after_ms());
        } else {
            rows.serials.push_back(fmt::format("7f{:030x}", i));
            rows.ends.push_back(now_ms() + 86'400'000);
        }
        rows.hashes.emplace_back(128, '0');
        rows.ders.push_back(real ? "" : std::string(7000, 'A'));  // as long as a real one
        if (rows.ids.size() == 1000) insert(*database, std::exchange(rows, {}));
    }
    if (!rows.ids.empty()) insert(*database, rows);
}

struct SslDeleter {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

struct Session {
    std::string id;
    Descriptor socket;
    std::unique_ptr<SSL, SslDeleter> ssl;
};

[[noreturn]] void fail_now(const std::string& doing) {
    std::cerr << doing << ": " << std::strerror(errno) << "\n";
    ERR_print_errors_fp(stderr);
    std::exit(1);
}

Session open_session(SSL_CTX* context, const Options& options, const std::string& id,
                     const x509::Certificate& certificate) {
    Session session{.id = id,
                    .socket = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                    .ssl = std::unique_ptr<SSL, SslDeleter>(SSL_new(context))};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(session.socket.number(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) != 0) {
        fail_now("connect");
    }
    const int on = 1;
    ::setsockopt(session.socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL* const ssl = session.ssl.get();
    must(tls::expect_server(ssl, "127.0.0.1"));
    // The same key and the same issuing CA: only the leaf is another.
    if (SSL_use_certificate(ssl, certificate.native()) != 1 ||
        SSL_set_fd(ssl, session.socket.number()) != 1 || SSL_connect(ssl) != 1) {
        fail_now("handshake");
    }
    std::string packet("\x10\0\0\4MQTT\4\2\0\0\0", 13);  // MQTT 3.1.1, clean, no keep-alive
    packet += static_cast<char>(id.size());
    packet += id;
    packet[1] = static_cast<char>(packet.size() - 2);
    std::array<std::uint8_t, 4> answer{};
    if (SSL_write(ssl, packet.data(), static_cast<int>(packet.size())) <= 0 ||
        SSL_read(ssl, answer.data(), 4) != 4 || answer[0] != 0x20 || answer[3] != 0) {
        fail_now("the broker refused CONNECT of " + id);
    }
    return session;
}

// When the broker closed it. MQTT's and TLS's last words may come before.
Clock::time_point wait_closed(const Session& session) {
    std::array<char, 512> bytes{};
    for (;;) {
        pollfd event{session.socket.number(), POLLIN, 0};
        if (::poll(&event, 1, 20'000) != 1) fail_now(session.id + " is not closed");
        const ssize_t got = ::recv(session.socket.number(), bytes.data(), bytes.size(), 0);
        if (got <= 0) return Clock::now();
    }
}

void revoke_by_command(const Options& options, const std::string& id) {
    const std::string home = options.home.string();
    std::array<const char*, 9> words{"quoin",       "device", "revoke",     id.c_str(), "--reason",
                                     "unspecified", "--home", home.c_str(), nullptr};
    pid_t child = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (::posix_spawnp(&child, words[0], &actions, nullptr, const_cast<char**>(words.data()),
                       environ) != 0) {
        fail_now("quoin");
    }
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) fail_now("quoin device revoke");
}

void revoke_by_rest(const Options& options, const std::string& id) {
    const auto reply = must(net::http_request(
        {.base_url = "unix:" + (options.home / "run/quoind.sock").string()}, "POST",
        "/api/v1/devices/" + id + "/revoke", R"({"reason":"unspecified"})", "application/json"));
    if (reply.status != 200) fail_now(reply.body);
}

// From before the command to the closed socket, and to its answer.
std::pair<double, double> revoke(const Options& options, const Session& session) {
    const auto start = Clock::now();
    Clock::time_point closed;
    std::jthread watcher([&] { closed = wait_closed(session); });
    options.command ? revoke_by_command(options, session.id) : revoke_by_rest(options, session.id);
    const auto answered = Clock::now();
    watcher.join();
    const auto ms = [&](Clock::time_point end) {
        return std::chrono::duration<double, std::milli>(end - start).count();
    };
    return {ms(closed), ms(answered)};
}

void run(const Options& options) {
    const auto settings = must(server::load_settings(options.home));
    const auto unlock = must(crypto::existing_unlock_key(options.home / "unlock.key"));
    const auto certificate_of = [&](int number) {
        const fs::path file = options.home / "bench" / (name_of(number) + ".crt");
        return must(x509::Certificate::load(file)).front();
    };
    const auto issuing = must(x509::Certificate::load(options.home / "pki/issuing.crt")).front();
    const auto anchors = must(x509::Certificate::load(options.home / "pki/root.crt"));
    const tls::Credentials own{
        .chain = {certificate_of(0), issuing},
        .key = must(crypto::PrivateKey::load(options.home / "bench/key.pem", unlock))};
    const tls::Context context =
        must(tls::client_context(settings.suite, anchors, tls::Server::broker, &own));
    std::vector<Session> sessions;
    for (int i = options.first; i < options.first + options.sessions; ++i) {
        sessions.push_back(open_session(context.get(), options, name_of(i), certificate_of(i)));
    }
    std::vector<double> closed_ms, answered_ms;
    for (int i = 0; i < options.revocations; ++i) {
        const auto [closed, answered] = revoke(options, sessions.at(static_cast<std::size_t>(i)));
        closed_ms.push_back(closed);
        answered_ms.push_back(answered);
    }
    // The others live: nothing came, nothing is closed.
    int alive = 0;
    for (std::size_t i = static_cast<std::size_t>(options.revocations); i < sessions.size(); ++i) {
        pollfd event{sessions[i].socket.number(), POLLIN, 0};
        if (::poll(&event, 1, 0) == 0) ++alive;
    }
    std::cout << nlohmann::json{{"sessions", options.sessions},
                                {"alive_at_the_end", alive},
                                {"closed_ms", closed_ms},
                                {"answered_ms", answered_ms}}
                     .dump()
              << "\n";
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("what a revocation takes");
    app.require_subcommand(1);
    auto* const preparing = app.add_subcommand("prepare", "the rows and the certificates");
    preparing->add_option("--home", options.home, "of the plant")->required();
    preparing->add_option("--devices", options.devices, "with certificates");
    preparing->add_option("--more", options.more, "rows that look like it");
    auto* const running = app.add_subcommand("run", "sessions and revocations");
    running->add_option("--home", options.home, "of the plant")->required();
    running->add_option("--port", options.port, "of the broker")->required();
    running->add_option("--sessions", options.sessions, "live");
    running->add_option("--first", options.first, "number of the first device");
    running->add_option("--revocations", options.revocations, "of them");
    running->add_flag("--command", options.command, "by the CLI");
    CLI11_PARSE(app, argc, argv);
    ::signal(SIGPIPE, SIG_IGN);
    preparing->parsed() ? prepare(options) : run(options);
    return 0;
}
