#include "core/crypto/curve25519/verifier.hpp"

namespace quoin::core::ed25519 {

template Result<void> verify<curve25519::Field25>(PublicKey, Bytes, Signature);

}  // namespace quoin::core::ed25519
