#include "cli/supervise/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace quoin::cli {
namespace {

// Everything the child needs, made before the fork: after it only async-signal-safe calls are
// allowed.
struct Prepared {
    std::vector<char*> arguments;
    std::vector<char*> environment;
    int log = -1;
    int input = -1;
    int report = -1;  // errno goes here when the program cannot be run
    pid_t parent = -1;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

[[noreturn]] void give_up(const Prepared& prepared) {
    const int reason = errno;
    [[maybe_unused]] const ssize_t told = write(prepared.report, &reason, sizeof reason);
    _exit(127);
}

// Of all that root has, only this, also after the exec.
void keep_memory_locking() {
    constexpr std::uint32_t mask = 1U << CAP_IPC_LOCK;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, 2> data{{{mask, mask, mask}, {}}};
    // Root that has not got it has nothing to hand on.
    if (syscall(SYS_capset, &header, data.data()) != 0) return;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_IPC_LOCK, 0, 0);
}

bool change_user(const Account& account, bool locks_memory) {
    if (locks_memory && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return false;
    if (setgroups(0, nullptr) != 0 || setresgid(account.gid, account.gid, account.gid) != 0 ||
        setresuid(account.uid, account.uid, account.uid) != 0) {
        return false;
    }
    if (locks_memory) keep_memory_locking();
    return true;
}

[[noreturn]] void run_child(const ProcessSpec& spec, const Prepared& prepared) {
    if (spec.account.change && !change_user(spec.account, spec.locks_memory)) give_up(prepared);
    // After that: a change of uid forgets it.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(prepared);
    if (getppid() != prepared.parent) _exit(127);  // it ended before the line above
    setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
    if (chdir(spec.folder.c_str()) != 0) give_up(prepared);
    if (dup2(prepared.input, 0) < 0 || dup2(prepared.log, 1) < 0 || dup2(prepared.log, 2) < 0) {
        give_up(prepared);
    }
    for (const int number : spec.inherited) {
        if (fcntl(number, F_SETFD, 0) != 0) give_up(prepared);
    }
    fexecve(spec.program, prepared.arguments.data(), prepared.environment.data());
    give_up(prepared);
}

Result<Process> started(pid_t pid, Descriptor report, const ProcessSpec& spec) {
    Process process{.pid = pid,
                    .handle = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)))};
    int reason = 0;
    const bool failed = read(report.number(), &reason, sizeof reason) == sizeof reason;
    if (failed || !process.handle) {
        if (!failed) kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        return fail(Code::resource_unavailable, "cannot run {}: {}", spec.name,
                    std::strerror(failed ? reason : errno));
    }
    return process;
}

// A pipe with the key in it: all of it, before anybody reads.
Result<Descriptor> pipe_with(const keys::SecretBytes& key) {
    const Bytes bytes = key.expose();
    int ends[2] = {-1, -1};
    if (bytes.size() > PIPE_BUF || pipe2(ends, O_CLOEXEC) != 0) {
        return fail(Code::resource_unavailable, "a pipe for {} bytes: {}", bytes.size(),
                    std::strerror(errno));
    }
    Descriptor reader(ends[0]);
    const Descriptor writer(ends[1]);
    const ssize_t written = write(writer.number(), bytes.data(), bytes.size());
    if (written == static_cast<ssize_t>(bytes.size())) return reader;
    return fail(Code::resource_unavailable, "writing to a pipe: {}", std::strerror(errno));
}

// What the child reads.
Result<Descriptor> input_of(const ProcessSpec& spec) {
    if (spec.key) {
        QUOIN_TRY(const keys::SecretBytes key, spec.key());
        return pipe_with(key);
    }
    Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (null) return null;
    return fail(Code::resource_unavailable, "/dev/null: {}", std::strerror(errno));
}

}  // namespace

Result<Process> launch(const ProcessSpec& spec) {
    auto input = input_of(spec);
    if (!input) {
        return fail(input.error().code, "cannot start {}: {}", spec.name, input.error().message);
    }
    const Descriptor log(
        ::open(spec.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    int ends[2] = {-1, -1};
    if (!log || pipe2(ends, O_CLOEXEC) != 0) {
        return fail(Code::resource_unavailable, "cannot start {}: {}: {}", spec.name,
                    log ? "a pipe" : spec.log.string(), std::strerror(errno));
    }
    Descriptor report(ends[0]);
    Descriptor reported(ends[1]);

    std::vector<std::string> arguments{spec.name};
    arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
    std::vector<std::string> environment = spec.environment;
    for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
    const Prepared prepared{.arguments = pointers(arguments),
                            .environment = pointers(environment),
                            .log = log.number(),
                            .input = input->number(),
                            .report = reported.number(),
                            .parent = getpid()};
    const pid_t pid = fork();
    if (pid < 0) {
        return fail(Code::resource_unavailable, "cannot start {}: fork: {}", spec.name,
                    std::strerror(errno));
    }
    if (pid == 0) run_child(spec, prepared);
    reported = Descriptor();
    return started(pid, std::move(report), spec);
}

bool wait_for_end(const Process& process, int timeout_ms) {
    pollfd handle{.fd = process.handle.number(), .events = POLLIN, .revents = 0};
    return poll(&handle, 1, timeout_ms) == 1;
}

std::string reap(const Process& process) {
    int status = 0;
    if (waitpid(process.pid, &status, 0) != process.pid) return "unknown end";
    if (WIFSIGNALED(status)) {
        return fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    return fmt::format("exit status {}", WEXITSTATUS(status));
}

}  // namespace quoin::cli
