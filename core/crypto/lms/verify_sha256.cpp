#include "core/crypto/lms/verify_impl.hpp"

namespace quoin::core::lms {

template class Verifier<Sha256M32, Portable>;
template class Verifier<Sha256M24, Portable>;

}  // namespace quoin::core::lms
