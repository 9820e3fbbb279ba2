// The registration authority and the CA: what is approved, what an approval is good for, and that
// nothing is issued twice. The same tests on both backends.
#include "server/pki/registration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <thread>

#include "host/store/postgres_fixture.hpp"
#include "server/bus/clock.hpp"
#include "server/fixture.hpp"
#include "server/pki/authority.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/est.hpp"
#include "server/pki/migration.hpp"
#include "server/pki/rotation.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::Algorithm;
using testing::HasSubstr;

std::string fresh_url(store::Backend backend) {
    if (backend == store::Backend::sqlite) return {};
    static store::PostgresFixture server;
    static int number = 0;
    const std::string name = fmt::format("registration{}", number++);
    auto database = must(store::Database::open(server.url(), 1));
    must(database->transaction([&](soci::session& session) -> Result<void> {
        // One schema a test: CREATE DATABASE does not run in a transaction.
        session << fmt::format("CREATE SCHEMA {}", name);
        return {};
    }));
    return server.url() + "?options=-csearch_path%3D" + name;
}

// A home with a PKI, of which every test has a copy. Classical: milliseconds.
fs::path made_home(const std::string& name) {
    static TemporaryFolder folder;
    static std::map<std::string, fs::path> homes;
    if (!homes.contains(name)) {
        homes[name] = folder.path() / name;
        must(init_pki({.home = homes[name], .site = "test", .suite = tls::Suite::classical},
                      crypto::Passphrase("a long passphrase")));
    }
    return homes[name];
}

crypto::PrivateKey new_key() { return must(crypto::PrivateKey::generate(Algorithm::ecdsa_p256)); }

crypto::PrivateKey service_key(const fs::path& home, const std::string& name) {
    const auto unlock = must(crypto::existing_unlock_key(home / "unlock.key"));
    return must(crypto::PrivateKey::load(home / "services" / (name + ".key"), unlock));
}
x509::Certificate service_certificate(const fs::path& home, const std::string& name) {
    return must(x509::Certificate::load(home / "services" / (name + ".crt"))).front();
}

x509::Request request_for(const crypto::PrivateKey& key, const std::string& device) {
    return must(x509::Request::from_der(bytes_of(must(x509::Request::make_der(key, device)))));
}

class registration : public testing::TestWithParam<store::Backend> {
protected:
    registration() : plant_(fresh_url(GetParam())), home_(plant_.folder.path() / "home") {
        fs::copy(made_home("plant"), home_, fs::copy_options::recursive);
        open({});
        add_device("mpu-1");
    }

