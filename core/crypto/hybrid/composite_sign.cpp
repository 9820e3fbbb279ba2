#include "core/crypto/hybrid/composite_sign_body.hpp"

namespace quoin::core::hybrid {

template class CompositePrivateKey<MlDsa44Ed25519, Portable>;
template class CompositePrivateKey<MlDsa65Ed25519, Portable>;

}  // namespace quoin::core::hybrid
