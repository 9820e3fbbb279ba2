// Handshakes in memory: what the policy lets pass and, more, what it does not.
#include "host/tls/policy.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <optional>

#include "host/tls/test_handshake.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::tls {
namespace {

using test::Connection;
using test::Outcome;
using x509::test::Entity;
using x509::test::Pki;

struct Plant {
    Pki pki;
    Entity server;
    Entity device;
    Credentials server_credentials() const { return {pki.chain(server), server.key}; }
    Credentials device_credentials() const { return {pki.chain(device), device.key}; }
};

Result<Plant> make_plant(Suite suite, const std::string& label) {
    const SuiteInfo& row = info(suite);
    QUOIN_TRY(auto pki, x509::test::make_pki(row.root, row.issuing, label));
    QUOIN_TRY(auto server, make_leaf(pki, {.profile = x509::Profile::server,
                                           .kind = x509::Kind::service,
                                           .id = "quoind",
                                           .algorithm = row.service,
                                           .names = {"plant.test", "127.0.0.1", "::1"}}));
    QUOIN_TRY(auto device, make_leaf(pki, {.id = "mcu-1", .algorithm = row.mcu}));
    return Plant{std::move(pki), std::move(server), std::move(device)};
}

// One for each suite, and a foreign one: an SLH-DSA root takes a while to make.
const Plant& plant(Suite suite) {
    static std::array<std::optional<Plant>, 3> plants;
    auto& slot = plants[static_cast<std::size_t>(suite)];
    if (!slot) {
        auto made = make_plant(suite, "plant");
        if (!made) ADD_FAILURE() << made.error().message;
        slot.emplace(*std::move(made));
    }
    return *slot;
}

struct Arrangement {
    Suite suite = Suite::pure;
    std::optional<Credentials> shown = {};  // by the client
    // By both; none: the plant's root.
    std::optional<std::vector<x509::Certificate>> trust = {};
    std::optional<Credentials> server = {};  // none: the plant's quoind
    bool require_client = true;
    std::string host = "plant.test";  // empty: expect_server() forgotten
    Server expected = Server::quoind;
};

Outcome handshake(const Arrangement& setup, void (*change)(SSL* client) = nullptr) {
    const Plant& home = plant(setup.suite);
    const auto anchors = setup.trust ? *setup.trust : home.pki.anchors();
    const auto server_context =
        tls::server_context(setup.suite, setup.server ? *setup.server : home.server_credentials(),
                            anchors, setup.require_client);
    const auto client_context = tls::client_context(setup.suite, anchors, setup.expected,
                                                    setup.shown ? &*setup.shown : nullptr);
    if (!server_context || !client_context) {
        ADD_FAILURE() << (server_context ? client_context.error() : server_context.error()).message;
        return {};
    }
    const Connection client(SSL_new(client_context->get()));
    const Connection server(SSL_new(server_context->get()));
    if (!setup.host.empty()) {
        EXPECT_TRUE(expect_server(client.get(), setup.host));
    }
    if (change != nullptr) change(client.get());
    return test::run(client.get(), server.get());
}

class EverySuite : public testing::TestWithParam<Suite> {
protected:
    Arrangement mutual() const {
        return {.suite = GetParam(), .shown = plant(GetParam()).device_credentials()};
    }
};

TEST_P(EverySuite, handshake__device_and_server_of_one_plant__both_authenticated) {
    const Outcome outcome = handshake(mutual());
    EXPECT_TRUE(outcome.ok()) << X509_verify_cert_error_string(outcome.client_verify) << ", "
                              << X509_verify_cert_error_string(outcome.server_verify);
    EXPECT_TRUE(outcome.peer_certificate);
    EXPECT_STRCASEEQ(outcome.group.c_str(), std::string(info(GetParam()).groups).c_str());
}

TEST_P(EverySuite, handshake__no_session_ticket_is_sent) {
    EXPECT_EQ(handshake(mutual()).tickets_on_wire, 0);
}

TEST_P(EverySuite, handshake__client_without_certificate_where_required__refused) {
    EXPECT_FALSE(handshake({.suite = GetParam(), .shown = {}}).ok());
}

TEST_P(EverySuite, handshake__client_without_certificate_where_optional__connects) {
    const Outcome outcome = handshake({.suite = GetParam(), .shown = {}, .require_client = false});
    EXPECT_TRUE(outcome.ok());
    EXPECT_FALSE(outcome.peer_certificate);
}

TEST_P(EverySuite, handshake__tls_1_2__refused) {
    const Outcome outcome = handshake(mutual(), [](SSL* client) {
        SSL_set_min_proto_version(client, TLS1_2_VERSION);
        SSL_set_max_proto_version(client, TLS1_2_VERSION);
    });
    EXPECT_FALSE(outcome.ok());
}

INSTANTIATE_TEST_SUITE_P(policy, EverySuite,
                         testing::Values(Suite::classical, Suite::hybrid, Suite::pure),
                         [](const auto& given) {
                             return std::string(tls::info(given.param).name);
                         });

class PostQuantum : public EverySuite {};

TEST_P(PostQuantum, handshake__client_offers_x25519_only__refused) {
    const Outcome outcome =
        handshake(mutual(), [](SSL* client) { SSL_set1_groups_list(client, "X25519"); });
    EXPECT_FALSE(outcome.ok());
}

TEST_P(PostQuantum, handshake__client_takes_classical_signatures_only__refused) {
    const Outcome outcome = handshake(mutual(), [](SSL* client) {
        SSL_set1_sigalgs_list(client, "ed25519:ecdsa_secp256r1_sha256");
    });
    EXPECT_FALSE(outcome.ok());
}

TEST_P(PostQuantum, handshake__client_shows_a_classical_key_of_this_plant__refused) {
    const Pki& pki = plant(GetParam()).pki;
    const auto weak = make_leaf(pki, {.id = "mcu-2", .algorithm = crypto::Algorithm::ed25519});
    ASSERT_TRUE(weak);
    const Arrangement setup{.suite = GetParam(), .shown = Credentials{pki.chain(*weak), weak->key}};
    EXPECT_FALSE(handshake(setup).ok());
}

TEST(policy, handshake__ml_dsa_without_its_other_half_in_a_hybrid_plant__refused) {
    const Plant& home = plant(Suite::hybrid);
    const auto half =
        make_leaf(home.pki, {.id = "mpu-2", .algorithm = crypto::Algorithm::ml_dsa_65});
    const auto half_server = make_leaf(home.pki, {.profile = x509::Profile::server,
                                                  .kind = x509::Kind::service,
                                                  .id = "quoind",
                                                  .algorithm = crypto::Algorithm::ml_dsa_65,
                                                  .names = {"localhost"}});
    ASSERT_TRUE(half && half_server);
    EXPECT_FALSE(
        handshake({.suite = Suite::hybrid, .shown = Credentials{home.pki.chain(*half), half->key}})
            .ok());
    EXPECT_FALSE(handshake({.suite = Suite::hybrid,
                            .shown = home.device_credentials(),
                            .server = Credentials{home.pki.chain(*half_server), half_server->key}})
                     .ok());
    const Arrangement sound{.suite = Suite::hybrid, .shown = home.device_credentials()};
    EXPECT_TRUE(handshake(sound).ok());
    EXPECT_FALSE(handshake(sound, [](SSL* client) {
                     SSL_set1_sigalgs_list(client, "mldsa65:mldsa44");
                 }).ok());
}

// As devices are born.
TEST(policy, handshake__composite_device_in_a_pure_plant__connects) {
    const Plant& home = plant(Suite::pure);
    const auto born =
        make_leaf(home.pki, {.id = "mpu-2", .algorithm = crypto::Algorithm::ml_dsa_65_ed25519});
    ASSERT_TRUE(born);
    EXPECT_TRUE(
        handshake({.suite = Suite::pure, .shown = Credentials{home.pki.chain(*born), born->key}})
            .ok());
}

INSTANTIATE_TEST_SUITE_P(policy, PostQuantum, testing::Values(Suite::hybrid, Suite::pure),
                         [](const auto& given) {
                             return std::string(tls::info(given.param).name);
                         });

const Plant& foreign_plant() {
    static const auto made = make_plant(Suite::hybrid, "foreign");
    if (!made) ADD_FAILURE() << made.error().message;
    return *made;
}

TEST(policy, handshake__client_certificate_of_a_foreign_ca__refused_even_where_optional) {
    const Arrangement setup{.suite = Suite::pure,
                            .shown = foreign_plant().device_credentials(),
                            .require_client = false};
    const Outcome outcome = handshake(setup);
    EXPECT_FALSE(outcome.ok());
    EXPECT_NE(outcome.server_verify, X509_V_OK);
}

TEST(policy, handshake__server_of_a_foreign_ca__refused) {
    const Arrangement setup{.suite = Suite::hybrid,
                            .shown = plant(Suite::hybrid).device_credentials(),
                            .server = foreign_plant().server_credentials()};
    const Outcome outcome = handshake(setup);
    EXPECT_FALSE(outcome.ok());
    EXPECT_NE(outcome.client_verify, X509_V_OK);
}

TEST(policy, handshake__server_name_that_the_certificate_lacks__refused) {
    for (const char* host : {"other.test", "127.0.0.2", "quoind"}) {
        const Outcome outcome =
            handshake({.shown = plant(Suite::pure).device_credentials(), .host = host});
        EXPECT_FALSE(outcome.ok()) << host;
    }
}

TEST(policy, handshake__server_by_ip_address__connects) {
    for (const char* host : {"127.0.0.1", "::1"}) {
        const Outcome outcome =
            handshake({.shown = plant(Suite::pure).device_credentials(), .host = host});
        EXPECT_TRUE(outcome.ok()) << host;
    }
}

TEST(policy, handshake__caller_forgot_the_server_name__refused) {
    const Outcome outcome =
        handshake({.shown = plant(Suite::pure).device_credentials(), .host = ""});
    EXPECT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.client_verify, X509_V_ERR_HOSTNAME_MISMATCH);
}

