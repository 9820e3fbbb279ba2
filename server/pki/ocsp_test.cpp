#include "server/pki/ocsp.hpp"

#include <gmock/gmock.h>
#include <poll.h>

#include <array>

#include "host/x509/test_pki.hpp"
#include "server/bus/clock.hpp"
#include "server/fixture.hpp"

namespace quoin::server {
namespace {

using crypto::Algorithm;
using testing::HasSubstr;
using x509::OcspAnswer;
using x509::OcspRequest;
using x509::OcspStatus;
namespace test = x509::test;

const crypto::ByteVector nonce(32, 0x5a);

tls::Credentials credentials_of(const test::Entity& entity) {
    return {.chain = {entity.certificate}, .key = entity.key};
}

test::Entity make_responder(const test::Pki& pki) {
    return must(test::make_leaf(
        pki, {.profile = x509::Profile::ocsp, .kind = x509::Kind::service, .id = "ocsp"}));
}

net::HttpRequest post(std::string body) {
    return {.method = "POST",
            .path = "/ocsp",
            .query = {},
            .content_type = "application/ocsp-request",
            .accept = {},
            .body = std::move(body),
            .client_chain = {},
            .tls_exporter = {},
            .peer_uid = {},
            .remote = "127.0.0.1:1"};
}

// A responder over a database, with certificates "mpu-1" and "mpu-2" in it.
struct Responder : Fixture {
    explicit Responder(OcspOptions options = {})
        : pki(must(test::make_pki(Algorithm::ecdsa_p256, Algorithm::ecdsa_p256))),
          first(must(test::make_leaf(pki, {}))),
          second(must(test::make_leaf(pki, {.id = "mpu-2"}))),
          unrecorded(must(test::make_leaf(pki, {.id = "mpu-3"}))),
          own(make_responder(pki)),
          ocsp(options, *database, bus, *audit) {
        record(first);
        record(second);
        record(own);
        answer_for({});
    }
    // And keep the status of these.
    void answer_for(std::vector<x509::Certificate> stapled) {
        must(ocsp.replace({{pki.issuing.certificate, credentials_of(own)}}, stapled));
    }
    auto staple() const { return ocsp.staple(second.certificate.native()); }

    void record(const test::Entity& entity, const std::string& kind = "device",
                const test::Entity* issued_by = nullptr) {
        must(database->transaction([&](soci::session& session) -> Result<void> {
            const std::string serial = entity.certificate.serial_hex();
            const std::string subject = entity.certificate.common_name();
            const std::string issuer =
                (issued_by ? issued_by->certificate : pki.issuing.certificate).serial_hex();
            session << "INSERT INTO certificates (serial, kind, subject_id, not_before_ms, "
                       "not_after_ms, revoked_ms, sha3_512, der, issuer) VALUES (:s, :k, :i, 0, "
                       "0, 0, '', '', :r)",
                soci::use(serial), soci::use(kind), soci::use(subject), soci::use(issuer);
            return {};
        }));
    }
    void commit_revocation(const test::Entity& entity) {
        must(database->transaction([&](soci::session& session) -> Result<void> {
            const std::string serial = entity.certificate.serial_hex();
            const std::int64_t now = now_ms();
            session << "UPDATE certificates SET revoked_ms = :now, reason = 1 WHERE serial = :s",
                soci::use(now), soci::use(serial);
            return {};
        }));
    }
    void revoke(const test::Entity& entity) {
        commit_revocation(entity);
        bus.certificates_revoked.publish({.subjects = {entity.certificate.common_name()}});
    }
    void break_database() {
        must(database->transaction([](soci::session& session) -> Result<void> {
            session << "ALTER TABLE certificates RENAME TO away";
            return {};
        }));
    }

    OcspRequest about(const test::Entity& entity, Bytes with = {}) const {
        return must(OcspRequest::make(entity.certificate, pki.issuing.certificate, with));
    }
    Result<OcspAnswer> ask(const test::Entity& entity, Bytes with = {}) {
        const auto reply = ocsp.handle(post(must(about(entity, with).der())));
        EXPECT_EQ(reply.status, 200);
        EXPECT_EQ(reply.content_type, "application/ocsp-response");
        return x509::verify_ocsp_response(bytes_of(reply.body), entity.certificate,
                                          pki.issuing.certificate, with);
    }
    OcspStatus status(const test::Entity& entity, Bytes with = {}) {
        return must(ask(entity, with)).status;
    }

