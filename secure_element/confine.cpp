#include "secure_element/confine.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#ifdef __SANITIZE_ADDRESS__
// The leak checker traces the process, which nobody may.
extern "C" const char* __asan_default_options() noexcept { return "detect_leaks=0"; }
#endif

namespace quoin::secure_element {
namespace {

// What a sanitizer's runtime asks for besides: it looks through a pipe whether memory can be read.
#ifdef __SANITIZE_ADDRESS__
constexpr std::array sanitizer_calls{SCMP_SYS(pipe2), SCMP_SYS(sigaltstack)};
#else
constexpr std::array<int, 0> sanitizer_calls{};
#endif

std::string reason(int number) { return std::generic_category().message(number); }

struct FilterDeleter {
    void operator()(void* filter) const noexcept { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterDeleter>;

// Whatever their arguments.
constexpr std::array plain_calls{
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
    SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
    // memory, threads that are there, time, randomness
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(restart_syscall),
    // signals and the end
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(tgkill), SCMP_SYS(exit), SCMP_SYS(exit_group),
    // the store, and the sockets' names at the end
    SCMP_SYS(fsync), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(pwrite64), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat)};

int add_checked_calls(scmp_filter_ctx filter) {
    const auto no_code = [](unsigned argument) {
        return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    };
    const scmp_arg_cmp anonymous{3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS};
    // Nothing is read from a file any more. glibc may try (overcommit_memory): it hears that it may
    // not, and goes on.
    const scmp_arg_cmp write_only{2, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_WRONLY};
    const scmp_arg_cmp read_only{2, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY};
    const std::array mmap_checks{no_code(2), anonymous};
    const std::array mprotect_checks{no_code(2)};
    const std::array openat_checks{write_only};
    const std::array openat_refused{read_only};
    int failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), mmap_checks.size(),
                                        mmap_checks.data());
    if (failed == 0) {
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
                                        mprotect_checks.size(), mprotect_checks.data());
    }
    if (failed == 0) {
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat),
                                        openat_checks.size(), openat_checks.data());
    }
    if (failed == 0) {
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat),
                                        openat_refused.size(), openat_refused.data());
    }
    return failed;
}

}  // namespace

Result<void> forbid_inspection() {
    const rlimit none{0, 0};
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || ::setrlimit(RLIMIT_CORE, &none) != 0 ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail(Code::resource_unavailable,
                    "cannot forbid dumps of its memory and new privileges: {}", reason(errno));
    }
    return {};
}

namespace {

bool set_capabilities(std::uint32_t first_32) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    data[0].permitted = data[0].effective = first_32;
    return ::syscall(SYS_capset, &header, data.data()) == 0;
}

// CAP_IPC_LOCK, so that pages to come are locked whatever the limit is, and no other; none where
// root has not got it.
bool keep_only_memory_locking() {
    return set_capabilities(1U << CAP_IPC_LOCK) || set_capabilities(0);
}

}  // namespace

Result<void> become(const std::string& user, const std::filesystem::path& home) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const int failed = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (failed != 0 || found == nullptr) {
        return fail(Code::config_invalid, "--user {}: there is no such user", user);
    }
    if (::chown(home.c_str(), found->pw_uid, found->pw_gid) != 0 || ::setgroups(0, nullptr) != 0 ||
        ::setgid(found->pw_gid) != 0 || ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
        ::setuid(found->pw_uid) != 0 || !keep_only_memory_locking()) {
        return fail(Code::resource_unavailable, "--user {}: {}; only root can become somebody else",
                    user, reason(errno));
    }
    return {};
}

Result<void> lock_memory() {
    // Who may not raise the hard limit raises the soft one to it.
    rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0 && ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        static_cast<void>(::setrlimit(RLIMIT_MEMLOCK, &limit));
    }
    if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return {};
    return fail(Code::resource_unavailable,
                "cannot lock its memory, keys could reach a swap disk: {}; raise the limit "
                "(systemd: LimitMEMLOCK=infinity, shell: ulimit -l unlimited), or where the "
                "container forbids it, and there is no swap: --danger-unlocked-memory",
                reason(errno));
}

Result<void> filter_system_calls() {
    const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
    int failed = filter ? seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;
    const auto allow = [&](int call) {
        if (failed != 0) return;
        failed = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 0, nullptr);
    };
    std::ranges::for_each(plain_calls, allow);
    std::ranges::for_each(sanitizer_calls, allow);
    if (failed == 0) failed = add_checked_calls(filter.get());
    if (failed == 0) failed = seccomp_load(filter.get());
    if (failed == 0) return {};
    return fail(Code::resource_unavailable,
                "cannot filter its system calls (seccomp): {}; the kernel needs "
                "CONFIG_SECCOMP_FILTER",
                reason(-failed));
}

}  // namespace quoin::secure_element
