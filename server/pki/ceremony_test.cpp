#include "server/pki/ceremony.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"
#include "server/config/settings.hpp"
#include "server/pki/birth.hpp"
#include "server/pki/offline_root.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using x509::Certificate;

constexpr const char* passphrase_text = "correct horse battery";

class Folder : public testing::Test {
protected:
    Folder() {
        std::string name = testing::TempDir() + "quoin-ceremony-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
        folder_ = name;
        home_ = folder_ / "home";
    }
    ~Folder() override { fs::remove_all(folder_); }

    // Classical takes milliseconds; the suites that matter have tests of their own.
    Result<void> init(tls::Suite suite = tls::Suite::classical) const {
        return init_pki({.home = home_, .site = "hall-1", .suite = suite},
                        crypto::Passphrase(passphrase_text));
    }
    Certificate first(const fs::path& file) const {
        const auto chain = Certificate::load(home_ / file);
        if (!chain) ADD_FAILURE() << chain.error().message;
        return chain->front();
    }
    std::vector<std::string> names_in(const fs::path& where) const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(where)) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }
    fs::path folder_, home_;
};

class Ceremony : public Folder {};

void expect_private(const fs::path& path) {
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, S_ISDIR(status.st_mode) ? 0700U : 0600U) << path;
}

TEST_F(Ceremony, init_pki__pure__algorithms_of_the_suite) {
    const auto made = init(tls::Suite::pure);
    ASSERT_TRUE(made) << made.error().message;
    using crypto::Algorithm;
    EXPECT_EQ(*first("pki/root.crt").public_key()->algorithm(), Algorithm::slh_dsa_sha2_128s);
    EXPECT_EQ(*first("pki/issuing.crt").public_key()->algorithm(), Algorithm::ml_dsa_65);
    EXPECT_EQ(*first("services/quoind.crt").public_key()->algorithm(), Algorithm::ml_dsa_65);
    const auto root_key =
        crypto::PrivateKey::load(home_ / "pki/root.key", crypto::Passphrase(passphrase_text));
    EXPECT_TRUE(root_key);
}

TEST_F(Ceremony, init_pki__profile_of_its_own__every_certificate_by_it) {
    std::string text = find_profile("hybrid")->text;
    const auto set = [&text](std::string_view key, std::string_view value) {
        const std::size_t at = text.find(fmt::format("\n{} = ", key)) + 1;
        text.replace(at, text.find('\n', at) - at, fmt::format("{} = \"{}\"", key, value));
    };
    set("root", "SLH-DSA-SHAKE-128f");
    set("issuing", "SLH-DSA-SHAKE-128f");
    set("ra", "SLH-DSA-SHAKE-128f");
    set("service", "ML-DSA-44+Ed25519");
    const std::size_t lifetime = text.find("[lifetime]");
    text.replace(text.find("root = ", lifetime), 12, "root = \"9y\" ");
    PkiRequest request{.home = home_, .site = "hall-1"};
    request.profile = *parse_profile(text, "mine.toml");
    const auto made = init_pki(request, crypto::Passphrase(passphrase_text));
    ASSERT_TRUE(made) << made.error().message;
    using crypto::Algorithm;
    const auto algorithm = [&](const char* file) { return *first(file).public_key()->algorithm(); };
    EXPECT_EQ(algorithm("pki/root.crt"), Algorithm::slh_dsa_shake_128f);
    EXPECT_EQ(algorithm("pki/issuing.crt"), Algorithm::slh_dsa_shake_128f);
    EXPECT_EQ(algorithm("services/ra.crt"), Algorithm::slh_dsa_shake_128f);
    EXPECT_EQ(algorithm("services/broker.crt"), Algorithm::ml_dsa_44_ed25519);
    EXPECT_EQ(algorithm("services/ocsp.crt"), Algorithm::ml_dsa_65);
    EXPECT_EQ(algorithm("operator/admin.crt"), Algorithm::ml_dsa_65_ed25519);
    EXPECT_EQ(*files::read(home_ / "pki/profile.toml"), text);
    EXPECT_EQ(load_settings(home_)->suite, tls::Suite::hybrid);
    // In TLS: tests/e2e/test_renewal.py.
    const auto chain = *Certificate::load(home_ / "services/broker.crt");
    const std::array anchors{first("pki/root.crt")};
    EXPECT_TRUE(
        x509::verify_chain(chain[0], std::span(chain).subspan(1), anchors, x509::Purpose::server));
}

