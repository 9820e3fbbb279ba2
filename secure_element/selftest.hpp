// Known answers of what this process calls in core/crypto, on its backends, before it listens.
// Hash-based signatures: before their first key.
#pragma once

#include "host/error.hpp"

namespace quoin::secure_element {

Result<void> self_test();

}  // namespace quoin::secure_element
