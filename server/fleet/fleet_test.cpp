// The same tests on both backends.
#include "server/fleet/fleet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "host/feed/revocation.hpp"
#include "host/store/postgres_fixture.hpp"
#include "host/x509/test_pki.hpp"
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
        : plant_(fresh_url(GetParam())),
          fleet_({.site = "plant",
                  .verdict_lifetime = 90s,
                  .sign = [this](Bytes message) { return sign(message); }},
                 *plant_.database, plant_.bus, *plant_.audit) {
        plant_.bus.device_changed.listen(
            [this](const DeviceChanged& change) { changes_.push_back(change); });
        plant_.bus.certificates_revoked.listen(
            [this](const CertificatesRevoked&) { ++revocations_; });
        plant_.bus.revocation_stated.listen(
            [this](const RevocationStated& stated) { stated_.push_back(stated.sealed); });
    }
    Result<feed::Seal> sign(Bytes message) const {
        if (!can_sign_) return fail(Code::resource_unavailable, "the CA's key is away");
        return feed::Seal{.signature = must(ca_.issuing.key.sign(message)),
                          .issuer = must(ca_.issuing.certificate.der())};
    }
    Result<RevocationOutcome> revoke(std::vector<std::string> devices) {
        return fleet_.revoke({.devices = std::move(devices),
                              .reason = x509::Reason::key_compromise,
                              .note = "stolen",
                              .actor = "test"});
    }
    std::int64_t number(const std::string& statement) {
        return must(plant_.database->read([&](soci::session& session) -> Result<std::int64_t> {
            long long value = 0;
            session << statement, soci::into(value);
            return value;
        }));
    }
    void run(const std::string& statement) {
        must(plant_.database->transaction([&](soci::session& session) -> Result<void> {
            session << statement;
            return {};
        }));
    }
    void add_enrolment(const std::string& device, int number, const std::string& state) {
        run(
            fmt::format("INSERT INTO enrolments (number, device_id, kind, renewal, key_sha256, "
                        "request, key_residence, state, created_ms, decided_ms, actor, reason, "
                        "approval, serial) VALUES ({}, '{}', 'device', 0, '', '', '', '{}', 1, 0, "
                        "'', '', '', '')",
                        number, device, state));
    }
    // The statements that are recorded: signed, without a gap, each with the digest of the one
    // before. The ids that they end, in order.
    std::vector<std::string> ended_by_statements() {
        std::vector<std::string> ids;
        crypto::Sha3_512Digest before{};
        std::uint64_t number = 0;
        must(plant_.database->read([&](soci::session& session) -> Result<void> {
            const soci::rowset<soci::row> rows =
                (session.prepare << "SELECT seq, statement, signature, issuer FROM revocations "
                                    "ORDER BY seq");
            for (const soci::row& row : rows) {
                const auto bytes = must(crypto::from_base64(row.get<std::string>(1)));
                const auto signature = must(crypto::from_base64(row.get<std::string>(2)));
                EXPECT_TRUE(must(ca_.issuing.certificate.public_key()).verify(bytes, signature));
                EXPECT_EQ(row.get<std::string>(3), ca_.issuing.certificate.serial_hex());
                const feed::Statement statement = must(feed::decode_statement(bytes));
                EXPECT_EQ(statement.number, ++number);
                EXPECT_EQ(statement.number, static_cast<std::uint64_t>(row.get<long long>(0)));
                EXPECT_EQ(statement.previous, before);
                EXPECT_EQ(statement.site, "plant");
                before = must(crypto::sha3_512(bytes));
                for (const feed::Ending& ending : statement.devices) ids.push_back(ending.device);
            }
            return {};
        }));
        return ids;
    }

    void import_two() {
        must(fleet_.import(line("mpu-1", "mpu", 'a') + line("mcu-1", "mcu", 'b'), false, "test"));
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
    void add_certificate(const std::string& subject, const std::string& serial,
                         const std::string& kind = "device") {
        const std::int64_t end = now_ms() + 1'000'000;
        must(plant_.database->transaction([&](soci::session& session) -> Result<void> {
            session
                << "INSERT INTO certificates (serial, kind, subject_id, not_before_ms, "
                   "not_after_ms, "
                   "revoked_ms, sha3_512, der) VALUES (:serial, :kind, :id, 0, :end, 0, '', '')",
                soci::use(serial), soci::use(kind), soci::use(subject), soci::use(end);
            return {};
        }));
    }
    feed::Device of(const std::string& device) {
        for (feed::Device& each : must(fleet_.snapshot()).devices) {
            if (each.id == device) return each;
        }
        ADD_FAILURE() << device << " is not in the snapshot";
        return {};
    }

    static inline const x509::test::Pki ca_ =
        must(x509::test::make_pki(crypto::Algorithm::ecdsa_p256, crypto::Algorithm::ecdsa_p256));
    bool can_sign_ = true;
    Fixture plant_;
    Fleet fleet_;
    std::vector<DeviceChanged> changes_;
    std::vector<feed::SealedStatement> stated_;
    int revocations_ = 0;
};

