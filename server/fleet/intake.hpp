// The rows of a batch list: new devices, and revoked ones that come back. In the caller's
// transaction. Threads: the session's.
#pragma once

#include <soci/soci.h>

#include <string_view>
#include <vector>

#include "server/fleet/inventory.hpp"

namespace quoin::server {

inline constexpr std::string_view not_enrolled = "not enrolled yet";
inline constexpr std::string_view not_back = "readmitted; not enrolled yet";

struct Admission {
    InventoryLine line;
    std::uint64_t epoch = 1;
};
using Intake = std::vector<Admission>;

// input_conflict, naming the line: a device that is in the inventory already (with `readmit`: and
// is not revoked, or was of another class), a birth certificate that any device ever had.
Result<Intake> take_in(soci::session& session, const std::vector<InventoryLine>& lines,
                       bool readmit, std::int64_t now_ms);

}  // namespace quoin::server