TEST(policy, handshake__device_certificate_played_as_server__refused) {
    const Outcome outcome = handshake({.shown = plant(Suite::pure).device_credentials(),
                                       .server = plant(Suite::pure).device_credentials()});
    EXPECT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.client_verify, X509_V_ERR_INVALID_PURPOSE);
}

TEST(policy, handshake__attestation_certificate_shown_as_client__refused) {
    const Pki& pki = plant(Suite::pure).pki;
    const auto attest = make_leaf(pki, {.profile = x509::Profile::attest,
                                        .kind = x509::Kind::attest,
                                        .algorithm = crypto::Algorithm::ml_dsa_65});
    ASSERT_TRUE(attest);
    const Outcome outcome = handshake({.shown = Credentials{pki.chain(*attest), attest->key}});
    EXPECT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.server_verify, X509_V_ERR_INVALID_PURPOSE);
}

TEST(policy, handshake__leaf_without_issuing_certificate__refused) {
    Credentials lone = plant(Suite::pure).device_credentials();
    lone.chain.pop_back();
    EXPECT_FALSE(handshake({.shown = std::move(lone)}).ok());
}

// All services have the names of the plant's hosts.
TEST(policy, handshake__broker_where_quoind_is_expected__refused) {
    const Plant& home = plant(Suite::pure);
    const auto broker = make_leaf(home.pki, {.profile = x509::Profile::server,
                                             .kind = x509::Kind::service,
                                             .id = "broker",
                                             .algorithm = crypto::Algorithm::ml_dsa_65,
                                             .names = {"plant.test"}});
    ASSERT_TRUE(broker);
    Arrangement setup{.shown = home.device_credentials(),
                      .server = Credentials{home.pki.chain(*broker), broker->key}};
    const Outcome outcome = handshake(setup);
    EXPECT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.client_verify, X509_V_ERR_HOSTNAME_MISMATCH);
    setup.expected = Server::broker;
    EXPECT_TRUE(handshake(setup).ok());
    setup.server.reset();
    EXPECT_FALSE(handshake(setup).ok()) << "quoind where the broker is expected";
}

