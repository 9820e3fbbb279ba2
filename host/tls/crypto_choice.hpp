// The table [crypto] of quoin.toml and agent.toml.
//
//   approved_mode = true     host/approved_mode.hpp
//   require_hybrid = true    only suites of two kinds of mathematics: hybrid, not pure
//   tier = "maximum"         both, and each new key is tested as a pair a hundred times; default
//                            "standard". Level 5 (ML-KEM-1024, ML-DSA-87) is not part of it: no
//                            suite has it yet (docs/decisions/0017)
//
// Threads: plain values.
#pragma once

#include "host/config/config.hpp"
#include "host/tls/policy.hpp"

namespace quoin::tls {

struct CryptoChoice {
    bool approved_mode = false;
    bool require_hybrid = false;
    bool maximum = false;
};

// First of all tables: from then on the document may have no danger_ key, in approved mode.
void bind_crypto(config::Section& root, CryptoChoice& choice);
// Says at `suite` what the choice forbids.
void check_suite(config::Section& root, const CryptoChoice& choice, Suite suite);
// For this process, before it has threads.
void apply(const CryptoChoice& choice);

}  // namespace quoin::tls
