#include "core/crypto/slh_dsa/test_verify.hpp"

namespace quoin::core::slh_dsa {

using Sets = testing::Types<Sha2_128s, Sha2_128f, Sha2_192s, Sha2_192f, Sha2_256s, Sha2_256f>;
INSTANTIATE_TYPED_TEST_SUITE_P(sha2, verifying, Sets);

}  // namespace quoin::core::slh_dsa
