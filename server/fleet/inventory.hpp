// The maker's batch list: one JSON object a line,
//   {"silicon_id":"mpu-1","class":"mpu","birth_cert_sha256":"<64 hex digits>"}
//
// and, of a device with another maker's EST client, "foreign":true: it need not bind its requests
// to their TLS connection.
//
// Limits: `max_batch_bytes`, `max_batch_lines`, `max_batch_line_bytes`. All or nothing: the first
// fault refuses the list, and the error names line, field and value. Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/fleet/lifecycle.hpp"

namespace quoin::server {

inline constexpr std::size_t max_batch_bytes = 8 << 20;
inline constexpr std::size_t max_batch_lines = 20'000;
inline constexpr std::size_t max_batch_line_bytes = 1024;

struct InventoryLine {
    std::size_t line;  // in the list, from 1
    std::string silicon_id;
    DeviceClass device_class;
    std::string birth_cert_sha256;  // lower case
    bool foreign = false;
};

// Empty lines are skipped; an empty list is input_invalid.
Result<std::vector<InventoryLine>> parse_batch(std::string_view text);

}  // namespace quoin::server