// Days that a certificate lives.
std::int64_t days_of(const Certificate& certificate) {
    return (certificate.not_after_ms() - certificate.not_before_ms()) / 86'400'000;
}

TEST_F(Ceremony, init_pki__lifetimes__are_the_profiles) {
    ASSERT_TRUE(init());
    EXPECT_EQ(days_of(first("pki/root.crt")), 20 * 365);
    EXPECT_EQ(days_of(first("pki/issuing.crt")), 5 * 365);
    EXPECT_EQ(days_of(first("services/broker.crt")), 90);
    EXPECT_EQ(days_of(first("services/ra.crt")), 90);
    EXPECT_EQ(days_of(first("services/ocsp.crt")), 30);
    EXPECT_EQ(days_of(first("operator/admin.crt")), 365);
}

std::string text_of_certificate(const fs::path& file) {
    const std::string command = fmt::format("openssl x509 -noout -text -in '{}'", file.string());
    std::string text(1 << 16, '\0');
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    text.resize(std::fread(text.data(), 1, text.size(), pipe));
    ::pclose(pipe);
    return text;
}

TEST_F(Ceremony, init_pki__status_url__in_certificates_and_configuration) {
    PkiRequest request{.home = home_, .site = "s", .suite = tls::Suite::classical};
    request.status_url = "http://plant.example:8080/x";
    EXPECT_FALSE(init_pki(request, crypto::Passphrase(passphrase_text))) << "a path";
    request.status_url = "http://plant.example:8080";
    const auto made = init_pki(request, crypto::Passphrase(passphrase_text));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(load_settings(home_)->status_url, request.status_url);
    const std::string service = text_of_certificate(home_ / "services/broker.crt");
    const std::string of_issuer =
        "http://plant.example:8080/issuing-" + first("pki/issuing.crt").serial_hex();
    EXPECT_THAT(service, HasSubstr("URI:" + of_issuer + ".crl"));
    EXPECT_THAT(service, HasSubstr("OCSP - URI:http://plant.example:8080/ocsp"));
    EXPECT_THAT(service, HasSubstr("CA Issuers - URI:" + of_issuer + ".crt"));
    const std::string issuing = text_of_certificate(home_ / "pki/issuing.crt");
    EXPECT_THAT(issuing, HasSubstr("CA Issuers - URI:http://plant.example:8080/root.crt"));
    EXPECT_THAT(issuing, testing::Not(HasSubstr("OCSP")));
    ASSERT_TRUE(add_operator(home_, "anna", x509::Role::viewer));
    EXPECT_THAT(text_of_certificate(home_ / "operator/anna.crt"), HasSubstr("/ocsp"));
}

std::string digits(std::string_view hex) {  // as the record groups them
    std::string grouped;
    for (std::size_t i = 0; i < 32; i += 8) {
        grouped += fmt::format("{}{}", i > 0 ? " " : "", hex.substr(i, 8));
    }
    return grouped;
}

TEST_F(Ceremony, record__init__what_when_by_whom_and_what_next) {
    PkiRequest request{.home = home_, .site = "hall-1", .suite = tls::Suite::classical};
    request.witnesses = {"Anna Muster", "Ben Beispiel"};
    ASSERT_TRUE(init_pki(request, crypto::Passphrase(passphrase_text)));
    const auto record = files::read(home_ / "pki/ceremony.txt");
    ASSERT_TRUE(record);
    const Certificate root = first("pki/root.crt");
    const Certificate issuing = first("pki/issuing.crt");
    for (const std::string& part :
         {std::string("hall-1"), std::string("ECDSA-P256"), root.serial_hex(), issuing.serial_hex(),
          first("services/ra.crt").serial_hex(), digits(crypto::to_hex(*root.sha256())),
          digits(crypto::to_hex(*root.sha3_512())), digits(crypto::to_hex(*issuing.sha256())),
          std::string("witness        Ben Beispiel"), std::string(" UTC"), std::string("quoin 0."),
          std::string("OpenSSL 3."), std::string("root.key"), std::string("signature ____")}) {
        EXPECT_THAT(*record, HasSubstr(part));
    }
    EXPECT_THAT(*record, testing::Not(HasSubstr("PRIVATE KEY")));
    EXPECT_THAT(*record, testing::Not(HasSubstr(passphrase_text)));
}

