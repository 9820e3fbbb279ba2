#include "cli/supervise/keeper.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "host/crypto/library.hpp"

namespace quoin::cli {
namespace {

// A message is its kind, a code (two bytes, `failed` only) and text.
constexpr char said = 's';
constexpr char ready = 'r';
constexpr char failed = 'f';
constexpr std::size_t max_message = 4096;  // bytes; longer text is cut

// To end in, when the parent is gone. Later the kernel ends it, and with it what it runs.
constexpr unsigned end_within_s = 10;

void tell(int line, std::string message, int flags = 0) {
    message.resize(std::min(message.size(), max_message));
    // A parent that is gone hears nothing, which is noticed elsewhere.
    [[maybe_unused]] const ssize_t sent =
        send(line, message.data(), message.size(), MSG_NOSIGNAL | flags);
}

std::string failure(const Error& error) {
    const auto code = static_cast<std::uint16_t>(error.code);
    return std::string{failed, static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)} +
           error.message;
}

Error failure_of(std::string_view message) {
    if (message.size() < 3) return {Code::internal, "the keeper failed"};
    const unsigned high = static_cast<unsigned char>(message[1]);
    const unsigned low = static_cast<unsigned char>(message[2]);
    return {static_cast<Code>(high << 8U | low), std::string(message.substr(3))};
}

// It holds keys for moments: nobody looks into it, and nothing it runs gets more rights.
Result<void> confine() {
    static_cast<void>(crypto::provider_is_loaded());  // undumpable, it may not read /proc/self/fd
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail(Code::resource_unavailable, "cannot forbid dumps and new privileges: {}",
                    std::strerror(errno));
    }
    umask(0077);
    return {};
}

void wait_for_parents_end(int line) {
    char nothing = 0;
    ssize_t count = 0;
    do {
        count = recv(line, &nothing, 1, 0);
    } while (count > 0 || (count < 0 && errno == EINTR));
}

[[noreturn]] void run(const Keeper::Task& task, const Descriptor& line) {
    setsid();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) ::signal(signal, SIG_DFL);
    const int number = line.number();
    const Keeper::Say say = [number](const std::string& text) {
        tell(number, said + text, MSG_DONTWAIT);
    };
    // Before there is another thread: no new privileges is of a thread and of those it makes.
    const auto confined = confine();
    {
        Supervisor supervisor(say);
        // The parent may end while it works.
        std::thread worker([&] {
            const auto done = confined ? task.work(supervisor, say) : confined;
            tell(number, done ? std::string(1, ready) : failure(done.error()));
        });
        wait_for_parents_end(number);
        alarm(end_within_s);
        worker.join();
    }
    task.finish();
    _exit(0);
}

}  // namespace

Result<std::unique_ptr<Keeper>> Keeper::start(const Task& task) {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return fail(Code::resource_unavailable, "socketpair: {}", std::strerror(errno));
    }
    Descriptor ours(ends[0]);
    const Descriptor its(ends[1]);
    const pid_t child = fork();
    if (child < 0) return fail(Code::resource_unavailable, "fork: {}", std::strerror(errno));
    if (child == 0) {
        ours = Descriptor();
        run(task, its);
    }
    return std::unique_ptr<Keeper>(new Keeper(std::move(ours), child));
}

Keeper::~Keeper() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
    }
    shutdown(line_.number(), SHUT_WR);
    if (thread_.joinable()) thread_.join();
    waitpid(child_, nullptr, 0);
}

void Keeper::listen(Say say) {
    thread_ = std::thread([this, say = std::move(say)] {
        std::array<char, max_message> buffer{};
        while (true) {
            const ssize_t count = recv(line_.number(), buffer.data(), buffer.size(), 0);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) break;
            const std::string_view message(buffer.data(), static_cast<std::size_t>(count));
            if (message.front() == said) {
                say(std::string(message.substr(1)));
                continue;
            }
            const std::scoped_lock lock(mutex_);
            if (message.front() == ready) ready_ = true;
            if (message.front() == failed) ready_ = std::unexpected(failure_of(message));
        }
        const Error gone{Code::resource_unavailable,
                         fmt::format("the keeper (pid {}) ended, and all it ran", child_)};
        {
            const std::scoped_lock lock(mutex_);
            if (ending_) return;
            if (ready_) ready_ = std::unexpected(gone);
        }
        say(gone.message);
    });
}

Result<bool> Keeper::is_ready() const {
    const std::scoped_lock lock(mutex_);
    return ready_;
}

}  // namespace quoin::cli
