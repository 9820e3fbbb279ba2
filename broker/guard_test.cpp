#include "broker/guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "broker/feed_fixture.hpp"

namespace quoin::broker {
namespace {

using feed::Grant;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using x509::Identity;
using x509::Kind;

struct Kick {
    std::string client_id;
    bool with_will;
    bool operator==(const Kick&) const = default;
};

// Mosquitto's part: kicking closes the socket and tells the plugin before it returns.
class FakeBroker : public Broker {
public:
    Now now() const override { return now_; }
    void log(Level, const std::string& text) override { logged.push_back(text); }
    bool kick(const std::string& client_id, bool with_will) override {
        const auto found = live.find(client_id);
        if (found == live.end()) return false;
        kicks.push_back({client_id, with_will});
        const ClientKey key = found->second;
        live.erase(found);
        guard->left(key);
        return true;
    }
    Now now_{1'000'000, 1'700'000'000'000};
    Guard* guard = nullptr;
    std::map<std::string, ClientKey> live;
    std::vector<Kick> kicks;
    std::vector<std::string> logged;
};

class guard : public testing::Test {
protected:
    void SetUp() override {
        broker_.guard = &guard_;
        guard_.feed_opened({});
        say(FakeIssuer::hello());
        snapshot({{1, "a", 1, Grant::full, "active", "", {}},
                  {2, "b", 1, Grant::attest_only, "onboarding", "", {}}});
    }
    void snapshot(const std::vector<feed::Device>& devices) {
        for (const feed::Device& device : devices) say(device);
        say(issuer_.end(devices, devices.back().seq));
    }
    void say(feed::ToPlugin message) {
        const auto taken = guard_.take(std::move(message));
        ASSERT_TRUE(taken) << taken.error().message;
    }
    Client client(const std::string& id, int slot = 0) {
        return {&slots_[id][static_cast<std::size_t>(slot)], id, "", "127.0.0.1"};
    }
    Credential credential(const std::string& id, Kind kind = Kind::device) {
        return {Identity{kind, "plant", id, std::nullopt}, "0a", broker_.now_.utc_ms + 60'000};
    }
    bool connect(const std::string& id, int slot = 0) {
        const Client given = client(id, slot);
        const auto username = guard_.connect(given, credential(id));
        if (!username) return false;
        EXPECT_EQ(*username, id);
        broker_.live[id] = given.key;
        return true;
    }
    // The reports so far, as their kinds with the id.
    std::vector<std::string> reports() {
        std::vector<std::string> all;
        while (auto line = guard_.reports().take()) {
            line->pop_back();
            const auto report = feed::decode_from_plugin(*line);
            EXPECT_TRUE(report) << *line;
            if (report) all.push_back(name(*report));
        }
        return all;
    }
    static std::string name(const feed::FromPlugin& report) {
        if (const auto* r = std::get_if<feed::Applied>(&report)) {
            return (r->closed ? "closed " : "applied ") + r->id;
        }
        if (const auto* r = std::get_if<feed::Refused>(&report)) return "refused " + r->id;
        if (const auto* r = std::get_if<feed::Connected>(&report)) return "connected " + r->id;
        if (const auto* r = std::get_if<feed::Disconnected>(&report))
            return "disconnected " + r->id;
        if (const auto* r = std::get_if<feed::Denied>(&report)) return "denied " + r->id;
        if (const auto* r = std::get_if<feed::Sessions>(&report)) {
            return fmt::format("sessions {}", r->ids.size());
        }
        return "hello";
    }

    FakeBroker broker_;
    FakeIssuer issuer_;
    Guard guard_{"plant", issuer_.issuer_key(), broker_};
    std::map<std::string, std::array<int, 2>> slots_;
};

TEST_F(guard, device__connects_and_leaves_and_both_are_reported) {
    ASSERT_TRUE(connect("a"));
    guard_.left(client("a").key);
    EXPECT_THAT(reports(), ElementsAre("connected a", "disconnected a"));
}

TEST_F(guard, isolation__closes_the_session_without_its_will_and_says_so) {
    ASSERT_TRUE(connect("a"));
    say(feed::Device{3, "a", 1, Grant::none, "quarantined", "measurement_mismatch:agent", {}});
    EXPECT_THAT(broker_.kicks, ElementsAre(Kick{"a", false}));
    EXPECT_THAT(reports(), ElementsAre("connected a", "disconnected a", "closed a"));
    EXPECT_THAT(broker_.logged,
                Contains(HasSubstr("a: isolated, quarantined (measurement_mismatch")));
    EXPECT_FALSE(connect("a"));
    EXPECT_THAT(reports(), ElementsAre("refused a"));
}

TEST_F(guard, isolation_of_who_is_not_there__is_applied_and_kicks_nobody) {
    say(feed::Device{3, "a", 1, Grant::none, "quarantined", "x", {}});
    EXPECT_THAT(broker_.kicks, IsEmpty());
    EXPECT_THAT(reports(), ElementsAre("applied a"));
}

TEST_F(guard, revocation__closes_the_sessions_of_its_devices_and_refuses_them) {
    ASSERT_TRUE(connect("a"));
    ASSERT_TRUE(connect("b"));
    say(issuer_.revocation(3, {{"a", 1, {"0a"}}, {"c", 1, {}}}));
    EXPECT_THAT(broker_.kicks, ElementsAre(Kick{"a", false}));
    EXPECT_THAT(reports(), ElementsAre("connected a", "connected b", "disconnected a", "closed a"));
    EXPECT_FALSE(connect("a"));
    EXPECT_THAT(broker_.logged, Contains(HasSubstr("revoked: key_compromise: stolen")));
    EXPECT_THAT(broker_.logged, Contains(HasSubstr("revocation 1: 2 devices, 1 sessions closed")));
}

TEST_F(guard, revocation_of_one_without_a_session__is_reported_as_applied) {
    say(issuer_.revocation(3, {{"a", 1, {}}}));
    EXPECT_THAT(reports(), ElementsAre("applied a"));
}

TEST_F(guard, readmitted_device__comes_with_a_new_certificate_only) {
    say(issuer_.revocation(3, {{"a", 1, {"0a"}}}));
    say(feed::Device{4, "a", 1, Grant::full, "active", "", {}});
    EXPECT_FALSE(connect("a")) << "the epoch that ended";
    say(feed::Device{5, "a", 2, Grant::full, "active", "", {}});
    EXPECT_FALSE(connect("a")) << "its certificate is revoked";
    Credential fresh = credential("a");
    fresh.serial = "0b";
    EXPECT_TRUE(guard_.connect(client("a"), fresh));
}

TEST_F(guard, grant_made_smaller_but_not_none__keeps_the_session) {
    ASSERT_TRUE(connect("a"));
    say(feed::Device{3, "a", 1, Grant::attest_only, "degraded", "stale", {}});
    EXPECT_THAT(broker_.kicks, IsEmpty());
    EXPECT_FALSE(guard_.may(client("a").key, "a", Access::write, "quoin/plant/a/telemetry/t"));
    EXPECT_TRUE(guard_.may(client("a").key, "a", Access::write, "quoin/plant/a/event"));
}

TEST_F(guard, revocation_of_a_service__ends_its_sessions_of_that_certificate) {
    Credential renewed = credential("telemetry", Kind::service);
    renewed.serial = "0b";
    const auto come = [&](const std::string& id, const Credential& with) {
        const bool in = guard_.connect(client(id), with).has_value();
        if (in) broker_.live[id] = client(id).key;
        return in;
    };
    ASSERT_TRUE(come("service.telemetry", credential("telemetry", Kind::service)));
    ASSERT_TRUE(come("service.telemetry-2", credential("telemetry", Kind::service)));
    ASSERT_TRUE(come("service.telemetry-3", renewed));
    ASSERT_TRUE(come("service.verifier", credential("verifier", Kind::service)));
    say(issuer_.revocation(3, {{"service.telemetry", 1, {"0a"}}}));
    EXPECT_THAT(broker_.kicks, testing::UnorderedElementsAre(Kick{"service.telemetry", false},
                                                             Kick{"service.telemetry-2", false}));
    EXPECT_FALSE(come("service.telemetry", credential("telemetry", Kind::service)));
    EXPECT_TRUE(come("service.telemetry", renewed));
}

TEST_F(guard, new_snapshot__ends_sessions_of_revoked_services) {
    for (const std::string name : {"telemetry", "verifier"}) {
        const Client session = client("service." + name);
        ASSERT_TRUE(guard_.connect(session, credential(name, Kind::service)));
        broker_.live[session.id] = session.key;
    }
    guard_.feed_opened({});
    say(FakeIssuer::hello(2));
    snapshot({{1, "service.verifier", 1, Grant::none, "service", "", {"0a"}}});
    EXPECT_THAT(broker_.kicks, ElementsAre(Kick{"service.verifier", false}));
    EXPECT_FALSE(guard_.connect(client("service.verifier"), credential("verifier", Kind::service)));
}

TEST_F(guard, new_snapshot__ends_sessions_of_unknown_and_isolated_devices) {
    ASSERT_TRUE(connect("a"));
    ASSERT_TRUE(connect("b"));
    ASSERT_TRUE(
        guard_.connect(client("service.telemetry"), credential("telemetry", Kind::service)));
    guard_.feed_opened({});
    say(FakeIssuer::hello(2));
    const feed::Device ended{1, "b", 1, Grant::none, "revoked", "lost", {}};
    say(ended);
    EXPECT_THAT(broker_.kicks, IsEmpty()) << "the snapshot is not whole";
    say(issuer_.end({ended}, 1));
    EXPECT_THAT(broker_.kicks, testing::UnorderedElementsAre(Kick{"a", false}, Kick{"b", false}));
}

TEST_F(guard, new_snapshot__live_sessions_are_told_anew) {
    ASSERT_TRUE(connect("a"));
    ASSERT_TRUE(connect("b"));
    reports();
    guard_.feed_opened({});
    say(FakeIssuer::hello(2));
    snapshot({{1, "a", 1, Grant::full, "active", "", {}},
              {2, "b", 1, Grant::attest_only, "onboarding", "", {}}});
    EXPECT_THAT(reports(), ElementsAre("sessions 2"));
}

TEST_F(guard, takeover__the_old_connection_leaves_and_the_new_session_stays_known) {
    ASSERT_TRUE(connect("a", 0));
    ASSERT_TRUE(connect("a", 1));
    guard_.left(client("a", 0).key);
    say(feed::Device{3, "a", 1, Grant::none, "quarantined", "x", {}});
    EXPECT_THAT(broker_.kicks, ElementsAre(Kick{"a", false}));
}

TEST_F(guard, certificate_ends__session_ends) {
    ASSERT_TRUE(connect("a"));
    broker_.now_.utc_ms += 59'999;
    guard_.tick();
    EXPECT_THAT(broker_.kicks, IsEmpty());
    broker_.now_.utc_ms += 1;
    guard_.tick();
    EXPECT_THAT(broker_.kicks, ElementsAre(Kick{"a", true}));
}

TEST_F(guard, reload__live_session_is_checked_again_and_reported_once) {
    ASSERT_TRUE(connect("a"));
    ASSERT_TRUE(connect("a"));
    EXPECT_THAT(reports(), ElementsAre("connected a"));
    broker_.now_.boot_ms += 30'000;  // the state is old now
    EXPECT_FALSE(connect("a"));
}

TEST_F(guard, stored_session__is_kept_only_under_the_name_the_plugin_gave) {
    Client stored = client("a");
    EXPECT_FALSE(guard_.keep_stored(stored)) << "no username";
    stored.username = "b";
    EXPECT_FALSE(guard_.keep_stored(stored));
    stored.username = "a";
    EXPECT_TRUE(guard_.keep_stored(stored));
    EXPECT_FALSE(guard_.keep_stored({}));
}

TEST_F(guard, denials__are_reported_for_live_clients_and_limited) {
    ASSERT_TRUE(connect("a"));
    EXPECT_FALSE(guard_.may(client("b").key, "b", Access::write, "quoin/plant/a/event"));
    EXPECT_THAT(reports(), ElementsAre("connected a")) << "b is not here";
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(guard_.may(client("a").key, "a", Access::write, "quoin/plant/b/event"));
        EXPECT_FALSE(guard_.may(client("a").key, "a", Access::read, "quoin/plant/b/cmd"));
    }
    EXPECT_EQ(reports().size(), 20U);
    broker_.now_.boot_ms += 1000;
    guard_.tick();
    EXPECT_THAT(broker_.logged, Contains(HasSubstr("80 more denials")));
}

TEST_F(guard, freshness__its_loss_and_return_are_logged_once) {
    broker_.now_.boot_ms += 30'000;
    guard_.tick();
    guard_.tick();
    EXPECT_EQ(std::ranges::count_if(broker_.logged,
                                    [](const auto& text) { return text.contains("too old"); }),
              1);
    EXPECT_FALSE(connect("a"));
    say(feed::Heartbeat{2});
    EXPECT_TRUE(connect("a"));
}

TEST_F(guard, quoind_does_not_read__reports_are_bounded_and_the_loss_is_logged) {
    for (std::size_t i = 0; i < Reports::max_queued + 5; ++i) {
        EXPECT_FALSE(guard_.connect(client("x"), credential("x")));
    }
    EXPECT_EQ(guard_.reports().size(), Reports::max_queued);
    guard_.tick();
    EXPECT_THAT(broker_.logged, Contains(HasSubstr("5 reports")));
}

TEST_F(guard, certificate_without_a_name__is_refused_and_reported_without_id) {
    guard_.refuse(client("a"), "0c", Error{Code::peer_unauthenticated, "no Quoin URI"});
    EXPECT_THAT(reports(), ElementsAre("refused "));
}

TEST_F(guard, session_that_the_broker_does_not_know__is_not_called_closed) {
    ASSERT_TRUE(connect("a"));
    broker_.live.clear();
    say(feed::Device{3, "a", 1, Grant::none, "quarantined", "x", {}});
    EXPECT_THAT(reports(), ElementsAre("connected a", "applied a"));
    EXPECT_THAT(broker_.logged, Contains(HasSubstr("does not know")));
}

}  // namespace
}  // namespace quoin::broker
