// The same tests on both backends.
#include "server/fleet/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "host/store/postgres_fixture.hpp"
#include "server/bus/clock.hpp"
#include "server/fixture.hpp"

namespace quoin::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string line(std::string_view id, std::string_view name, char digit) {
    return fmt::format(R"({{"silicon_id":"{}","class":"{}","birth_cert_sha256":"{}"}})"
                       "\n",
                       id, name, std::string(64, digit));
}

std::string fresh_url(store::Backend backend) {
    if (backend == store::Backend::sqlite) return {};
    static store::PostgresFixture server;
    static int number = 0;
    const std::string name = fmt::format("fleet{}", number++);
    auto database = must(store::Database::open(server.url(), 1));
    must(database->transaction([&](soci::session& session) -> Result<void> {
        // One schema a test: CREATE DATABASE does not run in a transaction.
        session << fmt::format("CREATE SCHEMA {}", name);
        return {};
    }));
    return server.url() + "?options=-csearch_path%3D" + name;
}

class fleet : public testing::TestWithParam<store::Backend> {
protected:
    fleet()
        : plant_(fresh_url(GetParam())), fleet_(*plant_.database, plant_.bus, *plant_.audit, 90s) {
        plant_.bus.device_changed.listen(
            [this](const DeviceChanged& change) { changes_.push_back(change); });
        plant_.bus.certificates_revoked.listen(
            [this](const CertificatesRevoked&) { ++revocations_; });
    }

    void import_two() {
        must(fleet_.import(line("mpu-1", "mpu", 'a') + line("mcu-1", "mcu", 'b'), "test"));
    }
    void enrol(const std::string& device) {
        plant_.bus.certificate_issued.publish({.device = device, .kind = "device", .serial = "01"});
    }
    void judge(const std::string& device, Verdict verdict, std::string reason = {},
               std::int64_t at = 0) {
        plant_.bus.verdict_reached.publish({.device = device,
                                            .verdict = verdict,
                                            .reason = std::move(reason),
                                            .level = "self-reported",
                                            .at_ms = at == 0 ? now_ms() : at});
    }
    void add_certificate(const std::string& device, const std::string& serial) {
        const std::int64_t end = now_ms() + 1'000'000;
        must(plant_.database->transaction([&](soci::session& session) -> Result<void> {
            session
                << "INSERT INTO certificates (serial, kind, subject_id, not_before_ms, "
                   "not_after_ms, "
                   "revoked_ms, sha3_512, der) VALUES (:serial, 'device', :id, 0, :end, 0, '', '')",
                soci::use(serial), soci::use(device), soci::use(end);
            return {};
        }));
    }
    feed::Device of(const std::string& device) {
        for (feed::Device& each : must(fleet_.snapshot())) {
            if (each.id == device) return each;
        }
        ADD_FAILURE() << device << " is not in the snapshot";
        return {};
    }

    Fixture plant_;
    Fleet fleet_;
    std::vector<DeviceChanged> changes_;
    int revocations_ = 0;
};

TEST_P(fleet, import__all_expected_and_without_grant) {
    import_two();
    const auto snapshot = must(fleet_.snapshot());
    ASSERT_EQ(snapshot.size(), 2U);
    EXPECT_EQ(snapshot[0].state, "expected");
    EXPECT_EQ(snapshot[0].grant, feed::Grant::none);
    EXPECT_EQ(changes_.size(), 2U);
    EXPECT_EQ(plant_.count(audit::Id::fleet_batch_imported), 1U);
}

TEST_P(fleet, import_with_a_known_device__nothing_added) {
    import_two();
    const auto again = fleet_.import(line("new-1", "mpu", 'c') + line("mpu-1", "mpu", 'd'), "test");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::input_conflict);
    EXPECT_THAT(again.error().message, HasSubstr("line 2"));
    EXPECT_THAT(again.error().message, HasSubstr("mpu-1"));
    EXPECT_EQ(must(fleet_.snapshot()).size(), 2U);
    EXPECT_EQ(plant_.count(audit::Id::fleet_batch_refused), 1U);
}

