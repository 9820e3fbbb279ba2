#include "server/pki/migration.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>

#include "host/audit/signers.hpp"
#include "host/crypto/library.hpp"
#include "host/x509/former_roots.hpp"
#include "server/config/settings.hpp"
#include "server/pki/switching_fixture.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using x509::Certificate;

constexpr const char* old_passphrase = "correct horse battery";
constexpr const char* new_passphrase = "staple of tomorrow";

class Migrating : public SwitchingTest {
protected:
    static void SetUpTestSuite() {
        made_ = temporary_folder();
        const auto made =
            init_pki({.home = made_ / "fresh", .site = "hall-1", .suite = tls::Suite::classical},
                     crypto::Passphrase(old_passphrase));
        ASSERT_TRUE(made) << made.error().message;
        fs::copy(made_ / "fresh", made_ / "begun", fs::copy_options::recursive);
        const auto begun = begin_at(made_ / "begun", tls::Suite::hybrid, {});
        ASSERT_TRUE(begun) << begun.error().message;
    }
    static void TearDownTestSuite() { fs::remove_all(made_); }

    Migrating() { use("fresh"); }
    // "fresh", or "begun": migrating to hybrid.
    void use(const char* made) const { SwitchingTest::use(made_ / made); }
    static Result<void> begin_at(const fs::path& home, tls::Suite to, const OnStep& on_step) {
        return begin_migration({.home = home, .to = to}, crypto::Passphrase(old_passphrase),
                               crypto::Passphrase(new_passphrase), {}, on_step);
    }
    Result<void> begin(const OnStep& on_step = {}, tls::Suite to = tls::Suite::hybrid) const {
        return begin_at(home_, to, on_step);
    }
    Result<void> finish(const OnStep& on_step = {}) const {
        return finish_migration(home_, {}, on_step);
    }
    Migration pending() const {
        auto found = pending_migration(home_);
        if (!found || !*found) ADD_FAILURE() << "does not migrate";
        return *std::move(*found);
    }
    // What the new root says of the old one's key.
    Certificate former_by_next() const {
        const std::string name = fingerprint("pki/root.crt") + ".crt";
        return Certificate::load(home_ / "next/pki/former" / name)->back();
    }
    // All of one hierarchy: every service chains to the root of this home, which is of this suite.
    void expect_whole(tls::Suite suite) const {
        const auto settings = load_settings(home_);
        ASSERT_TRUE(settings) << settings.error().message;
        EXPECT_EQ(settings->suite, suite);
        const std::array anchors{first("pki/root.crt")};
        EXPECT_EQ(*anchors[0].public_key()->algorithm(), tls::info(suite).root);
        expect_sound_services();
        EXPECT_FALSE(fs::exists(home_ / "pki/.next"));
    }

    inline static fs::path made_;
};

TEST_F(Migrating, begin__makes_a_second_hierarchy_and_leaves_the_present_one) {
    ASSERT_TRUE(add_operator(home_, "anna", x509::Role::viewer));
    const auto before = fingerprint("pki/root.crt");
    const auto begun = begin();
    ASSERT_TRUE(begun) << begun.error().message;
    EXPECT_EQ(fingerprint("pki/root.crt"), before);
    expect_whole(tls::Suite::classical);
    const auto pending = pending_migration(home_);
    ASSERT_TRUE(pending && *pending);
    EXPECT_EQ((*pending)->profile.suite, tls::Suite::hybrid);
    EXPECT_EQ(first("next/operator/anna.crt").identity()->role, x509::Role::viewer);
    EXPECT_EQ(*first("next/services/broker.crt").server_names(),
              *first("services/broker.crt").server_names());
    EXPECT_TRUE(
        crypto::PrivateKey::load(home_ / "next/pki/root.key", crypto::Passphrase(new_passphrase)));
}

// Who trusts the old root is led to the new one; who trusts the new one lets nothing old in.
TEST_F(Migrating, begin__certificates_between_the_roots__lead_forward_only) {
    use("begun");
    const std::array old_root{first("pki/root.crt")};
    const std::array new_root{first("next/pki/root.crt")};
    const auto new_leaf = Certificate::load(home_ / "next/services/broker.crt");
    const auto old_leaf = Certificate::load(home_ / "services/broker.crt");
    const std::array by_old{new_leaf->back(), pending().new_with_old};
    const auto up = x509::verify_chain(new_leaf->front(), by_old, old_root, x509::Purpose::server);
    EXPECT_TRUE(up) << up.error().message;
    // Without it, it is another plant.
    EXPECT_FALSE(x509::verify_chain(new_leaf->front(), std::span(by_old).first(1), old_root,
                                    x509::Purpose::server));
    const std::array by_new{old_leaf->back(), former_by_next()};
    EXPECT_TRUE(x509::verify_chain(by_new[1], {}, new_root, x509::Purpose::any));
    for (const auto purpose : {x509::Purpose::server, x509::Purpose::client}) {
        EXPECT_FALSE(x509::verify_chain(old_leaf->front(), by_new, new_root, purpose));
        EXPECT_FALSE(x509::verify_chain(by_new[1], {}, new_root, purpose)) << "nor by itself";
    }
}