    void open(const RaSettings& policy) {
        authority_.reset();
        authority_ = must(Authority::open({.home = home_,
                                           .site = "test",
                                           .device_lifetime = std::chrono::hours(1),
                                           .crl_lifetime = std::chrono::hours(1),
                                           .suite = tls::Suite::classical},
                                          *plant_.database, plant_.bus, *plant_.audit));
        open_ra(policy);
    }
    void open_ra(const RaSettings& policy) {
        ra_ = must(RegistrationAuthority::open({.home = home_, .site = "test", .policy = policy},
                                               *plant_.database, *plant_.audit));
    }
    void run(const std::string& statement) {
        must(plant_.database->transaction([&](soci::session& session) -> Result<void> {
            session << statement;
            return {};
        }));
    }
    std::int64_t number(const std::string& query) {
        return must(plant_.database->read([&](soci::session& session) -> Result<std::int64_t> {
            std::int64_t value = -1;
            session << query, soci::into(value);
            return value;
        }));
    }
    std::string text(const std::string& query) {
        return must(plant_.database->read([&](soci::session& session) -> Result<std::string> {
            std::string value;
            session << query, soci::into(value);
            return value;
        }));
    }
    void add_device(const std::string& id) {
        run(fmt::format(
            "INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, state, reason, "
            "release_version, boot_counter, verdict, verdict_reason, verdict_level, verdict_ms, "
            "last_pass_ms, created_ms, updated_ms) VALUES ('{0}', '{0}', 'mpu', '{0}', 'expected', "
            "'', '', 0, '', '', '', 0, 0, 0, 0)",
            id));
    }
    Submission submission(const crypto::PrivateKey& key, bool renewal = false,
                          const std::string& device = "mpu-1",
                          x509::Profile profile = x509::Profile::device) {
        return {.enrolee = must(authority_->enrolee(device)),
                .profile = profile,
                .request = request_for(key, device),
                .renewal = renewal};
    }
    Result<Submitted> submit(const Submission& asked) {
        return ra_->submit(asked, [this](Bytes approval, const x509::Request& request,
                                         const Recording& recording) {
            return authority_->issue(approval, request, recording);
        });
    }
    Result<x509::Certificate> enrol(const crypto::PrivateKey& key, bool renewal = false) {
        QUOIN_TRY(const Submitted submitted, submit(submission(key, renewal)));
        if (!submitted.certificate) return fail(Code::state_wrong, "it waits");
        return *submitted.certificate;
    }
    // Of an operator, and not used yet.
    crypto::ByteVector approved(const Submission& asked) {
        open_ra({.first = Rule::manual});
        const std::int64_t number = must(submit(asked)).number;
        must(ra_->approve(number, "operator:anna"));
        const std::string approval =
            text(fmt::format("SELECT approval FROM enrolments WHERE number = {}", number));
        return must(crypto::from_base64(approval));
    }
    std::int64_t certificates() {
        return number("SELECT COUNT(*) FROM certificates WHERE kind IN ('device', 'attest')");
    }
    std::int64_t rows() { return number("SELECT COUNT(*) FROM enrolments"); }

    Fixture plant_;
    fs::path home_;
    std::unique_ptr<Authority> authority_;
    std::unique_ptr<RegistrationAuthority> ra_;
};

TEST_P(registration, issuing_ca_rotated__new_ones_by_the_new_one__the_old_one_ends_with_its_last) {
    const auto before = must(enrol(new_key()));
    const x509::Certificate old = authority_->issuing();
    open_ra({.renewal = Rule::manual});
    const Submission asked = submission(new_key(), true);
    must(ra_->approve(must(submit(asked)).number, "operator:anna"));  // by the RA of then
    must(rotate_issuing({.home = home_, .devices_now = true},
                        crypto::Passphrase("a long passphrase")));
    EXPECT_TRUE(authority_->tick());
    EXPECT_EQ(authority_->issuing().common_name(), "test issuing 2");
    const auto after = must(submit(asked)).certificate.value();
    EXPECT_TRUE(
        x509::verify_chain(after, {}, std::array{authority_->issuing()}, x509::Purpose::client));
    const std::array chain{before, old, authority_->root()};
    EXPECT_TRUE(authority_->authenticate(chain));
    EXPECT_TRUE(authority_->must_renew(chain));
    EXPECT_FALSE(authority_->must_renew(std::array{after, authority_->issuing()}));
    const auto seal = must(authority_->seal(bytes_of("statement")));
    EXPECT_EQ(seal.issuer, must(authority_->issuing().der()));
    // A list each, which only its own issuer has signed.
    EXPECT_TRUE(x509::verify_chain(before, {}, std::array{old}, x509::Purpose::client,
                                   authority_->crl_pem()));
    EXPECT_NE(authority_->crl_der(old.serial_hex()),
              authority_->crl_der(authority_->issuing().serial_hex()));

    EXPECT_FALSE(authority_->tick());  // nothing changes, and its certificates are valid
    EXPECT_TRUE(fs::exists(home_ / "pki/earlier" / old.serial_hex() / "issuing.key"));
    run(fmt::format("UPDATE certificates SET not_after_ms = 1 WHERE issuer = '{}'",
                    old.serial_hex()));
    EXPECT_FALSE(authority_->tick());
    EXPECT_TRUE(fs::exists(home_ / "pki/earlier" / old.serial_hex())) << "not before a list is due";
    authority_ = must(Authority::open({.home = home_,
                                       .site = "test",
                                       .device_lifetime = std::chrono::hours(1),
                                       .crl_lifetime = std::chrono::seconds(0)},
                                      *plant_.database, plant_.bus, *plant_.audit));
    authority_->tick();
    EXPECT_FALSE(fs::exists(home_ / "pki/earlier" / old.serial_hex()));
    EXPECT_TRUE(authority_->tick());
    EXPECT_EQ(authority_->crl_der(old.serial_hex()), "");
}

