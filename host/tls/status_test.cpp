// Handshakes in memory of a server with, and without, the status of its certificate.
#include "host/tls/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>

#include "host/tls/policy.hpp"
#include "host/tls/test_handshake.hpp"
#include "host/x509/ocsp.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::tls {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using x509::OcspAnswer;
using x509::OcspStatus;
using x509::test::Entity;

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

struct Plant {
    x509::test::Pki pki;
    Entity server, other, responder;
};

Result<Plant> make_plant() {
    const SuiteInfo& row = info(Suite::hybrid);
    QUOIN_TRY(auto pki, x509::test::make_pki(row.root, row.issuing));
    x509::test::LeafRequest named{.profile = x509::Profile::server,
                                  .kind = x509::Kind::service,
                                  .id = "quoind",
                                  .algorithm = row.service,
                                  .names = {"plant.test"}};
    QUOIN_TRY(auto server, x509::test::make_leaf(pki, named));
    QUOIN_TRY(auto other, x509::test::make_leaf(pki, named));
    QUOIN_TRY(auto responder, x509::test::make_leaf(pki, {.profile = x509::Profile::ocsp,
                                                          .kind = x509::Kind::service,
                                                          .id = "ocsp",
                                                          .algorithm = row.ocsp}));
    return Plant{std::move(pki), std::move(server), std::move(other), std::move(responder)};
}

const Plant& plant() {
    static const auto made = make_plant();
    if (!made) ADD_FAILURE() << made.error().message;
    return *made;
}

std::shared_ptr<const std::string> status_of(const Entity& entity, OcspStatus status,
                                             int seconds = 60) {
    const auto request =
        x509::OcspRequest::make(entity.certificate, plant().pki.issuing.certificate, {});
    const std::array answers{OcspAnswer{.status = status,
                                        .this_update_ms = now_ms() - 10'000,
                                        .next_update_ms = now_ms() + seconds * 1000}};
    auto der = x509::sign_ocsp_response(plant().responder.key, plant().responder.certificate,
                                        *request, answers);
    if (!der) ADD_FAILURE() << der.error().message;
    return std::make_shared<const std::string>(*std::move(der));
}

struct Ended {
    bool ok;
    std::string why;
};

Ended handshake(const Staple& source, bool demanded = true) {
    const auto server_context =
        tls::server_context(Suite::hybrid, {plant().pki.chain(plant().server), plant().server.key},
                            plant().pki.anchors(), false);
    const auto client_context =
        tls::client_context(Suite::hybrid, plant().pki.anchors(), Server::quoind, nullptr);
    EXPECT_TRUE(server_context && client_context);
    if (source) {
        EXPECT_TRUE(staple(server_context->get(), source));
    }
    if (demanded) {
        EXPECT_TRUE(demand_staple(client_context->get()));
    }
    const test::Connection client(SSL_new(client_context->get()));
    const test::Connection server(SSL_new(server_context->get()));
    EXPECT_TRUE(expect_server(client.get(), "plant.test"));
    const bool ok = test::run(client.get(), server.get()).ok();
    return {ok, status_failure(client.get())};
}

Ended handshake_with(const std::shared_ptr<const std::string>& der) {
    return handshake([der] { return der; });
}

TEST(status, good_staple__connects) {
    const Ended ended = handshake_with(status_of(plant().server, OcspStatus::good));
    EXPECT_TRUE(ended.ok) << ended.why;
    EXPECT_THAT(ended.why, IsEmpty());
}

TEST(status, no_staple__refused_with_the_reason) {
    for (const Staple& none : {Staple(), Staple([] { return nullptr; })}) {
        const Ended ended = handshake(none);
        EXPECT_FALSE(ended.ok);
        EXPECT_THAT(ended.why, HasSubstr("no status"));
    }
}

TEST(status, not_demanded__connects_without) { EXPECT_TRUE(handshake({}, false).ok); }

TEST(status, revoked__refused) {
    const Ended ended = handshake_with(status_of(plant().server, OcspStatus::revoked));
    EXPECT_FALSE(ended.ok);
    EXPECT_THAT(ended.why, HasSubstr("revoked"));
}

TEST(status, unknown__refused) {
    EXPECT_FALSE(handshake_with(status_of(plant().server, OcspStatus::unknown)).ok);
}

TEST(status, too_old__refused) {
    const Ended ended = handshake_with(status_of(plant().server, OcspStatus::good, -2));
    EXPECT_FALSE(ended.ok);
    EXPECT_THAT(ended.why, HasSubstr("too old"));
}

TEST(status, of_another_certificate_of_the_same_name__refused) {
    EXPECT_FALSE(handshake_with(status_of(plant().other, OcspStatus::good)).ok);
}

TEST(status, not_der__refused) {
    EXPECT_FALSE(handshake_with(std::make_shared<const std::string>("nonsense")).ok);
}

}  // namespace
}  // namespace quoin::tls
