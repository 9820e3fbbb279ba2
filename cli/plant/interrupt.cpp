#include "cli/plant/interrupt.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>

namespace quoin::cli {
namespace {

std::atomic<bool> noted{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // the handler touches it
int wake = -1;

void handle(int) {
    noted = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake, &one, sizeof one);
}

}  // namespace

void catch_interrupts() {
    if (wake < 0) wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action{};
        action.sa_handler = handle;
        action.sa_flags = SA_RESTART;
        sigaction(signal, &action, nullptr);
    }
}

bool interrupted() { return noted; }

bool wait_for_interrupt(std::chrono::milliseconds timeout) {
    pollfd handle_of_wake{.fd = wake, .events = POLLIN, .revents = 0};
    if (!noted) poll(&handle_of_wake, 1, static_cast<int>(timeout.count()));
    return noted;
}

void wait_for_interrupt() {
    while (!wait_for_interrupt(std::chrono::hours(1))) continue;
}

}  // namespace quoin::cli
