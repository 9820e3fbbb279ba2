// What the verifier reads and writes about devices in the database.
//
// Errors: those of store::Database. Threads: any; each call is one transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/store/database.hpp"
#include "server/verifier/appraisal.hpp"

namespace quoin::verifier {

struct DeviceRow {
    std::string device, device_class, state, verdict;
    std::int64_t last_pass_ms = 0;
};
// Enrolled and not out: the states in which a verdict means something. Only mpu devices attest.
bool is_attestable(std::string_view state, std::string_view device_class);
Result<std::vector<DeviceRow>> attestable_devices(store::Database& database);

struct Record {
    DeviceRow row;
    Facts facts;  // without nonce and minimum level
};
// `release`: the one that the evidence names; empty: no references are read. Unknown device:
// nullopt.
Result<std::optional<Record>> load_record(store::Database& database, const std::string& device,
                                          const std::string& release, std::int64_t now_ms);

struct VerdictRow {
    std::string device;
    std::int64_t at_ms = 0;
    Appraisal appraisal;
    // Of evidence that passed: raises what is known of the device. It says how the device was at
    // some time since it was asked; nothing later counts as its last pass.
    std::int64_t asked_ms = 0;
    std::optional<std::uint64_t> boot_counter;
    std::string release;
};
// Adds the verdict to the history (the latest 1000 of a device are kept) and sets the device's
// verdict columns, in one transaction.
Result<void> record_verdict(store::Database& database, const VerdictRow& verdict);

}  // namespace quoin::verifier
