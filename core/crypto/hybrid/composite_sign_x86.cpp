// Nothing here is compiled for AVX2 or AVX-512: it calls ML-DSA's objects that are.
#include "core/crypto/hybrid/composite_sign_body.hpp"

namespace quoin::core::hybrid {

template class CompositePrivateKey<MlDsa44Ed25519, Avx2>;
template class CompositePrivateKey<MlDsa65Ed25519, Avx2>;
template class CompositePrivateKey<MlDsa44Ed25519, Avx512>;
template class CompositePrivateKey<MlDsa65Ed25519, Avx512>;

}  // namespace quoin::core::hybrid
