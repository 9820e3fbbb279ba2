// The tables of quoind. One list of migrations; a released one never changes.
#pragma once

#include <span>

#include "host/store/database.hpp"

namespace quoin::server {

std::span<const store::Migration> migrations();

}  // namespace quoin::server