TEST_P(fleet, import_with_a_known_birth_certificate__owner_named) {
    import_two();
    const auto again = fleet_.import(line("new-1", "mpu", 'a'), "test");
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("mpu-1"));
    EXPECT_EQ(must(fleet_.snapshot()).size(), 2U);
}

TEST_P(fleet, mpu__attests_before_it_may_publish) {
    import_two();
    enrol("mpu-1");
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::attest_only);
    judge("mpu-1", Verdict::trusted);
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::full);
    EXPECT_EQ(of("mpu-1").reason, "");
}

TEST_P(fleet, mcu__active_on_enrolment) {
    import_two();
    enrol("mcu-1");
    EXPECT_EQ(of("mcu-1").grant, feed::Grant::full);
}

TEST_P(fleet, untrusted__quarantined_until_released_and_trusted) {
    import_two();
    enrol("mpu-1");
    judge("mpu-1", Verdict::trusted);
    judge("mpu-1", Verdict::untrusted, "measurement_mismatch:agent");
    EXPECT_EQ(of("mpu-1").state, "quarantined");
    EXPECT_EQ(changes_.back().grant, feed::Grant::none);
    EXPECT_THAT(changes_.back().reason, HasSubstr("measurement_mismatch:agent"));
    EXPECT_EQ(plant_.count(audit::Id::fleet_device_quarantined), 1U);

    judge("mpu-1", Verdict::trusted);
    EXPECT_EQ(of("mpu-1").state, "quarantined") << "only an operator opens the way back";

    EXPECT_EQ(must(fleet_.release("mpu-1", "test")), State::degraded);
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::attest_only);
    judge("mpu-1", Verdict::trusted);
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::full);
}

TEST_P(fleet, release_of_an_active_device__refused) {
    import_two();
    enrol("mcu-1");
    const auto released = fleet_.release("mcu-1", "test");
    ASSERT_FALSE(released);
    EXPECT_EQ(released.error().code, Code::state_wrong);
    EXPECT_THAT(released.error().message, HasSubstr("active"));
    EXPECT_FALSE(fleet_.release("nobody", "test"));
}

TEST_P(fleet, older_verdict_after_a_newer__ignored) {
    import_two();
    enrol("mpu-1");
    const std::int64_t now = now_ms();
    judge("mpu-1", Verdict::trusted, "", now);
    judge("mpu-1", Verdict::stale, "late", now - 1);
    EXPECT_EQ(of("mpu-1").state, "active");
}

TEST_P(fleet, verdict_older_than_its_lifetime__degraded_by_the_sweep) {
    import_two();
    enrol("mpu-1");
    enrol("mcu-1");
    judge("mpu-1", Verdict::trusted, "", now_ms() - 91'000);
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "degraded");
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::attest_only);
    EXPECT_EQ(of("mcu-1").state, "active") << "an mcu has no verdict that could go stale";
    judge("mpu-1", Verdict::trusted);
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "active");
}

TEST_P(fleet, isolation_cut_off_by_a_crash__finished_by_the_sweep) {
    import_two();
    enrol("mpu-1");
    judge("mpu-1", Verdict::trusted);
    must(plant_.database->transaction([](soci::session& session) -> Result<void> {
        session << "UPDATE devices SET verdict = 'untrusted', verdict_reason = 'replayed' WHERE "
                   "device_id = 'mpu-1'";
        return {};
    }));
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::full) << "what the crash left";
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "quarantined");
    EXPECT_THAT(of("mpu-1").reason, HasSubstr("replayed"));
    EXPECT_EQ(changes_.back().grant, feed::Grant::none);

    EXPECT_EQ(must(fleet_.release("mpu-1", "test")), State::degraded);
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "degraded") << "a release is not undone by the old verdict";
}

