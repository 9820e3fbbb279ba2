// The API without a network: who may call what, parameters, pages, live streams, metrics.
#include "server/api/api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "server/api/metrics.hpp"
#include "server/fixture.hpp"

namespace quoin::server {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

SampleStored sample(std::string device, std::uint64_t seq) {
    return {.device = std::move(device),
            .stream = "ambient",
            .seq = seq,
            .ts_ms = 1000,
            .stored_ms = 1004,
            .suspect = false,
            .values_json = R"({"temperature_c":23.5,"state":"running"})"};
}

class api : public testing::Test {
protected:
    api()
        : metrics_(plant_.bus, *plant_.audit),
          api_({.site = "test", .suite = "pure"}, sources(), *plant_.database, plant_.bus,
               *plant_.audit) {
        must(plant_.database->transaction([](soci::session& session) -> Result<void> {
            for (const char* id : {"a-1", "b-2", "c-3"}) {
                const std::string device = id;
                session << "INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, "
                           "state, reason, release_version, boot_counter, verdict, "
                           "verdict_reason, verdict_level, verdict_ms, last_pass_ms, created_ms, "
                           "updated_ms) VALUES (:id, :silicon, 'mpu', :digest, 'active', "
                           "'', '1.0.0', "
                           "7, 'trusted', '', 'self-reported', 5, 5, 1, 2)",
                    soci::use(device), soci::use(device), soci::use(device);
            }
            session << "INSERT INTO verdicts VALUES ('a-1', 5, 1, 'trusted', '', 'self-reported')";
            session << "INSERT INTO releases VALUES ('1.0.0', 'mpu', '', 'agent', 'ab')";
            session << "INSERT INTO releases VALUES ('1.0.0', 'mpu', 'a-1', 'config', 'cd')";
            return {};
        }));
    }

    ApiSources sources() {
        return {
            .authenticate = [this](std::span<const x509::Certificate>) { return identity_; },
            .import = [this](std::string_view, bool readmit,
                             std::string_view actor) -> Result<ImportOutcome> {
                actor_ = actor;
                return ImportOutcome{.added = 2, .readmitted = readmit ? 1U : 0U};
            },
            .release = [](std::string_view, std::string_view) -> Result<std::string> {
                return "degraded";
            },
            .revoke = [this](const RevocationRequest& request,
                             bool dry_run) -> Result<RevocationOutcome> {
                asked_to_revoke_ = request;
                dry_run_ = dry_run;
                return outcome_;
            },
            .has_session = [](const std::string& device) { return device == "a-1"; },
            .revoke_named = {},
            .approve = [this](std::int64_t number, std::string_view actor) -> Result<void> {
                decided_ = number;
                actor_ = actor;
                return {};
            },
            .refuse = [this](std::int64_t number, std::string_view reason,
                             std::string_view) -> Result<void> {
                decided_ = number;
                reason_ = reason;
                return {};
            },
            .add_release = [](std::string_view, std::string_view) -> Result<void> {
                return fail(Code::input_invalid, "no good");
            },
            .samples = [this](const SampleQuery& query) -> SamplePage {
                asked_ = query;
                return std::vector{sample("a-1", 1), sample("a-1", 2)};
            },
            .export_samples = [](const SampleQuery&) -> std::function<SamplePage()> {
                return [pages = std::make_shared<int>(2)]() -> SamplePage {
                    if (*pages == 0) return std::vector<SampleStored>{};
                    return std::vector{sample("a-1", static_cast<std::uint64_t>(3 - (*pages)--))};
                };
            },
            .sample_count = []() -> Result<std::int64_t> { return 42; },
            .broker_connected = [] { return true; }};
    }

    // As a local user: admin.
    net::HttpResponse call(std::string method, std::string path,
                           std::map<std::string, std::string> query = {}, std::string body = {}) {
        net::HttpRequest request;
        request.method = std::move(method);
        request.path = "/api/v1/" + path;
        request.query = std::move(query);
        request.body = std::move(body);
        request.peer_uid = ::getuid();
        request.remote = "unix";
        return api_.handle(request);
    }
    json get(std::string path, std::map<std::string, std::string> query = {}) {
        const auto response = call("GET", std::move(path), std::move(query));
        EXPECT_EQ(response.status, 200) << response.body;
        return json::parse(response.body);
    }

