// Nothing here is compiled for AVX2 or AVX-512: it calls ML-DSA's objects that are.
#include "core/crypto/hybrid/composite_body.hpp"

namespace quoin::core::hybrid {

template Result<void> verify<MlDsa44Ed25519, Avx2>(CompositePublicKey<MlDsa44Ed25519>, Bytes,
                                                   const ml_dsa::Context&,
                                                   CompositeSignature<MlDsa44Ed25519>,
                                                   ml_dsa::VerifyWorkspace<ml_dsa::Set44, Avx2>&);
template Result<void> verify<MlDsa65Ed25519, Avx2>(CompositePublicKey<MlDsa65Ed25519>, Bytes,
                                                   const ml_dsa::Context&,
                                                   CompositeSignature<MlDsa65Ed25519>,
                                                   ml_dsa::VerifyWorkspace<ml_dsa::Set65, Avx2>&);

template Result<void> verify<MlDsa44Ed25519, Avx512>(
    CompositePublicKey<MlDsa44Ed25519>, Bytes, const ml_dsa::Context&,
    CompositeSignature<MlDsa44Ed25519>, ml_dsa::VerifyWorkspace<ml_dsa::Set44, Avx512>&);
template Result<void> verify<MlDsa65Ed25519, Avx512>(
    CompositePublicKey<MlDsa65Ed25519>, Bytes, const ml_dsa::Context&,
    CompositeSignature<MlDsa65Ed25519>, ml_dsa::VerifyWorkspace<ml_dsa::Set65, Avx512>&);

template class CompositeLoadedPublicKey<MlDsa44Ed25519, Avx2>;
template class CompositeLoadedPublicKey<MlDsa65Ed25519, Avx2>;
template class CompositeLoadedPublicKey<MlDsa44Ed25519, Avx512>;
template class CompositeLoadedPublicKey<MlDsa65Ed25519, Avx512>;

}  // namespace quoin::core::hybrid
