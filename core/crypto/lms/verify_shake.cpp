#include "core/crypto/lms/verify_impl.hpp"

namespace quoin::core::lms {

template class Verifier<ShakeM32, Portable>;
template class Verifier<ShakeM24, Portable>;

}  // namespace quoin::core::lms
