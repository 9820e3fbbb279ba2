#include "core/crypto/curve25519/ladder.hpp"

namespace quoin::core::x25519 {

template void public_key<curve25519::Field51>(Key, MutableKey);
template Result<void> shared_secret<curve25519::Field51>(Key, Key, MutableKey);

}  // namespace quoin::core::x25519
