#include "host/keys/pkcs11/softhsm_fixture.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <vector>

namespace quoin::keys::pkcs11 {

SoftHsm::SoftHsm() {
    const auto tokens = folder_.path() / "tokens";
    const auto configuration = folder_.path() / "softhsm2.conf";
    std::filesystem::create_directory(tokens);
    std::ofstream(configuration) << "directories.tokendir = " << tokens.string()
                                 << "\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", configuration.c_str(), 1);  // read by each C_Initialize
    std::vector<std::string> words = {"softhsm2-util", "--init-token", "--free",   "--label", label,
                                      "--pin",         right_pin,      "--so-pin", "56785678"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    pid_t process = -1;
    int status = -1;
    EXPECT_EQ(::posix_spawnp(&process, argv[0], &actions, nullptr, argv.data(), environ), 0)
        << "softhsm2-util cannot be started: apt install softhsm2";
    ::posix_spawn_file_actions_destroy(&actions);
    ::waitpid(process, &status, 0);
    EXPECT_EQ(status, 0) << "softhsm2-util made no token";
}

Config SoftHsm::config(std::string pin) const {
    Config config;
    config.module = "/usr/lib/softhsm/libsofthsm2.so";
    config.token = label;
    config.pin = crypto::Passphrase(std::move(pin));
    return config;
}

}  // namespace quoin::keys::pkcs11
