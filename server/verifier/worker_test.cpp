// The verifier's worker with a device that is simulated in the test: real keys, certificates,
// database.
#include "server/verifier/worker.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "host/x509/test_pki.hpp"
#include "server/bus/clock.hpp"
#include "server/schema.hpp"

namespace quoin::verifier {
namespace {

using crypto::ByteVector;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto patience = 20s;  // far longer than anything here takes

struct Keys {
    x509::test::Pki pki =
        *x509::test::make_pki(crypto::Algorithm::ecdsa_p256, crypto::Algorithm::ecdsa_p256);
    x509::test::Entity device = *x509::test::make_leaf(
        pki, {.profile = x509::Profile::device, .kind = x509::Kind::device, .id = "mpu-1"});
    x509::test::Entity attest =
        *x509::test::make_leaf(pki, {.profile = x509::Profile::attest,
                                     .kind = x509::Kind::attest,
                                     .id = "mpu-1",
                                     .algorithm = crypto::Algorithm::slh_dsa_shake_128f});
};
const Keys& keys() {
    static const Keys made;
    return made;
}

class worker : public testing::Test {
protected:
    void SetUp() override {
        static int runs = 0;
        folder_ = testing::TempDir() + fmt::format("quoin-worker-{}-{}", ::getpid(), ++runs);
        std::filesystem::create_directory(folder_);
        database_ = *store::Database::open("sqlite://" + (folder_ / "db.sqlite").string());
        ASSERT_TRUE(database_->migrate(server::migrations()));
        auto key = crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65);
        log_ = *audit::Log::open({.file = folder_ / "audit" / "audit.jsonl"}, *std::move(key));
        bus_.verdict_reached.listen([this](const server::VerdictReached& reached) {
            const std::lock_guard lock(mutex_);
            verdicts_.push_back(reached);
            changed_.notify_all();
        });
        add_device();
        ASSERT_TRUE(import_release(
            *database_, fmt::format(R"({{"release":"1.0.0","class":"mpu","measurements":[)"
                                    R"({{"name":"agent","sha3_512":"{}"}}]}})",
                                    crypto::to_hex(agent_))));
        options_.site = "p";
        options_.period = 1h;
        options_.timeout = 1h;
        options_.lifetime = 2h;
    }
    void TearDown() override {
        worker_.reset();
        log_.reset();
        database_.reset();
        std::filesystem::remove_all(folder_);
    }
    void run(const std::string& sql) {
        const auto ran = database_->transaction([&](soci::session& session) -> Result<void> {
            session << sql;
            return {};
        });
        EXPECT_TRUE(ran) << (ran ? "" : ran.error().message);
    }
    template <class Value>
    Value read(const std::string& sql) {
        Value value{};
        EXPECT_TRUE(database_->read([&](soci::session& session) -> Result<void> {
            session << sql, soci::into(value);
            return {};
        }));
        return value;
    }
    void add_device() {
        run("INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, state, reason, "
            "release_version, boot_counter, verdict, verdict_reason, verdict_level, verdict_ms, "
            "last_pass_ms, created_ms, updated_ms) VALUES ('mpu-1', 'mpu-1', 'mpu', 'b', "
            "'onboarding', '', '', 0, '', '', '', 0, 0, 0, 0)");
        for (const auto& [kind, entity] :
             {std::pair("device", &keys().device), std::pair("attest", &keys().attest)}) {
            const x509::Certificate& certificate = entity->certificate;
            run(
                fmt::format("INSERT INTO certificates (serial, kind, subject_id, not_before_ms, "
                            "not_after_ms, revoked_ms, sha3_512, der) VALUES "
                            "('{}', '{}', 'mpu-1', {}, {}, 0, '{}', '{}')",
                            certificate.serial_hex(), kind, certificate.not_before_ms(),
                            certificate.not_after_ms(), crypto::to_hex(*certificate.sha3_512()),
                            crypto::to_base64(*certificate.der())));
        }
    }
    void start() {
        worker_ = *Worker::start(*database_, bus_, *log_, options_,
                                 [this](std::string topic, std::string payload) {
                                     const std::lock_guard lock(mutex_);
                                     published_.emplace_back(std::move(topic), std::move(payload));
                                     changed_.notify_all();
                                 });
        worker_->link(true);
    }
    void restart() {
        worker_.reset();
        start();
    }
    // The `number`th challenge since the start of the test, from 1.
    attest::Nonce challenge(std::size_t number) {
        std::unique_lock lock(mutex_);
        std::vector<std::string> challenges;
        const bool came = changed_.wait_for(lock, patience, [&] {
            challenges.clear();
            for (const auto& [topic, payload] : published_) {
                if (topic == "quoin/p/mpu-1/attest/challenge") challenges.push_back(payload);
            }
            return challenges.size() >= number;
        });
        EXPECT_TRUE(came) << "no challenge " << number;
        return came ? attest::decode_challenge(challenges[number - 1])->nonce : attest::Nonce{};
    }
    std::string evidence(const attest::Nonce& nonce, std::uint64_t counter = 1,
                         const std::string& device = "mpu-1") {
        const auto ldevid = keys().device.certificate.sha3_512();
        const std::vector<evidence::Measurement> measurements{{"agent", agent_}};
        const auto bytes = attest::sign_evidence({.device = device,
                                                  .issued_s = 1700000000,
                                                  .nonce = nonce,
                                                  .boot_counter = counter,
                                                  .release = "1.0.0",
                                                  .ldevid_sha3_512 = *ldevid,
                                                  .device_class = "mpu",
                                                  .level = evidence::Level::self_reported,
                                                  .measurements = measurements},
                                                 attest::sign_with(keys().attest.key));
        EXPECT_TRUE(bytes);
        return {bytes->begin(), bytes->end()};
    }
    void answer(const std::string& bytes, const std::string& device = "mpu-1") {
        worker_->message("quoin/p/" + device + "/attest/evidence", bytes);
    }
    // "trusted", "untrusted replayed", "stale late" …
    std::string verdict(std::size_t number) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, patience, [&] { return verdicts_.size() >= number; })) {
            return "none";
        }
        const auto& reached = verdicts_[number - 1];
        const std::string name(verdict_name(reached.verdict));
        return reached.reason.empty() ? name : name + " " + reached.reason;
    }
    bool ignored(std::uint64_t count) {
        const auto until = std::chrono::steady_clock::now() + patience;
        std::unique_lock lock(mutex_);
        while (worker_->counters().ignored < count && std::chrono::steady_clock::now() < until) {
            changed_.wait_for(lock, 5ms);
        }
        return worker_->counters().ignored == count;
    }
    std::size_t verdict_count() {
        const std::lock_guard lock(mutex_);
        return verdicts_.size();
    }
    std::string events(audit::Id id) {
        EXPECT_TRUE(log_->flush());
        std::string all;
        for (const auto& event : log_->events_after(0, 1000)) {
            if (event.id == id) all += event.subject + " " + event.detail + "\n";
        }
        return all;
    }
    void change_state(const std::string& state) {
        run("UPDATE devices SET state = '" + state + "'");
        worker_->device_changed({.device = "mpu-1",
                                 .device_class = "mpu",
                                 .state = state,
                                 .grant = feed::Grant::none,
                                 .reason = ""});
    }

    ByteVector agent_ = ByteVector(evidence::digest_size, 0xA1);
    std::filesystem::path folder_;
    std::unique_ptr<store::Database> database_;
    std::unique_ptr<audit::Log> log_;
    server::Bus bus_;
    VerifierOptions options_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::pair<std::string, std::string>> published_;
    std::vector<server::VerdictReached> verdicts_;
    std::unique_ptr<Worker> worker_;
};

