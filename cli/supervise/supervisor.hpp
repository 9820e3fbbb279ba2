// Keeps programs running: a dead one is started again with backoff, and that is said.
//
//   add ──> running ──dies──> waiting (0.1 s … 5 s, doubling; back to 0.1 s after 2 s alive) ──>
//   running
//              └──stop──> gone
//
// Threads: one of its own starts every process (they are tied to it) and runs `say`; the methods
// may be called from any thread, but not from `say`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/supervise/process.hpp"

namespace quoin::cli {

class Supervisor {
public:
    // `say` gets one line for each death, and for each start after it that failed.
    explicit Supervisor(std::function<void(const std::string&)> say);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    ~Supervisor();  // stops all, the last added first

    // Its first start; when that fails, it is not added.
    Result<void> add(ProcessSpec spec);
    // SIGTERM, and SIGKILL after 3 s; it is not started again.
    Result<void> stop(const std::string& name);
    // To one that runs; state_wrong when it does not now.
    Result<void> signal(const std::string& name, int number);
    // -1 when it does not run now.
    pid_t pid(const std::string& name) const;
    // How often it died.
    unsigned deaths(const std::string& name) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace quoin::cli
