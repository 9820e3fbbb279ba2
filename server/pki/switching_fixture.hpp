// Homes for tests of what exchanges folders in them, and acts that are killed at a step.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/switching.hpp"

namespace quoin::server {

class SwitchingTest : public testing::Test {
protected:
    static std::filesystem::path temporary_folder() {
        std::string name = testing::TempDir() + "quoin-switching-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
        return name;
    }
    SwitchingTest() : folder_(temporary_folder()), home_(folder_ / "home") {}
    ~SwitchingTest() override { std::filesystem::remove_all(folder_); }

    // A key under a passphrase takes a while to make and to open: homes are made once, and copied.
    void use(const std::filesystem::path& made) const {
        std::filesystem::remove_all(home_);
        std::filesystem::copy(made, home_, std::filesystem::copy_options::recursive);
    }
    x509::Certificate first(const std::filesystem::path& file) const {
        const auto chain = x509::Certificate::load(home_ / file);
        if (!chain) ADD_FAILURE() << chain.error().message;
        return chain->front();
    }
    std::string text(const std::filesystem::path& file) const {
        const auto read = files::read(home_ / file);
        return read ? *read : "";
    }
    std::string fingerprint(const std::filesystem::path& file) const {
        return crypto::to_hex(*first(file).sha256());
    }
    // Names in the home that begin with a dot: what is in the making, or left over.
    std::vector<std::string> leftovers() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(home_)) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with('.')) found.push_back(name);
        }
        return found;
    }
    // Every service chains to the root of this home, and its key is that of its certificate.
    void expect_sound_services() const {
        const std::vector<x509::Certificate> anchors{first("pki/root.crt")};
        const auto unlock = crypto::existing_unlock_key(home_ / "unlock.key");
        for (const char* name :
             {"services/quoind", "services/broker", "services/telemetry", "services/verifier",
              "services/audit", "services/ra", "services/ocsp", "operator/admin"}) {
            const auto chain = x509::Certificate::load(home_ / (std::string(name) + ".crt"));
            ASSERT_TRUE(chain) << name;
            EXPECT_TRUE(x509::verify_chain(chain->front(), std::span(*chain).subspan(1), anchors,
                                           x509::Purpose::any))
                << name;
            const auto key =
                crypto::PrivateKey::load(home_ / (std::string(name) + ".key"), *unlock);
            ASSERT_TRUE(key) << name;
            EXPECT_EQ(*key->public_key()->spki_der(), *chain->front().public_key()->spki_der());
        }
    }
    // Runs `act` in a process that ends, as killed, before its step number `at`. False: it had
    // fewer steps, and came to its end.
    static bool killed_at(int at, const std::function<Result<void>(const OnStep&)>& act) {
        const pid_t child = ::fork();
        if (child == 0) {
            int step = 0;
            const auto done = act([&](std::string_view) {
                if (step++ == at) ::_exit(9);
            });
            ::_exit(done ? 0 : 1);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_NE(WEXITSTATUS(status), 1) << "the act failed by itself";
        return WEXITSTATUS(status) == 9;
    }

    std::filesystem::path folder_, home_;
};

}  // namespace quoin::server
