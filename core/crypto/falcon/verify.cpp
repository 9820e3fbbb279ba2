#include "core/crypto/falcon/verify_body.hpp"

namespace quoin::core::falcon {

template Result<void> verify<Set512, Portable>(PublicKey<Set512>, Bytes, Bytes,
                                               VerifyWorkspace<Set512>&);
template Result<void> verify<Set1024, Portable>(PublicKey<Set1024>, Bytes, Bytes,
                                                VerifyWorkspace<Set1024>&);
template class LoadedPublicKey<Set512, Portable>;
template class LoadedPublicKey<Set1024, Portable>;

}  // namespace quoin::core::falcon