TEST_F(Ceremony, record__witness_with_control_characters__refused) {
    PkiRequest request{.home = home_, .site = "s", .suite = tls::Suite::classical};
    for (const char* name : {"", "a\nb", "\x1b[2J"}) {
        request.witnesses = {name};
        EXPECT_EQ(init_pki(request, crypto::Passphrase(passphrase_text)).error().code,
                  Code::input_invalid);
    }
}

class OfflineRoot : public Folder {
protected:
    const crypto::Passphrase passphrase_{passphrase_text};
    fs::path root_ = folder_ / "root";
    fs::path answer_ = folder_ / "issuing.crt";

    PkiRequest request_in(const fs::path& home, tls::Suite suite = tls::Suite::classical) const {
        return {.home = home, .site = "hall-1", .suite = suite};
    }
    Result<fs::path> ask(tls::Suite suite = tls::Suite::classical) const {
        return request_issuing(request_in(home_, suite), root_ / "pki/root.crt");
    }
    Result<fs::path> sign(const fs::path& request) const {
        return certify_request(
            {.home = root_, .request = request, .out = answer_, .witnesses = {"Anna"}},
            passphrase_);
    }
};

TEST_F(OfflineRoot, both_machines__as_init_but_no_root_key_in_the_plant) {
    const auto root = new_root(request_in(root_), passphrase_);
    ASSERT_TRUE(root) << root.error().message;
    EXPECT_THAT(*files::read(root_ / "pki/ceremony.txt"), HasSubstr("ROOT CA"));
    const auto asked = ask();
    ASSERT_TRUE(asked) << asked.error().message;
    EXPECT_FALSE(fs::exists(home_ / "pki"));
    const auto record = sign(*asked);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_THAT(*files::read(*record), HasSubstr("witness        Anna"));
    const auto installed = install_issuing(request_in(home_), answer_);
    ASSERT_TRUE(installed) << installed.error().message;
    EXPECT_THAT(names_in(home_), testing::UnorderedElementsAre("pki", "services", "operator",
                                                               "quoin.toml", "unlock.key"));
    EXPECT_FALSE(fs::exists(home_ / "pki/root.key"));
    EXPECT_EQ(*first("pki/root.crt").sha256(),
              *Certificate::load(root_ / "pki/root.crt")->front().sha256());
    const std::array anchors{first("pki/root.crt")};
    const auto chain = *Certificate::load(home_ / "services/quoind.crt");
    EXPECT_TRUE(
        x509::verify_chain(chain[0], std::span(chain).subspan(1), anchors, x509::Purpose::server));
    EXPECT_TRUE(load_settings(home_));
    EXPECT_TRUE(add_operator(home_, "anna", x509::Role::viewer)) << "a home like any other";
    EXPECT_THAT(*files::read(home_ / "pki/ceremony.txt"),
                HasSubstr(first("pki/issuing.crt").serial_hex()));
}

TEST_F(OfflineRoot, request__again__the_earlier_one_is_forgotten) {
    ASSERT_TRUE(new_root(request_in(root_), passphrase_));
    const auto first_request = ask();
    ASSERT_TRUE(first_request);
    fs::copy_file(*first_request, folder_ / "first.csr");
    ASSERT_TRUE(ask());
    ASSERT_TRUE(sign(folder_ / "first.csr"));
    const auto wrong = install_issuing(request_in(home_), answer_);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Code::input_invalid);
    fs::remove(answer_);
    ASSERT_TRUE(sign(home_ / "pki-request/issuing.csr"));
    const auto installed = install_issuing(request_in(home_), answer_);
    EXPECT_TRUE(installed) << installed.error().message;
}