TEST_P(fleet, import__all_expected_and_without_grant) {
    import_two();
    const auto snapshot = must(fleet_.snapshot()).devices;
    ASSERT_EQ(snapshot.size(), 2U);
    EXPECT_EQ(snapshot[0].state, "expected");
    EXPECT_EQ(snapshot[0].grant, feed::Grant::none);
    EXPECT_EQ(changes_.size(), 2U);
    EXPECT_EQ(plant_.count(audit::Id::fleet_batch_imported), 1U);
}

TEST_P(fleet, import_with_a_known_device__nothing_added) {
    import_two();
    const auto again =
        fleet_.import(line("new-1", "mpu", 'c') + line("mpu-1", "mpu", 'd'), false, "test");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::input_conflict);
    EXPECT_THAT(again.error().message, HasSubstr("line 2"));
    EXPECT_THAT(again.error().message, HasSubstr("mpu-1"));
    EXPECT_EQ(must(fleet_.snapshot()).devices.size(), 2U);
    EXPECT_EQ(plant_.count(audit::Id::fleet_batch_refused), 1U);
}

TEST_P(fleet, import_with_a_known_birth_certificate__owner_named) {
    import_two();
    const auto again = fleet_.import(line("new-1", "mpu", 'a'), false, "test");
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message, HasSubstr("mpu-1"));
    EXPECT_EQ(must(fleet_.snapshot()).devices.size(), 2U);
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

TEST_P(fleet, revoke__state_certificates_enrolments_statement_and_crl) {
    import_two();
    add_certificate("mpu-1", "0a");
    add_certificate("mpu-1", "0b");
    add_certificate("mcu-1", "0c");
    add_enrolment("mpu-1", 1, "pending");
    add_enrolment("mpu-1", 2, "approved");
    add_enrolment("mpu-1", 3, "issued");
    add_enrolment("mcu-1", 4, "pending");
    enrol("mpu-1");
    const RevocationOutcome outcome = must(revoke({"mpu-1"}));
    ASSERT_EQ(outcome.ended.size(), 1U);
    EXPECT_EQ(outcome.ended[0].state, "onboarding");
    EXPECT_EQ(outcome.ended[0].certificates.size(), 2U);
    EXPECT_THAT(outcome.ended[0].enrolments, testing::ElementsAre(1, 2));
    EXPECT_EQ(outcome.statement, 1U);
    const feed::Device device = of("mpu-1");
    EXPECT_EQ(device.state, "revoked");
    EXPECT_EQ(device.reason, "key_compromise: stolen");
    EXPECT_THAT(device.revoked, testing::UnorderedElementsAre("0a", "0b"));
    EXPECT_EQ(changes_.back().state, "revoked");
    EXPECT_TRUE(of("mcu-1").revoked.empty());
    EXPECT_EQ(revocations_, 1);
    EXPECT_EQ(number("SELECT COUNT(*) FROM certificates WHERE reason = 1"), 2);
    EXPECT_EQ(number("SELECT COUNT(*) FROM enrolments WHERE state = 'refused'"), 2);
    ASSERT_EQ(stated_.size(), 1U);
    const feed::Statement statement = must(feed::decode_statement(stated_[0].statement));
    EXPECT_EQ(statement.devices, (std::vector<feed::Ending>{{"mpu-1", 1, {"0a", "0b"}}}));
    EXPECT_EQ(statement.actor, "test");
    EXPECT_THAT(ended_by_statements(), testing::ElementsAre("mpu-1"));

    judge("mpu-1", Verdict::trusted);
    enrol("mpu-1");
    EXPECT_EQ(of("mpu-1").state, "revoked");
    EXPECT_EQ(plant_.count(audit::Id::fleet_device_revoked), 1U);
}