TEST_P(registration, by_rule__approved_and_issued__again_with_the_key_the_same) {
    const auto key = new_key();
    const auto first = must(enrol(key));
    EXPECT_EQ(x509::to_uri(must(first.identity())), "quoin://test/device/mpu-1");
    EXPECT_EQ(must(enrol(key)).serial_hex(), first.serial_hex());
    EXPECT_EQ(must(enrol(key, true)).serial_hex(), first.serial_hex());
    open({});  // after a start, too
    EXPECT_EQ(must(enrol(key)).serial_hex(), first.serial_hex());
    EXPECT_EQ(certificates(), 1);
    EXPECT_EQ(text("SELECT state FROM enrolments"), "issued");
    EXPECT_EQ(text("SELECT actor FROM enrolments"), "rule:first");
    EXPECT_EQ(text("SELECT serial FROM enrolments"), first.serial_hex());
    EXPECT_EQ(number("SELECT enrolment FROM certificates WHERE kind = 'device'"), 1);
    EXPECT_EQ(plant_.count(audit::Id::pki_enrolment_approved), 1U);
    EXPECT_EQ(plant_.count(audit::Id::pki_certificate_issued), 1U);
    EXPECT_NE(must(enrol(new_key(), true)).serial_hex(), first.serial_hex());
    EXPECT_EQ(text("SELECT actor FROM enrolments WHERE number = 2"), "rule:renewal");
    EXPECT_EQ(plant_.count(audit::Id::pki_certificate_renewed), 1U);
}

// Whoever shows its birth certificate, or an old one that is still valid.
TEST_P(registration, device_that_has_moved__gets_no_certificate_of_the_old_suite) {
    must(begin_migration({.home = home_, .to = tls::Suite::hybrid},
                         crypto::Passphrase("a long passphrase"),
                         crypto::Passphrase("another long passphrase")));
    open({});
    EXPECT_TRUE(enrol(new_key()));
    run("INSERT INTO moves (device_id, issuer, at_ms) VALUES ('mpu-1', '00', 1)");
    const auto refused = enrol(new_key(), true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::state_wrong);
    EXPECT_EQ(certificates(), 1);
    EXPECT_TRUE(enrol(must(crypto::PrivateKey::generate(Algorithm::ml_dsa_65_ed25519)), true));
}

TEST_P(registration, too_many_valid_certificates__refused_until_one_expires) {
    const auto first = must(enrol(new_key()));
    for (int i = 1; i < 64; ++i) {
        run(fmt::format(
            "INSERT INTO certificates (serial, kind, subject_id, not_before_ms, not_after_ms, "
            "revoked_ms, sha3_512, der) SELECT '{:02x}', kind, subject_id, not_before_ms, "
            "not_after_ms, 0, sha3_512, der FROM certificates WHERE serial = '{}'",
            i, first.serial_hex()));
    }
    const auto refused = enrol(new_key(), true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::state_wrong);
    EXPECT_THAT(refused.error().message, HasSubstr("64 valid certificates"));
    EXPECT_EQ(rows(), 1);
    run("UPDATE certificates SET not_after_ms = 1 WHERE serial = '01'");
    EXPECT_TRUE(enrol(new_key(), true));
}

