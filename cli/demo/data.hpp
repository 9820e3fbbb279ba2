// What the demo's sensors replay.
#pragma once

#include <filesystem>
#include <string>

namespace quoin::cli {

struct SensorData {
    std::string csv;     // "timestamp,value", degrees Fahrenheit
    std::string origin;  // for people: "real: machine_temperature….csv" or "generated"
};

struct DemoData {
    SensorData ambient, machine;
};

// Reads the files of `folder`; empty: shared/data beside one of the folders above the program. Run
// while they can still be reached (before root is given up).
DemoData find_data(const std::filesystem::path& folder);

}  // namespace quoin::cli
