// Until when devices were not trusted: whoever was root on one had its queue and its clock in hand.
//
// From the last pass before an untrusted verdict to the first pass after it, everything a device
// sends is suspect. What was stored already is marked by begin_distrust(); what its queue brings
// later by suspects(): all that claims to be from before the end, and from the future.
//
// Errors: those of store::Database. Threads: any; every call is one transaction of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/store/database.hpp"

namespace quoin::telemetry {

// Device -> the pass that ended its latest distrust, in UTC ms by the server's clock; 0: it lasts.
using Distrust = std::map<std::string, std::int64_t, std::less<>>;

// Whether a sample that says it is from `ts_ms` and arrives now is suspect.
bool suspects(std::int64_t until_ms, std::int64_t ts_ms, std::int64_t now_ms);

// What a crash left undone is done: a device whose verdict has become trusted is at the end of its
// distrust. (One whose verdict is untrusted must be begun again: that repeats safely.)
Result<Distrust> load_distrust(store::Database& database);

struct UntrustedDevice {
    std::string device;
    std::int64_t verdict_ms = 0;
};
// The devices whose last verdict is untrusted.
Result<std::vector<UntrustedDevice>> untrusted_devices(store::Database& database);

// Marks what was stored since the last pass before the verdict; how many samples. Repeats safely.
Result<std::int64_t> begin_distrust(store::Database& database, const std::string& device,
                                    std::int64_t verdict_ms);
Result<void> end_distrust(store::Database& database, const std::string& device,
                          std::int64_t pass_ms);

}  // namespace quoin::telemetry