// Post-quantum leaves, as TLS wants them, by CAs that a quantum computer breaks.
TEST(policy, handshake__classical_ca_in_the_chain__refused_unless_the_suite_is_classical) {
    using crypto::Algorithm;
    for (const auto& [root, issuing] :
         {std::pair(Algorithm::ml_dsa_65_ed25519, Algorithm::ecdsa_p256),
          std::pair(Algorithm::ecdsa_p256, Algorithm::ml_dsa_65_ed25519)}) {
        const auto weak = x509::test::make_pki(root, issuing);
        ASSERT_TRUE(weak);
        const auto server = make_leaf(*weak, {.profile = x509::Profile::server,
                                              .kind = x509::Kind::service,
                                              .id = "quoind",
                                              .algorithm = Algorithm::ml_dsa_65_ed25519,
                                              .names = {"plant.test"}});
        const auto device =
            make_leaf(*weak, {.id = "mpu-1", .algorithm = Algorithm::ml_dsa_65_ed25519});
        ASSERT_TRUE(server && device);
        std::vector<x509::Certificate> both = plant(Suite::hybrid).pki.anchors();
        both.push_back(weak->root.certificate);
        const Credentials weak_server{weak->chain(*server), server->key};
        const Credentials weak_device{weak->chain(*device), device->key};
        const Outcome by_client = handshake({.suite = Suite::hybrid,
                                             .shown = plant(Suite::hybrid).device_credentials(),
                                             .trust = both,
                                             .server = weak_server});
        EXPECT_FALSE(by_client.ok());
        EXPECT_EQ(by_client.client_verify, X509_V_ERR_CA_KEY_TOO_SMALL);
        const Outcome by_server =
            handshake({.suite = Suite::hybrid, .shown = weak_device, .trust = both});
        EXPECT_FALSE(by_server.ok());
        EXPECT_EQ(by_server.server_verify, X509_V_ERR_CA_KEY_TOO_SMALL);
    }
}

