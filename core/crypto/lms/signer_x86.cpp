#include "core/crypto/lms/signer_impl.hpp"

namespace quoin::core::lms {

template class Signer<Sha256M32, ShaNi>;
template class Signer<Sha256M24, ShaNi>;
template class Signer<Sha256M32, Avx2>;
template class Signer<Sha256M24, Avx2>;
template class Signer<ShakeM32, Avx2>;
template class Signer<ShakeM24, Avx2>;

}  // namespace quoin::core::lms
