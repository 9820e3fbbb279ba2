// SIGINT, SIGTERM and SIGHUP, for commands that run until they are told to stop.
//
// Threads: any, after catch_interrupts().
#pragma once

#include <chrono>

namespace quoin::cli {

// From now on the signals are noted instead of ending the process. Call once, before threads are
// made.
void catch_interrupts();
bool interrupted();
// Returns when one comes or came, or after `timeout`; true when one came.
bool wait_for_interrupt(std::chrono::milliseconds timeout);
void wait_for_interrupt();

}  // namespace quoin::cli