TEST_P(registration, approval__says_all_that_is_issued) {
    const auto key = new_key();
    must(enrol(key));
    const auto approval = must(crypto::from_base64(text("SELECT approval FROM enrolments")));
    const auto opened = must(OpenedApproval::open(approval));
    const Approval& claims = opened.claims();
    EXPECT_EQ(claims.number, 1);
    EXPECT_EQ(claims.site, "test");
    EXPECT_EQ(claims.device, "mpu-1");
    EXPECT_EQ(claims.device_class, "mpu");
    EXPECT_EQ(claims.kind, "device");
    EXPECT_EQ(claims.key, must(key_digest(must(key.public_key()))));
    EXPECT_TRUE(claims.quote_key.empty());
    EXPECT_EQ(claims.by, "rule:first");
    EXPECT_EQ(claims.epoch, 1);
    EXPECT_EQ(opened.signer(), service_certificate(home_, "ra").serial_hex());
    EXPECT_TRUE(opened.verify(must(service_key(home_, "ra").public_key())));
    EXPECT_EQ(opened.verify(must(service_key(home_, "quoind").public_key())).error().code,
              Code::integrity_signature);
    for (std::size_t size = 0; size < approval.size(); ++size) {
        EXPECT_FALSE(OpenedApproval::open(Bytes(approval).first(size))) << size;
    }
    auto longer = approval;
    longer.push_back(0);
    EXPECT_FALSE(OpenedApproval::open(longer));
}

TEST_P(registration, manual__waits__and_an_operator_approves) {
    open({.first = Rule::manual});
    const auto key = new_key();
    const Submission asked = submission(key);
    EXPECT_FALSE(must(submit(asked)).certificate);
    EXPECT_FALSE(must(submit(asked)).certificate);
    EXPECT_EQ(rows(), 1);
    EXPECT_EQ(plant_.count(audit::Id::pki_enrolment_pending), 1U);
    EXPECT_FALSE(authority_->issue({}, asked.request));
    must(ra_->approve(1, "operator:anna"));
    must(ra_->approve(1, "operator:anna"));
    EXPECT_EQ(plant_.count(audit::Id::pki_enrolment_approved), 1U);
    const auto certificate = must(enrol(key));
    EXPECT_EQ(text("SELECT actor FROM enrolments"), "operator:anna");
    must(ra_->approve(1, "operator:anna"));
    EXPECT_EQ(must(enrol(key)).serial_hex(), certificate.serial_hex());
    EXPECT_EQ(ra_->refuse(1, "late", "operator:anna").error().code, Code::state_wrong);
    EXPECT_EQ(ra_->approve(2, "operator:anna").error().code, Code::input_not_found);
    EXPECT_EQ(certificates(), 1);
}

TEST_P(registration, refused__stays_so_for_the_key__and_a_new_key_waits_again) {
    open({.first = Rule::manual});
    const auto key = new_key();
    must(submit(submission(key)));
    EXPECT_EQ(ra_->refuse(1, "", "operator:anna").error().code, Code::input_invalid);
    must(ra_->refuse(1, "unknown board", "operator:anna"));
    must(ra_->refuse(1, "unknown board", "operator:anna"));
    EXPECT_EQ(ra_->approve(1, "operator:anna").error().code, Code::state_wrong);
    const auto again = enrol(key);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::peer_forbidden);
    EXPECT_THAT(again.error().message, HasSubstr("unknown board"));
    EXPECT_EQ(must(submit(submission(new_key()))).number, 2);
    EXPECT_EQ(plant_.count(audit::Id::pki_enrolment_refused), 1U);
    EXPECT_EQ(certificates(), 0);
}

TEST_P(registration, approved_and_refused_before_it_was_used__nothing_is_issued) {
    const auto key = new_key();
    const Submission asked = submission(key);
    const crypto::ByteVector approval = approved(asked);
    must(ra_->refuse(1, "second thoughts", "operator:anna"));
    EXPECT_EQ(authority_->issue(approval, asked.request).error().code, Code::state_wrong);
    EXPECT_EQ(certificates(), 0);
}

