// One device: sources fill the queue from the first second; enrolment, session and renewal follow.
//
//   start -> (enrol, again and again) -> session -> wait for the renewal -> renew -> wait ...
//
// Threads: run() blocks its caller until `stop`; the sources and the session have their own.
#pragma once

#include <filesystem>
#include <stop_token>

#include "host/error.hpp"

namespace quoin::agent {

struct RunOptions {
    std::filesystem::path home;
    bool once_enrol = false;  // ends after the enrolment
};

// An error only for what waiting cannot mend: configuration, files, a second agent in this folder.
Result<void> run(const RunOptions& options, const std::stop_token& stop);

}  // namespace quoin::agent
