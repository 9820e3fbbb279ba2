// A release manifest (docs/spec/plant.md): the reference values that evidence is compared with.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "host/error.hpp"

namespace quoin::cli {

class Manifest {
public:
    Manifest(std::string release, std::string device_class);

    // Adds the SHA3-512 of a file. `device` empty: the value holds for every device of the class.
    Result<void> measure(const std::string& name, const std::string& device,
                         const std::filesystem::path& file);
    // The PCRs of a TPM (URI of its store) as they are now, which must be a good time.
    Result<void> measure_tpm(const std::string& store, const std::string& device);
    // "NAME=FILE" or "NAME@DEVICE=FILE"; "tpm-pcrs=URI" or "tpm-pcrs@DEVICE=URI".
    Result<void> measure_argument(std::string_view argument);
    std::string text() const;

private:
    void add(const std::string& name, const std::string& device, Bytes digest);

    nlohmann::json manifest_;
};

}  // namespace quoin::cli
