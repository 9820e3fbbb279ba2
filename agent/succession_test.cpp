#include "agent/succession.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/x509/cross.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::agent {
namespace {

using crypto::Algorithm;
using testing::HasSubstr;
using x509::Certificate;
using x509::test::Pki;

Pki pki(Algorithm algorithm, const std::string& label = "plant") {
    auto made = x509::test::make_pki(algorithm, algorithm, label);
    if (!made) ADD_FAILURE() << made.error().message;
    return *std::move(made);
}

Certificate cross(const Pki& issuer, const Certificate& subject) {
    auto made = x509::certify_successor(issuer.root.key, issuer.root.certificate, subject,
                                        std::string(x509::test::site));
    if (!made) ADD_FAILURE() << made.error().message;
    return *std::move(made);
}

class Succession : public testing::Test {
protected:
    Result<Certificate> find(const std::vector<Certificate>& offered) const {
        const std::vector<Certificate> pinned = old_.anchors();
        return find_successor(offered, pinned);
    }
    void expect_none(const std::vector<Certificate>& offered) const {
        const auto found = find(offered);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, Code::peer_unauthenticated);
    }

    const Pki old_ = pki(Algorithm::ecdsa_p256);
    const Pki new_ = pki(Algorithm::ml_dsa_65);
    const Certificate old_root_ = old_.root.certificate;
    const Certificate new_root_ = new_.root.certificate;
    const Certificate new_with_old_ = cross(old_, new_root_);
    const Certificate old_with_new_ = cross(new_, old_root_);
};

TEST_F(Succession, find_successor__as_a_plant_offers_it__the_new_root) {
    const auto found = find({old_root_, old_.issuing.certificate, new_root_,
                             new_.issuing.certificate, new_with_old_, old_with_new_});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found->sha256(), *new_root_.sha256());
}

TEST_F(Succession, find_successor__without_new_with_old__none) {
    expect_none({old_root_, new_root_, new_.issuing.certificate, old_with_new_});
    expect_none({old_root_, old_.issuing.certificate});
    expect_none({});
}

TEST_F(Succession, find_successor__forged_new_with_old__none) {
    // Of the right names, by a key that only says it is the pinned root's.
    const Pki forger = pki(Algorithm::ecdsa_p256);
    expect_none({old_root_, new_root_, cross(forger, new_root_)});
    // With its own root, as if that were the pinned one.
    expect_none({forger.root.certificate, new_root_, cross(forger, new_root_)});
    // A good one with one bit of its signature changed.
    auto der = *new_with_old_.der();
    der.back() ^= 1U;
    expect_none({old_root_, new_root_, *Certificate::from_der(der)});
}

TEST_F(Succession, find_successor__new_with_old_of_another_key__none) {
    const Pki other = pki(Algorithm::ml_dsa_65);
    expect_none({old_root_, other.root.certificate, new_with_old_});
}

// An issuing CA of the plant must not make its roots.
TEST_F(Succession, find_successor__certified_by_the_issuing_ca__none) {
    const auto by_issuing =
        x509::issue(old_.issuing.key, old_.issuing.certificate, *new_root_.public_key(),
                    {.profile = x509::Profile::issuing,
                     .common_name = new_root_.common_name(),
                     .identity = {},
                     .names = {},
                     .lifetime = std::chrono::hours(1)});
    ASSERT_TRUE(by_issuing);
    expect_none({old_root_, old_.issuing.certificate, new_root_, *by_issuing});
}

TEST_F(Succession, find_successor__classical_root__none) {
    const Pki classical = pki(Algorithm::ecdsa_p256);
    expect_none({old_root_, classical.root.certificate, cross(old_, classical.root.certificate)});
}

TEST_F(Succession, find_successor__two_of_them__none) {
    const Pki other = pki(Algorithm::ml_dsa_65);
    expect_none({old_root_, new_root_, new_with_old_, other.root.certificate,
                 cross(old_, other.root.certificate)});
}

TEST(succession, stronger_suite__any_pair__only_upwards) {
    using tls::Suite;
    EXPECT_EQ(*stronger_suite(Suite::classical, "hybrid"), Suite::hybrid);
    EXPECT_EQ(*stronger_suite(Suite::classical, "pure"), Suite::pure);
    EXPECT_EQ(*stronger_suite(Suite::hybrid, "pure"), Suite::pure);
    for (const auto& [present, offered] :
         {std::pair(Suite::hybrid, "classical"), std::pair(Suite::pure, "classical"),
          std::pair(Suite::pure, "hybrid"), std::pair(Suite::hybrid, "hybrid"),
          std::pair(Suite::hybrid, "none"), std::pair(Suite::hybrid, "")}) {
        const auto refused = stronger_suite(present, offered);
        ASSERT_FALSE(refused) << offered;
        EXPECT_EQ(refused.error().code, Code::peer_forbidden);
    }
}

}  // namespace
}  // namespace quoin::agent
