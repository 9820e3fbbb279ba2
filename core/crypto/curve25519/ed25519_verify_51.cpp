#include "core/crypto/curve25519/verifier.hpp"

namespace quoin::core::ed25519 {

// All is public here.
template <>
Result<void> verify<curve25519::Field51>(PublicKey public_key, Bytes message, Signature signature) {
    return verify<curve25519::InlinedField51>(public_key, message, signature);
}

}  // namespace quoin::core::ed25519
