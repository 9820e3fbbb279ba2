// A program that a test starts, and ends by its own pid.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace quoin::test {

// Looks again and again until `condition` holds; false after 20 s.
bool eventually(const std::function<bool()>& condition);
std::string content_of(const std::filesystem::path& file);

class Process {
public:
    // argv[0] is a path or a name on PATH. Both outputs go to `output`; `environment` is added to
    // ours.
    Process(std::vector<std::string> argv, std::filesystem::path output,
            const std::vector<std::string>& environment);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    Process(Process&& other) noexcept;
    Process& operator=(Process&&) = delete;
    ~Process();  // kill -9 when it still runs

    void signal(int number) const;
    bool is_running();
    // The exit status when it ends in time; 128 + signal when a signal ended it.
    std::optional<int> wait();
    std::string output() const { return content_of(output_); }
    pid_t pid() const { return pid_; }

private:
    void take_status(int status);

    pid_t pid_ = -1;
    std::optional<int> status_;
    std::filesystem::path output_;
};

}  // namespace quoin::test
