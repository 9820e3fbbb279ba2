#include "core/crypto/hybrid/composite_body.hpp"

namespace quoin::core::hybrid {

template Result<void> verify<MlDsa44Ed25519, Portable>(
    CompositePublicKey<MlDsa44Ed25519>, Bytes, const ml_dsa::Context&,
    CompositeSignature<MlDsa44Ed25519>, ml_dsa::VerifyWorkspace<ml_dsa::Set44, Portable>&);

template class CompositeLoadedPublicKey<MlDsa44Ed25519, Portable>;

}  // namespace quoin::core::hybrid