TEST_P(registration, new_key_while_one_waits__the_old_request_is_superseded) {
    open({.first = Rule::manual});
    must(submit(submission(new_key())));
    must(submit(submission(new_key(), false, "mpu-1", x509::Profile::attest)));
    must(submit(submission(new_key())));
    EXPECT_EQ(text("SELECT state FROM enrolments WHERE number = 1"), "refused");
    EXPECT_THAT(text("SELECT reason FROM enrolments WHERE number = 1"), HasSubstr("request 3"));
    EXPECT_EQ(text("SELECT state FROM enrolments WHERE number = 2"), "pending") << "another kind";
}

TEST_P(registration, policy__by_what_the_device_comes_with) {
    must(enrol(new_key()));
    open({.first = Rule::manual, .renewal = Rule::automatic, .after_expiry = Rule::refuse});
    EXPECT_TRUE(must(submit(submission(new_key(), true))).certificate) << "renewal";
    EXPECT_FALSE(must(submit(submission(new_key()))).certificate)
        << "by birth while its certificate is good";
    run("UPDATE certificates SET not_after_ms = 1 WHERE kind = 'device'");
    const auto refused = submit(submission(new_key()));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("expired"));
    open({.first = Rule::refuse, .after_expiry = Rule::automatic});
    EXPECT_TRUE(enrol(new_key())) << "comes back with its birth identity";
    EXPECT_EQ(text("SELECT actor FROM enrolments WHERE state = 'issued' ORDER BY number DESC "
                   "LIMIT 1"),
              "rule:after_expiry");
    open({.renewal = Rule::manual});
    EXPECT_FALSE(must(submit(submission(new_key(), true))).certificate);
}

TEST_P(registration, signature_missing_or_by_another__nothing_is_issued) {
    const auto key = new_key();
    const Submission asked = submission(key);
    const crypto::ByteVector approval = approved(asked);
    const Approval claims = must(OpenedApproval::open(approval)).claims();
    const std::string serial = service_certificate(home_, "ra").serial_hex();
    const fs::path other = made_home("other");
    Approval elsewhere = claims;
    elsewhere.site = "hall-2";
    auto flipped = approval;
    flipped.back() ^= 1;
    const auto by = [&](const fs::path& home, const std::string& service,
                        const std::string& as = {}) {
        return must(
            sign_approval(claims, service_key(home, service),
                          as.empty() ? service_certificate(home, service).serial_hex() : as));
    };
    const std::vector<std::pair<std::string, crypto::ByteVector>> forged{
        {"none", {}},
        {"one bit", flipped},
        {"another service's key", by(home_, "telemetry")},
        {"a server's key", by(home_, "quoind")},
        {"a responder's key", by(home_, "ocsp")},
        {"another service's key in the RA's name", by(home_, "telemetry", serial)},
        {"an RA of another root", by(other, "ra")},
        {"an RA of another root in our RA's name", by(other, "ra", serial)},
        {"another site", must(sign_approval(elsewhere, service_key(home_, "ra"), serial))},
    };
    for (const auto& [what, forgery] : forged) {
        // As if somebody had written it into the database, too.
        run(fmt::format("UPDATE enrolments SET approval = '{}'", crypto::to_base64(forgery)));
        const auto issued = authority_->issue(forgery, asked.request);
        ASSERT_FALSE(issued) << what;
        EXPECT_EQ(issued.error().code, Code::integrity_mismatch) << what;
        EXPECT_THAT(issued.error().message, HasSubstr("is not this plant's")) << what;
    }
    run(fmt::format("UPDATE enrolments SET approval = '{}'", crypto::to_base64(approval)));
    EXPECT_TRUE(authority_->issue(approval, asked.request));
    EXPECT_EQ(certificates(), 1);
}