TEST_F(OfflineRoot, sign__request_of_another_site_or_algorithm_or_broken__refused) {
    ASSERT_TRUE(new_root(request_in(root_), passphrase_));
    {
        PkiRequest other = request_in(folder_ / "other");
        other.site = "hall-2";
        ASSERT_TRUE(new_root(other, passphrase_));
        const auto asked = request_issuing(request_in(home_), folder_ / "other/pki/root.crt");
        ASSERT_TRUE(asked);
        EXPECT_EQ(sign(*asked).error().code, Code::input_invalid) << "site";
        fs::remove(home_ / "quoin.toml");
    }
    const auto pure = ask(tls::Suite::pure);
    ASSERT_TRUE(pure) << pure.error().message;
    EXPECT_THAT(sign(*pure).error().message, HasSubstr("ML-DSA-65"));
    const auto good = ask();
    ASSERT_TRUE(good);
    std::string bytes = *files::read(*good);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    ASSERT_TRUE(files::write_atomically(folder_ / "broken.csr", bytes, 0600));
    EXPECT_FALSE(sign(folder_ / "broken.csr")) << "nobody proves that he has the key";
    EXPECT_FALSE(fs::exists(answer_));
    EXPECT_FALSE(certify_request({.home = root_, .request = *good, .out = answer_},
                                 crypto::Passphrase("another passphrase")));
    const auto other = certify_request(
        {.home = root_, .request = *good, .out = answer_, .request_sha256 = std::string(64, '0')},
        passphrase_);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, HasSubstr("another request"));
    EXPECT_FALSE(fs::exists(answer_));
}

TEST_F(OfflineRoot, install__certificate_of_another_root__refused_and_can_be_repeated) {
    ASSERT_TRUE(new_root(request_in(root_), passphrase_));
    const auto asked = ask();
    ASSERT_TRUE(asked);
    const fs::path other = folder_ / "other";
    ASSERT_TRUE(new_root(request_in(other), passphrase_));
    ASSERT_TRUE(certify_request({.home = other, .request = *asked, .out = answer_}, passphrase_));
    EXPECT_EQ(install_issuing(request_in(home_), answer_).error().code, Code::input_invalid);
    EXPECT_FALSE(fs::exists(home_ / "pki"));
    fs::remove(answer_);
    ASSERT_TRUE(sign(*asked));
    PkiRequest bad = request_in(home_);
    bad.names = {"a b"};  // noticed when some services are made
    EXPECT_FALSE(install_issuing(bad, answer_));
    EXPECT_FALSE(fs::exists(home_ / "pki"));
    const auto installed = install_issuing(request_in(home_), answer_);
    EXPECT_TRUE(installed) << installed.error().message;
}

TEST_F(Ceremony, init_pki__every_leaf__chains_to_the_root_with_its_identity) {
    ASSERT_TRUE(init());
    const std::array anchors{first("pki/root.crt")};
    const auto crl = files::read(home_ / "pki/crl.pem");
    ASSERT_TRUE(crl);
    for (const char* file : {"services/quoind", "services/broker", "services/telemetry",
                             "services/verifier", "services/audit", "operator/admin"}) {
        const auto chain = Certificate::load(home_ / (std::string(file) + ".crt"));
        ASSERT_TRUE(chain) << file;
        ASSERT_EQ(chain->size(), 2U) << file;
        const auto sound = x509::verify_chain(chain->front(), std::span(*chain).subspan(1), anchors,
                                              x509::Purpose::client, *crl);
        EXPECT_TRUE(sound) << file << ": " << sound.error().message;
        EXPECT_EQ(chain->front().identity()->site, "hall-1");
        const auto unlock = crypto::existing_unlock_key(home_ / "unlock.key");
        EXPECT_TRUE(crypto::PrivateKey::load(home_ / (std::string(file) + ".key"), *unlock));
    }
    EXPECT_EQ(first("operator/admin.crt").identity()->role, x509::Role::admin);
    EXPECT_THAT(*first("services/broker.crt").server_names(),
                testing::ElementsAre("localhost", "127.0.0.1", "::1"));
}

TEST_F(Ceremony, init_pki__everything__is_private) {
    ASSERT_TRUE(init());
    expect_private(home_);
    for (const auto& entry : fs::recursive_directory_iterator(home_)) expect_private(entry.path());
}

TEST_F(Ceremony, init_pki__no_key_in_clear) {
    ASSERT_TRUE(init());
    int keys = 0;
    for (const auto& entry : fs::recursive_directory_iterator(home_)) {
        if (!entry.is_regular_file()) continue;
        const auto text = files::read(entry.path());
        ASSERT_TRUE(text);
        EXPECT_THAT(*text, testing::Not(HasSubstr("BEGIN PRIVATE KEY")));
        keys += text->contains("BEGIN ENCRYPTED PRIVATE KEY") ? 1 : 0;
    }
    EXPECT_EQ(keys, 10);  // root, issuing, seven services, admin
}