    Fixture plant_;
    Result<x509::Identity> identity_ = fail(Code::peer_unauthenticated, "nobody");
    std::string actor_, reason_;
    std::int64_t decided_ = 0;
    std::optional<RevocationRequest> asked_to_revoke_;
    bool dry_run_ = false;
    RevocationOutcome outcome_{.ended = {{.device = "a-1",
                                          .device_class = "mpu",
                                          .state = "active",
                                          .certificates = {{"0a", "device"}},
                                          .enrolments = {7}}},
                               .statement = 3};
    SampleQuery asked_;
    Metrics metrics_;
    Api api_;
};

TEST_F(api, status__numbers_of_the_plant) {
    const json status = get("status");
    EXPECT_EQ(status["site"], "test");
    EXPECT_EQ(status["devices"]["active"], 3);
    EXPECT_EQ(status["samples"], 42);
    EXPECT_EQ(status["broker_connected"], true);
}

TEST_F(api, devices__in_pages) {
    const json first = get("devices", {{"limit", "2"}});
    ASSERT_EQ(first["devices"].size(), 2U);
    EXPECT_EQ(first["next"], "b-2");
    const json second = get("devices", {{"limit", "2"}, {"after", "b-2"}});
    ASSERT_EQ(second["devices"].size(), 1U);
    EXPECT_EQ(second["devices"][0]["device"], "c-3");
    EXPECT_TRUE(second["next"].is_null());
    EXPECT_EQ(get("devices", {{"state", "revoked"}})["devices"].size(), 0U);
}

TEST_F(api, device__whole_or_404) {
    const json device = get("devices/a-1");
    EXPECT_EQ(device["verdict"], "trusted");
    EXPECT_EQ(device["boot_counter"], 7);
    EXPECT_TRUE(device["certificates"].is_array());
    EXPECT_EQ(call("GET", "devices/nobody").status, 404);
    EXPECT_EQ(call("GET", "devices/a b").status, 400);
}

TEST_F(api, device__two_certificates_of_one_second__the_weaker_residence) {
    must(plant_.database->transaction([](soci::session& session) -> Result<void> {
        for (const char* residence : {"hardware", "separate process"}) {
            const std::string serial = residence, where = residence;
            session << "INSERT INTO certificates (serial, kind, subject_id, not_before_ms, "
                       "not_after_ms, revoked_ms, sha3_512, der, key_residence) VALUES "
                       "(:serial, 'device', 'a-1', 1, 2, 0, '', '', :where)",
                soci::use(serial), soci::use(where);
        }
        return {};
    }));
    EXPECT_EQ(get("devices/a-1")["key_residence_claimed"], json({{"device", "separate process"}}));
}

TEST_F(api, writes__reach_the_roles_with_the_caller) {
    EXPECT_EQ(json::parse(call("POST", "devices/import", {}, "x").body)["added"], 2);
    EXPECT_EQ(actor_, fmt::format("uid:{}", ::getuid()));
    EXPECT_EQ(call("POST", "devices/a-1/release").status, 200);
    EXPECT_EQ(
        json::parse(call("POST", "devices/import", {{"readmit", "true"}}, "x").body)["readmitted"],
        1);
    EXPECT_EQ(plant_.count(audit::Id::api_action_done), 3U);
    EXPECT_EQ(call("POST", "releases", {}, "{}").status, 400);
}

TEST_F(api, enrolments__in_pages_by_state_and_decided) {
    must(plant_.database->transaction([](soci::session& session) -> Result<void> {
        for (const std::int64_t number : {1, 2, 3}) {
            const std::string state = number == 2 ? "issued" : "pending";
            session << "INSERT INTO enrolments (number, device_id, kind, renewal, key_sha256, "
                       "request, key_residence, state, created_ms, decided_ms, actor, reason, "
                       "approval, serial) VALUES (:n, 'a-1', 'device', 1, 'ab', '', '', :s, 5, 0, "
                       "'rule:renewal', '', '', '')",
                soci::use(number), soci::use(state);
        }
        return {};
    }));
    EXPECT_EQ(get("enrolments")["enrolments"].size(), 3U);
    const json first = get("enrolments", {{"state", "pending"}, {"limit", "1"}});
    ASSERT_EQ(first["enrolments"].size(), 1U);
    EXPECT_EQ(first["enrolments"][0]["enrolment"], 1);
    EXPECT_EQ(first["enrolments"][0]["renewal"], true);
    EXPECT_EQ(first["enrolments"][0]["by"], "rule:renewal");
    EXPECT_EQ(first["next"], 1);
    const json second = get("enrolments", {{"state", "pending"}, {"after", "1"}});
    ASSERT_EQ(second["enrolments"].size(), 1U);
    EXPECT_EQ(second["enrolments"][0]["enrolment"], 3);
    EXPECT_TRUE(second["next"].is_null());
    EXPECT_EQ(call("GET", "enrolments", {{"state", "lost"}}).status, 400);
    EXPECT_EQ(call("POST", "enrolments/3/approve").status, 200);
    EXPECT_EQ(decided_, 3);
    EXPECT_EQ(actor_, fmt::format("uid:{}", ::getuid()));
    EXPECT_EQ(call("POST", "enrolments/1/refuse", {}, R"({"reason":"lost"})").status, 200);
    EXPECT_EQ(decided_, 1);
    EXPECT_EQ(reason_, "lost");
    for (const char* body : {"", "{}", R"({"reason":1})", R"({"reason":"a","more":"b"})"}) {
        EXPECT_EQ(call("POST", "enrolments/1/refuse", {}, body).status, 400) << body;
    }
    for (const char* id : {"0", "-1", "x", "1x", "99999999999999999999"}) {
        EXPECT_EQ(call("POST", fmt::format("enrolments/{}/approve", id)).status, 400) << id;
    }
}

TEST_F(api, revoke__what_ended_and_by_which_statement) {
    const auto response =
        call("POST", "devices/a-1/revoke", {}, R"({"reason":"key_compromise","note":"stolen"})");
    ASSERT_EQ(response.status, 200) << response.body;
    const json answer = json::parse(response.body);
    EXPECT_EQ(answer["certificates"][0]["serial"], "0a");
    EXPECT_EQ(answer["pending_enrolments"], json({7}));
    EXPECT_EQ(answer["live_session"], true);
    EXPECT_EQ(answer["statement"], 3);
    EXPECT_EQ(answer["already_revoked"], false);
    ASSERT_TRUE(asked_to_revoke_);
    EXPECT_EQ(asked_to_revoke_->devices, std::vector<std::string>{"a-1"});
    EXPECT_EQ(asked_to_revoke_->reason, x509::Reason::key_compromise);
    EXPECT_EQ(asked_to_revoke_->note, "stolen");
    EXPECT_FALSE(dry_run_);
    EXPECT_EQ(plant_.count(audit::Id::api_action_done), 1U);
    outcome_ = {.already = {"a-1"}};
    const json again = json::parse(
        call("POST", "devices/a-1/revoke", {}, R"({"reason":"superseded","dry_run":true})").body);
    EXPECT_EQ(again["already_revoked"], true);
    EXPECT_TRUE(again["statement"].is_null());
    EXPECT_TRUE(dry_run_);
    outcome_ = {.unknown = {"a-9"}};
    EXPECT_EQ(call("POST", "devices/a-9/revoke", {}, R"({"reason":"superseded"})").status, 404);
    outcome_ = {.gone = {"a-1"}};
    EXPECT_EQ(call("POST", "devices/a-1/revoke", {}, R"({"reason":"superseded"})").status, 409);
}

TEST_F(api, revoke_of_many__counts_and_who_is_unknown) {
    outcome_.already = {"b-2"};
    outcome_.unknown = {"x"};
    const auto response = call("POST", "devices/revoke", {},
                               R"({"ids":["a-1","b-2","x"],"reason":"superseded","dry_run":true})");
    ASSERT_EQ(response.status, 200) << response.body;
    const json answer = json::parse(response.body);
    EXPECT_EQ(answer["revoked"], 1);
    EXPECT_EQ(answer["already_revoked"], 1);
    EXPECT_EQ(answer["unknown"], json({"x"}));
    EXPECT_EQ(answer["live_sessions"], 1);
    EXPECT_EQ(answer["certificates"], 1);
    EXPECT_EQ(asked_to_revoke_->devices.size(), 3U);
    EXPECT_EQ(plant_.count(audit::Id::api_action_done), 0U) << "nothing was done";
}

TEST_F(api, revoke_with_a_bad_body__refused) {
    for (const char* body :
         {"", "[", "[]", "{}", R"({"reason":1})", R"({"reason":"stolen"})",
          R"({"reason":"superseded","why":"x"})", R"({"reason":"superseded","dry_run":"no"})",
          R"({"reason":"superseded","ids":["a-1"]})", R"({"reason":"certificate_hold"})"}) {
        EXPECT_EQ(call("POST", "devices/a-1/revoke", {}, body).status, 400) << body;
    }
    for (const char* body :
         {R"({"reason":"superseded"})", R"({"ids":["a b"],"reason":"superseded"})",
          R"({"ids":"a","reason":"superseded"})", R"({"ids":["a"]})"}) {
        EXPECT_EQ(call("POST", "devices/revoke", {}, body).status, 400) << body;
    }
    EXPECT_FALSE(asked_to_revoke_);
}

TEST_F(api, parameters__checked_and_named) {
    for (const auto& [name, value] : std::map<std::string, std::string>{{"limit", "0"},
                                                                        {"limits", "1"},
                                                                        {"last", "maybe"},
                                                                        {"device", "a b"},
                                                                        {"from_ms", "-1"},
                                                                        {"to_ms", "x"}}) {
        const auto response = call("GET", "telemetry", {{name, value}});
        EXPECT_EQ(response.status, 400);
        EXPECT_THAT(response.body, HasSubstr(name));
    }
}

TEST_F(api, unknown_call_and_wrong_method__404_and_405) {
    EXPECT_EQ(call("GET", "nothing").status, 404);
    EXPECT_EQ(call("GET", "devices/a-1/b/c").status, 404);
    const auto wrong = call("DELETE", "devices/a-1");
    EXPECT_EQ(wrong.status, 405);
    ASSERT_FALSE(wrong.headers.empty());
    EXPECT_EQ(wrong.headers[0].second, "GET");
}

TEST_F(api, other_users_of_the_socket__refused_with_an_event) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/api/v1/status";
    request.peer_uid = ::getuid() + 12345;
    EXPECT_EQ(api_.handle(request).status, 403);
    request.peer_uid.reset();
    EXPECT_EQ(api_.handle(request).status, 401);
    EXPECT_EQ(plant_.count(audit::Id::api_access_refused), 2U);
}

