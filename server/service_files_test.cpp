#include "server/service_files.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "host/files/files.hpp"
#include "server/fixture.hpp"
#include "server/pki/ceremony.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;

class ServiceFiles : public testing::Test {
protected:
    ServiceFiles() {
        must(init_pki({.home = home_, .site = "test", .suite = tls::Suite::classical},
                      crypto::Passphrase("a long passphrase")));
    }
    Result<ServiceSet> load() const { return load_services(home_, {}); }

    TemporaryFolder folder_;
    fs::path home_ = folder_.path() / "home";
};

TEST_F(ServiceFiles, load__whole_home__all_but_the_broker) {
    const ServiceSet set = must(load());
    for (const char* name : {"quoind", "telemetry", "verifier", "audit", "ra", "ocsp"}) {
        EXPECT_TRUE(set.credentials.contains(name)) << name;
    }
    EXPECT_EQ(set.credentials.size(), 6U);
    EXPECT_EQ(set.seen, look_at_services(home_));
    // The first to end is ocsp, after 30 days.
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto in_days = (std::chrono::milliseconds(set.renewal_ms) - now) / std::chrono::hours(24);
    EXPECT_GE(in_days, 19);
    EXPECT_LE(in_days, 20);
}

TEST_F(ServiceFiles, load__key_of_another_certificate__nothing) {
    fs::copy_file(home_ / "services/verifier.key", home_ / "services/telemetry.key",
                  fs::copy_options::overwrite_existing);
    const auto set = load();
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, Code::integrity_mismatch);
    fs::remove(home_ / "services/telemetry.key");
    EXPECT_FALSE(load());
}

TEST_F(ServiceFiles, look__renewed__differs) {
    const ServiceSet before = must(load());
    must(renew_services(home_));
    EXPECT_NE(look_at_services(home_), before.seen);
    const ServiceSet after = must(load());
    EXPECT_NE(after.credentials.at("quoind").chain.front().serial_hex(),
              before.credentials.at("quoind").chain.front().serial_hex());
}

TEST(renewal, start__runs_once_at_a_time_and_waits_after_a_failure) {
    std::mutex mutex;
    std::condition_variable changed;
    int runs = 0;
    bool may_end = false;
    Renewal renewal([&]() -> Result<void> {
        std::unique_lock lock(mutex);
        ++runs;
        changed.notify_all();
        changed.wait(lock, [&] { return may_end; });
        return fail(Code::resource_unavailable, "no disk");
    });
    renewal.start();
    renewal.start();
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return runs == 1; });
        may_end = true;
        changed.notify_all();
    }
    std::optional<Result<void>> outcome;
    while (!outcome) outcome = renewal.outcome();
    EXPECT_EQ(outcome->error().message, "no disk");
    renewal.start();
    EXPECT_FALSE(renewal.outcome()) << "not again at once";
    const std::lock_guard lock(mutex);
    EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace quoin::server
