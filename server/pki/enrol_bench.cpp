// How many devices a second can a plant enrol, beside the bare cryptography and the disk?
//
// product: clients on threads of their own enrol over HTTPS (one connection each, birth
// certificate,
//          request bound to it) with EST, RA, CA and a SQLite database, as in quoind.
// bare:    the same threads do the same handshakes (in memory), signatures, verifications and
//          certificates, and one durable commit of the same rows for each group of as many as there
//          are threads.
// They take turns in one run. Keys are made before. usage: enrol_bench [--rounds N] [--enrolments
// N]
// [--threads N]
#include <openssl/ssl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "host/files/files.hpp"
#include "host/tls/test_handshake.hpp"
#include "server/pki/birth.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/est.hpp"
#include "server/schema.hpp"

namespace {

using namespace quoin;
using namespace quoin::server;
using Clock = std::chrono::steady_clock;

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

constexpr tls::Suite suite = tls::Suite::hybrid;

struct Options {
    int rounds = 5;
    int enrolments = 200;  // a round and side
    int threads = 4;
};

tls::Credentials credentials(const std::filesystem::path& unlock_file,
                             const std::filesystem::path& base) {
    const auto unlock = must(crypto::existing_unlock_key(unlock_file));
    return {.chain = must(x509::Certificate::load(base.string() + ".crt")),
            .key = must(crypto::PrivateKey::load(base.string() + ".key", unlock))};
}

// Everything that both sides use.
class Plant {
public:
    explicit Plant(const Options& options) : options_(options) {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-enrol-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::exit(1);
        folder_ = name;
        home_ = folder_ / "home";
        must(init_pki({.home = home_, .site = "bench"}, crypto::Passphrase("a long passphrase")));
        Maker maker = must(Maker::open(folder_ / "maker"));
        must(trust_maker(home_, folder_ / "maker" / "ca.crt"));
        database_ = must(store::Database::open("sqlite://" + (folder_ / "db.sqlite").string()));
        bare_database_ =
            must(store::Database::open("sqlite://" + (folder_ / "bare.sqlite").string()));
        must(database_->migrate(migrations()));
        must(bare_database_->migrate(migrations()));
        for (int i = 0; i < options.threads; ++i) add_device(maker, fmt::format("mpu-{}", i));
        audit_ = must(
            audit::Log::open({.file = folder_ / "audit.jsonl"},
                             must(crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65))));
        start();
    }
    Plant(const Plant&) = delete;
    Plant& operator=(const Plant&) = delete;
    ~Plant() {
        server_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    double product(const std::vector<std::vector<crypto::PrivateKey>>& keys) {
        return per_second([&](std::size_t thread) {
            const auto context =
                must(tls::client_context(suite, roots_, tls::Server::quoind, &births_[thread]));
            for (const crypto::PrivateKey& key : keys[thread]) enrol(thread, context, key);
        });
    }

    double bare(const std::vector<std::vector<crypto::PrivateKey>>& keys) {
        std::atomic<int> done = 0;
        return per_second([&](std::size_t thread) {
            const auto context =
                must(tls::client_context(suite, roots_, tls::Server::quoind, &births_[thread]));
            for (const crypto::PrivateKey& key : keys[thread]) {
                bare_enrol(thread, context, key);
                if (++done % options_.threads == 0) bare_commit();
            }
        });
    }

    std::vector<std::vector<crypto::PrivateKey>> make_keys() const {
        std::vector<std::vector<crypto::PrivateKey>> keys(births_.size());
        for (int i = 0; i < options_.enrolments; ++i) {
            keys[static_cast<std::size_t>(i) % births_.size()].push_back(
                must(crypto::PrivateKey::generate(tls::info(suite).mpu)));
        }
        return keys;
    }

private:
    void add_device(Maker& maker, const std::string& id) {
        must(maker.birth(id, "mpu"));
        births_.push_back(
            credentials(maker.device_folder(id) / "unlock.key", maker.device_folder(id) / "birth"));
        const std::string digest = crypto::to_hex(must(births_.back().chain.front().sha256()));
        must(database_->transaction([&](soci::session& session) -> Result<void> {
            session
                << "INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, "
                   "state, reason, release_version, boot_counter, verdict, verdict_reason, "
                   "verdict_level, verdict_ms, last_pass_ms, created_ms, updated_ms) VALUES "
                   "(:id, :silicon, 'mpu', :digest, 'active', '', '', 0, '', '', '', 0, 0, 0, 0)",
                soci::use(id), soci::use(id), soci::use(digest);
            return {};
        }));
    }

    void start() {
        authority_ = must(Authority::open({.home = home_,
                                           .site = "bench",
                                           .device_lifetime = std::chrono::hours(1),
                                           .crl_lifetime = std::chrono::hours(1)},
                                          *database_, bus_, *audit_));
        registration_ = must(
            RegistrationAuthority::open({.home = home_, .site = "bench"}, *database_, *audit_));
        est_ = std::make_unique<Est>(EstOptions{.site = "bench",
                                                .profile = must(load_profile(home_)),
                                                .broker_host = "127.0.0.1",
                                                .broker_port = 1,
                                                .renew_at = 0.66,
                                                .requests_per_s = 1e9,
                                                .burst = 1e9},
                                     *registration_, *authority_, *audit_);
        roots_ = {authority_->root()};
        quoind_ = service("quoind");
        ra_ = service("ra").key;
        const auto unlock = must(crypto::existing_unlock_key(home_ / "unlock.key"));
        issuing_key_ = must(crypto::PrivateKey::load(home_ / "pki" / "issuing.key", unlock));
        server_context_ =
            must(tls::server_context(suite, *quoind_, authority_->client_anchors(), false));
        net::HttpServerOptions options;
        options.threads = 16;  // they wait for the disk
        options.tls =
            must(tls::server_context(suite, *quoind_, authority_->client_anchors(), false));
        server_ = must(net::HttpServer::start(
            std::move(options),
            [this](const net::HttpRequest& request) { return est_->handle(request); }));
        url_ = fmt::format("https://127.0.0.1:{}", server_->port());
    }

    tls::Credentials service(const std::string& name) const {
        return credentials(home_ / "unlock.key", home_ / "services" / name);
    }

    template <class Work>
    double per_second(const Work& work) const {
        const auto begin = Clock::now();
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < births_.size(); ++i) threads.emplace_back(work, i);
        }
        const std::chrono::duration<double> took = Clock::now() - begin;
        return options_.enrolments / took.count();
    }

    static std::string name_of(std::size_t thread) { return fmt::format("mpu-{}", thread); }

    void enrol(std::size_t thread, const tls::Context& context,
               const crypto::PrivateKey& key) const {
        const net::BoundBody body = [&](Bytes exporter) -> Result<std::string> {
            QUOIN_TRY(const std::string der,
                      x509::Request::make_der(key, name_of(thread), crypto::to_base64(exporter)));
            return crypto::to_base64(bytes_of(der));
        };
        const auto reply =
            must(net::http_request({.base_url = url_, .tls = context.get()}, "POST",
                                   "/.well-known/est/simpleenroll", body, "application/pkcs10"));
        if (reply.status != 200) {
            std::fprintf(stderr, "%d %s\n", reply.status, reply.body.c_str());
            std::exit(1);
        }
    }

    void bare_enrol(std::size_t thread, const tls::Context& context,
                    const crypto::PrivateKey& key) const {
        const tls::test::Connection client(SSL_new(context.get()));
        const tls::test::Connection server(SSL_new(server_context_.get()));
        must(tls::expect_server(client.get(), "127.0.0.1"));
        if (!tls::test::run(client.get(), server.get()).ok()) std::exit(1);
        const std::string password = crypto::to_base64(must(tls::channel_binding(client.get())));
        const std::string der = must(x509::Request::make_der(key, name_of(thread), password));
        const x509::Request request = must(x509::Request::from_der(bytes_of(der)));
        const std::vector<std::uint8_t> approval(400, 7);
        const crypto::ByteVector signature = must(ra_->sign(approval));
        must(must(ra_->public_key()).verify(approval, signature));
        must(x509::issue(
            *issuing_key_, authority_->issuing(), request.public_key(),
            {.profile = x509::Profile::device,
             .common_name = name_of(thread),
             .identity = x509::Identity{x509::Kind::device, "bench", name_of(thread), {}},
             .names = {},
             .lifetime = std::chrono::hours(1)}));
    }

    // What a group of enrolments leaves behind.
    void bare_commit() {
        const std::string request(12'000, 'x');  // sizes of the product's
        const std::string approval(5'000, 'x');
        const std::string der(13'000, 'x');
        must(bare_database_->transaction([&](soci::session& session) -> Result<void> {
            for (int i = 0; i < options_.threads; ++i) {
                const std::int64_t number = ++bare_number_;
                const std::string serial = fmt::format("{:032x}", number);
                session << "INSERT INTO enrolments (number, device_id, kind, renewal, key_sha256, "
                           "request, key_residence, state, created_ms, decided_ms, actor, reason, "
                           "approval, serial) VALUES (:n, 'mpu-1', 'device', 0, :s, :r, '', "
                           "'issued', 0, 0, 'rule:first', '', :a, :s2)",
                    soci::use(number), soci::use(serial), soci::use(request), soci::use(approval),
                    soci::use(serial);
                session << "INSERT INTO certificates (serial, kind, subject_id, not_before_ms, "
                           "not_after_ms, revoked_ms, sha3_512, der) VALUES (:s, 'device', "
                           "'mpu-1', 0, 0, 0, '', :d)",
                    soci::use(serial), soci::use(der);
            }
            return {};
        }));
    }

    Options options_;
    std::filesystem::path folder_, home_;
    std::vector<tls::Credentials> births_;
    std::unique_ptr<store::Database> database_, bare_database_;
    std::unique_ptr<audit::Log> audit_;
    Bus bus_;
    std::unique_ptr<Authority> authority_;
    std::unique_ptr<RegistrationAuthority> registration_;
    std::unique_ptr<Est> est_;
    std::vector<x509::Certificate> roots_;
    std::optional<tls::Credentials> quoind_;
    std::optional<crypto::PrivateKey> ra_, issuing_key_;
    tls::Context server_context_;
    std::unique_ptr<net::HttpServer> server_;
    std::string url_;
    std::atomic<std::int64_t> bare_number_ = 0;
};

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    bool json = false;
    CLI::App app("enrol_bench: enrolments a second, beside the bare work");
    app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 1000));
    app.add_option("--enrolments", options.enrolments)->check(CLI::Range(1, 100'000));
    app.add_option("--threads", options.threads)->check(CLI::Range(1, 64));
    app.add_flag("--json", json);
    CLI11_PARSE(app, argc, argv);
    Plant plant(options);
    std::vector<double> product, bare, ratios;
    for (int round = 0; round <= options.rounds; ++round) {
        const double one = plant.product(plant.make_keys());
        const double other = plant.bare(plant.make_keys());
        if (round == 0) continue;  // warm-up
        product.push_back(one);
        bare.push_back(other);
        ratios.push_back(one / other);
    }
    const auto [least, most] = std::ranges::minmax(ratios);
    if (json) {
        std::printf("%s\n", nlohmann::json{{"threads", options.threads},
                                           {"product_per_s", product},
                                           {"bare_per_s", bare},
                                           {"ratio", median(ratios)}}
                                .dump()
                                .c_str());
        return 0;
    }
    std::printf(
        "enrolments a second, %d threads: product %.1f, bare %.1f, ratio %.2f (%.2f .. %.2f)\n",
        options.threads, median(product), median(bare), median(ratios), least, most);
    return 0;
}