TEST_F(Ceremony, init_pki__root_key__not_under_the_unlock_key) {
    ASSERT_TRUE(init());
    const auto unlock = crypto::existing_unlock_key(home_ / "unlock.key");
    EXPECT_FALSE(crypto::PrivateKey::load(home_ / "pki/root.key", *unlock));
}

TEST_F(Ceremony, init_pki__second_time__refused_and_nothing_changed) {
    ASSERT_TRUE(init());
    const auto before = files::read(home_ / "pki/root.crt");
    const auto again = init();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::input_conflict);
    EXPECT_EQ(*files::read(home_ / "pki/root.crt"), *before);
}

TEST_F(Ceremony, init_pki__wrong_request__nothing_left_behind) {
    const crypto::Passphrase good(passphrase_text);
    const auto refused = [&](PkiRequest request, const crypto::Passphrase& passphrase) {
        const auto made = init_pki(request, passphrase);
        return !made && made.error().code == Code::input_invalid && !fs::exists(home_);
    };
    const PkiRequest sound{.home = home_, .site = "s", .suite = tls::Suite::classical};
    for (const char* site : {"", "a b", "birth", "a:b", "a/b", "ä"}) {
        PkiRequest request = sound;
        request.site = site;
        EXPECT_TRUE(refused(request, good)) << site;
    }
    for (const char* name : {"", "a b", "*.test", "a,DNS:b"}) {
        PkiRequest request = sound;
        request.names = {name};
        EXPECT_TRUE(refused(request, good)) << name;
    }
    EXPECT_TRUE(refused(sound, crypto::Passphrase("short")));
}

TEST_F(Ceremony, init_pki__failure_in_an_existing_home__leaves_it_as_it_was) {
    ASSERT_TRUE(files::make_private_folder(home_));
    ASSERT_TRUE(files::create(home_ / "quoin.toml", "site = 'mine'\n", 0600));
    PkiRequest request{.home = home_, .site = "s", .suite = tls::Suite::classical};
    request.names = {"a b"};  // noticed late, when the certificate is made
    EXPECT_FALSE(init_pki(request, crypto::Passphrase(passphrase_text)));
    EXPECT_THAT(names_in(home_), testing::UnorderedElementsAre("quoin.toml", "unlock.key"));
}

TEST_F(Ceremony, init_pki__existing_configuration__kept) {
    ASSERT_TRUE(files::make_private_folder(home_));
    ASSERT_TRUE(files::create(home_ / "quoin.toml", "site = 'mine'\n", 0600));
    ASSERT_TRUE(init());
    EXPECT_EQ(*files::read(home_ / "quoin.toml"), "site = 'mine'\n");
}

TEST_F(Ceremony, init_pki__the_configuration_that_it_writes__is_read_by_quoind) {
    ASSERT_TRUE(init(tls::Suite::classical));
    const auto settings = load_settings(home_);
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->site, "hall-1");
    EXPECT_EQ(settings->suite, tls::Suite::classical);
}

TEST_F(Ceremony, init_pki__production__no_software_keys_and_nothing_left) {
    PkiRequest request{.home = home_, .site = "s", .suite = tls::Suite::classical};
    request.keys = keys::Choice{.production = true};
    const auto refused = init_pki(request, crypto::Passphrase(passphrase_text));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::config_invalid);
    EXPECT_THAT(refused.error().message, HasSubstr("danger_software_keys"));
    EXPECT_FALSE(fs::exists(home_));
    request.keys->danger_software_keys = true;
    const auto made = init_pki(request, crypto::Passphrase(passphrase_text));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(load_settings(home_)->keys, *request.keys) << "quoin.toml says it";
}

