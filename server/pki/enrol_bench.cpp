// How many devices a second can a plant enrol, beside the bare cryptography and the disk?
//
// product: devices, one after the other on each thread, enrol over HTTPS for the first time (birth
//          certificate, request bound to the connection) with EST, RA, CA, audit log and a SQLite
//          database, as in quoind.
// bare:    as many threads do the same handshakes (in memory), signatures, verifications and
//          certificates, and one durable commit of the same rows for each group of as many as there
//          are threads.
// They take turns in one run. Keys and birth certificates are made before.
// usage: enrol_bench [--rounds N] [--enrolments N] [--threads N]
#include <openssl/ssl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
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

// One that enrols.
struct Device {
    std::string id;
    crypto::PrivateKey key;  // to be certified
    tls::Context context;    // with its birth certificate
};

// Everything that both sides use.
class Plant {
public:
    explicit Plant(const Options& options) : options_(options) {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-enrol-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::exit(1);
        folder_ = name;
        home_ = folder_ / "home";
        must(init_pki({.home = home_, .site = "bench"}, crypto::Passphrase("a long passphrase")));
        must(Maker::open(folder_ / "maker"));
        must(trust_maker(home_, folder_ / "maker" / "ca.crt"));
        maker_ = credentials(folder_ / "maker" / "unlock.key", folder_ / "maker" / "ca");
        database_ = must(store::Database::open("sqlite://" + (folder_ / "db.sqlite").string()));
        bare_database_ =
            must(store::Database::open("sqlite://" + (folder_ / "bare.sqlite").string()));
        must(database_->migrate(migrations()));
        must(bare_database_->migrate(migrations()));
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

    std::vector<Device> make_devices() {
        std::vector<Device> devices;
        must(database_->transaction([&](soci::session& session) -> Result<void> {
            for (int i = 0; i < options_.enrolments; ++i) {
                devices.push_back(make_device(session, fmt::format("mpu-{}", next_device_++)));
            }
            return {};
        }));
        return devices;
    }

    double product(const std::vector<Device>& devices) const {
        return per_second(devices, [&](const Device& device) { enrol(device); });
    }

    double bare(const std::vector<Device>& devices) {
        std::atomic<int> done = 0;
        return per_second(devices, [&](const Device& device) {
            bare_enrol(device);
            if (++done % options_.threads == 0) bare_commit();
        });
    }

private:
    Device make_device(soci::session& session, const std::string& id) {
        tls::Credentials birth{.chain = {},
                               .key = must(crypto::PrivateKey::generate(tls::info(suite).mpu))};
        birth.chain.push_back(
            must(x509::issue(maker_->key, maker_->chain.front(), must(birth.key.public_key()),
                             {.profile = x509::Profile::birth,
                              .common_name = id,
                              .identity = x509::Identity{x509::Kind::birth, "", id, {}},
                              .names = {},
                              .lifetime = std::chrono::hours(1)})));
        const std::string digest = crypto::to_hex(must(birth.chain.front().sha256()));
        session << "INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, state, "
                   "reason, release_version, boot_counter, verdict, verdict_reason, verdict_level, "
                   "verdict_ms, last_pass_ms, created_ms, updated_ms) VALUES (:id, :silicon, "
                   "'mpu', :digest, 'expected', '', '', 0, '', '', '', 0, 0, 0, 0)",
            soci::use(id), soci::use(id), soci::use(digest);
        session << "INSERT INTO births VALUES (:digest, :id, 1, '')", soci::use(digest),
            soci::use(id);
        return {.id = id,
                .key = must(crypto::PrivateKey::generate(tls::info(suite).mpu)),
                .context = must(tls::client_context(suite, roots_, tls::Server::quoind, &birth))};
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
                                                .broker_next_port = 1,
                                                .renew_at = 0.66,
                                                .requests_per_s = 1e9,
                                                .burst = 1e9},
                                     *registration_, *authority_, *audit_);
        roots_ = {authority_->root()};
        quoind_ = service("quoind");
        ra_ = service("ra").key;
        ra_public_ = must(ra_->public_key());
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

    double per_second(const std::vector<Device>& devices,
                      const std::function<void(const Device&)>& work) const {
        std::atomic<std::size_t> next = 0;
        const auto begin = Clock::now();
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < options_.threads; ++i) {
                threads.emplace_back([&] {
                    for (std::size_t at = next++; at < devices.size(); at = next++)
                        work(devices[at]);
                });
            }
        }
        const std::chrono::duration<double> took = Clock::now() - begin;
        return static_cast<double>(devices.size()) / took.count();
    }

    void enrol(const Device& device) const {
        const net::BoundBody body = [&](Bytes exporter) -> Result<std::string> {
            QUOIN_TRY(const std::string der,
                      x509::Request::make_der(device.key, device.id, crypto::to_base64(exporter)));
            return crypto::to_base64(bytes_of(der));
        };
        const auto reply =
            must(net::http_request({.base_url = url_, .tls = device.context.get()}, "POST",
                                   "/.well-known/est/simpleenroll", body, "application/pkcs10"));
        if (reply.status != 200) {
            std::fprintf(stderr, "%d %s\n", reply.status, reply.body.c_str());
            std::exit(1);
        }
    }

    void bare_enrol(const Device& device) const {
        const tls::test::Connection client(SSL_new(device.context.get()));
        const tls::test::Connection server(SSL_new(server_context_.get()));
        must(tls::expect_server(client.get(), "127.0.0.1"));
        if (!tls::test::run(client.get(), server.get()).ok()) std::exit(1);
        const std::string password = crypto::to_base64(must(tls::channel_binding(client.get())));
        const std::string der = must(x509::Request::make_der(device.key, device.id, password));
        const x509::Request request = must(x509::Request::from_der(bytes_of(der)));
        const std::vector<std::uint8_t> approval(400, 7);
        const crypto::ByteVector signature = must(ra_->sign(approval));
        must(ra_public_->verify(approval, signature));
        must(x509::issue(*issuing_key_, authority_->issuing(), request.public_key(),
                         {.profile = x509::Profile::device,
                          .common_name = device.id,
                          .identity = x509::Identity{x509::Kind::device, "bench", device.id, {}},
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
    std::unique_ptr<store::Database> database_, bare_database_;
    std::unique_ptr<audit::Log> audit_;
    Bus bus_;
    std::unique_ptr<Authority> authority_;
    std::unique_ptr<RegistrationAuthority> registration_;
    std::unique_ptr<Est> est_;
    std::vector<x509::Certificate> roots_;
    std::optional<tls::Credentials> maker_, quoind_;
    std::optional<crypto::PrivateKey> ra_, issuing_key_;
    std::optional<crypto::PublicKey> ra_public_;
    tls::Context server_context_;
    std::unique_ptr<net::HttpServer> server_;
    std::string url_;
    std::atomic<std::int64_t> bare_number_ = 0;
    int next_device_ = 0;
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
        const std::vector<Device> devices = plant.make_devices();
        const double one = plant.product(devices);
        const double other = plant.bare(devices);
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