TEST_F(worker, evidence__good__trusted_and_recorded) {
    start();
    answer(evidence(challenge(1), 5));
    EXPECT_EQ(verdict(1), "trusted");
    EXPECT_EQ(read<std::string>("SELECT verdict FROM devices"), "trusted");
    EXPECT_EQ(read<std::string>("SELECT verdict_level FROM devices"), "self-reported");
    EXPECT_EQ(read<std::string>("SELECT release_version FROM devices"), "1.0.0");
    EXPECT_EQ(read<std::int64_t>("SELECT boot_counter FROM devices"), 5);
    EXPECT_GT(read<std::int64_t>("SELECT last_pass_ms FROM devices"), 0);
    EXPECT_EQ(read<std::int64_t>("SELECT COUNT(*) FROM verdicts WHERE verdict = 'trusted'"), 1);
    EXPECT_THAT(events(audit::Id::verifier_evidence_trusted), HasSubstr("mpu-1"));
}

TEST_F(worker, evidence__tampered__untrusted_told_on_the_bus_then_to_the_broker) {
    start();
    const auto nonce = challenge(1);
    agent_[0] ^= 1;
    answer(evidence(nonce));
    EXPECT_EQ(verdict(1), "untrusted measurement_mismatch:agent");
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(
        lock, patience, [&] { return published_.back().first == "quoin-events/p/isolation"; }));
    EXPECT_THAT(published_.back().second,
                HasSubstr(R"({"device":"mpu-1","grant":"none",)"
                          R"("reason":"measurement_mismatch:agent","at_ms":)"));
}

