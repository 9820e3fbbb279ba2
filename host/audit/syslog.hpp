// An event as a message of RFC 5424.
//
//   <109>1 2026-11-22T10:00:00.000Z HOST quoin - pki.certificate.issued
//       [quoin@32473 number="7" subject="mpu-1" serial="0a1b"] a certificate was issued
//
// Facility 13 (log audit). The SD-ID's number is 32473, which RFC 5612 keeps for examples: a
// product that has a private enterprise number of its own puts it there. Values are ASCII: what is
// not is escaped as in JSON. A checkpoint shows the chain's head and not its long signature.
//
// Threads: free functions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "host/audit/event.hpp"

namespace quoin::audit {

inline constexpr std::string_view structured_data_id = "quoin@32473";
inline constexpr std::size_t max_syslog_bytes = 8000;  // RFC 5425: receivers should take 8192

// `host`: as RFC 5424's HOSTNAME; other characters are left out, "-" when nothing is left.
std::string to_syslog(const Line& line, std::string_view host);
// The name of this machine.
std::string host_name();
// 2026-11-22T10:00:00.000Z
std::string utc_text(std::int64_t time_ms);

// Calls `use` for every event of a log from its beginning, until an error. The form of each line is
// checked, the chain is not: that is verify()'s.
Result<void> each_line(const std::filesystem::path& file,
                       const std::function<Result<void>(const Line&)>& use);

}  // namespace quoin::audit