TEST_F(Ceremony, init_pki__store_away__software_only_where_the_configuration_says) {
    ASSERT_TRUE(files::make_private_folder(home_));
    const std::string nowhere = fmt::format("se:socket={}", (folder_ / "none.sock").string());
    const std::string keys = fmt::format("[keys]\nstore = \"{}\"\n", nowhere);
    ASSERT_TRUE(files::create(home_ / "quoin.toml", "site = 's'\n" + keys, 0600));
    EXPECT_EQ(init().error().code, Code::resource_unavailable);
    ASSERT_TRUE(files::write_atomically(
        home_ / "quoin.toml", "site = 's'\n" + keys + "fallbacks = [\"software\"]\n", 0600));
    int told = 0;
    const auto made =
        init_pki({.home = home_, .site = "s", .suite = tls::Suite::classical},
                 crypto::Passphrase(passphrase_text),
                 {.on_fallback = [&](std::string_view from, std::string_view to, const Error&) {
                     EXPECT_EQ(from, nowhere);
                     EXPECT_EQ(to, "software");
                     ++told;
                 }});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(told, 8) << "issuing CA and seven services";
    PkiRequest other{.home = folder_ / "b", .site = "s", .suite = tls::Suite::classical};
    ASSERT_TRUE(files::make_private_folder(other.home));
    ASSERT_TRUE(files::create(other.home / "quoin.toml", "site = 's'\n", 0600));
    other.keys = keys::Choice{.store = nowhere};
    EXPECT_EQ(key_choice(other).error().code, Code::input_conflict);
}

TEST_F(Ceremony, init_pki__after_an_interrupted_one__old_certificates_put_aside) {
    ASSERT_TRUE(files::make_private_folder(home_));
    for (const char* name : {"services", ".pki-init-abcdef"}) {
        ASSERT_TRUE(files::make_private_folder(home_ / name));
    }
    ASSERT_TRUE(files::create(home_ / "services/old.crt", "old", 0600));
    ASSERT_TRUE(init());
    EXPECT_FALSE(fs::exists(home_ / "services/old.crt"));
    EXPECT_TRUE(fs::exists(home_ / "services/quoind.crt"));
    EXPECT_THAT(names_in(home_), testing::Not(testing::Contains(testing::StartsWith(".pki"))));
    EXPECT_THAT(names_in(home_), testing::Contains(testing::StartsWith("services.old-")));
}

TEST_F(Ceremony, init_pki__home_that_others_may_write__refused) {
    fs::create_directory(home_);
    ASSERT_EQ(::chmod(home_.c_str(), 0777), 0);
    const auto made = init();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::config_invalid);
}

TEST_F(Ceremony, add_operator__new_name__has_site_and_role) {
    ASSERT_TRUE(init());
    const auto added = add_operator(home_, "anna", x509::Role::viewer);
    ASSERT_TRUE(added) << added.error().message;
    const auto identity = first("operator/anna.crt").identity();
    ASSERT_TRUE(identity);
    EXPECT_EQ(x509::to_uri(*identity), "quoin://hall-1/operator/viewer/anna");
}

TEST_F(Ceremony, add_operator__wrong_or_taken_name__refused) {
    ASSERT_TRUE(init());
    EXPECT_EQ(add_operator(home_, "admin", x509::Role::viewer).error().code, Code::input_conflict);
    EXPECT_EQ(add_operator(home_, "../x", x509::Role::viewer).error().code, Code::input_invalid);
    EXPECT_EQ(add_operator(folder_ / "none", "x", x509::Role::viewer).error().code,
              Code::input_not_found);
}

TEST_F(Ceremony, renew_services__new_serials_same_names) {
    ASSERT_TRUE(init());
    const auto before = first("services/quoind.crt");
    const auto renewed = renew_services(home_);
    ASSERT_TRUE(renewed) << renewed.error().message;
    const auto after = first("services/quoind.crt");
    EXPECT_NE(after.serial_hex(), before.serial_hex());
    EXPECT_EQ(*after.server_names(), *before.server_names());
    EXPECT_THAT(names_in(home_), testing::Not(testing::Contains(testing::StartsWith(".services"))));
}

TEST_F(Ceremony, renew_services__while_quoind_runs_on_older_ones__refused) {
    ASSERT_TRUE(init());
    for (const char* name : {"db", "run"}) ASSERT_TRUE(files::make_private_folder(home_ / name));
    const auto start = [&] {  // as quoind does
        const auto serial = first("services/quoind.crt").serial_hex() + "\n";
        EXPECT_TRUE(files::write_atomically(home_ / "run/services", serial, 0600));
        return files::lock_folder(home_ / "db");
    };
    {
        const auto running = start();
        ASSERT_TRUE(running);
        EXPECT_TRUE(renew_services(home_));
        const auto renewed = first("services/quoind.crt").serial_hex();
        EXPECT_EQ(renew_services(home_).error().code, Code::state_wrong);
        EXPECT_EQ(first("services/quoind.crt").serial_hex(), renewed);
        fs::remove(home_ / "run/services");
        EXPECT_EQ(renew_services(home_).error().code, Code::state_wrong) << "unknown";
    }
    EXPECT_TRUE(renew_services(home_)) << "nothing runs";
    const auto restarted = start();
    ASSERT_TRUE(restarted);
    EXPECT_TRUE(renew_services(home_));
}

