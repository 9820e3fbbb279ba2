#include "cli/demo/software_tpm.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <csignal>
#include <mutex>

#include "cli/supervise/scratch.hpp"
#include "cli/supervise/supervisor.hpp"
#include "host/keys/open.hpp"
#include "host/keys/sealed_key.hpp"

namespace quoin::cli {
namespace {

constexpr std::string_view words = "the program";

Measurement measured(std::string_view what) {
    const auto digest = crypto::sha256(bytes_of(what));
    return {.pcr = 8, .digest = digest ? *digest : crypto::Sha256Digest{}};
}

class SoftwareTpmTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(swtpm_) << "apt install swtpm";
        std::filesystem::create_directory(scratch_.path() / "state");
    }
    // Runs it; the store of the scratch folder is at uri().
    void start(Supervisor& supervisor, std::string_view booted) {
        tpm_.boot = {measured(booted)};
        ProcessSpec spec = tpm_.process("swtpm", swtpm_);
        spec.log = scratch_.path() / "log";
        const auto added = supervisor.add(std::move(spec));
        ASSERT_TRUE(added) << added.error().message;
    }
    std::string uri() const {
        return "tpm:tcti=" + tpm_.tcti() + ";dir=" + (scratch_.path() / "store").string() +
               ";pcrs=8";
    }
    Result<keys::SecretBytes> key() const {
        QUOIN_TRY(const auto store, keys::open_store(uri()));
        return keys::open_sealed_key(*store, scratch_.path() / "key");
    }
    void seal() const {
        const auto store = keys::create_store(uri());
        ASSERT_TRUE(store) << store.error().message;
        ASSERT_TRUE(keys::make_sealed_key(**store, scratch_.path() / "key"));
    }

    Scratch scratch_;
    Descriptor swtpm_{open("/usr/bin/swtpm", O_RDONLY | O_CLOEXEC)};
    SoftwareTpm tpm_{.folder = scratch_.path(), .boot = {}};
};

TEST_F(SoftwareTpmTest, killed__restarted_measures_again_and_unseals) {
    Supervisor supervisor([](const std::string&) {});
    ASSERT_NO_FATAL_FAILURE(start(supervisor, words));
    ASSERT_NO_FATAL_FAILURE(seal());
    ASSERT_TRUE(key());
    const pid_t before = supervisor.pid("swtpm");
    kill(before, SIGKILL);
    ASSERT_TRUE(eventually([&] {
        const pid_t now = supervisor.pid("swtpm");
        return now > 0 && now != before;
    }));
    const auto again = key();
    EXPECT_TRUE(again) << again.error().message;
}

TEST_F(SoftwareTpmTest, another_program_booted__key_stays_sealed) {
    {
        Supervisor supervisor([](const std::string&) {});
        ASSERT_NO_FATAL_FAILURE(start(supervisor, words));
        ASSERT_NO_FATAL_FAILURE(seal());
    }
    Supervisor supervisor([](const std::string&) {});
    ASSERT_NO_FATAL_FAILURE(start(supervisor, "another program"));
    const auto refused = key();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::integrity_mismatch);
}

}  // namespace
}  // namespace quoin::cli