TEST_F(api, roles__each_call_needs_its_own) {
    const Caller viewer{.name = "v", .role = x509::Role::viewer};
    EXPECT_TRUE(require(viewer, x509::Role::viewer));
    EXPECT_FALSE(require(viewer, x509::Role::operator_));
    EXPECT_TRUE(require({.name = "a", .role = x509::Role::admin}, x509::Role::operator_));
}

TEST_F(api, samples__json_with_values_as_they_were_stored) {
    const json page =
        get("telemetry", {{"device", "a-1"}, {"after_seq", "5"}, {"last", "true"}, {"limit", "7"}});
    ASSERT_EQ(page["samples"].size(), 2U);
    EXPECT_EQ(page["samples"][0]["values"]["state"], "running");
    EXPECT_EQ(asked_.device, "a-1");
    EXPECT_EQ(asked_.after_seq, 5U);
    EXPECT_TRUE(asked_.last);
    EXPECT_EQ(asked_.limit, 7U);
}

TEST_F(api, export__csv_with_quoted_values) {
    const auto response = call("GET", "telemetry/export");
    std::string text;
    while (auto piece = must(response.stream(0ms))) text += *piece;
    EXPECT_EQ(text,
              "device,stream,seq,ts_ms,stored_ms,suspect,values\r\n"
              "a-1,ambient,1,1000,1004,false,\"{\"\"temperature_c\"\":23.5,\"\"state\"\":"
              "\"\"running\"\"}\"\r\n"
              "a-1,ambient,2,1000,1004,false,\"{\"\"temperature_c\"\":23.5,\"\"state\"\":"
              "\"\"running\"\"}\"\r\n");
}