TEST_P(fleet, revoke_service_or_operator__serials_and_for_the_broker_a_statement) {
    add_certificate("telemetry", "0a", "service");
    add_certificate("telemetry", "0b", "service");
    add_certificate("anna", "0c", "operator");
    NamedRevocation request{
        .kind = "service", .name = "telemetry", .serial = "0a", .actor = "test"};
    EXPECT_EQ(must(fleet_.revoke(request)), std::vector<std::string>{"0a"});
    ASSERT_EQ(stated_.size(), 1U);
    const feed::Statement statement = must(feed::decode_statement(stated_[0].statement));
    EXPECT_EQ(statement.devices, (std::vector<feed::Ending>{{"service.telemetry", 1, {"0a"}}}));
    EXPECT_THAT(of("service.telemetry").revoked, testing::ElementsAre("0a"));
    EXPECT_EQ(of("service.telemetry").grant, feed::Grant::none);
    const auto again = fleet_.revoke(request);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::input_not_found);
    request = {.kind = "operator", .name = "anna", .actor = "test"};
    EXPECT_EQ(must(fleet_.revoke(request)), std::vector<std::string>{"0c"});
    EXPECT_EQ(stated_.size(), 1U) << "operators have no business on the broker";
    EXPECT_EQ(revocations_, 2);
    EXPECT_EQ(plant_.count(audit::Id::pki_certificate_revoked), 2U);
    EXPECT_EQ(must(fleet_.snapshot()).devices.size(), 1U);
}

TEST_P(fleet, revoke_again__succeeds_and_says_nothing_new) {
    import_two();
    must(revoke({"mpu-1"}));
    const RevocationOutcome again = must(revoke({"mpu-1"}));
    EXPECT_TRUE(again.ended.empty());
    EXPECT_THAT(again.already, testing::ElementsAre("mpu-1"));
    EXPECT_EQ(again.statement, 0U);
    EXPECT_EQ(stated_.size(), 1U);
    EXPECT_EQ(revocations_, 1);
}

TEST_P(fleet, revoke_with_a_bad_request__refused_unchanged) {
    import_two();
    EXPECT_FALSE(fleet_.revoke({.devices = {"mpu-1"}, .note = std::string(201, 'x')}));
    EXPECT_FALSE(fleet_.revoke({.devices = {"mpu-1"}, .note = "a\nb"}));
    EXPECT_FALSE(fleet_.revoke({.devices = {}}));
    EXPECT_FALSE(fleet_.revoke({.devices = {"mpu-1", "') OR ('1'='1"}}));
    EXPECT_FALSE(revoke(std::vector<std::string>(max_revoked_at_once + 1, "mpu-1")));
    EXPECT_EQ(of("mpu-1").state, "expected");
    EXPECT_EQ(number("SELECT COUNT(*) FROM revocations"), 0);
}

