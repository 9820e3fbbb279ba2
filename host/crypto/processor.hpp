// What this processor can do, for whoever picks a backend of core/crypto. Asked once.
#pragma once

#include "core/crypto/backend.hpp"

namespace quoin::crypto {

struct Processor {
    bool avx2 = false;    // core::Avx2
    bool avx512 = false;  // core::Avx512
    bool sha_ni = false;  // core::ShaNi
    bool aes_ni = false;  // core::AesNi
    bool vaes = false;    // core::Vaes
};

const Processor& processor();

}  // namespace quoin::crypto
