// What `./dev bench ocsp` runs: a responder by itself, a load on raw sockets, and the bare
// signature.
//
//   ocsp_bench serve FOLDER     listens, writes FOLDER/{ahead,live}.request and ahead.response, and
//                               prints {"port":N}; ends with its standard input
//   ocsp_bench load ...         one request at a time on each connection, no pipelining; one thread
//   ocsp_bench sign             ML-DSA-65 signatures of what an answer signs, one thread
//   ocsp_bench check FOLDER     what an agent does before its first CONNECT, on a new connection
//                               with a nonce each time, to the end of the verification
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/net/http.hpp"
#include "host/x509/test_pki.hpp"
#include "server/pki/ocsp.hpp"
#include "server/schema.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using crypto::Algorithm;

// ---- the server ----

Result<void> record(store::Database& database, const x509::Certificate& certificate,
                    const x509::Certificate& issuing) {
    return database.transaction([&](soci::session& session) -> Result<void> {
        const std::string serial = certificate.serial_hex();
        const std::string issuer = issuing.serial_hex();
        session << "INSERT INTO certificates (serial, kind, subject_id, not_before_ms, "
                   "not_after_ms, revoked_ms, sha3_512, der, issuer) VALUES (:s, 'device', "
                   "'mpu-1', 0, 0, "
                   "0, '', '', :i)",
            soci::use(serial), soci::use(issuer);
        return {};
    });
}

Result<void> write_requests(const fs::path& folder, const x509::Certificate& leaf,
                            const x509::Certificate& issuing, OcspResponder& responder) {
    const crypto::ByteVector nonce(x509::ocsp_nonce_size, 0x5a);
    QUOIN_TRY(const auto ahead, x509::OcspRequest::make(leaf, issuing, {}));
    QUOIN_TRY(const auto live, x509::OcspRequest::make(leaf, issuing, nonce));
    QUOIN_TRY(const std::string leaf_pem, leaf.pem());
    QUOIN_TRY(const std::string issuing_pem, issuing.pem());
    QUOIN_CHECK(files::write_atomically(folder / "chain.crt", leaf_pem + issuing_pem, 0644));
    QUOIN_TRY(const std::string ahead_der, ahead.der());
    QUOIN_TRY(const std::string live_der, live.der());
    QUOIN_CHECK(files::write_atomically(folder / "ahead.request", ahead_der, 0644));
    QUOIN_CHECK(files::write_atomically(folder / "live.request", live_der, 0644));
    return files::write_atomically(folder / "ahead.response", *responder.staple(leaf.native()),
                                   0644);
}

Result<void> serve(const fs::path& folder) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_TRY(const auto pki,
              x509::test::make_pki(Algorithm::ml_dsa_65_ed25519, Algorithm::ml_dsa_65_ed25519));
    QUOIN_TRY(const auto leaf,
              x509::test::make_leaf(pki, {.algorithm = Algorithm::ml_dsa_65_ed25519}));
    QUOIN_TRY(const auto own, x509::test::make_leaf(pki, {.profile = x509::Profile::ocsp,
                                                          .kind = x509::Kind::service,
                                                          .id = "ocsp",
                                                          .algorithm = Algorithm::ml_dsa_65}));
    QUOIN_TRY(const auto database,
              store::Database::open("sqlite://" + (folder / "bench.sqlite").string()));
    QUOIN_CHECK(database->migrate(migrations()));
    QUOIN_CHECK(record(*database, leaf.certificate, pki.issuing.certificate));
    QUOIN_TRY(auto audit_key, crypto::PrivateKey::generate(Algorithm::ml_dsa_65));
    QUOIN_TRY(const auto audit,
              audit::Log::open({.file = folder / "audit.jsonl"}, std::move(audit_key)));
    Bus bus;
    OcspResponder responder({.live_per_s = 1e9, .burst = 1e9}, *database, bus, *audit);
    QUOIN_CHECK(
        responder.replace({{pki.issuing.certificate, {.chain = {own.certificate}, .key = own.key}}},
                          {&leaf.certificate, 1}));
    QUOIN_CHECK(write_requests(folder, leaf.certificate, pki.issuing.certificate, responder));
    net::HttpServerOptions options;
    options.threads = 2;  // as quoind's HTTP port
    options.max_body_bytes = x509::max_ocsp_request_size;
    options.ready = [&](const net::HttpRequest& request) {
        return responder.handle_at_once(request);
    };
    QUOIN_TRY(const auto server,
              net::HttpServer::start(std::move(options), [&](const net::HttpRequest& request) {
                  return responder.handle(request);
              }));
    fmt::print("{{\"port\":{}}}\n", server->port());
    std::fflush(stdout);
    std::array<char, 64> scrap{};
    while (::read(STDIN_FILENO, scrap.data(), scrap.size()) > 0) {
    }
    return {};
}