TEST_P(fleet, preview__says_the_same_and_changes_nothing) {
    import_two();
    add_certificate("mpu-1", "0a");
    add_enrolment("mpu-1", 1, "pending");
    const auto changes = changes_.size();
    const RevocationRequest request{.devices = {"mpu-1", "nobody", "mpu-1"}};
    const RevocationOutcome before = must(fleet_.preview(request));
    ASSERT_EQ(before.ended.size(), 1U);
    EXPECT_EQ(before.ended[0].certificates[0].serial, "0a");
    EXPECT_THAT(before.ended[0].enrolments, testing::ElementsAre(1));
    EXPECT_THAT(before.unknown, testing::ElementsAre("nobody"));
    EXPECT_EQ(of("mpu-1").state, "expected");
    EXPECT_EQ(number("SELECT COUNT(*) FROM certificates WHERE revoked_ms > 0"), 0);
    EXPECT_EQ(number("SELECT COUNT(*) FROM enrolments WHERE state = 'pending'"), 1);
    EXPECT_EQ(changes_.size(), changes);
    EXPECT_TRUE(stated_.empty());
    EXPECT_EQ(must(fleet_.revoke(request)).ended.size(), 1U);
}

// A fault at each statement of the transaction: nothing of it is done or told, and the same
// command succeeds when the fault is gone.
TEST_P(fleet, revoke__fault_at_any_step__nothing_done_and_the_same_command_succeeds) {
    import_two();
    add_certificate("mpu-1", "0a");
    add_enrolment("mpu-1", 1, "pending");
    enrol("mpu-1");
    const auto changes = changes_.size();
    const auto unchanged = [&] {
        EXPECT_EQ(number("SELECT COUNT(*) FROM devices WHERE state = 'revoked'"), 0);
        EXPECT_EQ(number("SELECT COUNT(*) FROM certificates WHERE revoked_ms > 0"), 0);
        EXPECT_EQ(number("SELECT COUNT(*) FROM enrolments WHERE state = 'refused'"), 0);
        EXPECT_EQ(number("SELECT COUNT(*) FROM revocations"), 0);
        EXPECT_EQ(changes_.size(), changes);
        EXPECT_TRUE(stated_.empty());
        EXPECT_EQ(revocations_, 0);
    };
    for (const std::string_view column :
         {"devices epoch", "devices updated_ms", "certificates reason", "enrolments decided_ms",
          "revocations signature"}) {
        const std::string table(column.substr(0, column.find(' ')));
        const std::string name(column.substr(column.find(' ') + 1));
        run(fmt::format("ALTER TABLE {} RENAME COLUMN {} TO away", table, name));
        EXPECT_FALSE(revoke({"mpu-1"})) << column;
        run(fmt::format("ALTER TABLE {} RENAME COLUMN away TO {}", table, name));
        unchanged();
    }
    can_sign_ = false;
    EXPECT_FALSE(revoke({"mpu-1"}));
    unchanged();
    can_sign_ = true;
    EXPECT_EQ(must(revoke({"mpu-1"})).ended.size(), 1U);
    EXPECT_THAT(ended_by_statements(), testing::ElementsAre("mpu-1"));
}