TEST_F(Ceremony, production__software_key_in_place_of_the_issuing_ca__signs_nothing) {
    ASSERT_TRUE(init());
    const auto before = first("services/quoind.crt").serial_hex();
    const auto settings = files::read(home_ / "quoin.toml");
    ASSERT_TRUE(settings);
    ASSERT_TRUE(files::write_atomically(
        home_ / "quoin.toml",
        "profile = \"production\"\n" + *settings + "[keys]\nstore = \"se:socket=/none\"\n", 0600));
    for (const auto& refused :
         {renew_services(home_), add_operator(home_, "anna", x509::Role::viewer)}) {
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::config_invalid);
        EXPECT_THAT(refused.error().message, HasSubstr("issuing.key"));
    }
    EXPECT_EQ(first("services/quoind.crt").serial_hex(), before);
    EXPECT_FALSE(fs::exists(home_ / "operator/anna.crt"));
}

TEST_F(Ceremony, trust_maker__ca_of_a_manufacturer__copied) {
    ASSERT_TRUE(init());
    ASSERT_TRUE(Maker::open(folder_ / "maker"));
    const auto put = trust_maker(home_, folder_ / "maker/ca.crt");
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_EQ(put->parent_path(), home_ / "pki/makers");
    EXPECT_TRUE(trust_maker(home_, folder_ / "maker/ca.crt"));  // again: the same file
    EXPECT_EQ(names_in(home_ / "pki/makers").size(), 1U);
}

TEST_F(Ceremony, trust_maker__anything_else__refused) {
    ASSERT_TRUE(init());
    for (const char* file : {"services/quoind.crt", "pki/root.crt", "pki/issuing.crt", "quoin.toml",
                             "pki/root.key", "none.crt"}) {
        EXPECT_FALSE(trust_maker(home_, home_ / file)) << file;
    }
    {
        auto maker = Maker::open(folder_ / "maker");
        ASSERT_TRUE(maker && maker->birth("mpu-1", "mpu"));
    }
    EXPECT_FALSE(trust_maker(home_, folder_ / "maker/devices/mpu-1/birth.crt"));
    EXPECT_TRUE(names_in(home_ / "pki/makers").empty());
}

TEST_F(Ceremony, trust_maker__classical_ca_in_a_post_quantum_plant__refused) {
    ASSERT_TRUE(init(tls::Suite::pure));
    const auto key = crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256);
    ASSERT_TRUE(key);
    const auto ca = x509::issue_root(*key, {.profile = x509::Profile::birth_root,
                                            .common_name = "maker",
                                            .identity = {},
                                            .names = {},
                                            .lifetime = std::chrono::hours(1)});
    ASSERT_TRUE(ca);
    ASSERT_TRUE(files::write_atomically(folder_ / "weak.crt", *ca->pem(), 0600));
    const auto put = trust_maker(home_, folder_ / "weak.crt");
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, Code::input_invalid);
    EXPECT_THAT(put.error().message, HasSubstr("classical"));
}

class Birth : public Folder {
protected:
    fs::path maker_folder() const { return folder_ / "maker"; }
    std::vector<nlohmann::json> batch() const {
        const auto text = files::read(maker_folder() / "batch.jsonl");
        std::vector<nlohmann::json> rows;
        if (!text) return rows;
        std::istringstream lines(*text);
        for (std::string line; std::getline(lines, line);) {
            rows.push_back(nlohmann::json::parse(line, nullptr, false));
        }
        return rows;
    }
};

