#include "agent/attestation.hpp"

#include <spdlog/spdlog.h>

#include <charconv>

#include "agent/source.hpp"
#include "host/files/files.hpp"

namespace quoin::agent {
namespace {

Measured measured(std::string name, const std::filesystem::path& file) {
    Measured out{std::move(name), {}};
    const auto digest = crypto::sha3_512_of_file(file);
    if (digest) {
        out.digest = *digest;
    } else {
        spdlog::error("measure_failed name={} error=\"{}\"", out.name, digest.error().message);
    }
    return out;
}

}  // namespace

std::vector<Measured> measure(const Config& config, DeviceClass device_class) {
    std::vector<Measured> all;
    if (device_class == DeviceClass::mpu) {
        all.push_back(measured("agent", "/proc/self/exe"));
        all.push_back(measured("config", config.home / config_file_name));
        for (const MeasuredFile& file : config.files) all.push_back(measured(file.name, file.path));
    }
    if (!config.firmware.empty()) all.push_back(measured("firmware", config.firmware));
    return all;
}

Result<crypto::ByteVector> answer(const attest::Challenge& challenge, const Identity& identity,
                                  const Config& config, DeviceClass device_class,
                                  std::uint64_t boot_counter) {
    if (!identity.attestation) {
        return fail(Code::state_wrong, "device {} has no attestation key", identity.device);
    }
    const keys::AttestationKey& key = identity.attestation->key;
    std::vector<Measured> all = measure(config, device_class);
    if (key.is_bound()) {
        QUOIN_TRY(const auto pcrs, keys::tpm::measurement_of(key.platform()));
        all.push_back({std::string(keys::tpm::measurement_name), pcrs});
    }
    std::vector<evidence::Measurement> measurements;
    measurements.reserve(all.size());
    for (const Measured& one : all) measurements.push_back({one.name, one.digest});
    QUOIN_TRY(const crypto::Sha3_512Digest session, identity.certificate().sha3_512());
    evidence::Claims claims;
    claims.device = identity.device;
    claims.issued_s = static_cast<std::uint64_t>(now_ms() / 1000);
    claims.nonce = challenge.nonce;
    claims.boot_counter = boot_counter;
    claims.release = config.release;
    claims.ldevid_sha3_512 = session;
    claims.device_class = class_name(device_class);
    claims.level = key.is_bound() ? evidence::Level::tpm_quoted : evidence::Level::self_reported;
    claims.measurements = measurements;
    return attest::sign_evidence(claims, [&key](Bytes message) { return key.sign(message); });
}

bool attestation_key_fits(const Identity& identity, const Config& config) {
    if (!identity.attestation) return true;
    const keys::AttestationKey& key = identity.attestation->key;
    if (!config.tpm.empty() && !key.is_bound()) {
        spdlog::warn("platform_unbound device={}: its attestation key is from before the TPM",
                     identity.device);
        return false;
    }
    const auto same = key.check_platform();
    if (same || same.error().code != Code::integrity_mismatch) return true;
    spdlog::warn("platform_changed device={} error=\"{}\"", identity.device, same.error().message);
    return false;
}

Result<std::uint64_t> next_boot_counter(const std::filesystem::path& home) {
    const std::filesystem::path file = home / "boot_counter";
    std::uint64_t counter = 0;
    const auto kept = files::read(file, 32);
    if (!kept && kept.error().code != Code::input_not_found) return std::unexpected(kept.error());
    if (kept) {
        const char* const end = kept->data() + kept->size();
        const auto [at, error] = std::from_chars(kept->data(), end, counter);
        if (error != std::errc{} || std::string_view(at, end) != "\n" ||
            counter >= evidence::max_counter) {
            return fail(Code::integrity_mismatch, "{}: not a number and a newline", file.string());
        }
    }
    ++counter;
    QUOIN_CHECK(files::write_atomically(file, std::to_string(counter) + "\n", 0600));
    return counter;
}

}  // namespace quoin::agent