TEST_F(worker, evidence__redelivered__ignored_and_no_second_verdict) {
    start();
    const std::string bytes = evidence(challenge(1));
    answer(bytes);
    answer(bytes);
    EXPECT_TRUE(ignored(1));
    EXPECT_EQ(verdict_count(), 1U);
}

TEST_F(worker, evidence__signed_again_for_an_answered_nonce__replayed) {
    start();
    const auto nonce = challenge(1);
    answer(evidence(nonce));
    EXPECT_EQ(verdict(1), "trusted");
    answer(evidence(nonce, 2));
    EXPECT_EQ(verdict(2), "untrusted replayed");
}

TEST_F(worker, evidence__nonce_never_asked__replayed) {
    start();
    auto nonce = challenge(1);
    nonce[0] = 1;  // says that it was issued long after this verifier started
    answer(evidence(nonce));
    EXPECT_EQ(verdict(1), "untrusted replayed");
}

TEST_F(worker, evidence__past_its_timeout__stale_late_not_untrusted) {
    options_.timeout = 200ms;
    start();
    const auto nonce = challenge(1);
    challenge(2);  // asked again at the timeout: the first one is late now
    answer(evidence(nonce));
    EXPECT_EQ(verdict(1), "stale late");
    EXPECT_EQ(read<std::string>("SELECT verdict FROM devices"), "stale");
    EXPECT_EQ(read<std::int64_t>("SELECT last_pass_ms FROM devices"), 0);
}

TEST_F(worker, evidence__answer_to_a_challenge_before_the_restart__late_not_untrusted) {
    start();
    const auto nonce = challenge(1);
    restart();
    answer(evidence(nonce));
    EXPECT_EQ(verdict(1), "stale late");
    answer(evidence(challenge(2)));
    EXPECT_EQ(verdict(2), "trusted");
    answer(evidence(nonce, 2));  // again, now that a later one was answered
    EXPECT_TRUE(ignored(1));
}

TEST_F(worker, evidence__of_another_device_on_this_topic__wrong_device_for_this_one) {
    start();
    answer(evidence(challenge(1), 1, "mpu-2"));
    EXPECT_EQ(verdict(1), "untrusted wrong_device");
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(verdicts_[0].device, "mpu-1");
}

TEST_F(worker, evidence__counter_below_the_last_pass__rollback_also_after_a_restart) {
    start();
    answer(evidence(challenge(1), 7));
    EXPECT_EQ(verdict(1), "trusted");
    restart();
    answer(evidence(challenge(2), 6));
    EXPECT_EQ(verdict(2), "untrusted counter_rollback");
    EXPECT_EQ(read<std::int64_t>("SELECT boot_counter FROM devices"), 7);
}

