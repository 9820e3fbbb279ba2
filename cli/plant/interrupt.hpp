// SIGINT, SIGTERM and SIGHUP as a flag and a wait, for commands that run until they are told to
// stop.
#pragma once

#include <atomic>
#include <chrono>

namespace quoin::cli {

// From now on the signals set the flag. Call once, before threads are made.
const std::atomic<bool>& catch_interrupts();
// Returns when one came, or after `timeout`; true when one came.
bool wait_for_interrupt(std::chrono::milliseconds timeout);
void wait_for_interrupt();

}  // namespace quoin::cli
