// quoind's wires: the REST API over TLS and the Unix socket, health, restart, one process a home.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/percent.hpp"
#include "host/x509/ocsp.hpp"
#include "server/process_fixture.hpp"

namespace quoin::server {
namespace {

using testing::HasSubstr;

class plant_process : public testing::Test {
protected:
    static void SetUpTestSuite() { plant_ = new RunningPlant; }
    static void TearDownTestSuite() {
        delete plant_;
        plant_ = nullptr;
    }
    static RunningPlant* plant_;
};

RunningPlant* plant_process::plant_ = nullptr;

TEST_F(plant_process, operator_certificate__role_decides) {
    must(add_operator(plant_->home, "vera", x509::Role::viewer));
    const tls::Credentials admin = plant_->operator_credentials("admin");
    const tls::Credentials vera = plant_->operator_credentials("vera");
    EXPECT_EQ(must(plant_->secure(&admin, "GET", "/api/v1/status")).status, 200);
    EXPECT_EQ(must(plant_->secure(&vera, "GET", "/api/v1/status")).status, 200)
        << "added while quoind runs";
    const auto refused = must(plant_->secure(&vera, "POST", "/api/v1/devices/import", "{}"));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.content_type, "application/problem+json");
    EXPECT_THAT(refused.body, HasSubstr("needs operator"));
    EXPECT_EQ(must(plant_->secure(nullptr, "GET", "/api/v1/status")).status, 401);
    EXPECT_THAT(plant_->local("GET", "/api/v1/events").body, HasSubstr("api.access.refused"));
}

TEST_F(plant_process, device_and_service_certificates__no_operators) {
    plant_->birth("mpu-x", "mpu");
    const tls::Credentials birth = plant_->birth_credentials("mpu-x");
    EXPECT_EQ(must(plant_->secure(&birth, "GET", "/api/v1/status")).status, 401);
    const auto unlock = must(crypto::existing_unlock_key(plant_->home / "unlock.key"));
    const tls::Credentials service{
        .chain = must(x509::Certificate::load(plant_->home / "services" / "telemetry.crt")),
        .key = must(crypto::PrivateKey::load(plant_->home / "services" / "telemetry.key", unlock))};
    EXPECT_EQ(must(plant_->secure(&service, "GET", "/api/v1/status")).status, 403);
}

TEST_F(plant_process, revoked_operator__refused_on_the_next_request) {
    must(add_operator(plant_->home, "rita", x509::Role::admin));
    const tls::Credentials rita = plant_->operator_credentials("rita");
    EXPECT_EQ(must(plant_->secure(&rita, "GET", "/api/v1/status")).status, 200);
    const std::string serial = rita.chain[0].serial_hex();
    auto database =
        must(store::Database::open("sqlite://" + (plant_->home / "db/quoin.sqlite").string(), 1));
    must(database->transaction([&](soci::session& session) -> Result<void> {
        session << "UPDATE certificates SET revoked_ms = 1 WHERE serial = :serial",
            soci::use(serial);
        return {};
    }));
    const auto refused = must(plant_->secure(&rita, "GET", "/api/v1/status"));
    EXPECT_EQ(refused.status, 401);
    EXPECT_THAT(refused.body, HasSubstr("revoked"));
}

TEST_F(plant_process, health__alive_but_not_ready_without_a_broker) {
    const auto get = [](std::string_view path) {
        return must(net::http_request({.base_url = plant_->http}, "GET", path));
    };
    EXPECT_EQ(get("/livez").status, 200);
    const auto ready = get("/readyz");
    EXPECT_EQ(ready.status, 503);
    EXPECT_THAT(ready.body, HasSubstr("broker"));
    const auto metrics = get("/metrics");
    EXPECT_THAT(metrics.body, HasSubstr("quoin_events_total{id=\"quoind.process.started\"}"));
    EXPECT_EQ(get("/api/v1/status").status, 404) << "the API is never on the plain port";
    EXPECT_EQ(get("/nothing").status, 404);
    EXPECT_EQ(must(net::http_request({.base_url = plant_->http}, "POST", "/livez")).status, 405);
}

TEST_F(plant_process, live_events__a_follower_sees_an_import) {
    std::string seen;
    plant_->birth("mpu-live", "mpu");
    const net::HttpClientOptions client{.base_url =
                                            "unix:" + (plant_->home / "run/quoind.sock").string()};
    const auto streamed =
        net::http_stream(client, "/api/v1/events/follow?after=0", [&](std::string_view piece) {
            seen += piece;
            return seen.find("fleet.batch.imported") == std::string::npos;
        });
    EXPECT_TRUE(streamed) << streamed.error().message;
    EXPECT_THAT(seen, HasSubstr("data: {"));
}

TEST_F(plant_process, revoked_operator__open_connections_end_at_once) {
    must(add_operator(plant_->home, "olga", x509::Role::operator_));
    const std::vector<x509::Certificate> anchors =
        must(x509::Certificate::load(plant_->home / "pki" / "root.crt"));
    const auto context = [&](const char* name) {
        const tls::Credentials own = plant_->operator_credentials(name);
        tls::Context made =
            must(tls::client_context(plant_->suite, anchors, tls::Server::quoind, &own));
        must(tls::demand_staple(made.get()));
        return made;
    };
    const auto follow = [&](const tls::Context& tls,
                            const std::function<bool(std::string_view)>& sink) {
        return net::http_stream({.base_url = plant_->https, .tls = tls.get()},
                                "/api/v1/events/follow?after=0", sink);
    };
    bool revoked = false;
    const tls::Context olga = context("olga");
    const auto cut_off = follow(olga, [&](std::string_view) {
        if (!std::exchange(revoked, true)) {
            EXPECT_EQ(plant_->local("POST", "/api/v1/operators/olga/revoke", "{}").status, 200);
        }
        return true;
    });
    EXPECT_FALSE(cut_off) << "it would follow for ever";
    const tls::Context admin = context("admin");
    EXPECT_TRUE(follow(admin, [](std::string_view) { return false; })) << "a good one goes on";
}

TEST_F(plant_process, second_on_one_home__refused) {
    const auto second =
        PlantProcess::start({.home = plant_->home, .telemetry = false, .verifier = false});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::state_wrong);
    EXPECT_THAT(second.error().message, HasSubstr(plant_->home.string()));
}

