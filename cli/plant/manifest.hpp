// A release manifest (docs/spec/plant.md): the reference values that evidence is compared with.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::cli {

class Manifest {
public:
    Manifest(std::string release, std::string device_class);

    // Adds the SHA3-512 of a file. `device` empty: the value holds for every device of the class.
    Result<void> measure(const std::string& name, const std::string& device,
                         const std::filesystem::path& file);
    // "NAME=FILE" or "NAME@DEVICE=FILE".
    Result<void> measure_argument(std::string_view argument);
    std::string text() const;

private:
    nlohmann::json manifest_;
};

}  // namespace quoin::cli