// Names are the same in both, and only keys tell issuers apart: openssl must find its way.
TEST_F(Migrating, begin__certificates_between_the_roots__openssl_is_led_forward_only) {
    use("begun");
    const std::string home = home_.string();
    const auto verify = [&](const std::string& root, const std::string& between,
                            const std::string& leaf) {
        const std::string command =
            "OPENSSL_CONF=" + (crypto::provider_file().parent_path() / "openssl.cnf").string() +
            " openssl verify -x509_strict -CAfile " + root + " -untrusted " + between +
            " -untrusted " + leaf + " " + leaf + " >/dev/null 2>&1";
        return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a foreign program
    };
    const std::string old_root = home + "/pki/root.crt";
    const std::string new_root = home + "/next/pki/root.crt";
    const std::string former = (folder_ / "former.crt").string();
    ASSERT_TRUE(files::write_atomically(former, *former_by_next().pem(), 0600));
    EXPECT_TRUE(
        verify(old_root, home + "/next/pki/new-with-old.crt", home + "/next/services/broker.crt"));
    EXPECT_TRUE(verify(new_root, former, home + "/next/services/broker.crt"));
    EXPECT_FALSE(verify(new_root, former, home + "/services/broker.crt"));
    EXPECT_FALSE(verify(old_root, former, home + "/next/services/broker.crt"));
}

TEST_F(Migrating, begin__again__nothing_changes) {
    use("begun");
    const auto before = fingerprint("next/pki/root.crt");
    EXPECT_TRUE(begin());
    EXPECT_EQ(fingerprint("next/pki/root.crt"), before);
    const auto other = begin({}, tls::Suite::pure);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::input_conflict);
}

TEST_F(Migrating, begin__to_the_same_or_a_weaker_suite__refused) {
    const auto same = begin({}, tls::Suite::classical);
    ASSERT_FALSE(same);
    EXPECT_THAT(same.error().message, HasSubstr("stronger"));
    use("begun");
    ASSERT_TRUE(finish());
    for (const tls::Suite to : {tls::Suite::classical, tls::Suite::hybrid}) {
        const auto refused =
            begin_migration({.home = home_, .to = to}, crypto::Passphrase(new_passphrase),
                            crypto::Passphrase(new_passphrase));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::input_invalid);
    }
}

TEST_F(Migrating, begin__wrong_root_key_or_passphrase__nothing_is_left) {
    const auto wrong = begin_migration({.home = home_, .to = tls::Suite::hybrid},
                                       crypto::Passphrase("not the passphrase"),
                                       crypto::Passphrase(new_passphrase));
    EXPECT_FALSE(wrong);
    const fs::path other = folder_ / "other";
    ASSERT_TRUE(init_pki({.home = other, .site = "hall-1", .suite = tls::Suite::classical},
                         crypto::Passphrase(old_passphrase)));
    const auto foreign = begin_migration(
        {.home = home_, .to = tls::Suite::hybrid, .root_key = other / "pki/root.key"},
        crypto::Passphrase(old_passphrase), crypto::Passphrase(new_passphrase));
    ASSERT_FALSE(foreign);
    EXPECT_THAT(foreign.error().message, HasSubstr("not the key of the plant's root"));
    EXPECT_FALSE(fs::exists(home_ / "next"));
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Migrating, finish__the_new_hierarchy_is_the_only_one) {
    use("begun");
    const auto next = fingerprint("next/pki/root.crt");
    const auto finished = finish();
    ASSERT_TRUE(finished) << finished.error().message;
    EXPECT_EQ(fingerprint("pki/root.crt"), next);
    expect_whole(tls::Suite::hybrid);
    EXPECT_FALSE(fs::exists(home_ / "next"));
    const auto settings = load_settings(home_);
    EXPECT_EQ(settings->broker_port, 8884);
    EXPECT_EQ(settings->broker_next_port, 8883);
    const auto again = finish();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::input_not_found);
    ASSERT_TRUE(remove_retired(home_));
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Migrating, renew_services__both_hierarchies_get_new_ones_and_finish_takes_them) {
    use("begun");
    const auto before = fingerprint("services/quoind.crt");
    const auto next_before = fingerprint("next/services/quoind.crt");
    const auto renewed = renew_services(home_);
    ASSERT_TRUE(renewed) << renewed.error().message;
    EXPECT_NE(fingerprint("services/quoind.crt"), before);
    const auto next = fingerprint("next/services/quoind.crt");
    EXPECT_NE(next, next_before);
    ASSERT_TRUE(finish());
    expect_whole(tls::Suite::hybrid);
    EXPECT_EQ(fingerprint("services/quoind.crt"), next);
}

