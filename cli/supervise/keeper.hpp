// A child that keeps the rights which its parent gives up, and runs the programs that need them.
//
//   start() ──fork──> works ──> waits ──parent ended, or ~Keeper──> ends all ──> finishes ──> gone
//
// It ends when its parent does, however that ends: the socket between them closes. What it runs
// ends with it, by the supervisor or, if the keeper is killed or hangs, by the kernel.
// Threads: start() before the first one is made; the methods may be called from any.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cli/supervise/supervisor.hpp"

namespace quoin::cli {

class Keeper {
public:
    using Say = std::function<void(const std::string&)>;
    struct Task {
        // In the child: starts everything. `say` reaches the parent.
        std::function<Result<void>(Supervisor& supervisor, const Say& say)> work;
        // In the child, when nothing runs any more.
        std::function<void()> finish;
    };
    static Result<std::unique_ptr<Keeper>> start(const Task& task);
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    ~Keeper();  // ends the child and waits for that

    // Once, after which a thread hands every line of the child, also earlier ones, to `say`.
    void listen(Say say);
    // Needs listen(). Whether `work` is done; its error, or that of a keeper that is gone.
    Result<bool> is_ready() const;

private:
    Keeper(Descriptor line, pid_t child) : line_(std::move(line)), child_(child) {}

    Descriptor line_;
    pid_t child_;
    mutable std::mutex mutex_;
    Result<bool> ready_{false};
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace quoin::cli
