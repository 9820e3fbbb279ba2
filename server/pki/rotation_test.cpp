#include "server/pki/rotation.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "server/pki/migration.hpp"
#include "server/pki/offline_root.hpp"
#include "server/pki/switching_fixture.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using x509::Certificate;

constexpr const char* root_passphrase = "correct horse battery";

class Rotating : public SwitchingTest {
protected:
    static void SetUpTestSuite() {
        made_ = temporary_folder();
        const auto made =
            init_pki({.home = made_ / "fresh", .site = "hall-1", .suite = tls::Suite::classical},
                     crypto::Passphrase(root_passphrase));
        ASSERT_TRUE(made) << made.error().message;
    }
    static void TearDownTestSuite() { fs::remove_all(made_); }
    Rotating() { use(made_ / "fresh"); }

    Result<void> rotate(const OnStep& on_step = {}, bool devices_now = false) const {
        return rotate_issuing({.home = home_, .devices_now = devices_now},
                              crypto::Passphrase(root_passphrase), {}, on_step);
    }
    std::vector<std::string> earlier() const {
        std::vector<std::string> serials;
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(home_ / "pki/earlier", none)) {
            serials.push_back(entry.path().filename().string());
        }
        return serials;
    }
    bool has_key_of(const fs::path& folder) const {
        const auto unlock = crypto::existing_unlock_key(home_ / "unlock.key");
        const auto key = crypto::PrivateKey::load(home_ / folder / "issuing.key", *unlock);
        return key && *key->public_key()->spki_der() ==
                          *first(folder / "issuing.crt").public_key()->spki_der();
    }
    // The plant has issuing CA `number`, and all is of one piece.
    void expect_rotated(unsigned number) const {
        expect_sound_services();
        const Certificate issuing = first("pki/issuing.crt");
        EXPECT_EQ(issuing.common_name(),
                  number == 1 ? "hall-1 issuing" : "hall-1 issuing " + std::to_string(number));
        EXPECT_TRUE(has_key_of("pki"));
        EXPECT_EQ(earlier().size(), number - 1);
        for (const std::string& serial : earlier()) {
            EXPECT_EQ(first(fs::path("pki/earlier") / serial / "issuing.crt").serial_hex(), serial);
            EXPECT_TRUE(has_key_of(fs::path("pki/earlier") / serial));
        }
        for (const char* name : {"quoind", "broker", "ra", "ocsp"}) {
            const auto chain = Certificate::load(home_ / "services" / (std::string(name) + ".crt"));
            EXPECT_EQ(chain->back().serial_hex(), issuing.serial_hex()) << name;
        }
        EXPECT_FALSE(fs::exists(home_ / "pki/.next") || fs::exists(home_ / "services/.next"));
    }

    inline static fs::path made_;
};

TEST_F(Rotating, rotate__new_issuing_ca_under_the_same_root_and_the_old_one_kept) {
    const std::string root = fingerprint("pki/root.crt");
    const std::string root_key = text("pki/root.key");
    const std::string old = first("pki/issuing.crt").serial_hex();
    const std::string operator_before = fingerprint("operator/admin.crt");
    const auto done = rotate();
    ASSERT_TRUE(done) << done.error().message;
    expect_rotated(2);
    EXPECT_EQ(fingerprint("pki/root.crt"), root);
    EXPECT_EQ(text("pki/root.key"), root_key);
    EXPECT_EQ(earlier(), std::vector{old});
    EXPECT_EQ(fingerprint("operator/admin.crt"), operator_before);
    EXPECT_TRUE(leftovers().empty());
    EXPECT_FALSE(fs::exists(home_ / "pki-request"));
    EXPECT_THAT(text("pki/ceremony-" + first("pki/issuing.crt").serial_hex() + ".txt"),
                HasSubstr("ISSUING CA"));
    ASSERT_TRUE(renew_services(home_));
    expect_rotated(2);
    ASSERT_TRUE(rotate());
    expect_rotated(3);
}

TEST_F(Rotating, rotate__devices_now__says_so_beside_the_earlier_one) {
    ASSERT_TRUE(rotate({}, true));
    EXPECT_TRUE(fs::exists(home_ / "pki/earlier" / earlier().front() / renew_now_name));
    use(made_ / "fresh");
    ASSERT_TRUE(rotate());
    EXPECT_FALSE(fs::exists(home_ / "pki/earlier" / earlier().front() / renew_now_name));
}