TEST_F(api, follow__only_what_was_asked_for) {
    const auto response = call("GET", "telemetry/follow", {{"device", "b-2"}});
    plant_.bus.samples_stored.publish({.samples = {sample("a-1", 1), sample("b-2", 2)}});
    const auto piece = must(response.stream(0ms));
    ASSERT_TRUE(piece);
    EXPECT_THAT(*piece, HasSubstr(R"("device":"b-2")"));
    EXPECT_THAT(*piece, Not(HasSubstr("a-1")));
    EXPECT_EQ(must(response.stream(0ms)), "");
}

TEST_F(api, slow_follower__loses_its_subscription) {
    const auto response = call("GET", "telemetry/follow");
    SamplesStored stored;
    for (std::size_t i = 0; i <= Subscription::max_waiting; ++i)
        stored.samples.push_back(sample("a-1", i));
    plant_.bus.samples_stored.publish(stored);
    EXPECT_FALSE(must(response.stream(0ms)).has_value());
}

TEST_F(api, events__newest_page_and_from_a_number) {
    plant_.audit->append(audit::Id::quoind_process_started, "");
    plant_.audit->append(audit::Id::fleet_device_revoked, "a-1");
    const json newest = get("events", {{"limit", "1"}});
    ASSERT_EQ(newest["events"].size(), 1U);
    EXPECT_EQ(newest["events"][0]["subject"], "a-1");
    EXPECT_GE(get("events", {{"after", "0"}})["events"].size(), 2U);
    const auto follow = call("GET", "events/follow", {{"after", "0"}});
    EXPECT_THAT(*must(follow.stream(0ms)), HasSubstr("fleet.device.revoked"));
}