// ---- the load ----

struct LoadOptions {
    std::uint16_t port = 0;
    std::string method = "POST";
    std::string path = "/ocsp";
    std::string body;
    int connections = 16;
    double seconds = 3;
    bool fresh = false;  // a new connection for each request
};

struct Connection {
    int socket = -1;
    std::size_t got = 0;     // of the answer
    std::size_t wanted = 0;  // all of it; 0: not known yet
    std::string head = {};
};

class Load {
public:
    Load(const LoadOptions& options, const std::string& body)
        : options_(options), poll_(::epoll_create1(0)) {
        request_ =
            fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n", options.method, options.path);
        if (!body.empty()) {
            request_ += fmt::format(
                "Content-Type: application/ocsp-request\r\nContent-Length: {}\r\n", body.size());
        }
        request_ += "\r\n" + body;
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    ~Load() {
        for (const Connection& each : connections_) ::close(each.socket);
        ::close(poll_);
    }

    Result<double> run() {
        connections_.resize(static_cast<std::size_t>(options_.connections));
        for (Connection& each : connections_) QUOIN_CHECK(open(each));
        const auto begin = Clock::now();
        const auto end = begin + std::chrono::duration<double>(options_.seconds);
        std::array<epoll_event, 64> events{};
        while (Clock::now() < end) {
            const int count = ::epoll_wait(poll_, events.data(), events.size(), 1000);
            if (count <= 0) return fail(Code::resource_timeout, "no answer within a second");
            const auto ready = std::span(events).first(static_cast<std::size_t>(count));
            for (const epoll_event& event : ready) {
                QUOIN_CHECK(take(*static_cast<Connection*>(event.data.ptr)));
            }
        }
        const std::chrono::duration<double> took = Clock::now() - begin;
        return static_cast<double>(answers_) / took.count();
    }

private:
    std::unexpected<Error> failure(std::string_view doing) const {
        return fail(Code::resource_unavailable, "{}: {}", doing, std::strerror(errno));
    }

    Result<void> open(Connection& connection) {
        connection.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(options_.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        // Ends by a reset: no port waits for its time to be over.
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(connection.socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        if (::connect(connection.socket, reinterpret_cast<const sockaddr*>(&address),
                      sizeof address) != 0) {
            return failure("connect");
        }
        epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
        if (::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &event) != 0) {
            return failure("epoll_ctl");
        }
        return ask(connection);
    }

    Result<void> ask(Connection& connection) const {
        connection.got = 0;
        connection.wanted = 0;
        connection.head.clear();
        const ssize_t sent = ::send(connection.socket, request_.data(), request_.size(), 0);
        if (sent != static_cast<ssize_t>(request_.size())) return failure("send");
        return {};
    }

    Result<void> take(Connection& connection) {
        const ssize_t size = ::recv(connection.socket, buffer_.data(), buffer_.size(), 0);
        if (size <= 0) return failure("the server closed the connection");
        connection.got += static_cast<std::size_t>(size);
        if (connection.wanted == 0) {
            connection.head.append(buffer_.data(), static_cast<std::size_t>(size));
            const std::size_t end = connection.head.find("\r\n\r\n");
            if (end == std::string::npos) return {};
            QUOIN_TRY(const std::size_t body, body_size(connection.head));
            connection.wanted = end + 4 + body;
        }
        if (connection.got < connection.wanted) return {};
        ++answers_;
        if (!options_.fresh) return ask(connection);
        ::close(connection.socket);
        return open(connection);
    }

    static Result<std::size_t> body_size(const std::string& head) {
        constexpr std::string_view name = "\r\nContent-Length: ";
        const std::size_t at = head.find(name);
        if (!head.starts_with("HTTP/1.1 200") || at == std::string::npos) {
            return fail(Code::peer_malformed, "an answer that was not wanted: {}",
                        head.substr(0, 200));
        }
        return static_cast<std::size_t>(std::strtoul(head.c_str() + at + name.size(), nullptr, 10));
    }

    const LoadOptions& options_;
    int poll_;
    std::string request_;
    std::vector<Connection> connections_;
    std::array<char, 64 * 1024> buffer_{};
    std::uint64_t answers_ = 0;
};

Result<void> load(const LoadOptions& options) {
    std::string body;
    if (!options.body.empty()) {
        QUOIN_TRY(body, files::read(options.body));
    }
    Load run(options, body);
    QUOIN_TRY(const double rate, run.run());
    fmt::print("{{\"per_s\":{:.1f}}}\n", rate);
    return {};
}

// ---- the check of an agent ----

Result<void> check(const fs::path& folder, std::uint16_t port, int times) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_TRY(const auto chain, x509::Certificate::load(folder / "chain.crt"));
    std::vector<double> took_ms;
    for (int i = 0; i < times; ++i) {
        const auto begin = Clock::now();
        std::array<std::uint8_t, x509::ocsp_nonce_size> nonce{};
        QUOIN_CHECK(crypto::random_bytes(nonce));
        QUOIN_TRY(const auto request, x509::OcspRequest::make(chain[0], chain[1], nonce));
        QUOIN_TRY(const std::string der, request.der());
        QUOIN_TRY(const auto reply,
                  net::http_request({.base_url = fmt::format("http://127.0.0.1:{}", port)}, "POST",
                                    "/ocsp", der, "application/ocsp-request"));
        QUOIN_TRY(const auto answer,
                  x509::verify_ocsp_response(bytes_of(reply.body), chain[0], chain[1], nonce));
        QUOIN_CHECK(x509::require_good(answer, chain[0]));
        const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
        took_ms.push_back(took.count());
    }
    const double first_ms = took_ms.front();
    std::ranges::sort(took_ms);
    fmt::print("{{\"first_ms\":{:.2f},\"p50_ms\":{:.2f},\"p99_ms\":{:.2f}}}\n", first_ms,
               took_ms[took_ms.size() / 2], took_ms[took_ms.size() * 99 / 100]);
    return {};
}

// ---- the bare signature ----

Result<void> sign(double seconds) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_TRY(const auto key, crypto::PrivateKey::generate(Algorithm::ml_dsa_65));
    const crypto::ByteVector message(200, 0x5a);  // about the tbsResponseData of one answer
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::duration<double>(seconds);
    std::uint64_t count = 0;
    for (; Clock::now() < end; ++count) QUOIN_CHECK(key.sign(message));
    const std::chrono::duration<double> took = Clock::now() - begin;
    fmt::print("{{\"per_s\":{:.1f}}}\n", static_cast<double>(count) / took.count());
    return {};
}

}  // namespace
}  // namespace quoin::server

