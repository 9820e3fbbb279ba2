// quoind is killed at each write of its database while it enrols a device, by rule and with an
// operator's approval, before the write and after it: the same request then succeeds, and one
// certificate is issued for the key. A child process does the work; SQLite's writes lead to a
// counter here, which ends the child.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>

#include "server/fixture.hpp"
#include "server/pki/authority.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/registration.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;

constexpr int crashed = 9;

// Writes, before and after each, until the child ends; negative: none is counted.
int left = -1;

void step() {
    if (left < 0) return;
    if (left-- == 0) ::_exit(crashed);
}

using Pwrite = ssize_t (*)(int, const void*, std::size_t, off_t);
Pwrite real_pwrite = nullptr;

ssize_t counted_pwrite(int file, const void* data, std::size_t size, off_t at) {
    step();
    const ssize_t written = real_pwrite(file, data, size, at);
    step();
    return written;
}

void count_writes() {
    sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
    ASSERT_NE(vfs, nullptr);
    ASSERT_GE(vfs->iVersion, 3);
    for (const char* name : {"pwrite64", "pwrite"}) {
        const sqlite3_syscall_ptr real = vfs->xGetSystemCall(vfs, name);
        if (real == nullptr) continue;
        real_pwrite = reinterpret_cast<Pwrite>(real);
        ASSERT_EQ(
            vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(&counted_pwrite)),
            SQLITE_OK);
    }
    ASSERT_NE(real_pwrite, nullptr);
}

// The roles of a quoind that has just started.
struct Started {
    Started(const fs::path& home, Rule first)
        : database(must(store::Database::open("sqlite://" + (home / "quoin.sqlite").string()))),
          audit(must(
              audit::Log::open({.file = folder.path() / "audit.jsonl"},
                               must(crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_44))))) {
        must(database->migrate(migrations()));
        authority = must(Authority::open({.home = home,
                                          .site = "test",
                                          .device_lifetime = std::chrono::hours(1),
                                          .crl_lifetime = std::chrono::hours(1)},
                                         *database, bus, *audit));
        ra = must(RegistrationAuthority::open(
            {.home = home, .site = "test", .policy = {.first = first}}, *database, *audit));
    }

    Result<x509::Certificate> enrol(const crypto::PrivateKey& key) {
        const std::string der = must(x509::Request::make_der(key, "mcu-1"));
        const Submission asked{.enrolee = must(authority->enrolee("mcu-1")),
                               .profile = x509::Profile::device,
                               .request = must(x509::Request::from_der(bytes_of(der)))};
        const Issue issue = [this](Bytes approval, const x509::Request& request,
                                   const Recording& recording) {
            return authority->issue(approval, request, recording);
        };
        QUOIN_TRY(Submitted submitted, ra->submit(asked, issue));
        if (!submitted.certificate) {
            QUOIN_CHECK(ra->approve(submitted.number, "operator:anna"));
            QUOIN_TRY(submitted, ra->submit(asked, issue));
        }
        return *submitted.certificate;
    }
    std::int64_t number(const std::string& query) {
        return must(database->read([&](soci::session& session) -> Result<std::int64_t> {
            std::int64_t value = -1;
            session << query, soci::into(value);
            return value;
        }));
    }

    // Of the request for this key; "": there is none.
    std::string state_of(const crypto::PrivateKey& key) {
        const std::string digest = crypto::to_hex(must(key_digest(must(key.public_key()))));
        return must(database->read([&](soci::session& session) -> Result<std::string> {
            std::string state;
            session << "SELECT state FROM enrolments WHERE key_sha256 = :k", soci::use(digest),
                soci::into(state);
            return state;
        }));
    }

    TemporaryFolder folder;
    std::unique_ptr<store::Database> database;
    std::unique_ptr<audit::Log> audit;
    Bus bus;
    std::unique_ptr<Authority> authority;
    std::unique_ptr<RegistrationAuthority> ra;
};

void add_device(const fs::path& home) {
    Started plant(home, Rule::automatic);
    must(plant.database->transaction([](soci::session& session) -> Result<void> {
        session << "INSERT INTO devices (device_id, silicon_id, class, birth_cert_sha256, state, "
                   "reason, release_version, boot_counter, verdict, verdict_reason, verdict_level, "
                   "verdict_ms, last_pass_ms, created_ms, updated_ms) VALUES ('mcu-1', 'mcu-1', "
                   "'mcu', '', 'expected', '', '', 0, '', '', '', 0, 0, 0, 0)";
        return {};
    }));
}

// Whether the child came to its end before the n-th step.
bool enrols_in_child(const fs::path& home, Rule first, const crypto::PrivateKey& key, int n) {
    const pid_t child = ::fork();
    if (child == 0) {
        Started plant(home, first);
        left = n;
        const bool done = plant.enrol(key).has_value();
        ::_exit(done ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == crashed))
        << "step " << n << ": " << status;
    return WIFEXITED(status) && WEXITSTATUS(status) != crashed;
}

// How often the child was killed with the request in this state, by the state; "": not there.
std::map<std::string, int> kill_at_each_write(Rule first) {
    TemporaryFolder folder;
    const fs::path home = folder.path() / "home";
    must(init_pki({.home = home, .site = "test", .suite = tls::Suite::classical},
                  crypto::Passphrase("a long passphrase")));
    add_device(home);
    std::map<std::string, int> killed;
    constexpr int most_steps = 400;
    int n = 0;
    for (bool done = false; !done && n < most_steps; ++n) {
        const auto key = must(crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256));
        done = enrols_in_child(home, first, key, n);
        Started plant(home, first);
        ++killed[plant.state_of(key)];
        const auto certificate = must(plant.enrol(key));
        EXPECT_EQ(must(plant.enrol(key)).serial_hex(), certificate.serial_hex());
        EXPECT_EQ(plant.number("SELECT COUNT(*) FROM certificates WHERE kind = 'device'"), n + 1);
        EXPECT_EQ(plant.number("SELECT COUNT(*) FROM enrolments WHERE state <> 'issued'"), 0);
    }
    EXPECT_LT(n, most_steps) << "the child never came to its end";
    EXPECT_GT(killed[""], 0) << "this test has not killed it before the first commit";
    for (const auto& [state, times] : killed)
        std::printf("%d times \"%s\"\n", times, state.c_str());
    return killed;
}

TEST(registration_crash, killed_at_each_write__the_same_request_succeeds_and_once) {
    count_writes();
    auto by_rule = kill_at_each_write(Rule::automatic);
    EXPECT_EQ(by_rule["pending"] + by_rule["approved"], 0) << "it is one transaction";
    auto by_operator = kill_at_each_write(Rule::manual);
    EXPECT_GT(by_operator["pending"], 0);
    EXPECT_GT(by_operator["approved"], 0);
}

}  // namespace
}  // namespace quoin::server