TEST_F(Rotating, rotate__killed_at_each_step__same_command_succeeds_and_rotates_once) {
    int at = 0;
    for (bool more = true; more; ++at) {
        use(made_ / "fresh");
        more = killed_at(at, [&](const OnStep& on_step) { return rotate(on_step); });
        if (more) {
            const std::string certified = text("pki-request/issuing.crt");
            const auto again = rotate();
            ASSERT_TRUE(again) << "killed at step " << at << ": " << again.error().message;
            // What was certified before is what is used now.
            if (!certified.empty()) {
                EXPECT_EQ(text("pki/issuing.crt"), certified);
            }
        }
        expect_rotated(2);
        EXPECT_TRUE(leftovers().empty()) << "killed at step " << at;
        EXPECT_FALSE(fs::exists(home_ / "pki-request"));
    }
    EXPECT_GE(at, 10);
}

TEST_F(Rotating, settle__by_another_after_a_kill__same_command_does_not_rotate_again) {
    int at = 0;
    while (killed_at(at, [&](const OnStep& on_step) { return rotate(on_step); })) {
        if (is_settling(home_)) break;
        use(made_ / "fresh");
        ++at;
    }
    ASSERT_TRUE(is_settling(home_));
    const auto settled = settle_home(home_);
    ASSERT_TRUE(settled && *settled);
    ASSERT_TRUE(rotate());
    expect_rotated(2);
    ASSERT_TRUE(remove_retired(home_));
    EXPECT_TRUE(leftovers().empty());
}

TEST_F(Rotating, rotate__wrong_passphrase_or_root__nothing_changes_and_the_request_stays) {
    const std::string before = fingerprint("pki/issuing.crt");
    EXPECT_FALSE(rotate_issuing({.home = home_}, crypto::Passphrase("not the passphrase")));
    EXPECT_EQ(fingerprint("pki/issuing.crt"), before);
    EXPECT_TRUE(earlier().empty());
    ASSERT_TRUE(rotate());
    expect_rotated(2);
}

TEST_F(Rotating, rotate__while_the_plant_migrates__refused) {
    ASSERT_TRUE(begin_migration({.home = home_, .to = tls::Suite::hybrid},
                                crypto::Passphrase(root_passphrase),
                                crypto::Passphrase("staple of tomorrow")));
    const auto refused = rotate();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::input_conflict);
}

TEST_F(Rotating, offline_root__request_sign_install) {
    const fs::path root_home = folder_ / "root";
    fs::create_directories(root_home / "pki");
    for (const char* name : {"root.crt", "root.key", "profile.toml"}) {
        fs::copy(home_ / "pki" / name, root_home / "pki" / name);
    }
    fs::remove(home_ / "pki/root.key");
    const auto request = request_rotation(home_);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(*request_rotation(home_), *request);  // the same
    const fs::path answer = folder_ / "issuing.crt";
    const auto record = certify_request({.home = root_home, .request = *request, .out = answer},
                                        crypto::Passphrase(root_passphrase));
    ASSERT_TRUE(record) << record.error().message;
    expect_rotated(1);
    const auto done = install_rotation({.home = home_, .certificate = answer});
    ASSERT_TRUE(done) << done.error().message;
    expect_rotated(2);
    EXPECT_TRUE(install_rotation({.home = home_, .certificate = answer}));  // is installed
    expect_rotated(2);
    // Not the answer to another request.
    ASSERT_TRUE(request_rotation(home_));
    const auto other = install_rotation(
        {.home = home_, .certificate = home_ / "pki/earlier" / earlier().front() / "issuing.crt"});
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, HasSubstr("not the answer"));
    expect_rotated(2);
}

TEST_F(Rotating, install__answer_of_another_root__refused) {
    const fs::path other = folder_ / "other";
    ASSERT_TRUE(init_pki({.home = other, .site = "hall-1", .suite = tls::Suite::classical},
                         crypto::Passphrase(root_passphrase)));
    const auto request = request_rotation(home_);
    const fs::path answer = folder_ / "issuing.crt";
    ASSERT_TRUE(certify_request({.home = other, .request = *request, .out = answer},
                                crypto::Passphrase(root_passphrase)));
    EXPECT_FALSE(install_rotation({.home = home_, .certificate = answer}));
    expect_rotated(1);
}

TEST_F(Rotating, install__without_a_request__input_not_found) {
    const auto refused =
        install_rotation({.home = home_, .certificate = home_ / "services/quoind.crt"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::input_not_found);
}

TEST_F(Rotating, retire__key_of_the_earlier_one_is_gone) {
    ASSERT_TRUE(rotate());
    const auto retired = retire_issuing(home_, earlier().front());
    ASSERT_TRUE(retired && *retired);
    EXPECT_TRUE(earlier().empty());
    EXPECT_TRUE(*retire_issuing(home_, "00"));
    expect_sound_services();
}

}  // namespace
}  // namespace quoin::server
