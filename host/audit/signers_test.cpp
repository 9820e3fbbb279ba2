#include "host/audit/signers.hpp"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "host/audit/test_log.hpp"
#include "host/files/files.hpp"

namespace quoin::audit {
namespace {

using std::chrono::seconds;
using x509::Certificate;
using x509::Kind;
using x509::Profile;

constexpr seconds lasting{3600};

struct Entity {
    crypto::PrivateKey key;
    Certificate certificate;
};

x509::IssueRequest request(Profile profile, seconds lifetime, const std::string& service = "") {
    x509::IssueRequest wanted{.profile = profile,
                              .common_name = service.empty() ? "ca" : service,
                              .identity = {},
                              .names = {},
                              .lifetime = lifetime};
    if (!service.empty()) wanted.identity = x509::Identity{Kind::service, "hall-1", service, {}};
    return wanted;
}

Entity root() {
    auto key = test::make_key();
    auto certificate = *x509::issue_root(key, request(Profile::root, lasting));
    return {std::move(key), std::move(certificate)};
}

Entity issued(const Entity& by, const x509::IssueRequest& wanted) {
    auto key = test::make_key();
    auto certificate = *x509::issue(by.key, by.certificate, *key.public_key(), wanted);
    return {std::move(key), std::move(certificate)};
}

// The same certificate, expired 30 s ago (notBefore is 60 s ago).
Entity expired(const Entity& by, Entity entity) {
    X509* copy = X509_dup(entity.certificate.native());
    X509_gmtime_adj(X509_getm_notAfter(copy), -30);
    EXPECT_NE(X509_sign(copy, by.key.native(), nullptr), 0);
    entity.certificate = Certificate(copy);
    X509_free(copy);
    return entity;
}

class Signers : public test::LogTest {
protected:
    // As a renewal leaves it.
    void keep(const Certificate& leaf, const Certificate& ca) const {
        ASSERT_TRUE(files::make_private_folder(folder_ / "services"));
        ASSERT_TRUE(files::write_atomically(folder_ / "services" / "audit.crt",
                                            *leaf.pem() + *ca.pem(), 0600));
        const auto kept = keep_signer(folder_);
        ASSERT_TRUE(kept) << kept.error().message;
    }
    std::size_t found() const {
        const auto keys = earlier_signers(folder_, std::span(&root_.certificate, 1));
        EXPECT_TRUE(keys) << keys.error().message;
        return keys->size();
    }

    Entity root_ = root();
    Entity issuing_ = issued(root_, request(Profile::issuing, lasting));
};

TEST_F(Signers, earlier_signers__certificate_expired_since__what_it_signed_is_believed) {
    EXPECT_EQ(found(), 0U);
    const auto service = request(Profile::service, lasting, "audit");
    const Entity audit = expired(issuing_, issued(issuing_, service));
    const std::array anchors{root_.certificate};
    ASSERT_FALSE(x509::verify_chain(audit.certificate, std::span(&issuing_.certificate, 1), anchors,
                                    x509::Purpose::any))
        << "it has expired";
    keep(audit.certificate, issuing_.certificate);
    EXPECT_EQ(found(), 1U);
    // Its issuing CA too.
    const Entity ca = issued(root_, request(Profile::issuing, lasting));
    keep(expired(ca, issued(ca, service)).certificate, expired(root_, ca).certificate);
    EXPECT_EQ(found(), 2U);
}

TEST_F(Signers, earlier_signers__of_another_plant_or_service__passed_over) {
    keep(issued(issuing_, request(Profile::service, lasting, "broker")).certificate,
         issuing_.certificate);
    const Entity other_root = root();
    const Entity other = issued(other_root, request(Profile::issuing, lasting));
    keep(issued(other, request(Profile::service, lasting, "audit")).certificate, other.certificate);
    EXPECT_EQ(found(), 0U);
}

}  // namespace
}  // namespace quoin::audit
