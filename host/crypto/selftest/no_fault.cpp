#include "host/crypto/selftest/fault.hpp"

namespace quoin::crypto::selftest {

bool is_broken(std::string_view) { return false; }

}  // namespace quoin::crypto::selftest
