#include "cli/plant/manifest.hpp"

#include <utility>

#include "host/crypto/crypto.hpp"
#include "host/keys/tpm/store.hpp"
#include "host/x509/identity.hpp"

namespace quoin::cli {

Manifest::Manifest(std::string release, std::string device_class)
    : manifest_{{"release", std::move(release)},
                {"class", std::move(device_class)},
                {"measurements", nlohmann::json::array()}} {}

Result<void> Manifest::measure(const std::string& name, const std::string& device,
                               const std::filesystem::path& file) {
    QUOIN_TRY(const auto digest, crypto::sha3_512_of_file(file));
    add(name, device, digest);
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
    if (name == keys::tpm::measurement_name) {
        return measure_tpm(std::string(argument.substr(equals + 1)), std::string(device));
    }
    return measure(std::string(name), std::string(device), argument.substr(equals + 1));
}

Result<void> Manifest::measure_tpm(const std::string& store, const std::string& device) {
    QUOIN_TRY(const keys::Uri uri, keys::Uri::parse(store));
    if (uri.scheme() != "tpm") {
        return fail(Code::input_invalid,
                    "{}: {} is measured in a TPM: tpm:tcti=...;dir=...;pcrs=...", store,
                    keys::tpm::measurement_name);
    }
    QUOIN_TRY(const keys::tpm::Config config, keys::tpm::config_of(uri));
    QUOIN_TRY(const auto pcrs, keys::tpm::read_pcrs(config.tcti, config.pcrs));
    QUOIN_TRY(const auto state, keys::tpm::pcr_state(pcrs));
    QUOIN_TRY(const auto digest, keys::tpm::measurement_of(state));
    add(std::string(keys::tpm::measurement_name), device, digest);
    return {};
}

void Manifest::add(const std::string& name, const std::string& device, Bytes digest) {
    nlohmann::json entry{{"name", name}, {"sha3_512", crypto::to_hex(digest)}};
    if (!device.empty()) entry["device"] = device;
    manifest_["measurements"].push_back(std::move(entry));
}

std::string Manifest::text() const { return manifest_.dump(2); }

}  // namespace quoin::cli