TEST_F(Migrating, finish__maker_that_was_trusted_meanwhile__stays_trusted) {
    use("begun");
    ASSERT_TRUE(files::write_atomically(home_ / "pki/makers/late.crt", text("pki/root.crt"), 0600));
    ASSERT_TRUE(finish());
    EXPECT_TRUE(fs::exists(home_ / "pki/makers/late.crt"));
}

TEST_F(Migrating, finish__signers_of_the_audit_log__verify_by_the_new_root) {
    const auto old_key = first("services/audit.crt").public_key()->spki_der();
    use("begun");
    ASSERT_TRUE(finish());
    const std::array root{first("pki/root.crt")};
    EXPECT_TRUE(audit::earlier_signers(home_, root)->empty());
    const auto anchors = x509::with_former_roots(home_ / "pki", root);
    ASSERT_TRUE(anchors) << anchors.error().message;
    const auto keys = audit::earlier_signers(home_, *anchors);
    ASSERT_EQ(keys->size(), 1U);
    EXPECT_EQ(*keys->front().spki_der(), *old_key);
}

TEST_F(Migrating, former_roots__cross_certificate_of_another__root_not_trusted) {
    use("begun");
    ASSERT_TRUE(finish());
    const fs::path other = folder_ / "other";
    ASSERT_TRUE(init_pki({.home = other, .site = "hall-1", .suite = tls::Suite::classical},
                         crypto::Passphrase(old_passphrase)));
    // Its root, with the cross-certificate of ours.
    std::string ours;
    for (const auto& entry : fs::directory_iterator(home_ / "pki/former")) {
        ours = entry.path().string();
    }
    const auto pair = Certificate::load(ours);
    ASSERT_TRUE(files::write_atomically(
        ours, *files::read(other / "pki/root.crt") + *pair->back().pem(), 0600));
    const std::array root{first("pki/root.crt")};
    EXPECT_EQ(x509::with_former_roots(home_ / "pki", root)->size(), 1U);
}

TEST_F(Migrating, abort__the_present_hierarchy_stays_and_another_can_begin) {
    use("begun");
    const auto next = fingerprint("next/pki/root.crt");
    ASSERT_TRUE(abort_migration(home_));
    expect_whole(tls::Suite::classical);
    EXPECT_FALSE(fs::exists(home_ / "next"));
    EXPECT_TRUE(leftovers().empty());
    ASSERT_TRUE(begin());
    EXPECT_NE(fingerprint("next/pki/root.crt"), next);
}

TEST_F(Migrating, abort__not_confirmed__the_plant_migrates_on) {
    use("begun");
    const auto next = fingerprint("next/pki/root.crt");
    bool was_aside = false;
    const auto refused = abort_migration(home_, [&]() -> Result<void> {
        was_aside = !*pending_migration(home_);
        return fail(Code::state_wrong, "a device has moved");
    });
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("a device has moved"));
    EXPECT_TRUE(was_aside);
    EXPECT_EQ(fingerprint("next/pki/root.crt"), next);
    EXPECT_TRUE(leftovers().empty());
    ASSERT_TRUE(finish());
}

TEST_F(Migrating, begin__killed_at_each_step__the_plant_is_as_before_and_begin_succeeds) {
    int at = 0;
    while (killed_at(at, [&](const OnStep& on_step) { return begin(on_step); })) {
        expect_whole(tls::Suite::classical);
        EXPECT_FALSE(fs::exists(home_ / "next"));
        ++at;
    }
    EXPECT_GE(at, 4);
    EXPECT_TRUE(fs::exists(home_ / "next"));
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Migrating, finish__killed_at_each_step__finish_again_succeeds) {
    int at = 0;
    for (bool more = true; more; ++at) {
        use("begun");
        more = killed_at(at, [&](const OnStep& on_step) { return finish(on_step); });
        if (more) {
            const auto again = finish();
            ASSERT_TRUE(again) << "killed at step " << at << ": " << again.error().message;
        }
        expect_whole(tls::Suite::hybrid);
        ASSERT_TRUE(remove_retired(home_));
        EXPECT_TRUE(leftovers().empty()) << "killed at step " << at;
    }
    EXPECT_GE(at, 6);
}

TEST_F(Migrating, settle__after_a_kill_behind_the_rename__does_it_to_its_end) {
    use("begun");
    // Two steps of finish itself, then those of settle: the second folder is not exchanged.
    ASSERT_TRUE(killed_at(3, [&](const OnStep& on_step) { return finish(on_step); }));
    EXPECT_TRUE(fs::exists(home_ / ".switching"));
    const auto settled = settle_home(home_);
    ASSERT_TRUE(settled && *settled);
    expect_whole(tls::Suite::hybrid);
    EXPECT_FALSE(*settle_home(home_));
}

}  // namespace
}  // namespace quoin::server
