// tests/faulty/quoin.so: quoin.so whose self-test QUOIN_FAULT fails. The environment is read here
// and nowhere else; products link host/crypto/selftest/no_fault.cpp.
#include <cstdlib>

#include "host/crypto/selftest/fault.hpp"

namespace quoin::crypto::selftest {

bool is_broken(std::string_view test) {
    const char* const wanted = std::getenv("QUOIN_FAULT");
    return wanted != nullptr && test == wanted;
}

}  // namespace quoin::crypto::selftest
