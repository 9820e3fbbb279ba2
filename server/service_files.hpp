// The certificates and keys of a plant's services in its home: read as one set, which a renewal
// (server/pki/renewal.cpp) exchanges at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>

#include "host/keys/choice.hpp"
#include "host/tls/policy.hpp"

namespace quoin::server {

struct ServiceSet {
    // By name; every key is that of its certificate. Without the broker, which is another program.
    std::map<std::string, tls::Credentials, std::less<>> credentials = {};
    std::int64_t renewal_ms = 0;  // when two thirds of the first life are over, the broker's, too
    std::string seen = {};        // look_at_services() then
};

// An error, also state_stale when a renewal came in between: nothing. Threads: any.
Result<ServiceSet> load_services(const std::filesystem::path& home, const keys::Choice& choice);
// Other text when the files are others: their names, inodes and times.
std::string look_at_services(const std::filesystem::path& home);

// Work that runs beside the owner's thread, one at a time; what failed is tried again no sooner
// than a minute later. Threads: one owner; the destructor waits for the work.
class Renewal {
public:
    using Work = std::function<Result<void>()>;
    explicit Renewal(Work work) : work_(std::move(work)) {}
    // Starts it, unless it runs or has just failed.
    void start();
    // Of one that has ended since the last call.
    std::optional<Result<void>> outcome();

private:
    Work work_;
    std::future<Result<void>> running_;
    std::chrono::steady_clock::time_point not_before_;
};

}  // namespace quoin::server