    test::Pki pki;
    test::Entity first, second, unrecorded, own;
    OcspResponder ocsp;
};

void tick_a_little_later(OcspResponder& ocsp) {
    ::poll(nullptr, 0, 10);
    ocsp.tick();
}

TEST(ocsp_responder, recorded_revoked_unrecorded__good_revoked_unknown) {
    Responder plant;
    EXPECT_EQ(plant.status(plant.first), OcspStatus::good);
    EXPECT_EQ(plant.status(plant.first, nonce), OcspStatus::good);
    EXPECT_EQ(plant.status(plant.unrecorded), OcspStatus::unknown);
    EXPECT_EQ(plant.status(plant.unrecorded, nonce), OcspStatus::unknown);
    plant.revoke(plant.second);
    const auto revoked = must(plant.ask(plant.second, nonce));
    EXPECT_EQ(revoked.status, OcspStatus::revoked);
    EXPECT_EQ(revoked.reason, 1);
    EXPECT_NEAR(static_cast<double>(revoked.revoked_ms), static_cast<double>(now_ms()), 60'000);
}

TEST(ocsp_responder, serial_of_another_issuer_or_of_a_ca__unknown) {
    Responder plant;
    const auto other = must(test::make_pki(Algorithm::ecdsa_p256, Algorithm::ecdsa_p256, "other"));
    // Another issuer's question with a serial that we know.
    const auto request =
        must(OcspRequest::make(plant.first.certificate, other.issuing.certificate, {}));
    const auto reply = plant.ocsp.handle(post(must(request.der())));
    const auto answer = x509::verify_ocsp_response(bytes_of(reply.body), plant.first.certificate,
                                                   other.issuing.certificate, {});
    ASSERT_FALSE(answer) << "our responder is none of that issuer";
    // The row of a CA is not about a certificate of the issuing CA.
    plant.record(plant.unrecorded, "ca");
    EXPECT_EQ(plant.status(plant.unrecorded), OcspStatus::unknown);
}

TEST(ocsp_responder, asked_again_without_nonce__the_same_answer_with_one_another) {
    Responder plant;
    const auto request = post(must(plant.about(plant.first).der()));
    EXPECT_FALSE(plant.ocsp.handle_at_once(request));
    const std::string first = plant.ocsp.handle(request).body;
    EXPECT_EQ(plant.ocsp.handle(request).body, first);
    ASSERT_TRUE(plant.ocsp.handle_at_once(request));
    EXPECT_EQ(plant.ocsp.counters().live, 1U);
    const auto live = post(must(plant.about(plant.first, nonce).der()));
    EXPECT_FALSE(plant.ocsp.handle_at_once(live));
    EXPECT_NE(plant.ocsp.handle(live).body, plant.ocsp.handle(live).body);
}

TEST(ocsp_responder, revoked__what_was_kept_is_gone_at_once) {
    Responder plant;
    EXPECT_EQ(plant.status(plant.first), OcspStatus::good);
    EXPECT_EQ(plant.status(plant.second), OcspStatus::good);
    plant.revoke(plant.first);
    EXPECT_EQ(plant.status(plant.first), OcspStatus::revoked);
    EXPECT_TRUE(plant.ocsp.handle_at_once(post(must(plant.about(plant.second).der()))))
        << "of others it stays";
}

TEST(ocsp_responder, revoked_within_the_second_after_it_was_read__known_at_once) {
    Responder plant;
    EXPECT_EQ(plant.status(plant.first, nonce), OcspStatus::good);
    EXPECT_EQ(plant.status(plant.first, nonce), OcspStatus::good);
    plant.revoke(plant.first);
    EXPECT_EQ(plant.status(plant.first, nonce), OcspStatus::revoked);
}

TEST(ocsp_responder, half_of_its_life__signed_again_only_if_asked_for) {
    Responder plant({.lifetime = std::chrono::seconds(2)});
    const auto request = post(must(plant.about(plant.first).der()));
    const auto unused = post(must(plant.about(plant.second).der()));
    const std::string first = plant.ocsp.handle(request).body;
    plant.ocsp.handle(unused);
    plant.ocsp.tick();
    EXPECT_EQ(plant.ocsp.handle(request).body, first) << "not yet";
    std::string body = first;
    const auto end = now_ms() + 30'000;
    while (body == first && now_ms() < end) {
        tick_a_little_later(plant.ocsp);
        body = plant.ocsp.handle(request).body;
    }
    EXPECT_NE(body, first);
    EXPECT_EQ(plant.ocsp.counters().live, 2U) << "by tick(), not by the one who asked";
}

TEST(ocsp_responder, database_away__try_later_and_what_was_kept_until_its_time_is_over) {
    Responder plant({.lifetime = std::chrono::seconds(2)});
    EXPECT_EQ(plant.status(plant.first), OcspStatus::good);
    plant.break_database();
    const auto live = plant.ask(plant.second, nonce);
    ASSERT_FALSE(live);
    EXPECT_EQ(live.error().code, Code::state_stale);
    EXPECT_THAT(live.error().message, HasSubstr("trylater"));
    EXPECT_EQ(plant.count(audit::Id::pki_status_failed), 1U);
    EXPECT_EQ(plant.status(plant.first), OcspStatus::good);
    const auto request = post(must(plant.about(plant.first).der()));
    const auto end = now_ms() + 30'000;
    while (plant.ocsp.handle_at_once(request) && now_ms() < end) tick_a_little_later(plant.ocsp);
    EXPECT_FALSE(plant.ask(plant.first));
}

TEST(ocsp_responder, too_many_of_one_peer__try_later_but_what_is_kept_is_given) {
    Responder plant({.live_per_s = 0.001, .burst = 2});
    EXPECT_EQ(plant.status(plant.first), OcspStatus::good);
    EXPECT_EQ(plant.status(plant.first, nonce), OcspStatus::good);
    EXPECT_FALSE(plant.ask(plant.first, nonce));
    EXPECT_EQ(plant.ocsp.counters().too_fast, 1U);
    EXPECT_EQ(plant.status(plant.first), OcspStatus::good);
    auto other = post(must(plant.about(plant.first, nonce).der()));
    other.remote = "127.0.0.2:1";
    EXPECT_GT(plant.ocsp.handle(other).body.size(), 100U) << "another peer has its own budget";
}

TEST(ocsp_responder, its_own_certificate_revoked__answers_nobody) {
    Responder plant;
    plant.revoke(plant.own);
    EXPECT_FALSE(plant.ask(plant.first, nonce));
}

TEST(ocsp_responder, malformed_and_wrong_forms__refused) {
    Responder plant;
    EXPECT_EQ(plant.ocsp.handle(post("nonsense")).body,
              x509::ocsp_refusal(x509::OcspRefusal::malformed_request));
    auto typed = post(must(plant.about(plant.first).der()));
    typed.content_type = "text/plain";
    EXPECT_EQ(plant.ocsp.handle(typed).status, 415);
    auto put = post("");
    put.method = "PUT";
    EXPECT_EQ(plant.ocsp.handle(put).status, 405);
    auto get = post("");
    get.method = "GET";
    get.path = "/ocsp/!!!";
    EXPECT_EQ(plant.ocsp.handle(get).status, 400);
}

TEST(ocsp_responder, staple__is_there_is_renewed_and_is_none_when_it_cannot_be) {
    Responder plant({.lifetime = std::chrono::seconds(2)});
    EXPECT_EQ(plant.staple(), nullptr);
    plant.answer_for({plant.second.certificate});
    const auto first = plant.staple();
    ASSERT_NE(first, nullptr);
    const auto end = now_ms() + 30'000;
    while (plant.staple() == first && now_ms() < end) tick_a_little_later(plant.ocsp);
    ASSERT_NE(plant.staple(), nullptr) << "renewed without a gap";
    plant.revoke(plant.second);
    EXPECT_EQ(plant.staple(), nullptr);
    plant.ocsp.tick();
    ASSERT_NE(plant.staple(), nullptr);
    const auto answer = must(x509::verify_ocsp_response(
        bytes_of(*plant.staple()), plant.second.certificate, plant.pki.issuing.certificate, {}));
    EXPECT_EQ(answer.status, OcspStatus::revoked);
    plant.break_database();
    while (plant.staple() != nullptr && now_ms() < end) tick_a_little_later(plant.ocsp);
    EXPECT_EQ(plant.staple(), nullptr) << "older than its lifetime";
}

TEST(ocsp_responder, replaced__staple_of_the_certificate_before__holds_until_it_is_not_shown) {
    Responder plant;
    plant.answer_for({plant.first.certificate});
    plant.answer_for({plant.second.certificate});
    ASSERT_NE(plant.staple(), nullptr);
    ASSERT_NE(plant.ocsp.staple(plant.first.certificate.native()), nullptr);
    plant.revoke(plant.first);
    plant.ocsp.tick();
    EXPECT_EQ(plant.ocsp.staple(plant.first.certificate.native()), nullptr);
    ASSERT_NE(plant.staple(), nullptr);
}

TEST(ocsp_responder, two_issuers__each_is_answered_for_by_its_own) {
    Responder plant;
    // An earlier issuing CA, which answers for itself.
    const auto other = must(test::make_pki(Algorithm::ecdsa_p256, Algorithm::ecdsa_p256, "other"));
    const auto theirs = must(test::make_leaf(other, {.id = "mpu-9"}));
    plant.record(theirs, "device", &other.issuing);
    must(plant.ocsp.replace({{plant.pki.issuing.certificate, credentials_of(plant.own)},
                             {other.issuing.certificate, credentials_of(other.issuing)}},
                            {}));
    const auto ask = [&](const test::Entity& leaf, const test::Entity& issuer) {
        const auto request = must(OcspRequest::make(leaf.certificate, issuer.certificate, nonce));
        const auto reply = plant.ocsp.handle(post(must(request.der())));
        return must(x509::verify_ocsp_response(bytes_of(reply.body), leaf.certificate,
                                               issuer.certificate, nonce))
            .status;
    };
    EXPECT_EQ(ask(plant.first, plant.pki.issuing), OcspStatus::good);
    EXPECT_EQ(ask(theirs, other.issuing), OcspStatus::good);
    // A serial that the other one has given.
    plant.record(plant.unrecorded, "device", &other.issuing);
    EXPECT_EQ(ask(plant.unrecorded, plant.pki.issuing), OcspStatus::unknown);
    plant.revoke(theirs);
    EXPECT_EQ(ask(theirs, other.issuing), OcspStatus::revoked);
}

}  // namespace
}  // namespace quoin::server
