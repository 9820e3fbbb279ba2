#include "core/crypto/falcon/verify_body.hpp"

namespace quoin::core::falcon {

template Result<void> verify<Set512, Avx2>(PublicKey<Set512>, Bytes, Bytes,
                                           VerifyWorkspace<Set512>&);
template Result<void> verify<Set1024, Avx2>(PublicKey<Set1024>, Bytes, Bytes,
                                            VerifyWorkspace<Set1024>&);
template class LoadedPublicKey<Set512, Avx2>;
template class LoadedPublicKey<Set1024, Avx2>;

}  // namespace quoin::core::falcon