TEST_F(plant_process, restart__state_is_there_again) {
    plant_->birth("mpu-stays", "mpu");
    plant_->restart();
    EXPECT_THAT(plant_->local("GET", "/api/v1/devices/mpu-stays").body,
                HasSubstr("\"state\":\"expected\""));
}

TEST_F(plant_process, new_maker_while_running__its_devices_may_enrol) {
    Maker late = must(Maker::open(plant_->folder() / "late"));
    must(late.birth("mpu-late", "mpu"));
    must(trust_maker(plant_->home, plant_->folder() / "late" / "ca.crt"));
    plant_->process->tick();
    const tls::Credentials birth =
        RunningPlant::credentials(late.device_folder("mpu-late"), "birth");
    const auto reply = must(
        plant_->secure(&birth, "POST", "/.well-known/est/simpleenroll", "x", "application/pkcs10"));
    EXPECT_EQ(reply.status, 403) << "known maker, unknown device: " << reply.body;
}

TEST_F(plant_process, unknown_key_in_the_configuration__named) {
    TemporaryFolder folder;
    must(files::write_atomically(folder.path() / "quoin.toml", "site = \"a\"\nsuit = \"pure\"\n",
                                 0600));
    const auto started = PlantProcess::start({.home = folder.path()});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, HasSubstr("suit"));
}

