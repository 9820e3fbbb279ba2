#include "core/crypto/ml_dsa/avx2.hpp"
#include "core/crypto/ml_dsa/verify_body.hpp"

namespace quoin::core::ml_dsa {

template Result<void> verify<Set44, Avx2>(PublicKey<Set44>, Bytes, const Context&, Signature<Set44>,
                                          VerifyWorkspace<Set44, Avx2>&);
template Result<void> verify_mu<Set44, Avx2>(PublicKey<Set44>, const Mu&, Signature<Set44>,
                                             VerifyWorkspace<Set44, Avx2>&);
template Result<void> verify<Set65, Avx2>(PublicKey<Set65>, Bytes, const Context&, Signature<Set65>,
                                          VerifyWorkspace<Set65, Avx2>&);
template Result<void> verify_mu<Set65, Avx2>(PublicKey<Set65>, const Mu&, Signature<Set65>,
                                             VerifyWorkspace<Set65, Avx2>&);
template Result<void> verify<Set87, Avx2>(PublicKey<Set87>, Bytes, const Context&, Signature<Set87>,
                                          VerifyWorkspace<Set87, Avx2>&);
template Result<void> verify_mu<Set87, Avx2>(PublicKey<Set87>, const Mu&, Signature<Set87>,
                                             VerifyWorkspace<Set87, Avx2>&);

template Result<void> verify<Set44, Avx512>(PublicKey<Set44>, Bytes, const Context&,
                                            Signature<Set44>, VerifyWorkspace<Set44, Avx512>&);
template Result<void> verify_mu<Set44, Avx512>(PublicKey<Set44>, const Mu&, Signature<Set44>,
                                               VerifyWorkspace<Set44, Avx512>&);
template Result<void> verify<Set65, Avx512>(PublicKey<Set65>, Bytes, const Context&,
                                            Signature<Set65>, VerifyWorkspace<Set65, Avx512>&);
template Result<void> verify_mu<Set65, Avx512>(PublicKey<Set65>, const Mu&, Signature<Set65>,
                                               VerifyWorkspace<Set65, Avx512>&);
template Result<void> verify<Set87, Avx512>(PublicKey<Set87>, Bytes, const Context&,
                                            Signature<Set87>, VerifyWorkspace<Set87, Avx512>&);
template Result<void> verify_mu<Set87, Avx512>(PublicKey<Set87>, const Mu&, Signature<Set87>,
                                               VerifyWorkspace<Set87, Avx512>&);

template class LoadedPublicKey<Set44, Avx2>;
template class LoadedPublicKey<Set65, Avx2>;
template class LoadedPublicKey<Set87, Avx2>;
template class LoadedPublicKey<Set44, Avx512>;
template class LoadedPublicKey<Set65, Avx512>;
template class LoadedPublicKey<Set87, Avx512>;

}  // namespace quoin::core::ml_dsa