TEST_P(registration, revoked_ra__its_approvals_are_worth_nothing) {
    must(enrol(new_key()));  // whose chain is verified and remembered
    const Submission asked = submission(new_key());
    const crypto::ByteVector approval = approved(asked);
    run("UPDATE certificates SET revoked_ms = 1 WHERE subject_id = 'ra'");
    const auto issued = authority_->issue(approval, asked.request);
    ASSERT_FALSE(issued);
    EXPECT_THAT(issued.error().message, HasSubstr("revoked"));
    EXPECT_EQ(certificates(), 1);
}

TEST_P(registration, approval_of_something_else__nothing_is_issued) {
    add_device("mpu-2");
    const auto key = new_key();
    const Submission asked = submission(key);
    const crypto::ByteVector approval = approved(asked);
    EXPECT_EQ(authority_->issue(approval, request_for(new_key(), "mpu-1")).error().code,
              Code::peer_forbidden)
        << "another key";
    EXPECT_EQ(authority_->issue(approval, request_for(key, "mpu-2")).error().code,
              Code::peer_forbidden)
        << "another device";
    run("UPDATE devices SET epoch = 2 WHERE device_id = 'mpu-1'");
    EXPECT_EQ(authority_->issue(approval, asked.request).error().code, Code::state_wrong)
        << "of its life before";
    run("UPDATE devices SET epoch = 1, state = 'revoked' WHERE device_id = 'mpu-1'");
    EXPECT_EQ(authority_->issue(approval, asked.request).error().code, Code::state_wrong)
        << "revoked since";
    run("UPDATE devices SET state = 'expected' WHERE device_id = 'mpu-1'");
    // Signed by the RA, and not what it wrote down: another row's, or one from before a restore.
    Approval claims = must(OpenedApproval::open(approval)).claims();
    ++claims.at_ms;
    const auto unrecorded = must(sign_approval(claims, service_key(home_, "ra"),
                                               service_certificate(home_, "ra").serial_hex()));
    EXPECT_FALSE(authority_->issue(unrecorded, asked.request));
    EXPECT_EQ(certificates(), 0);
    EXPECT_TRUE(authority_->issue(approval, asked.request));
}

TEST_P(registration, certificate_of_the_key_revoked_or_expired__no_other_for_the_key) {
    const auto key = new_key();
    must(enrol(key));
    run("UPDATE certificates SET revoked_ms = 1 WHERE kind = 'device'");
    EXPECT_EQ(enrol(key).error().code, Code::peer_forbidden);
    run("UPDATE certificates SET revoked_ms = 0 WHERE kind = 'device'");
    EXPECT_TRUE(enrol(key));
    EXPECT_EQ(certificates(), 1);
}

TEST_P(registration, operator_approves_what_was_revoked_meanwhile__refused) {
    open({.first = Rule::manual});
    must(submit(submission(new_key())));
    run("UPDATE devices SET state = 'revoked' WHERE device_id = 'mpu-1'");
    EXPECT_EQ(ra_->approve(1, "operator:anna").error().code, Code::state_wrong);
    EXPECT_EQ(text("SELECT state FROM enrolments"), "pending");
}

TEST_P(registration, many_threads_with_one_key__one_certificate) {
    const auto key = new_key();
    std::vector<std::string> serials(8);
    {
        std::vector<std::jthread> threads;
        for (std::string& serial : serials) {
            threads.emplace_back([&] {
                const auto issued = enrol(key);
                serial = issued ? issued->serial_hex() : issued.error().message;
            });
        }
    }
    for (const std::string& serial : serials) EXPECT_EQ(serial, serials.front());
    EXPECT_EQ(certificates(), 1);
    EXPECT_EQ(rows(), 1);
}

