#include "broker/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/feed_fixture.hpp"

namespace quoin::broker {
namespace {

using feed::Grant;
using testing::HasSubstr;
using x509::Identity;
using x509::Kind;

constexpr Now now{1'000'000, 1'700'000'000'000};
constexpr Now later{now.boot_ms + 60'000, now.utc_ms + 60'000};

// full, half (attest_only) and out (none), as their grants say.
class policy : public testing::Test {
protected:
    void SetUp() override {
        const std::vector<feed::Device> devices{
            {1, "full", 1, Grant::full, "active", "", {"0bad"}},
            {2, "half", 1, Grant::attest_only, "onboarding", "not attested", {}},
            {3, "out", 1, Grant::none, "quarantined", "measurement_mismatch:agent", {}}};
        table_.open({});
        ASSERT_TRUE(table_.apply(FakeIssuer::hello(), now));
        for (const feed::Device& device : devices) ASSERT_TRUE(table_.apply(device, now));
        ASSERT_TRUE(table_.apply(issuer_.end(devices, 3), now));
    }

    static Credential of(Kind kind, std::string id, std::string site = "plant") {
        return {Identity{kind, std::move(site), std::move(id), std::nullopt}, "0a",
                now.utc_ms + 1000};
    }
    void expect_refused(std::string_view client_id, const Credential& credential, Code code,
                        std::string_view sentence, Now at = now) {
        const auto checked = check_connect(table_, client_id, credential, at);
        ASSERT_FALSE(checked) << client_id;
        EXPECT_EQ(checked.error().code, code) << checked.error().message;
        EXPECT_THAT(checked.error().message, HasSubstr(sentence));
    }
    bool can(std::string_view client, Access access, std::string_view topic, Now at = now) {
        return may(table_, client, access, topic, at);
    }
    // The accesses allowed, as letters: r, w, s.
    std::string accesses(std::string_view client, std::string_view topic) {
        std::string all;
        if (can(client, Access::read, topic)) all += 'r';
        if (can(client, Access::write, topic)) all += 'w';
        if (can(client, Access::subscribe, topic)) all += 's';
        return all;
    }

