// One self-test while it runs: what was computed is held against what others say.
#pragma once

#include <openssl/types.h>

#include <string_view>

#include "core/base/bytes.hpp"

namespace quoin::crypto::selftest {

class Trial {
public:
    Trial(std::string_view test, OSSL_LIB_CTX* library) : test_(test), library_(library) {}
    OSSL_LIB_CTX* library() const { return library_; }
    // Whether `computed` is the known answer.
    bool gives(Bytes computed, Bytes known) const;
    // For an answer of one bit: a signature that must verify.
    bool holds(bool computed) const;

private:
    std::string_view test_;
    OSSL_LIB_CTX* library_;
};

}  // namespace quoin::crypto::selftest