TEST_F(plant_process, status__post_get_and_https__good_and_the_issuer_can_be_fetched) {
    const RunningPlant& plant = *plant_;
    const crypto::ByteVector nonce(32, 0x5a);
    const auto issuer = must(net::http_request({.base_url = plant.http}, "GET", "/issuing.crt"));
    EXPECT_EQ(issuer.content_type, "application/pkix-cert");
    const auto issuing = must(x509::Certificate::from_der(bytes_of(issuer.body)));
    const auto broker = must(x509::Certificate::load(plant.home / "services" / "broker.crt"));
    const auto check = [&](const net::HttpReply& reply, Bytes with) {
        EXPECT_EQ(reply.status, 200);
        const auto answer =
            must(x509::verify_ocsp_response(bytes_of(reply.body), broker.front(), issuing, with));
        EXPECT_EQ(answer.status, x509::OcspStatus::good);
    };
    const std::string ahead =
        must(must(x509::OcspRequest::make(broker.front(), issuing, {})).der());
    const std::string live =
        must(must(x509::OcspRequest::make(broker.front(), issuing, nonce)).der());
    constexpr auto type = "application/ocsp-request";
    const net::HttpClientOptions http{.base_url = plant.http};
    check(must(net::http_request(http, "POST", "/ocsp", ahead, type)), {});
    check(must(net::http_request(http, "POST", "/ocsp", live, type)), nonce);
    const std::string target = "/ocsp/" + percent_encode(crypto::to_base64(bytes_of(ahead)));
    check(must(net::http_request(http, "GET", target)), {});
    check(must(plant.secure(nullptr, "POST", "/ocsp", live, type)), nonce);
    EXPECT_EQ(must(net::http_request(http, "POST", "/ocsp", std::string(4097, 'x'), type)).status,
              413);
    EXPECT_THAT(must(net::http_request(http, "GET", "/metrics")).body,
                HasSubstr("quoin_ocsp_answers_total{kind=\"live\"}"));
}

TEST_F(plant_process, service_revoked__by_an_admin_only_and_its_status_says_so_at_once) {
    const RunningPlant& plant = *plant_;
    must(add_operator(plant.home, "otto", x509::Role::operator_));
    const tls::Credentials otto = plant.operator_credentials("otto");
    constexpr auto revoke = "/api/v1/services/verifier/revoke";
    EXPECT_EQ(must(plant.secure(&otto, "POST", revoke, "{}", "application/json")).status, 403);
    EXPECT_EQ(plant.local("POST", revoke, R"({"reason":"because"})").status, 400);
    EXPECT_EQ(plant.local("POST", "/api/v1/services/nobody/revoke", "{}").status, 404);
    EXPECT_EQ(plant.local("POST", revoke, R"({"serial":"00"})").status, 404);

    const auto verifier = must(x509::Certificate::load(plant.home / "services" / "verifier.crt"));
    const std::string request =
        must(must(x509::OcspRequest::make(verifier[0], verifier[1], {})).der());
    const auto status = [&] {
        const auto reply = must(net::http_request({.base_url = plant.http}, "POST", "/ocsp",
                                                  request, "application/ocsp-request"));
        return must(x509::verify_ocsp_response(bytes_of(reply.body), verifier[0], verifier[1], {}));
    };
    EXPECT_EQ(status().status, x509::OcspStatus::good);
    const auto done = plant.local("POST", revoke, R"({"reason":"key_compromise"})");
    EXPECT_EQ(done.status, 200) << done.body;
    EXPECT_THAT(done.body, HasSubstr(verifier[0].serial_hex()));
    EXPECT_EQ(status().status, x509::OcspStatus::revoked);
    EXPECT_EQ(status().reason, 1);
    EXPECT_EQ(plant.local("POST", revoke, "{}").status, 404) << "there is none left";

    constexpr auto end_otto = "/api/v1/operators/otto/revoke";
    EXPECT_EQ(plant.local("POST", end_otto, "{}").status, 200);
    EXPECT_EQ(must(plant.secure(&otto, "GET", "/api/v1/status")).status, 401);
}

}  // namespace
}  // namespace quoin::server