    FakeIssuer issuer_;
    StateTable table_{"plant", issuer_.issuer_key()};
};

TEST_F(policy, known_devices_with_a_grant__may_connect) {
    EXPECT_TRUE(check_connect(table_, "full", of(Kind::device, "full"), now));
    EXPECT_TRUE(check_connect(table_, "half", of(Kind::device, "half"), now));
}

TEST_F(policy, services__connect_by_their_names_with_or_without_suffix) {
    EXPECT_TRUE(check_connect(table_, "service.telemetry", of(Kind::service, "telemetry"), now));
    EXPECT_TRUE(check_connect(table_, "service.verifier-2", of(Kind::service, "verifier"), now));
    expect_refused("service.verifier", of(Kind::service, "telemetry"), Code::peer_unauthenticated,
                   "service.telemetry");
    expect_refused("service.telemetryX", of(Kind::service, "telemetry"), Code::peer_unauthenticated,
                   "SUFFIX");
    expect_refused("full", of(Kind::service, "telemetry"), Code::peer_unauthenticated, "client id");
    expect_refused("service.quoind", of(Kind::service, "quoind"), Code::peer_forbidden,
                   "no business");
}

TEST_F(policy, old_state__nobody_comes) {
    Credential service = of(Kind::service, "telemetry");
    service.not_after_ms = later.utc_ms + 1;
    expect_refused("service.telemetry", service, Code::state_stale, "quoind", later);
    Credential device = of(Kind::device, "full");
    device.not_after_ms = later.utc_ms + 1;
    expect_refused("full", device, Code::state_stale, "quoind", later);
}

TEST_F(policy, other_kinds__are_refused_with_what_they_are_for) {
    expect_refused("admin", of(Kind::operator_, "admin"), Code::peer_forbidden, "REST");
    expect_refused("full", of(Kind::attest, "full"), Code::peer_forbidden, "attestation");
    expect_refused("full", of(Kind::birth, "full", ""), Code::peer_forbidden, "enrol");
}

TEST_F(policy, another_site__is_refused) {
    expect_refused("full", of(Kind::device, "full", "other"), Code::peer_unauthenticated, "other");
    expect_refused("service.telemetry", of(Kind::service, "telemetry", "other"),
                   Code::peer_unauthenticated, "other");
}

TEST_F(policy, client_id_of_another__is_refused) {
    expect_refused("half", of(Kind::device, "full"), Code::peer_unauthenticated, "client id");
    expect_refused("", of(Kind::device, "full"), Code::peer_unauthenticated, "client id");
    expect_refused("full/+", of(Kind::device, "full"), Code::peer_unauthenticated, "client id");
}

TEST_F(policy, device_named_like_a_service__is_refused) {
    expect_refused("service.verifier", of(Kind::device, "service.verifier"), Code::peer_forbidden,
                   "reserved");
}

TEST_F(policy, expired__is_refused_to_the_millisecond) {
    Credential credential = of(Kind::device, "full");
    credential.not_after_ms = now.utc_ms;
    expect_refused("full", credential, Code::peer_late, "expired");
    credential.not_after_ms = now.utc_ms + 1;
    EXPECT_TRUE(check_connect(table_, "full", credential, now));
    Credential service = of(Kind::service, "telemetry");
    service.not_after_ms = now.utc_ms;
    expect_refused("service.telemetry", service, Code::peer_late, "expired");
}

TEST_F(policy, unknown_revoked_or_isolated__are_refused_with_the_reason) {
    expect_refused("new", of(Kind::device, "new"), Code::peer_forbidden, "unknown");
    expect_refused("out", of(Kind::device, "out"), Code::peer_forbidden,
                   "quarantined: measurement_mismatch:agent");
    Credential revoked = of(Kind::device, "full");
    revoked.serial = "0bad";
    expect_refused("full", revoked, Code::peer_forbidden, "0bad is revoked");
}

TEST_F(policy, stay__does_not_ask_for_freshness) {
    EXPECT_TRUE(check_stay(table_, "full", "0a"));
    EXPECT_TRUE(check_stay(table_, "half", "0a"));
    EXPECT_FALSE(check_stay(table_, "full", "0bad"));
    EXPECT_FALSE(check_stay(table_, "out", "0a"));
    EXPECT_FALSE(check_stay(table_, "gone", "0a"));
}

TEST_F(policy, device_with_full_grant__touches_its_branch_by_the_table) {
    EXPECT_EQ(accesses("full", "quoin/plant/full/telemetry/t"), "w");
    EXPECT_EQ(accesses("full", "quoin/plant/full/event"), "w");
    EXPECT_EQ(accesses("full", "quoin/plant/full/attest/evidence"), "w");
    EXPECT_EQ(accesses("full", "quoin/plant/full/cmd"), "rs");
    EXPECT_EQ(accesses("full", "quoin/plant/full/ack/t"), "rs");
    EXPECT_EQ(accesses("full", "quoin/plant/full/ack/+"), "s");
    EXPECT_EQ(accesses("full", "quoin/plant/full/attest/challenge"), "rs");
    EXPECT_EQ(accesses("full", "quoin/plant/full/telemetry/+"), "");
    EXPECT_EQ(accesses("full", "quoin/plant/full/#"), "");
}

TEST_F(policy, device__touches_no_other_branch) {
    for (const auto* topic :
         {"quoin/plant/half/telemetry/t", "quoin/plant/half/event", "quoin/plant/half/cmd",
          "quoin/plant/half/ack/t", "quoin/plant/half/attest/challenge", "quoin/plant/+/cmd",
          "quoin/plant/+/telemetry/+", "quoin/plant/+/ack/+", "quoin/#", "#", "$SYS/#",
          "quoin-events/plant/isolation", "$share/g/quoin/plant/full/cmd",
          "quoin/other/full/cmd"}) {
        EXPECT_EQ(accesses("full", topic), "") << topic;
    }
}

TEST_F(policy, attest_only__has_everything_but_telemetry) {
    EXPECT_EQ(accesses("half", "quoin/plant/half/telemetry/t"), "");
    EXPECT_EQ(accesses("half", "quoin/plant/half/event"), "w");
    EXPECT_EQ(accesses("half", "quoin/plant/half/attest/evidence"), "w");
    EXPECT_EQ(accesses("half", "quoin/plant/half/attest/challenge"), "rs");
    EXPECT_EQ(accesses("half", "quoin/plant/half/cmd"), "rs");
    EXPECT_EQ(accesses("half", "quoin/plant/half/ack/+"), "s");
}

TEST_F(policy, isolated_or_unknown__has_nothing) {
    for (const std::string id : {"out", "new"}) {
        for (const auto* leaf :
             {"telemetry/t", "event", "cmd", "ack/+", "attest/challenge", "attest/evidence"}) {
            EXPECT_EQ(accesses(id, "quoin/plant/" + id + "/" + leaf), "") << id << leaf;
        }
    }
}

TEST_F(policy, old_state__devices_have_nothing_and_services_write_on) {
    EXPECT_FALSE(can("full", Access::write, "quoin/plant/full/telemetry/t", later));
    EXPECT_FALSE(can("full", Access::read, "quoin/plant/full/cmd", later));
    EXPECT_FALSE(can("service.telemetry", Access::read, "quoin/plant/full/telemetry/t", later));
    EXPECT_TRUE(can("service.telemetry", Access::subscribe, "quoin/plant/+/telemetry/+", later));
    EXPECT_TRUE(can("service.verifier", Access::write, "quoin/plant/full/attest/challenge", later));
}

TEST_F(policy, telemetry_service__reads_only_what_may_have_been_sent) {
    EXPECT_EQ(accesses("service.telemetry", "quoin/plant/+/telemetry/+"), "s");
    EXPECT_EQ(accesses("service.telemetry", "quoin/plant/full/telemetry/t"), "rs");
    EXPECT_EQ(accesses("service.telemetry-2", "quoin/plant/half/telemetry/t"), "s");
    EXPECT_EQ(accesses("service.telemetry", "quoin/plant/out/telemetry/t"), "s");
    EXPECT_EQ(accesses("service.telemetry", "quoin/plant/full/ack/t"), "w");
    EXPECT_EQ(accesses("service.telemetry", "quoin/plant/+/ack/+"), "");
    for (const auto* topic :
         {"quoin/plant/full/event", "quoin/plant/full/cmd", "quoin/plant/+/event",
          "quoin/plant/full/attest/evidence", "quoin-events/plant/isolation", "#", "quoin/#",
          "$SYS/#", "$share/g/quoin/plant/+/telemetry/+"}) {
        EXPECT_EQ(accesses("service.telemetry", topic), "") << topic;
    }
}

TEST_F(policy, verifier_service__has_its_row_and_no_more) {
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/+/attest/evidence"), "s");
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/half/attest/evidence"), "rs");
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/out/attest/evidence"), "s");
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/full/event"), "rs");
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/full/attest/challenge"), "w");
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/full/cmd"), "w");
    EXPECT_EQ(accesses("service.verifier", "quoin-events/plant/isolation"), "w");
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/full/telemetry/t"), "");
    EXPECT_EQ(accesses("service.verifier", "quoin/plant/full/ack/t"), "");
}

TEST_F(policy, services_without_business_and_odd_ids__have_nothing) {
    for (const auto* client :
         {"service.quoind", "service.", "service.telemetryX", "", "a/b", "+", "#"}) {
        EXPECT_EQ(accesses(client, "quoin/plant/full/telemetry/t"), "") << client;
        EXPECT_EQ(accesses(client, "quoin/plant/+/telemetry/+"), "") << client;
    }
}

TEST_F(policy, printable__hides_control_characters_and_cuts) {
    EXPECT_EQ(printable("a\nb\x1b[2J\xc3\xa9"), "a?b?[2J??");
    EXPECT_EQ(printable(std::string(1000, 'x')).size(), 64U);
}

}  // namespace
}  // namespace quoin::broker