TEST_F(worker, evidence__certificate_revoked__wrong_certificate) {
    start();
    const auto nonce = challenge(1);
    run("UPDATE certificates SET revoked_ms = 1 WHERE kind = 'attest'");
    answer(evidence(nonce));
    EXPECT_EQ(verdict(1), "untrusted wrong_certificate");
}

TEST_F(worker, evidence__megabytes__oversize) {
    start();
    challenge(1);
    answer(std::string(1 << 20, 'x'));
    EXPECT_EQ(verdict(1), "untrusted oversize");
}

TEST_F(worker, evidence__of_devices_that_are_not_asked__ignored) {
    start();
    const auto nonce = challenge(1);
    answer("x", "ghost");
    EXPECT_TRUE(ignored(1));
    change_state("quarantined");
    answer(evidence(nonce));
    EXPECT_TRUE(ignored(2));
    EXPECT_EQ(verdict_count(), 0U);
    EXPECT_THAT(events(audit::Id::verifier_evidence_rejected), HasSubstr("ghost"));
}

TEST_F(worker, release__after_quarantine__only_a_new_answer_counts) {
    start();
    const auto before = challenge(1);
    change_state("quarantined");
    change_state("degraded");
    answer(evidence(before));
    EXPECT_TRUE(ignored(1));
    answer(evidence(challenge(2)));
    EXPECT_EQ(verdict(1), "trusted");
}

TEST_F(worker, online__said_by_the_device__asked_at_once) {
    start();
    challenge(1);
    worker_->message("quoin/p/mpu-1/event", R"({"event":"online","release":"1.0.0","counter":1})");
    challenge(2);
    worker_->message("quoin/p/mpu-1/event", "garbage");
    worker_->message("quoin/p/mpu-1/event", R"({"event":"queue.full"})");
    EXPECT_THAT(events(audit::Id::device_event_rejected), HasSubstr("mpu-1"));
    EXPECT_THAT(events(audit::Id::device_event_reported), HasSubstr("queue.full"));
}

TEST_F(worker, pass__older_than_its_lifetime__stale_once) {
    options_.period = 100ms;
    options_.timeout = 20s;
    options_.lifetime = 2s;
    start();
    answer(evidence(challenge(1)));
    EXPECT_EQ(verdict(1), "trusted");
    EXPECT_EQ(verdict(2), "stale no_answer");
    challenge(8);
    EXPECT_EQ(verdict_count(), 2U);
}

TEST_F(worker, pass__of_a_run_before__keeps_its_age_over_a_restart) {
    run(fmt::format("UPDATE devices SET state = 'active', verdict = 'trusted', last_pass_ms = {}",
                    server::now_ms() - 3 * 3600 * 1000));
    start();
    EXPECT_EQ(verdict(1), "stale no_answer");
}

TEST_F(worker, session__ended__not_asked_until_it_is_back) {
    options_.period = 50ms;
    options_.timeout = 20s;
    options_.lifetime = 2s;
    start();
    answer(evidence(challenge(1)));
    EXPECT_EQ(verdict(1), "trusted");
    worker_->session_changed("mpu-1", false);
    answer("x", "ghost");
    ASSERT_TRUE(ignored(1));  // what came before it was handled
    const auto asked = worker_->counters().challenges;
    EXPECT_EQ(verdict(2), "stale no_answer");  // several periods later
    EXPECT_EQ(worker_->counters().challenges, asked);
    worker_->session_changed("mpu-1", true);
    challenge(asked + 1);
}

TEST_F(worker, mcu__never_asked) {
    run("UPDATE devices SET class = 'mcu', state = 'active'");
    start();
    worker_->message("quoin/p/mpu-1/event", R"({"event":"online"})");
    answer("x");
    EXPECT_TRUE(ignored(1));  // by now the question would have been asked
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(published_.empty());
}

TEST_F(worker, evidence__many_at_once_of_one_device__only_a_few_are_appraised) {
    start();
    challenge(1);
    worker_->stop();  // nothing is taken from the queue any more
    for (int i = 0; i < 10; ++i) answer("x");
    EXPECT_EQ(worker_->counters().ignored, 6U);
}

}  // namespace
}  // namespace quoin::verifier
