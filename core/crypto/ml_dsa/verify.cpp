#include "core/crypto/ml_dsa/verify_body.hpp"

namespace quoin::core::ml_dsa {

template Result<void> verify<Set44, Portable>(PublicKey<Set44>, Bytes, const Context&,
                                              Signature<Set44>, VerifyWorkspace<Set44, Portable>&);
template Result<void> verify_mu<Set44, Portable>(PublicKey<Set44>, const Mu&, Signature<Set44>,
                                                 VerifyWorkspace<Set44, Portable>&);
template Result<void> verify<Set65, Portable>(PublicKey<Set65>, Bytes, const Context&,
                                              Signature<Set65>, VerifyWorkspace<Set65, Portable>&);
template Result<void> verify_mu<Set65, Portable>(PublicKey<Set65>, const Mu&, Signature<Set65>,
                                                 VerifyWorkspace<Set65, Portable>&);
template Result<void> verify<Set87, Portable>(PublicKey<Set87>, Bytes, const Context&,
                                              Signature<Set87>, VerifyWorkspace<Set87, Portable>&);
template Result<void> verify_mu<Set87, Portable>(PublicKey<Set87>, const Mu&, Signature<Set87>,
                                                 VerifyWorkspace<Set87, Portable>&);

template class LoadedPublicKey<Set44, Portable>;
template class LoadedPublicKey<Set65, Portable>;
template class LoadedPublicKey<Set87, Portable>;

}  // namespace quoin::core::ml_dsa
