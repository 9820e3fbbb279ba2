#include "server/pki/birth_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/x509/test_pki.hpp"
#include "server/fixture.hpp"
#include "server/pki/approval.hpp"

namespace quoin::server {
namespace {

using crypto::Algorithm;

class birth_key : public testing::Test {
protected:
    // A birth certificate of this key that is on the inventory: its digest.
    std::string add(const x509::Certificate& birth, const std::string& device, int epoch) {
        const std::string digest = crypto::to_hex(must(birth.sha256()));
        must(plant_.database->transaction([&](soci::session& session) -> Result<void> {
            session << "INSERT INTO births VALUES (:digest, :device, :epoch, '')",
                soci::use(digest), soci::use(device), soci::use(epoch);
            return {};
        }));
        return digest;
    }
    x509::Certificate birth_of(const crypto::PrivateKey& key) {
        return must(x509::issue(pki_.issuing.key, pki_.issuing.certificate, must(key.public_key()),
                                {.profile = x509::Profile::device,
                                 .common_name = "mpu-1",
                                 .identity = x509::Identity{.kind = x509::Kind::device,
                                                            .site = std::string(x509::test::site),
                                                            .id = "mpu-1",
                                                            .role = std::nullopt},
                                 .names = {},
                                 .lifetime = std::chrono::hours(1)}));
    }
    Result<void> show(const x509::Certificate& birth, const std::string& digest) {
        const BirthKey shown{.certificate = digest,
                             .key = crypto::to_hex(must(key_digest(must(birth.public_key()))))};
        return plant_.database->transaction(
            [&](soci::session& session) { return remember_birth_key(session, shown); });
    }

    Fixture plant_;
    x509::test::Pki pki_ = must(x509::test::make_pki(Algorithm::ecdsa_p256, Algorithm::ecdsa_p256));
    crypto::PrivateKey key_ = must(crypto::PrivateKey::generate(Algorithm::ecdsa_p256));
};

TEST_F(birth_key, the_same_certificate__again_and_again) {
    const auto birth = birth_of(key_);
    const std::string digest = add(birth, "mpu-1", 1);
    EXPECT_TRUE(show(birth, digest));
    EXPECT_TRUE(show(birth, digest));
}

TEST_F(birth_key, new_certificate_of_a_known_key__refused_and_its_owner_named) {
    const auto first = birth_of(key_);
    must(show(first, add(first, "mpu-1", 1)));
    const auto second = birth_of(key_);
    const std::string digest = add(second, "mpu-1", 2);
    for (int i = 0; i < 2; ++i) {
        const auto refused = show(second, digest);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::peer_forbidden);
        EXPECT_THAT(refused.error().message, testing::HasSubstr("mpu-1"));
    }
    const auto fresh = birth_of(must(crypto::PrivateKey::generate(Algorithm::ecdsa_p256)));
    EXPECT_TRUE(show(fresh, add(fresh, "mpu-1", 2)));
}

}  // namespace
}  // namespace quoin::server
