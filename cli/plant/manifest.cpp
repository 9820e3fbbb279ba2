#include "cli/plant/manifest.hpp"

#include <utility>

#include "host/crypto/crypto.hpp"
#include "host/x509/identity.hpp"

namespace quoin::cli {

Manifest::Manifest(std::string release, std::string device_class)
    : manifest_{{"release", std::move(release)},
                {"class", std::move(device_class)},
                {"measurements", nlohmann::json::array()}} {}

Result<void> Manifest::measure(const std::string& name, const std::string& device,
                               const std::filesystem::path& file) {
    QUOIN_TRY(const auto digest, crypto::sha3_512_of_file(file));
    nlohmann::json entry{{"name", name}, {"sha3_512", crypto::to_hex(digest)}};
    if (!device.empty()) entry["device"] = device;
    manifest_["measurements"].push_back(std::move(entry));
    return {};
}

Result<void> Manifest::measure_argument(std::string_view argument) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string_view::npos || equals + 1 == argument.size()) {
        return fail(Code::input_invalid, "{}: expected NAME=FILE or NAME@DEVICE=FILE", argument);
    }
    std::string_view name = argument.substr(0, equals);
    std::string_view device;
    if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
        device = name.substr(at + 1);
        name = name.substr(0, at);
        if (!x509::is_valid_id(device)) {
            return fail(Code::input_invalid, "{}: '{}' is not a device id", argument, device);
        }
    }
    if (name.empty()) return fail(Code::input_invalid, "{}: the name is empty", argument);
    return measure(std::string(name), std::string(device), argument.substr(equals + 1));
}

std::string Manifest::text() const { return manifest_.dump(2); }

}  // namespace quoin::cli
