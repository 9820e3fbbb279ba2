#include "host/x509/former_roots.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "host/files/files.hpp"
#include "host/x509/cross.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::x509 {
namespace {

using crypto::Algorithm;
using test::Pki;

Pki pki(const std::string& label) {
    auto made = test::make_pki(Algorithm::ecdsa_p256, Algorithm::ecdsa_p256, label);
    if (!made) ADD_FAILURE() << made.error().message;
    return *std::move(made);
}

class FormerRoots : public testing::Test {
protected:
    FormerRoots() {
        std::string name = "/tmp/quoin-former-XXXXXX";
        pki_folder_ = ::mkdtemp(name.data());
        std::filesystem::create_directory(pki_folder_ / former_roots_name);
    }
    ~FormerRoots() override { std::filesystem::remove_all(pki_folder_); }
    void keep(const std::string& name, const Certificate& root, const Certificate& statement) {
        const auto file = pki_folder_ / former_roots_name / name;
        const auto written = files::write_atomically(file, *root.pem() + *statement.pem(), 0600);
        ASSERT_TRUE(written) << written.error().message;
    }
    std::vector<Certificate> trusted(const Certificate& anchor) const {
        auto found = with_former_roots(pki_folder_, std::span(&anchor, 1));
        if (!found) ADD_FAILURE() << found.error().message;
        return *std::move(found);
    }
    static Certificate statement(const Pki& by, const Pki& former) {
        return *certify_former(by.root.key, by.root.certificate, former.root.certificate);
    }

    const Pki first_ = pki("plant"), second_ = pki("plant"), third_ = pki("plant");
    std::filesystem::path pki_folder_;
};

TEST_F(FormerRoots, of_two_migrations__both_are_trusted_for_what_was) {
    keep("a.crt", first_.root.certificate, statement(second_, first_));
    keep("b.crt", second_.root.certificate, statement(third_, second_));
    EXPECT_EQ(trusted(third_.root.certificate).size(), 3U);
    EXPECT_EQ(trusted(second_.root.certificate).size(), 2U);
    EXPECT_EQ(trusted(first_.root.certificate).size(), 1U)
        << "the new one is not stated by the old";
}

TEST_F(FormerRoots, statement_is_of_another_key__not_trusted) {
    keep("a.crt", first_.root.certificate, statement(third_, second_));
    EXPECT_EQ(trusted(third_.root.certificate).size(), 1U);
}

// It says who was; whoever has that key must not get in by it.
TEST_F(FormerRoots, statement__is_no_ca_and_no_client) {
    const Certificate said = statement(second_, first_);
    EXPECT_FALSE(said.is_ca());
    const std::vector<Certificate> anchors = second_.anchors();
    EXPECT_TRUE(verify_chain(said, {}, anchors, Purpose::any));
    EXPECT_FALSE(verify_chain(said, {}, anchors, Purpose::client));
    EXPECT_FALSE(verify_chain(first_.issuing.certificate, {&said, 1}, anchors, Purpose::any));
    const auto leaf = test::make_leaf(first_, {});
    const std::vector<Certificate> above{first_.issuing.certificate, said};
    EXPECT_FALSE(verify_chain(leaf->certificate, above, anchors, Purpose::client));
}

}  // namespace
}  // namespace quoin::x509