TEST_F(api, releases_and_verdicts__as_in_the_database) {
    const json releases = get("releases")["releases"];
    ASSERT_EQ(releases.size(), 1U);
    EXPECT_EQ(releases[0]["measurements"].size(), 2U);
    EXPECT_EQ(releases[0]["measurements"][1]["device"], "a-1");
    EXPECT_EQ(get("verdicts", {{"device", "a-1"}})["verdicts"].size(), 1U);
    EXPECT_EQ(get("verdicts", {{"device", "b-2"}})["verdicts"].size(), 0U);
}

TEST_F(api, openapi__describes_every_call) {
    const json document = get("openapi.json");
    EXPECT_EQ(document["openapi"], "3.1.0");
    EXPECT_TRUE(document["paths"]["/devices/{id}/revoke"].contains("post"));
    EXPECT_TRUE(document["paths"]["/releases"].contains("get"));
    EXPECT_TRUE(document["paths"]["/releases"].contains("post"));
}

TEST_F(api, metrics__counts_without_device_ids) {
    plant_.audit->append(audit::Id::fleet_device_revoked, "a-1");
    plant_.bus.verdict_reached.publish(
        {.device = "a-1", .verdict = Verdict::untrusted, .reason = "x", .level = "", .at_ms = 1});
    plant_.bus.samples_stored.publish({.samples = {sample("a-1", 1)}});
    plant_.bus.broker_link.publish({.up = true});
    plant_.bus.broker_session.publish(
        {.report = feed::Connected{.id = "a-1", .serial = "01", .peer = "x"}});
    const std::string text = metrics_.text({});
    EXPECT_THAT(text, HasSubstr("quoin_events_total{id=\"fleet.device.revoked\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("quoin_verdicts_total{verdict=\"untrusted\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("quoin_sample_delay_seconds_bucket{le=\"0.005\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("quoin_sample_delay_seconds_bucket{le=\"0.002\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("quoin_broker_sessions 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("a-1")));
}

}  // namespace
}  // namespace quoin::server