TEST(policy, server_context__key_of_another_certificate__config_invalid) {
    Credentials mixed = plant(Suite::pure).server_credentials();
    mixed.key = plant(Suite::pure).device.key;
    const auto context = server_context(Suite::pure, mixed, plant(Suite::pure).pki.anchors(), true);
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().code, Code::config_invalid);
}

TEST(policy, server_context__empty_chain__config_invalid) {
    Credentials none = plant(Suite::pure).server_credentials();
    none.chain.clear();
    EXPECT_FALSE(server_context(Suite::pure, none, plant(Suite::pure).pki.anchors(), true));
}

TEST(policy, suite_by_name__classical_without_danger__refused) {
    EXPECT_FALSE(suite_by_name("classical", false));
    EXPECT_TRUE(suite_by_name("classical", true));
    EXPECT_TRUE(suite_by_name("pure", false));
    EXPECT_FALSE(suite_by_name("PURE", false));
}

TEST(policy, expect_server__empty_name__refused) {
    const auto context =
        client_context(Suite::pure, plant(Suite::pure).pki.anchors(), Server::quoind, nullptr);
    ASSERT_TRUE(context);
    const Connection client(SSL_new(context->get()));
    EXPECT_FALSE(expect_server(client.get(), ""));
}

}  // namespace
}  // namespace quoin::tls