TEST_P(fleet, untrusted_while_the_database_is_away__shut_out_at_once_and_recorded_later) {
    import_two();
    enrol("mpu-1");
    judge("mpu-1", Verdict::trusted);
    fleet_.sweep();
    EXPECT_TRUE(fleet_.is_current());
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::full);
    const auto run = [&](const std::string& statement) {
        must(plant_.database->transaction([&](soci::session& session) -> Result<void> {
            session << statement;
            return {};
        }));
    };
    run("ALTER TABLE devices RENAME COLUMN verdict_reason TO away");  // no verdict can be written
    judge("mpu-1", Verdict::untrusted, "signature");
    EXPECT_EQ(changes_.back().device, "mpu-1");
    EXPECT_EQ(changes_.back().grant, feed::Grant::none);
    EXPECT_THAT(changes_.back().reason, HasSubstr("signature"));
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::none);  // for a broker that asks again
    EXPECT_EQ(plant_.count(audit::Id::fleet_device_quarantined), 1U);
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "active");  // still not recorded
    run("ALTER TABLE devices RENAME COLUMN away TO verdict_reason");
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "quarantined");
    EXPECT_EQ(of("mpu-1").grant, feed::Grant::none);
}

TEST_P(fleet, sweep_never_done__not_current) { EXPECT_FALSE(fleet_.is_current()); }

TEST_P(fleet, untrusted_before_the_newest_verdict__quarantined_all_the_same) {
    import_two();
    enrol("mpu-1");
    const std::int64_t now = now_ms();
    judge("mpu-1", Verdict::trusted, "", now);
    judge("mpu-1", Verdict::untrusted, "replayed", now - 1000);
    EXPECT_EQ(of("mpu-1").state, "quarantined");
}

TEST_P(fleet, enrolment_cut_off_by_a_crash__finished_by_the_sweep) {
    import_two();
    add_certificate("mpu-1", "0a");
    EXPECT_EQ(of("mpu-1").state, "expected");
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "onboarding");
}

TEST_P(fleet, revoke__state_certificates_and_crl) {
    import_two();
    add_certificate("mpu-1", "0a");
    add_certificate("mpu-1", "0b");
    add_certificate("mcu-1", "0c");
    enrol("mpu-1");
    must(fleet_.revoke("mpu-1", "stolen", "test"));
    const feed::Device device = of("mpu-1");
    EXPECT_EQ(device.state, "revoked");
    EXPECT_EQ(device.reason, "stolen");
    EXPECT_THAT(device.revoked, testing::UnorderedElementsAre("0a", "0b"));
    EXPECT_THAT(changes_.back().revoked, testing::UnorderedElementsAre("0a", "0b"));
    EXPECT_TRUE(of("mcu-1").revoked.empty());
    EXPECT_EQ(revocations_, 1);

    EXPECT_FALSE(fleet_.revoke("mpu-1", "again", "test"));
    judge("mpu-1", Verdict::trusted);
    enrol("mpu-1");
    EXPECT_EQ(of("mpu-1").state, "revoked");
    EXPECT_EQ(revocations_, 1);
}

TEST_P(fleet, revoke_with_a_bad_reason__refused_unchanged) {
    import_two();
    EXPECT_FALSE(fleet_.revoke("mpu-1", std::string(257, 'x'), "test"));
    EXPECT_FALSE(fleet_.revoke("mpu-1", "a\nb", "test"));
    EXPECT_EQ(of("mpu-1").state, "expected");
}

TEST_P(fleet, counts__every_state_is_there) {
    import_two();
    enrol("mcu-1");
    const auto counts = must(fleet_.counts());
    EXPECT_EQ(counts.size(), 8U);
    for (const auto& [state, number] : counts) {
        EXPECT_EQ(number, state == "expected" || state == "active" ? 1 : 0) << state;
    }
}

TEST_P(fleet, changes__published_in_the_order_of_their_commits) {
    import_two();
    enrol("mpu-1");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this, i] {
            for (int k = 0; k < 25; ++k) {
                judge("mpu-1", i % 2 == 0 ? Verdict::trusted : Verdict::stale, "x");
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(changes_.back().state, of("mpu-1").state);
    for (std::size_t i = 3; i + 1 < changes_.size(); ++i) {
        EXPECT_NE(changes_[i].state, changes_[i + 1].state) << "each published change is a change";
    }
}

INSTANTIATE_TEST_SUITE_P(both, fleet,
                         testing::Values(store::Backend::sqlite, store::Backend::postgresql),
                         [](const auto& test) {
                             return test.param == store::Backend::sqlite ? "sqlite" : "postgresql";
                         });

}  // namespace
}  // namespace quoin::server
