// For tests: a real quoin-se in a folder of its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "host/keys/se/client.hpp"

extern char** environ;

namespace quoin::secure_element {

template <class T>
T must(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << result.error().message;
        std::abort();
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class TestFolder {
public:
    TestFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-se-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
        std::filesystem::permissions(path_, std::filesystem::perms(0711));
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

class ElementProcess {
public:
    // The socket is outside the home, which only root may enter.
    ElementProcess() : home(folder_.path() / "home"), socket(folder_.path() / "se.sock") {}
    ~ElementProcess() { stop(SIGTERM); }

    // With a seal key of 32 times `key`, and what else is given. False if it ended instead.
    bool start(std::vector<std::string> more = {}, char key = 'k') {
        log_.clear();
        int seal[2];
        int log[2];
        EXPECT_EQ(::pipe2(seal, O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(log, O_CLOEXEC), 0);
        const std::string bytes(32, key);
        EXPECT_EQ(::write(seal[1], bytes.data(), bytes.size()), 32);
        ::close(seal[1]);
        std::vector<std::string> arguments{QUOIN_SE, "--home", home.string(), "--socket",
                                           socket.string()};
        if (std::ranges::find(more, "--passphrase-file") == more.end()) {
            arguments.insert(arguments.end(), {"--seal-key-fd", "3"});
        }
        arguments.insert(arguments.end(), more.begin(), more.end());
        std::vector<char*> pointers;
        for (std::string& argument : arguments) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        posix_spawn_file_actions_t actions{};
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, log[1], 2);
        posix_spawn_file_actions_adddup2(&actions, seal[0], 3);
        EXPECT_EQ(::posix_spawn(&process_, QUOIN_SE, &actions, nullptr, pointers.data(), environ),
                  0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(log[1]);
        ::close(seal[0]);
        return wait_until_listening(log[0]);
    }

    // Its exit status, as waitpid has it.
    int stop(int signal = SIGTERM) {
        if (process_ == 0) return status_;
        ::kill(process_, signal);
        ::waitpid(process_, &status_, 0);
        process_ = 0;
        reader_ = {};  // joins
        return status_;
    }

    std::unique_ptr<keys::se::Client> client() const {
        return must(keys::se::Client::open({.socket = socket.string(), .label = "test"}));
    }
    pid_t process() const { return process_; }
    std::string log() {
        const std::scoped_lock lock(mutex_);
        return log_;
    }

private:
    TestFolder folder_;

public:
    const std::filesystem::path home;
    const std::filesystem::path socket;

private:
    bool wait_until_listening(int log) {
        std::array<char, 4096> piece{};
        bool listening = false;
        while (!listening) {
            const ssize_t count = ::read(log, piece.data(), piece.size());
            if (count <= 0) break;
            log_.append(piece.data(), static_cast<std::size_t>(count));
            listening = log_.contains(" listening ");
        }
        if (!listening) {
            ::close(log);
            ::waitpid(process_, &status_, 0);
            process_ = 0;
            return false;
        }
        reader_ = std::jthread([this, log] {
            std::array<char, 4096> more{};
            ssize_t count = 0;
            while ((count = ::read(log, more.data(), more.size())) > 0) {
                const std::scoped_lock lock(mutex_);
                log_.append(more.data(), static_cast<std::size_t>(count));
            }
            ::close(log);
        });
        return true;
    }

    pid_t process_ = 0;
    int status_ = 0;
    std::mutex mutex_;
    std::string log_;
    std::jthread reader_;
};

}  // namespace quoin::secure_element
