#include "core/crypto/slh_dsa/test_verify.hpp"

namespace quoin::core::slh_dsa {

using Sets = testing::Types<Shake_128s, Shake_128f, Shake_192s, Shake_192f, Shake_256s, Shake_256f>;
INSTANTIATE_TYPED_TEST_SUITE_P(shake, verifying, Sets);

}  // namespace quoin::core::slh_dsa
