// Starts one program from an open descriptor.
//
// The child has a session of its own (Ctrl-C at the terminal reaches only the supervisor), the log
// file as stdout and stderr, and is killed by the kernel when the thread that started it ends:
// also one that runs as another user.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/supervise/account.hpp"
#include "host/descriptor.hpp"
#include "host/error.hpp"
#include "host/keys/secret_bytes.hpp"

namespace quoin::cli {

struct Process {
    pid_t pid = -1;
    Descriptor handle = {};  // pidfd: names this process for ever, even when the pid is used again
};

struct ProcessSpec {
    std::string name = {};                    // argv[0], and in messages
    int program = -1;                         // borrowed: an open program file
    std::vector<std::string> arguments = {};  // argv[1…]
    std::vector<int> inherited = {};  // borrowed: descriptors the child sees under the same number
    std::vector<std::string> environment = {};  // "NAME=value", beside our own
    std::filesystem::path folder = {};          // where it runs
    std::filesystem::path log = {};             // appended to
    Account account = {};                       // whom root becomes for it, if `change`
    bool locks_memory = false;                  // and keeps CAP_IPC_LOCK, if root has it
    // Asked at each start: at most 4096 bytes that the child reads from its standard input, which
    // is empty otherwise. An error is a failed start.
    std::function<Result<keys::SecretBytes>()> key = {};
    // Called by a supervisor after each start: waits until it is of use, not for ever. An error
    // ends it.
    std::function<Result<void>(const Process&)> ready = {};
};

Result<Process> launch(const ProcessSpec& spec);
// Waits up to `timeout_ms` for the end; true when it has ended. Does not reap.
bool wait_for_end(const Process& process, int timeout_ms);
// "exit status 1", "signal 9 (Killed)"; reaps.
std::string reap(const Process& process);

}  // namespace quoin::cli