TEST_P(fleet, revoke_of_many__one_statement_and_one_list_a_request) {
    std::string batch;
    std::vector<std::string> ids;
    for (int i = 0; i < 1200; ++i) {
        ids.push_back(fmt::format("m-{:04}", i));
        batch += fmt::format(R"({{"silicon_id":"{}","class":"mcu","birth_cert_sha256":"{:064x}"}})"
                             "\n",
                             ids.back(), i + 1);
    }
    must(fleet_.import(batch, false, "test"));
    for (std::size_t at = 0; at < ids.size(); at += max_revoked_at_once) {
        const auto end = std::min(ids.size(), at + max_revoked_at_once);
        must(revoke({ids.begin() + static_cast<std::ptrdiff_t>(at),
                     ids.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
    EXPECT_EQ(number("SELECT COUNT(*) FROM devices WHERE state = 'revoked'"), 1200);
    EXPECT_EQ(number("SELECT COUNT(*) FROM revocations"), 3);
    EXPECT_EQ(revocations_, 3);
    EXPECT_EQ(ended_by_statements(), ids);
    const RevocationOutcome again = must(revoke({"m-0001", "new", "m-0002"}));
    EXPECT_EQ(again.already.size(), 2U);
    EXPECT_THAT(again.unknown, testing::ElementsAre("new"));
}

// Revocations from many threads: the numbers have no gap, each names the one before.
TEST_P(fleet, revoke__at_the_same_time__statements_are_one_chain) {
    std::string batch;
    for (int i = 0; i < 40; ++i) {
        batch +=
            fmt::format(R"({{"silicon_id":"m-{}","class":"mcu","birth_cert_sha256":"{:064x}"}})"
                        "\n",
                        i, i + 1);
    }
    must(fleet_.import(batch, false, "test"));
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([this, thread] {
            for (int i = 0; i < 20; ++i) {
                EXPECT_TRUE(revoke({fmt::format("m-{}", (thread * 10 + i) % 40)}));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ended_by_statements().size(), 40U);
    for (std::size_t i = 0; i < stated_.size(); ++i) EXPECT_EQ(stated_[i].number, i + 1);
}

TEST_P(fleet, readmit__next_epoch_with_a_new_birth_certificate) {
    import_two();
    add_certificate("mpu-1", "0a");
    enrol("mpu-1");
    judge("mpu-1", Verdict::trusted);
    must(revoke({"mpu-1"}));
    const auto without = fleet_.import(line("mpu-1", "mpu", 'c'), false, "test");
    ASSERT_FALSE(without);
    EXPECT_THAT(without.error().message, HasSubstr("--readmit"));
    const Imported imported =
        must(fleet_.import(line("mpu-1", "mpu", 'c') + line("new-1", "mpu", 'd'), true, "test"));
    EXPECT_EQ(imported.added, 1U);
    EXPECT_EQ(imported.readmitted, 1U);
    const feed::Device device = of("mpu-1");
    EXPECT_EQ(device.state, "expected");
    EXPECT_EQ(device.epoch, 2U);
    EXPECT_THAT(device.revoked, testing::ElementsAre("0a"));
    EXPECT_EQ(plant_.count(audit::Id::fleet_device_readmitted), 1U);
    fleet_.sweep();
    EXPECT_EQ(of("mpu-1").state, "expected") << "its old certificate is no enrolment";
    add_certificate("mpu-1", "0b");
    enrol("mpu-1");
    EXPECT_EQ(of("mpu-1").state, "onboarding");
    EXPECT_EQ(changes_.back().epoch, 2U);
    must(revoke({"mpu-1"}));
    const feed::Statement statement = must(feed::decode_statement(stated_.back().statement));
    EXPECT_EQ(statement.devices, (std::vector<feed::Ending>{{"mpu-1", 2, {"0b"}}}));
}

TEST_P(fleet, readmit__old_birth_certificate_or_wrong_state__nothing_added) {
    import_two();
    const auto refused = [&](const std::string& batch, std::string_view why) {
        const auto imported = fleet_.import(batch, true, "test");
        ASSERT_FALSE(imported) << batch;
        EXPECT_EQ(imported.error().code, Code::input_conflict);
        EXPECT_THAT(imported.error().message, HasSubstr(std::string(why)));
    };
    refused(line("mpu-1", "mpu", 'c'), "expected");
    must(revoke({"mpu-1"}));
    refused(line("mpu-1", "mpu", 'a'), "belongs to the device mpu-1 already (its epoch 1)");
    refused(line("mpu-1", "mpu", 'b'), "mcu-1");
    refused(line("mpu-1", "mcu", 'c'), "taken in as mpu");
    refused(line("new-1", "mpu", 'd') + line("mpu-1", "mpu", 'a'), "line 2");
    EXPECT_EQ(of("mpu-1").state, "revoked");
    must(fleet_.import(line("mpu-1", "mpu", 'c'), true, "test"));
    must(revoke({"mpu-1"}));
    refused(line("mpu-1", "mpu", 'a'), "epoch 1");
    refused(line("other", "mpu", 'a'), "mpu-1");
    EXPECT_EQ(must(fleet_.snapshot()).devices.size(), 2U);
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