int main(int argc, char** argv) {
    CLI::App app{"Measures quoind's OCSP responder"};
    app.require_subcommand(1);
    std::string folder;
    quoin::server::LoadOptions options;
    auto* serve = app.add_subcommand("serve");
    serve->add_option("folder", folder)->required();
    auto* load = app.add_subcommand("load");
    load->add_option("--port", options.port)->required();
    load->add_option("--method", options.method);
    load->add_option("--path", options.path);
    load->add_option("--body", options.body);
    load->add_option("--connections", options.connections);
    load->add_option("--seconds", options.seconds);
    load->add_flag("--fresh", options.fresh);
    auto* sign = app.add_subcommand("sign");
    sign->add_option("--seconds", options.seconds);
    int times = 1000;
    auto* check = app.add_subcommand("check");
    check->add_option("folder", folder)->required();
    check->add_option("--port", options.port)->required();
    check->add_option("--times", times)->check(CLI::Range(1, 1'000'000));
    CLI11_PARSE(app, argc, argv);
    const auto done = *serve   ? quoin::server::serve(folder)
                      : *load  ? quoin::server::load(options)
                      : *check ? quoin::server::check(folder, options.port, times)
                               : quoin::server::sign(options.seconds);
    if (done) return EXIT_SUCCESS;
    fmt::print(stderr, "{}\n", done.error().message);
    return EXIT_FAILURE;
}
