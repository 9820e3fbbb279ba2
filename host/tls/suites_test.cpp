// A server of two suites, as a plant has it while it migrates: each client gets what it can check.
#include "host/tls/suites.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "host/tls/test_handshake.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::tls {
namespace {

using x509::test::Pki;

struct Side {
    Suite suite;
    Pki pki;
    Credentials server;
    Credentials mcu;
    Credentials mpu;
};

// The root is of the issuing CA's algorithm: an SLH-DSA root takes a while, and is not sent.
Result<Side> make_side(Suite suite) {
    const SuiteInfo& row = info(suite);
    QUOIN_TRY(Pki pki, x509::test::make_pki(row.issuing, row.issuing, "plant"));
    QUOIN_TRY(const auto server, make_leaf(pki, {.profile = x509::Profile::server,
                                                 .kind = x509::Kind::service,
                                                 .id = "quoind",
                                                 .algorithm = row.service,
                                                 .names = {"plant.test"}}));
    QUOIN_TRY(const auto mcu, make_leaf(pki, {.id = "mcu-1", .algorithm = row.mcu}));
    QUOIN_TRY(const auto mpu, make_leaf(pki, {.id = "mpu-1", .algorithm = row.mpu}));
    Credentials shown{pki.chain(server), server.key};
    Credentials of_mcu{pki.chain(mcu), mcu.key};
    Credentials of_mpu{pki.chain(mpu), mpu.key};
    return Side{suite, std::move(pki), std::move(shown), std::move(of_mcu), std::move(of_mpu)};
}

class Migrating : public testing::TestWithParam<std::pair<Suite, Suite>> {
protected:
    void SetUp() override {
        for (const Suite suite : {GetParam().first, GetParam().second}) {
            auto side = make_side(suite);
            ASSERT_TRUE(side) << side.error().message;
            sides_.push_back(*std::move(side));
        }
        std::vector<ServerIdentity> identities;
        std::vector<x509::Certificate> anchors;
        for (const Side& side : sides_) {
            identities.push_back({side.suite, side.server});
            anchors.push_back(side.pki.root.certificate);
        }
        auto context = server_context(identities, anchors, true);
        ASSERT_TRUE(context) << context.error().message;
        server_ = *std::move(context);
    }

    // `trusted`: whose root the client has pinned.
    test::Outcome connect(Suite suite, const Side& trusted, const Credentials& shown) {
        const auto anchors = trusted.pki.anchors();
        const auto context = client_context(suite, anchors, Server::quoind, &shown);
        if (!context) ADD_FAILURE() << context.error().message;
        const test::Connection client(SSL_new(context->get()));
        const test::Connection server(SSL_new(server_.get()));
        EXPECT_TRUE(expect_server(client.get(), "plant.test"));
        return test::run(client.get(), server.get());
    }

    std::vector<Side> sides_;
    Context server_;
};

TEST_P(Migrating, device_of_either_suite__gets_the_certificate_and_the_group_of_it) {
    for (const Side& side : sides_) {
        for (const Credentials* device : {&side.mcu, &side.mpu}) {
            const auto outcome = connect(side.suite, side, *device);
            EXPECT_TRUE(outcome.ok()) << info(side.suite).name << ": "
                                      << X509_verify_cert_error_string(outcome.client_verify);
            EXPECT_STRCASEEQ(outcome.group.c_str(), std::string(info(side.suite).groups).c_str());
        }
    }
}

// Of others: it has pinned the present root, and can check everything.
TEST_P(Migrating, client_that_can_check_both__gets_the_present_one) {
    const auto anchors = sides_[0].pki.anchors();
    const auto context = client_context(sides_[0].suite, anchors, Server::quoind, &sides_[0].mpu);
    ASSERT_TRUE(context) << context.error().message;
    const Suite next_first[] = {sides_[1].suite, sides_[0].suite};
    const Offer all = offer(next_first);
    ASSERT_EQ(SSL_CTX_set1_groups_list(context->get(), all.groups.c_str()), 1);
    ASSERT_EQ(SSL_CTX_set1_sigalgs_list(context->get(), all.signatures.c_str()), 1);
    ASSERT_EQ(SSL_CTX_set1_client_sigalgs_list(context->get(), all.signatures.c_str()), 1);
    const test::Connection client(SSL_new(context->get()));
    const test::Connection server(SSL_new(server_.get()));
    ASSERT_TRUE(expect_server(client.get(), "plant.test"));
    const auto outcome = test::run(client.get(), server.get());
    EXPECT_TRUE(outcome.ok()) << X509_verify_cert_error_string(outcome.client_verify);
}

// What makes the move safe: each side's root vouches for its own side only.
TEST_P(Migrating, device_that_trusts_the_other_root__refuses_the_server) {
    EXPECT_FALSE(connect(sides_[0].suite, sides_[1], sides_[0].mpu).ok());
    EXPECT_FALSE(connect(sides_[1].suite, sides_[0], sides_[1].mpu).ok());
}

INSTANTIATE_TEST_SUITE_P(suites, Migrating,
                         testing::Values(std::pair(Suite::classical, Suite::hybrid),
                                         std::pair(Suite::classical, Suite::pure),
                                         std::pair(Suite::hybrid, Suite::pure)));

TEST(suites, offer__of_several__each_name_once) {
    const Suite both[] = {Suite::hybrid, Suite::pure};
    const Offer all = offer(both);
    EXPECT_EQ(all.groups, "X25519MLKEM768:MLKEM768");
    EXPECT_EQ(all.signatures, "mldsa65_ed25519:mldsa44_ed25519:mldsa65:mldsa44");
    EXPECT_EQ(all.client_signatures, all.signatures);
    const Suite pure[] = {Suite::pure};
    EXPECT_EQ(offer(pure).signatures, "mldsa65:mldsa44");
    EXPECT_EQ(offer(pure).client_signatures, "mldsa65:mldsa44:mldsa65_ed25519:mldsa44_ed25519");
}

}  // namespace
}  // namespace quoin::tls
