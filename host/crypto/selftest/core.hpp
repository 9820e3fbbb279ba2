// Known answers of core/crypto for programs that call it themselves, on the backends that they
// chose.
#pragma once

#include <initializer_list>

#include "core/crypto/known_answers/operation.hpp"
#include "host/error.hpp"

namespace quoin::crypto::selftest {

// Whether an operation gives its known answer in each round.
bool passes(const core::known_answers::Operation& operation,
            const core::known_answers::Memory& memory);

// All of them, in order; the first that fails stops the module (module.hpp), under its name with
// "core " before it. The caller remembers the answer.
Result<void> check_core(std::initializer_list<core::known_answers::Operations> operations);

}  // namespace quoin::crypto::selftest
