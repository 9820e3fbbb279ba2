#include "agent/identity.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "agent/test_folder.hpp"
#include "host/files/files.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::agent {
namespace {

namespace fs = std::filesystem;
using x509::test::Entity;
using x509::test::Pki;

const Pki& pki() {
    static const Pki made =
        *x509::test::make_pki(crypto::Algorithm::ml_dsa_65, crypto::Algorithm::ml_dsa_65);
    return made;
}

Identity make_identity() {
    const Entity leaf = *x509::test::make_leaf(pki(), {.algorithm = crypto::Algorithm::ml_dsa_65});
    const Entity attest =
        *x509::test::make_leaf(pki(), {.profile = x509::Profile::attest,
                                       .kind = x509::Kind::attest,
                                       .algorithm = crypto::Algorithm::slh_dsa_shake_128f});
    return {"mpu-1",
            std::string(x509::test::site),
            {pki().chain(leaf), leaf.key},
            AttestationKey{attest.certificate, *keys::AttestationKey::of(attest.key)}};
}

class identity : public testing::Test {
protected:
    identity() {
        EXPECT_TRUE(crypto::unlock_key(folder.path() / "unlock.key"));
        store.emplace(*IdentityStore::open(folder.path()));
    }
    test::TempFolder folder;
    std::optional<IdentityStore> store;
};

// The key on disk belongs to the certificate beside it.
void expect_whole(const Identity& got) {
    const auto of_key = *got.session.key.public_key()->spki_der();
    EXPECT_EQ(of_key, *got.certificate().public_key()->spki_der());
    ASSERT_TRUE(got.attestation);
    const auto of_attest_key = *got.attestation->key.public_key().spki_der();
    EXPECT_EQ(of_attest_key, *got.attestation->certificate.public_key()->spki_der());
}

TEST_F(identity, current__before_enrolment__is_none) {
    const auto current = store->current();
    ASSERT_TRUE(current);
    EXPECT_FALSE(current->has_value());
}

TEST_F(identity, replace__then_current__is_the_new_one__and_the_old_is_gone) {
    const Identity first = make_identity();
    const Identity second = make_identity();
    ASSERT_TRUE(store->replace(first));
    EXPECT_EQ((*store->current())->certificate().serial_hex(), first.certificate().serial_hex());
    ASSERT_TRUE(store->replace(second));
    const auto got = store->current();
    ASSERT_TRUE(got && *got);
    EXPECT_EQ((**got).certificate().serial_hex(), second.certificate().serial_hex());
    EXPECT_EQ((**got).device, "mpu-1");
    EXPECT_EQ((**got).site, x509::test::site);
    EXPECT_EQ((**got).session.chain.size(), 2U);
    expect_whole(**got);
    EXPECT_FALSE(fs::exists(folder.path() / "identity" / "1"));
}

TEST_F(identity, files__hold_no_key_in_clear) {
    ASSERT_TRUE(store->replace(make_identity()));
    for (const char* name : {"device.key", "attest.key"}) {
        const auto text = files::read(folder.path() / "identity" / "1" / name);
        ASSERT_TRUE(text);
        EXPECT_TRUE(text->starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        const auto mode = fs::status(folder.path() / "identity" / "1" / name).permissions();
        EXPECT_EQ(mode & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write);
    }
}

TEST_F(identity, current__link_or_files_damaged__is_an_error) {
    ASSERT_TRUE(store->replace(make_identity()));
    test::write(folder.path() / "identity" / "1" / "device.key", "nonsense");
    EXPECT_FALSE(store->current());
    fs::remove(folder.path() / "identity" / "current");
    fs::create_symlink("../elsewhere", folder.path() / "identity" / "current");
    EXPECT_EQ(store->current().error().code, Code::integrity_mismatch);
}

std::string spki_hex(const crypto::PrivateKey& key) {
    return crypto::to_hex(*key.public_key()->spki_der());
}

Asked asked_of(const Identity& identity) {
    return {tls::Suite::hybrid, identity.session.key, identity.attestation->key};
}

TEST_F(identity, asked__kept_whole_and_encrypted_until_forgotten) {
    EXPECT_FALSE(*store->asked());
    const Identity first = make_identity();
    const Identity second = make_identity();
    ASSERT_TRUE(store->keep(asked_of(first)));
    ASSERT_TRUE(store->keep(asked_of(second)));
    const fs::path asked = folder.path() / "identity" / "asked";
    for (const char* name : {"device.key", "attest.key"}) {
        const auto text = files::read(asked / name);
        ASSERT_TRUE(text);
        EXPECT_TRUE(text->starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    }
    const auto got = store->asked();
    ASSERT_TRUE(got && *got);
    EXPECT_EQ((*got)->suite, tls::Suite::hybrid);
    EXPECT_EQ(spki_hex((*got)->session), spki_hex(second.session.key));
    EXPECT_EQ(*(*got)->attestation->public_key().spki_der(),
              *second.attestation->key.public_key().spki_der());
    EXPECT_FALSE(*store->current());
    ASSERT_TRUE(store->forget_asked());
    EXPECT_FALSE(*store->asked());
}

TEST_F(identity, asked__when_answered_or_cut_off__is_none) {
    const Identity made = make_identity();
    ASSERT_TRUE(store->keep(asked_of(made)));
    const fs::path asked = folder.path() / "identity" / "asked";
    fs::rename(asked, folder.path() / "identity" / "asked.new");
    EXPECT_FALSE(*store->asked()) << "a crash before it was whole";
    ASSERT_TRUE(store->keep(asked_of(made)));
    ASSERT_TRUE(store->replace(made));
    EXPECT_FALSE(fs::exists(asked));
    ASSERT_TRUE(store->keep(asked_of(made)));
    EXPECT_FALSE(*store->asked()) << "a crash behind the switch: the key has its certificate";
    test::write(asked / "device.key", "nonsense");
    EXPECT_FALSE(store->asked());
}

TEST_F(identity, keys_in_files__production__refused_when_loaded) {
    const Identity made = make_identity();
    ASSERT_TRUE(store->replace(made));
    const auto unlock = *crypto::existing_unlock_key(folder.path() / "unlock.key");
    const Entity birth = *x509::test::make_leaf(pki(), {.profile = x509::Profile::birth,
                                                        .kind = x509::Kind::birth,
                                                        .algorithm = crypto::Algorithm::ml_dsa_65});
    test::write(folder.path() / "birth.crt", *birth.certificate.pem());
    test::write(folder.path() / "birth.key", *birth.key.to_encrypted_pem(unlock));
    EXPECT_TRUE(store->current());
    EXPECT_TRUE(store->birth_credentials());
    const auto production =
        *IdentityStore::open(folder.path(), {.keys = {.production = true}, .tpm = ""});
    const auto current = production.current();
    ASSERT_FALSE(current);
    EXPECT_EQ(current.error().code, Code::config_invalid);
    const auto credentials = production.birth_credentials();
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().code, Code::config_invalid) << credentials.error().message;
    // The attestation key by itself.
    const auto attest = keys::AttestationKey::from_pem(*made.attestation->key.pem(unlock), unlock,
                                                       {.keys = {.production = true}, .tpm = ""});
    ASSERT_FALSE(attest);
    EXPECT_EQ(attest.error().code, Code::config_invalid);
}

TEST_F(identity, birth__other_certificate__is_refused) {
    const Identity not_birth = make_identity();
    test::write(folder.path() / "birth.crt", *not_birth.certificate().pem());
    const auto unlock = *crypto::existing_unlock_key(folder.path() / "unlock.key");
    test::write(folder.path() / "birth.key", *not_birth.session.key.to_encrypted_pem(unlock));
    EXPECT_EQ(store->birth().error().code, Code::config_invalid);
}

TEST_F(identity, killed_at_any_moment_of_a_switch__one_whole_identity_is_there) {
    const std::vector<Identity> two{make_identity(), make_identity()};
    ASSERT_TRUE(store->replace(two[0]));
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::set<std::string> seen;
    for (int round = 0; round < 30; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (std::size_t i = 0;; ++i) {
                if (!store->replace(two[i % 2])) ::_exit(1);
            }
        }
        // tidy: allow(banned-call) because the moment of the kill is the point.
        std::this_thread::sleep_for(std::chrono::microseconds(1000 + random() % 250'000));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed";
        const auto got = store->current();
        ASSERT_TRUE(got && *got) << got.error().message;
        expect_whole(**got);
        seen.insert((**got).certificate().serial_hex());
    }
    EXPECT_EQ(seen.size(), 2U) << "the switch never happened between two kills";
}

}  // namespace
}  // namespace quoin::agent
