// Keys that live as long as the process that made them.
#pragma once

#include <memory>

#include "host/keys/security_provider.hpp"

namespace example {

// What the stores of a process share, so that one can be opened again.
class Memory;
std::shared_ptr<Memory> make_memory();

// input_conflict: it has a store already.
quoin::Result<std::unique_ptr<quoin::keys::SecurityProvider>> create(
    std::shared_ptr<Memory> memory);
// input_not_found: it has none.
quoin::Result<std::unique_ptr<quoin::keys::SecurityProvider>> open(std::shared_ptr<Memory> memory);

}  // namespace example
