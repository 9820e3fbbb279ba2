// What contexts of our own and those of unmodified programs have in common.
#pragma once

#include "host/approved_mode.hpp"

namespace quoin::tls {

// 256-bit keys only: half of that is left against Grover's search.
inline const char* cipher_suites() {
    return approved_mode() ? "TLS_AES_256_GCM_SHA384"
                           : "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
}

}  // namespace quoin::tls
