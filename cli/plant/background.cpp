#include "cli/plant/background.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "host/descriptor.hpp"

namespace quoin::cli {
namespace {

Result<void> leave_terminal(const std::filesystem::path& log, Descriptor& ready) {
    const Descriptor out(
        open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    const Descriptor in(open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::fflush(stdout);
    if (!out || !in || dup2(in.number(), 0) < 0 || dup2(out.number(), 1) < 0 ||
        dup2(out.number(), 2) < 0) {
        return fail(Code::resource_unavailable, "{}: {}", log.string(), std::strerror(errno));
    }
    const char yes = 1;
    if (write(ready.number(), &yes, 1) != 1) {
        return fail(Code::internal, "the starting command is gone");
    }
    ready = Descriptor();
    return {};
}

}  // namespace

Result<int> run_in_background(const std::function<int(const Detach&)>& work) {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return fail(Code::resource_unavailable, "pipe: {}", std::strerror(errno));
    }
    Descriptor waiting(ends[0]);
    Descriptor ready(ends[1]);
    std::fflush(stdout);
    const pid_t child = fork();
    if (child < 0) return fail(Code::resource_unavailable, "fork: {}", std::strerror(errno));
    if (child == 0) {
        waiting = Descriptor();
        setsid();
        const int code =
            work([&ready](const std::filesystem::path& log) { return leave_terminal(log, ready); });
        std::fflush(stdout);
        _exit(code);
    }
    ready = Descriptor();
    char answer = 0;
    ssize_t count = -1;
    do {
        count = read(waiting.number(), &answer, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 1) return 0;
    int status = 0;
    if (waitpid(child, &status, 0) == child && WIFEXITED(status)) return WEXITSTATUS(status);
    return fail(Code::internal, "the supervisor died while it was starting");
}

}  // namespace quoin::cli
