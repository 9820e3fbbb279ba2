#include "cli/demo/data.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <system_error>

#include "cli/supervise/programs.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr int generated_rows = 4000;

// A day's wave with a ripple, one value in five minutes.
std::string generate(double middle_f) {
    std::string csv = "timestamp,value\n";
    for (int row = 0; row < generated_rows; ++row) {
        const double phase = 2 * std::numbers::pi * row / 288;
        const double value = middle_f + 6 * std::sin(phase) + 0.8 * std::sin(17 * phase);
        const int minute = row * 5;
        csv += fmt::format("2020-01-{:02} {:02}:{:02}:00,{:.4f}\n", 1 + minute / 1440,
                           minute / 60 % 24, minute % 60, value);
    }
    return csv;
}

fs::path beside_the_program() {
    const auto here = own_folder();
    if (!here) return {};
    for (fs::path folder = *here; folder.has_relative_path(); folder = folder.parent_path()) {
        std::error_code failure;
        if (fs::is_directory(folder / "shared/data", failure)) return folder / "shared/data";
    }
    return {};
}

SensorData load(const fs::path& folder, const std::string& name, double middle_f) {
    if (!folder.empty()) {
        if (auto text = files::read(folder / name)) return {*std::move(text), "real data: " + name};
    }
    return {generate(middle_f), "generated: " + name + " is not here"};
}

}  // namespace

DemoData find_data(const fs::path& folder) {
    const fs::path source = folder.empty() ? beside_the_program() : folder;
    return {.ambient = load(source, "ambient_temperature_system_failure.csv", 71),
            .machine = load(source, "machine_temperature_system_failure.csv", 85)};
}

}  // namespace quoin::cli