// The n-th statement that writes fails, before or after its effect; PostgreSQL also at the commit.
TEST_P(registration, database_fails_at_each_statement__the_same_request_succeeds_then) {
    const bool sqlite = GetParam() == store::Backend::sqlite;
    if (!sqlite) {
        run("CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'fault'; END $$");
    }
    const auto make_fault = [&](const std::string& when, const std::string& table) {
        if (sqlite) {
            run(fmt::format("CREATE TRIGGER fault {} ON {} BEGIN SELECT RAISE(ABORT, 'fault'); END",
                            when, table));
        } else if (when.starts_with("COMMIT ")) {
            run(
                fmt::format("CREATE CONSTRAINT TRIGGER fault AFTER {} ON {} DEFERRABLE INITIALLY "
                            "DEFERRED FOR EACH ROW EXECUTE FUNCTION fault()",
                            when.substr(7), table));
        } else {
            run(fmt::format("CREATE TRIGGER fault {} ON {} FOR EACH ROW EXECUTE FUNCTION fault()",
                            when, table));
        }
    };
    std::int64_t issued = 0;
    for (const auto& [operation, table] :
         {std::pair<std::string, std::string>{"INSERT", "enrolments"},
          {"INSERT", "certificates"},
          {"UPDATE", "enrolments"}}) {
        for (const std::string when : {"BEFORE ", "AFTER ", "COMMIT "}) {
            if (sqlite && when == "COMMIT ") continue;  // registration_crash_test
            const auto key = new_key();
            make_fault(when + operation, table);
            EXPECT_FALSE(enrol(key)) << when << operation << " " << table;
            EXPECT_EQ(certificates(), issued) << when << operation << " " << table;
            run(sqlite ? "DROP TRIGGER fault" : "DROP TRIGGER fault ON " + table);
            const auto certificate = must(enrol(key));
            EXPECT_EQ(must(enrol(key)).serial_hex(), certificate.serial_hex());
            EXPECT_EQ(certificates(), ++issued);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(backends, registration,
                         testing::Values(store::Backend::sqlite, store::Backend::postgresql),
                         [](const auto& each) {
                             return each.param == store::Backend::sqlite ? "sqlite" : "postgresql";
                         });

// Nearly all certificates are unrevoked: an index of that is none to look them up by.
TEST(schema, unrevoked_certificates_of_a_subject__by_the_index_of_subjects) {
    Fixture plant;
    for (const auto& [where, index] :
         {std::pair<std::string, std::string>{"subject_id = 'a' AND kind = 'device'",
                                              "INDEX certificates_subject"},
          {"quote_key = 'a'", "INDEX certificates_quote_key"}}) {
        const std::string plan =
            must(plant.database->read([&](soci::session& session) -> Result<std::string> {
                int id = 0;
                int parent = 0;
                int unused = 0;
                std::string detail;
                session << "EXPLAIN QUERY PLAN SELECT MAX(not_after_ms) FROM certificates WHERE " +
                               where + " AND revoked_ms = 0",
                    soci::into(id), soci::into(parent), soci::into(unused), soci::into(detail);
                return detail;
            }));
        EXPECT_THAT(plan, HasSubstr(index));
    }
}

TEST(channel_binding, request__only_of_its_connection) {
    const auto key = new_key();
    const crypto::ByteVector exporter(32, 7);
    const crypto::ByteVector other(32, 8);
    const auto with = [&](std::string_view password) {
        return must(x509::Request::from_der(
            bytes_of(must(x509::Request::make_der(key, "mpu-1", password)))));
    };
    const x509::Request bound = with(crypto::to_base64(exporter));
    EXPECT_TRUE(check_binding(bound, exporter, true));
    EXPECT_TRUE(check_binding(bound, exporter, false));
    EXPECT_TRUE(check_binding(with(""), exporter, false));
    EXPECT_EQ(check_binding(with(""), exporter, true).error().code, Code::peer_forbidden);
    for (const bool required : {true, false}) {
        EXPECT_FALSE(check_binding(bound, other, required)) << "of another connection";
        EXPECT_FALSE(check_binding(bound, {}, required)) << "not over TLS";
        EXPECT_FALSE(check_binding(with("secret"), exporter, required));
        EXPECT_FALSE(
            check_binding(with(crypto::to_base64(Bytes(exporter).first(31))), exporter, required));
    }
}

}  // namespace
}  // namespace quoin::server
