#include "core/crypto/curve25519/signer.hpp"

namespace quoin::core::ed25519 {

template class PrivateKey<curve25519::Field25>;

}  // namespace quoin::core::ed25519
