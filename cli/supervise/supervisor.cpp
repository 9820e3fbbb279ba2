#include "cli/supervise/supervisor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <deque>
#include <future>
#include <list>
#include <mutex>
#include <thread>

namespace quoin::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_delay{100};
constexpr milliseconds longest_delay{5000};
constexpr milliseconds healthy_after{2000};
constexpr int patience_ms = 3000;  // between SIGTERM and SIGKILL

struct Child {
    ProcessSpec spec;
    Process process;
    bool running = false;
    Clock::time_point since;  // running: started; waiting: when to start
    milliseconds delay = first_delay;
    unsigned deaths = 0;
};

void end(Child& child) {
    if (!child.running) return;
    syscall(SYS_pidfd_send_signal, child.process.handle.number(), SIGTERM, nullptr, 0);
    if (!wait_for_end(child.process, patience_ms)) {
        syscall(SYS_pidfd_send_signal, child.process.handle.number(), SIGKILL, nullptr, 0);
    }
    reap(child.process);
    child.running = false;
}

// One that is of use, or none.
Result<Process> begin(const ProcessSpec& spec) {
    QUOIN_TRY(Process process, launch(spec));
    if (!spec.ready) return process;
    const auto ready = spec.ready(process);
    if (ready) return process;
    syscall(SYS_pidfd_send_signal, process.handle.number(), SIGKILL, nullptr, 0);
    return fail(ready.error().code, "{} (pid {}) does not work: {}; it ended: {}, log {}",
                spec.name, process.pid, ready.error().message, reap(process), spec.log.string());
}

}  // namespace

struct Supervisor::State {
    explicit State(std::function<void(const std::string&)> listener)
        : say(std::move(listener)), wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

    std::function<void(const std::string&)> say;
    Descriptor wake;
    mutable std::mutex mutex;
    std::list<Child> children;                   // changed by the thread only, under the mutex
    std::deque<std::function<void()>> requests;  // run by the thread
    bool ending = false;
    std::thread thread;

    Result<void> ask(std::function<Result<void>()> request) {
        std::packaged_task<Result<void>()> task(std::move(request));
        auto answer = task.get_future();
        {
            const std::scoped_lock lock(mutex);
            requests.emplace_back([&task] { task(); });
        }
        wake_up();
        return answer.get();
    }

    void wake_up() const {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = write(wake.number(), &one, sizeof one);
    }

    void start(Child& child) {
        auto process = begin(child.spec);
        const std::scoped_lock lock(mutex);
        if (process) {
            child.process = *std::move(process);
            child.running = true;
            child.since = Clock::now();
        } else {
            say(fmt::format("{}; trying again in {} ms", process.error().message,
                            child.delay.count()));
            postpone(child);
        }
    }

    void postpone(Child& child) {
        child.running = false;
        child.since = Clock::now() + child.delay;
        child.delay = std::min(child.delay * 2, longest_delay);
    }

    void look_after(Child& child) {
        if (child.running) {
            if (Clock::now() - child.since > healthy_after) child.delay = first_delay;
            if (!wait_for_end(child.process, 0)) return;
            const std::string why = reap(child.process);
            say(fmt::format("{} (pid {}) ended: {}; starting it again in {} ms, log {}",
                            child.spec.name, child.process.pid, why, child.delay.count(),
                            child.spec.log.string()));
            const std::scoped_lock lock(mutex);
            ++child.deaths;
            postpone(child);
        } else if (Clock::now() >= child.since) {
            start(child);
        }
    }

    void wait() const {
        std::vector<pollfd> handles{{.fd = wake.number(), .events = POLLIN, .revents = 0}};
        milliseconds timeout{1000};
        for (const Child& child : children) {
            if (child.running) {
                handles.push_back(
                    {.fd = child.process.handle.number(), .events = POLLIN, .revents = 0});
            } else {
                const auto left = std::chrono::ceil<milliseconds>(child.since - Clock::now());
                timeout = std::clamp(left, milliseconds{0}, timeout);
            }
        }
        poll(handles.data(), handles.size(), static_cast<int>(timeout.count()));
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t drained = read(wake.number(), &count, sizeof count);
    }

    void run() {
        while (true) {
            std::deque<std::function<void()>> now;
            bool last = false;
            {
                const std::scoped_lock lock(mutex);
                now.swap(requests);
                last = ending;
            }
            for (auto& request : now) request();
            if (last) break;
            for (Child& child : children) look_after(child);
            wait();
        }
        for (auto child = children.rbegin(); child != children.rend(); ++child) end(*child);
    }
};

Supervisor::Supervisor(std::function<void(const std::string&)> say)
    : state_(std::make_unique<State>(std::move(say))) {
    state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Supervisor::~Supervisor() {
    {
        const std::scoped_lock lock(state_->mutex);
        state_->ending = true;
    }
    state_->wake_up();
    state_->thread.join();
}

Result<void> Supervisor::add(ProcessSpec spec) {
    return state_->ask([this, &spec]() -> Result<void> {
        QUOIN_TRY(Process process, begin(spec));
        const std::scoped_lock lock(state_->mutex);
        state_->children.push_back(Child{.spec = std::move(spec),
                                         .process = std::move(process),
                                         .running = true,
                                         .since = Clock::now()});
        return {};
    });
}

Result<void> Supervisor::stop(const std::string& name) {
    return state_->ask([this, &name]() -> Result<void> {
        const auto found = std::ranges::find(state_->children, name,
                                             [](const Child& child) { return child.spec.name; });
        if (found == state_->children.end()) {
            return fail(Code::input_not_found, "no process {} is running here", name);
        }
        end(*found);
        const std::scoped_lock lock(state_->mutex);
        state_->children.erase(found);
        return {};
    });
}

Result<void> Supervisor::signal(const std::string& name, int number) {
    return state_->ask([this, &name, number]() -> Result<void> {
        for (const Child& child : state_->children) {
            if (child.spec.name != name || !child.running) continue;
            if (syscall(SYS_pidfd_send_signal, child.process.handle.number(), number, nullptr, 0) ==
                0) {
                return {};
            }
        }
        return fail(Code::state_wrong, "{} does not run now", name);
    });
}

pid_t Supervisor::pid(const std::string& name) const {
    const std::scoped_lock lock(state_->mutex);
    for (const Child& child : state_->children) {
        if (child.spec.name == name && child.running) return child.process.pid;
    }
    return -1;
}

unsigned Supervisor::deaths(const std::string& name) const {
    const std::scoped_lock lock(state_->mutex);
    for (const Child& child : state_->children) {
        if (child.spec.name == name) return child.deaths;
    }
    return 0;
}

}  // namespace quoin::cli
