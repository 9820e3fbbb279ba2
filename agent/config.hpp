// agent.toml: what an operator writes for one device. Three keys are enough: plant, trust,
// [[source]].
//
// clang-format off
//   plant  = "https://plant.example:8443"     # quoind: enrolment
//   trust  = "trust.crt"                      # the plant's root; this is the default
//   suite  = "hybrid"                         # or "pure"; the least: a plant that migrates is
//                                             # followed to a stronger one, never to a weaker
//   class  = "mpu"                            # or "mcu"; default: what the birth key is
//   release = "1.0.0"                         # of the firmware; default: the agent's own version
//   renew_retry_s = 30                        # 1..3600: first wait after a failed enrolment
//   look_s = 3600                             # 1..86400: how often the plant is asked whether
//                                             # it migrates, or its broker has moved
//   profile = "production"                    # no software keys; default "development"
//   [crypto]  approved_mode, require_hybrid, tier    # host/tls/crypto_choice.hpp
//   [keys]    store = "se:socket=/run/quoin/se.sock"   # where session and attestation keys are
//                                             # made and stay; default: this process, on disk
//                                             # under unlock.key
//             fallbacks = ["software"]        # while the store cannot be reached
//             danger_software_keys = true     # in production: host/keys/choice.hpp
//             tpm = "tpm:dir=/var/lib/quoin/tpm"   # with a store: the attestation key works only
//                                             # while this TPM's PCRs are as they were when it was
//                                             # made, and evidence holds the TPM's quote
//   [queue]   max_rows = 200000  max_mib = 256  when_full = "block" | "drop_newest" | "drop_oldest"
//   [attest]  files = ["recipe.json"]  firmware = "image.bin"
//   [[source]]  stream = "press"  name = "press"  type = "modbus" | "flexim" | "csv"
//     modbus, flexim: host, port = 502, unit = 1, period_ms = 1000, timeout_ms = 1000
//     modbus:         [[source.register]] name, address, kind, type, scale, word_order, labels
//     csv:            file, value, speed = 1, convert = "none" | "f_to_c", loop = false,
//                     time = "now" | "file"
// clang-format on
//
// Paths are relative to the device's folder. Unknown keys are errors: config_unknown_key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/queue.hpp"
#include "agent/source.hpp"
#include "host/error.hpp"
#include "host/keys/attestation_key.hpp"
#include "host/tls/crypto_choice.hpp"

namespace quoin::agent {

enum class DeviceClass : std::uint8_t { mcu, mpu };
std::string_view class_name(DeviceClass device_class);

// A file whose digest is part of the evidence.
struct MeasuredFile {
    std::string name;  // in the evidence
    std::filesystem::path path;
};

struct Config {
    std::filesystem::path home;
    std::string plant;
    std::filesystem::path trust;
    tls::Suite suite = tls::Suite::hybrid;
    std::optional<DeviceClass> device_class;
    std::string release;
    std::chrono::seconds renew_retry{30};
    std::chrono::seconds look{3600};
    tls::CryptoChoice crypto;
    keys::Choice keys;  // of session and attestation keys
    std::string tpm;    // host/keys/uri.hpp; empty: none
    QueueLimits queue;
    std::vector<MeasuredFile> files;
    std::filesystem::path firmware;  // empty: none
    std::vector<std::variant<CsvOptions, ModbusOptions>> sources;
};

inline constexpr std::string_view config_file_name = "agent.toml";

// Reads HOME/agent.toml, and nothing beside it: what is not in this file would not be measured.
Result<Config> load_config(const std::filesystem::path& home);
// Where attestation keys are, as far as this device says.
keys::AttestationStores attestation_stores(const Config& config);
Result<Config> parse_config(std::string_view text, const std::filesystem::path& home);

}  // namespace quoin::agent
