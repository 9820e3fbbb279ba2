#include "core/crypto/hybrid/composite_body.hpp"

namespace quoin::core::hybrid {

template Result<void> verify<MlDsa65Ed25519, Portable>(
    CompositePublicKey<MlDsa65Ed25519>, Bytes, const ml_dsa::Context&,
    CompositeSignature<MlDsa65Ed25519>, ml_dsa::VerifyWorkspace<ml_dsa::Set65, Portable>&);

template class CompositeLoadedPublicKey<MlDsa65Ed25519, Portable>;

}  // namespace quoin::core::hybrid