TEST_F(Birth, birth__both_classes__key_certificate_and_batch_line) {
    auto maker = Maker::open(maker_folder());
    ASSERT_TRUE(maker) << maker.error().message;
    ASSERT_TRUE(maker->birth("mcu-1", "mcu"));
    ASSERT_TRUE(maker->birth("mpu-1", "mpu"));
    const auto rows = batch();
    ASSERT_EQ(rows.size(), 2U);
    const auto ca = Certificate::load(maker_folder() / "ca.crt");
    ASSERT_TRUE(ca);
    for (const auto& row : rows) {
        const auto folder = maker->device_folder(row.at("silicon_id"));
        const auto birth = Certificate::load(folder / "birth.crt");
        ASSERT_TRUE(birth);
        EXPECT_EQ(row.at("birth_cert_sha256"), crypto::to_hex(*birth->front().sha256()));
        EXPECT_EQ(birth->front().identity()->kind, x509::Kind::birth);
        EXPECT_TRUE(x509::verify_chain(birth->front(), {}, *ca, x509::Purpose::client));
        const auto unlock = crypto::existing_unlock_key(folder / "unlock.key");
        const auto key = crypto::PrivateKey::load(folder / "birth.key", *unlock);
        ASSERT_TRUE(key);
        EXPECT_EQ(*key->algorithm(), row.at("class") == "mcu"
                                         ? crypto::Algorithm::ml_dsa_44_ed25519
                                         : crypto::Algorithm::ml_dsa_65_ed25519);
        expect_private(folder);
        expect_private(folder / "birth.key");
    }
}

TEST_F(Birth, birth__wrong_or_known_id__refused) {
    auto maker = Maker::open(maker_folder());
    ASSERT_TRUE(maker && maker->birth("mpu-1", "mpu"));
    EXPECT_EQ(maker->birth("mpu-1", "mcu").error().code, Code::input_conflict);
    for (const char* id : {"", "a/b", "..", ".", ".birth-abcdef", "a b"}) {
        EXPECT_EQ(maker->birth(id, "mpu").error().code, Code::input_invalid) << id;
    }
    EXPECT_EQ(maker->birth("x", "fpga").error().code, Code::input_invalid);
    EXPECT_EQ(batch().size(), 1U);
    EXPECT_EQ(names_in(maker_folder() / "devices").size(), 1U);
}

TEST_F(Birth, open__again__known_devices_stay_known) {
    {
        auto maker = Maker::open(maker_folder());
        ASSERT_TRUE(maker && maker->birth("mpu-1", "mpu"));
        EXPECT_FALSE(Maker::open(maker_folder()));  // one process at a time
    }
    auto maker = Maker::open(maker_folder());
    ASSERT_TRUE(maker) << maker.error().message;
    EXPECT_FALSE(maker->birth("mpu-1", "mpu"));
    EXPECT_TRUE(maker->birth("mpu-2", "mpu"));
}

TEST_F(Birth, open__after_a_crash_at_any_byte_of_the_batch__whole_lines_again) {
    {
        auto maker = Maker::open(maker_folder());
        ASSERT_TRUE(maker && maker->birth("mpu-1", "mpu") && maker->birth("mcu-1", "mcu"));
    }
    const auto whole = files::read(maker_folder() / "batch.jsonl");
    ASSERT_TRUE(whole);
    for (std::size_t size = 0; size <= whole->size(); ++size) {
        fs::resize_file(maker_folder() / "batch.jsonl", size);
        const auto maker = Maker::open(maker_folder());
        ASSERT_TRUE(maker) << size << ": " << maker.error().message;
        const auto rows = batch();
        ASSERT_EQ(rows.size(), 2U) << size;
        for (const auto& row : rows) ASSERT_TRUE(row.is_object()) << size;
    }
}

TEST_F(Birth, open__after_a_crash_in_a_birth__unfinished_device_removed) {
    ASSERT_TRUE(Maker::open(maker_folder()));
    fs::create_directory(maker_folder() / "devices/.birth-abcdef");
    auto maker = Maker::open(maker_folder());
    ASSERT_TRUE(maker);
    EXPECT_TRUE(names_in(maker_folder() / "devices").empty());
}

TEST_F(Birth, open__broken_batch_line__refused_with_its_number) {
    ASSERT_TRUE(Maker::open(maker_folder()));
    ASSERT_TRUE(
        files::create(maker_folder() / "batch.jsonl", "{\"silicon_id\":\"a\"}\n{}\n", 0600));
    const auto maker = Maker::open(maker_folder());
    ASSERT_FALSE(maker);
    EXPECT_THAT(maker.error().message, HasSubstr("line 2"));
}

}  // namespace
}  // namespace quoin::server
