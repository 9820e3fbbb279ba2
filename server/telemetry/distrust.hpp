// When devices were not trusted: from the pass before an untrusted verdict to the pass after it.
//
// What a device measured in that time is suspect, whenever it arrives: what was stored already is
// marked by begin_distrust(), what its queue brings later by suspects(). Times of passes are the
// server's, of samples the device's clock.
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

struct Distrust {
    std::int64_t from_ms = 0;  // the last pass before it; 0: there was none
    std::int64_t to_ms = 0;    // the pass that ended it; 0: it lasts
};
using DistrustByDevice = std::map<std::string, std::vector<Distrust>, std::less<>>;

// Whether a sample measured at `ts_ms` and arriving now is suspect.
bool suspects(const std::vector<Distrust>& of_device, std::int64_t ts_ms);

// All there are. What a crash left undone is done: a device whose verdict has become trusted is at
// the end of its distrust. (One whose verdict is untrusted must be begun again: it repeats safely.)
Result<DistrustByDevice> load_distrust(store::Database& database);
// The devices whose last verdict is untrusted.
Result<std::vector<std::string>> untrusted_devices(store::Database& database);

struct BegunDistrust {
    std::int64_t marked = 0;  // samples that were stored since the last pass, now suspect
    std::vector<Distrust> all;
};
// Repeats safely. A device that is not in the inventory has none.
Result<BegunDistrust> begin_distrust(store::Database& database, const std::string& device);
Result<std::vector<Distrust>> end_distrust(store::Database& database, const std::string& device,
                                           std::int64_t pass_ms);

}  // namespace quoin::telemetry
