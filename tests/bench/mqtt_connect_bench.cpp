// What do connections cost a broker? Connects with mutual TLS 1.3, sends MQTT's CONNECT, takes the
// CONNACK, sends DISCONNECT and waits for the broker to close; says what each took of the broker's
// processor, and how many bytes went over the wire.
//
// usage: mqtt_connect_bench --port N --root FILE --certificates FILE --key FILE --group NAME
//            [--connections N] [--parallel N] [--resume] [--pid N]...
//        mqtt_connect_bench --plain --port N ...: the same without TLS
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "host/descriptor.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::uint16_t port = 0;
    std::string root;
    std::string certificates;
    std::string key;
    std::string group;
    int connections = 100;
    int parallel = 1;
    bool resume = false;
    bool plain = false;
    std::vector<pid_t> pids;
};

struct SslDeleter {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslDeleter>;

struct SessionDeleter {
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, SessionDeleter>;

// The newest ticket of this thread's connections.
thread_local Session newest;

int keep_session(SSL*, SSL_SESSION* session) noexcept {
    newest.reset(session);
    return 1;
}

[[noreturn]] void fail(const std::string& doing) {
    std::cerr << doing << ": " << strerror(errno) << "\n";
    ERR_print_errors_fp(stderr);
    std::exit(1);
}

SSL_CTX* make_context(const Options& options) {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set1_groups_list(context, options.group.c_str()) != 1 ||
        SSL_CTX_load_verify_file(context, options.root.c_str()) != 1 ||
        SSL_CTX_use_certificate_chain_file(context, options.certificates.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        fail("cannot make a TLS context");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return context;
}

struct Connection {
    double latency_us = 0;            // from connect() to the CONNACK
    std::uint64_t server_flight = 0;  // bytes: ServerHello to Finished, with record headers
    std::uint64_t received = 0;       // bytes, all of the connection
    std::uint64_t sent = 0;
    bool resumed = false;
};

std::string connect_packet(const std::string& id) {
    std::string packet("\x10\0\0\4MQTT\4\2\0\x3c\0", 13);  // MQTT 3.1.1, clean, keep-alive 60 s
    packet += static_cast<char>(id.size());
    packet += id;
    packet[1] = static_cast<char>(packet.size() - 2);
    return packet;
}

using Connack = std::array<std::uint8_t, 4>;

void check(const Connack& answer) {
    if (answer[0] != 0x20 || answer[3] != 0) fail("the broker refused CONNECT");
}

void take_connack(SSL* ssl) {
    Connack answer{};
    std::size_t size = 0;
    while (size < answer.size()) {
        const int got = SSL_read(ssl, answer.data() + size, static_cast<int>(answer.size() - size));
        if (got <= 0) fail("no CONNACK");
        size += static_cast<std::size_t>(got);
    }
    check(answer);
}

quoin::Descriptor connect_to(std::uint16_t port) {
    quoin::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
        0) {
        fail("connect");
    }
    const int on = 1;
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

Connection connect_once(SSL_CTX* context, const Options& options, const std::string& id) {
    const auto start = Clock::now();
    const quoin::Descriptor socket = connect_to(options.port);
    const Ssl ssl(SSL_new(context));
    SSL_set1_host(ssl.get(), "localhost");
    SSL_set_fd(ssl.get(), socket.number());
    if (options.resume && newest) SSL_set_session(ssl.get(), newest.get());
    if (SSL_connect(ssl.get()) != 1) fail("handshake");
    Connection result{.server_flight = BIO_number_read(SSL_get_rbio(ssl.get())),
                      .resumed = SSL_session_reused(ssl.get()) == 1};
    const std::string packet = connect_packet(id);
    if (SSL_write(ssl.get(), packet.data(), static_cast<int>(packet.size())) <= 0) fail("CONNECT");
    take_connack(ssl.get());
    result.latency_us = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    if (SSL_write(ssl.get(), "\xe0\0", 2) <= 0) fail("DISCONNECT");
    SSL_shutdown(ssl.get());
    char byte = 0;
    SSL_read(ssl.get(), &byte, 1);  // until the broker has closed
    ERR_clear_error();
    result.received = BIO_number_read(SSL_get_rbio(ssl.get()));
    result.sent = BIO_number_written(SSL_get_wbio(ssl.get()));
    return result;
}

Connection connect_plainly(const Options& options, const std::string& id) {
    const auto start = Clock::now();
    const quoin::Descriptor socket = connect_to(options.port);
    const std::string packet = connect_packet(id);
    if (::send(socket.number(), packet.data(), packet.size(), 0) < 0) fail("CONNECT");
    Connack answer{};
    if (::recv(socket.number(), answer.data(), answer.size(), MSG_WAITALL) != 4) fail("no CONNACK");
    check(answer);
    const double latency_us =
        std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    if (::send(socket.number(), "\xe0\0", 2, 0) < 0) fail("DISCONNECT");
    char byte = 0;
    if (::recv(socket.number(), &byte, 1, 0) != 0) fail("the broker did not close");
    return {.latency_us = latency_us, .received = answer.size(), .sent = packet.size() + 2};
}

double cpu_us(clockid_t clock) {
    timespec now{};
    if (clock_gettime(clock, &now) != 0) fail("no such process");
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::vector<double> cpu_of(const std::vector<pid_t>& pids) {
    std::vector<double> times;
    for (const pid_t pid : pids) {
        clockid_t clock{};
        if (clock_getcpuclockid(pid, &clock) != 0) fail("no such process");
        times.push_back(cpu_us(clock));
    }
    return times;
}

// Of one thread; the first connection of a resuming one fetches a ticket and does not count.
void work(SSL_CTX* context, const Options& options, int thread, std::vector<Connection>& done) {
    for (int i = 0; i < options.connections / options.parallel; ++i) {
        const std::string id = std::format("bench-{}-{}", thread, i);
        done.push_back(options.plain ? connect_plainly(options, id)
                                     : connect_once(context, options, id));
    }
    newest.reset();
}

nlohmann::json report(const Options& options, const std::vector<Connection>& all,
                      const std::vector<double>& cpu, double own_cpu, double seconds) {
    std::vector<double> latencies;
    for (const Connection& connection : all) latencies.push_back(connection.latency_us);
    std::ranges::sort(latencies);
    const auto count = static_cast<double>(all.size());
    nlohmann::json each = nlohmann::json::array();
    for (const double time : cpu) each.push_back(time / count);
    const auto resumed = std::ranges::count_if(all, &Connection::resumed);
    return {{"connections", all.size()},
            {"resumed", resumed},
            {"per_second", count / seconds},
            {"cpu_us", each},
            {"client_cpu_us", own_cpu / count},
            {"latency_median_us", latencies[latencies.size() / 2]},
            {"latency_p99_us", latencies[latencies.size() * 99 / 100]},
            {"group", options.group},
            {"server_flight_bytes", all.back().server_flight},
            {"to_client_bytes", all.back().received},
            {"to_server_bytes", all.back().sent}};
}

nlohmann::json measure(const Options& options) {
    SSL_CTX* const context = options.plain ? nullptr : make_context(options);
    std::vector<std::vector<Connection>> done(static_cast<std::size_t>(options.parallel));
    if (!options.plain) connect_once(context, options, "bench-first");
    Session ticket = std::move(newest);
    if (options.resume && !ticket) {
        std::cerr << "the broker gives no tickets\n";
        std::exit(1);
    }
    const std::vector<double> before = cpu_of(options.pids);
    const double own_before = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    const auto start = Clock::now();
    std::vector<std::jthread> threads;
    for (int i = 0; i < options.parallel; ++i) {
        threads.emplace_back([&, i] {
            if (options.resume) newest.reset(SSL_SESSION_dup(ticket.get()));
            work(context, options, i, done[static_cast<std::size_t>(i)]);
        });
    }
    threads.clear();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const double own = cpu_us(CLOCK_PROCESS_CPUTIME_ID) - own_before;
    std::vector<double> cpu = cpu_of(options.pids);
    for (std::size_t i = 0; i < cpu.size(); ++i) cpu[i] -= before[i];
    std::vector<Connection> all;
    for (const auto& some : done) all.insert(all.end(), some.begin(), some.end());
    SSL_CTX_free(context);
    return report(options, all, cpu, own, seconds);
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("what connections cost a broker");
    app.add_option("--port", options.port, "of 127.0.0.1")->required();
    auto* const plain = app.add_flag("--plain", options.plain, "without TLS, and these");
    app.add_option("--root", options.root, "the only trusted certificate")->excludes(plain);
    app.add_option("--certificates", options.certificates, "ours: leaf, issuing")->excludes(plain);
    app.add_option("--key", options.key, "ours")->excludes(plain);
    app.add_option("--group", options.group, "of the key exchange")->excludes(plain);
    app.add_option("--connections", options.connections, "in all")->check(CLI::Range(1, 1000000));
    app.add_option("--parallel", options.parallel, "at a time")->check(CLI::Range(1, 64));
    app.add_flag("--resume", options.resume, "with the newest ticket");
    app.add_option("--pid", options.pids, "whose processor time is told");
    CLI11_PARSE(app, argc, argv);
    ::signal(SIGPIPE, SIG_IGN);
    std::cout << measure(options).dump() << "\n";
    return 0;
}
