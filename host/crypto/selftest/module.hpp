// The state of this process's cryptography. FIPS 140-3 (ISO/IEC 19790:2012), 7.10 and 7.11.
//
//   untested --library() is made: known answers--> operational --any test fails--> failed
//
// failed is final: every function of host/crypto answers with one error that names the test, and
// nothing can be fetched from the library context. A program (begin_process()) ends at once, with
// that error on standard error and its exit code; a plugin refuses whatever it is asked.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::crypto {

enum class ModuleState : std::uint8_t { untested, operational, failed };

struct ModuleReport {
    ModuleState state = ModuleState::untested;
    std::string failed_test;        // of state failed
    std::size_t tests = 0;          // that were passed
    std::int64_t tested_at_ms = 0;  // Unix time of the last one
    double start_ms = 0;            // what the tests at the start took
};

ModuleReport module_report();
// "operational"
std::string_view module_state_name(ModuleState state);

// For a log: "crypto state=operational mode=approved tests=30 start_ms=9.8 entropy_samples=1088".
std::string module_line();

// Makes the library context if it is not there yet; integrity_mismatch names the test that failed.
Result<void> operational();

// `test` has failed: stops the module, and gives its error.
std::unexpected<Error> stop_module(std::string_view test);

// Runs the test that signing with the algorithm needs first; once in a process. By our name of it.
Result<void> before_signing(std::string_view algorithm);

// begin_process() calls it.
void end_process_on_failure();

}  // namespace quoin::crypto
