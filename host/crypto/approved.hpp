// The one list of what approved mode (host/approved_mode.hpp) lets count.
//
// Ed25519 and X25519 count as the extra half of a composite or a hybrid only, which is why they are
// not in it. ChaCha20-Poly1305 is not approved. Source: FIPS 186-5, 203, 204, 205; SP 800-208.
#pragma once

#include <string_view>

#include "host/error.hpp"

namespace quoin::crypto {

bool is_approved(std::string_view algorithm);  // our names: algorithm.hpp, "ML-KEM-768", ...
// Outside of approved mode everything passes; in it config_invalid names what is not in the list.
Result<void> check_approved(std::string_view algorithm);

}  // namespace quoin::crypto
