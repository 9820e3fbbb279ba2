// A real PostgreSQL for tests: runs tests/postgres/server.py, which ends when this ends, however it
// ends.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

extern char** environ;

namespace quoin::store {

class PostgresFixture {
public:
    explicit PostgresFixture(bool durable = false) {
        std::array<int, 2> to_child{};
        std::array<int, 2> from_child{};
        if (::pipe2(to_child.data(), O_CLOEXEC) != 0 ||
            ::pipe2(from_child.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error("pipe2 failed");
        }
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
        posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
        std::string python = "python3";
        std::string script = QUOIN_TOP "/tests/postgres/server.py";
        std::string option = durable ? "--durable" : "--quick";
        std::array<char*, 4> arguments{python.data(), script.data(), option.data(), nullptr};
        const int spawned =
            ::posix_spawnp(&process_, "python3", &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        ::close(to_child[0]);
        ::close(from_child[1]);
        if (spawned != 0) throw std::runtime_error("cannot run python3");
        input_ = to_child[1];
        output_ = ::fdopen(from_child[0], "r");
        url_ = line();
        if (!url_.starts_with("postgresql://")) {
            throw std::runtime_error("tests/postgres/server.py gave no URL (its reason is above)");
        }
    }
    PostgresFixture(const PostgresFixture&) = delete;
    PostgresFixture& operator=(const PostgresFixture&) = delete;
    ~PostgresFixture() {
        ::close(input_);
        ::waitpid(process_, nullptr, 0);
        std::fclose(output_);
    }

    // Of the database "postgres"; `database` is another one of the same server.
    std::string url(const std::string& database = "postgres") const {
        return url_.substr(0, url_.rfind('/') + 1) + database;
    }

    // Ends the server as a crash would and starts it again, at the same address.
    void restart() {
        if (::write(input_, "\n", 1) != 1 || line() != "ready") {
            throw std::runtime_error("the restart of postgres failed (its reason is above)");
        }
    }

private:
    std::string line() {
        std::array<char, 1024> buffer{};
        if (std::fgets(buffer.data(), buffer.size(), output_) == nullptr) return {};
        std::string text = buffer.data();
        while (text.ends_with('\n')) text.pop_back();
        return text;
    }

    pid_t process_ = 0;
    int input_ = -1;
    std::FILE* output_ = nullptr;
    std::string url_;
};

}  // namespace quoin::store
