// The two lengths of a KEM's results, as callers ask for them and give room for them.
#pragma once

#include "provider/dispatch.hpp"

namespace quoin::provider {

// The caller asks how much room is needed, of what it has a pointer for.
inline int tell_sizes(std::size_t* ciphertext_size, std::size_t ciphertext,
                      std::size_t* secret_size, std::size_t secret) {
    if (ciphertext_size != nullptr) *ciphertext_size = ciphertext;
    if (secret_size != nullptr) *secret_size = secret;
    return ciphertext_size != nullptr || secret_size != nullptr ? 1 : 0;
}

// Is there room for `size` bytes? Then `given` becomes the size.
inline bool has_room(const unsigned char* buffer, std::size_t* given, std::size_t size) {
    if (buffer == nullptr) return refuse(PROV_R_NULL_OUTPUT_BUFFER, "a result has no buffer");
    if (given == nullptr) return refuse(PROV_R_NULL_LENGTH_POINTER, "a buffer has no length");
    if (*given < size) return refuse(PROV_R_OUTPUT_BUFFER_TOO_SMALL, "a buffer is too small");
    *given = size;
    return true;
}

}  // namespace quoin::provider
