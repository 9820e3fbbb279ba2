#include "core/crypto/lms/verify_impl.hpp"

namespace quoin::core::lms {

template class Verifier<Sha256M32, ShaNi>;
template class Verifier<Sha256M24, ShaNi>;
template class Verifier<Sha256M32, Avx2>;
template class Verifier<Sha256M24, Avx2>;
template class Verifier<ShakeM32, Avx2>;
template class Verifier<ShakeM24, Avx2>;

}  // namespace quoin::core::lms
