#include "secure_element/selftest.hpp"

#include "host/crypto/selftest/core.hpp"
#include "secure_element/backend.hpp"

namespace quoin::secure_element {

Result<void> self_test() {
    using namespace core::known_answers;
    using crypto::selftest::check_core;
    QUOIN_CHECK(check_core({sha2<core::Portable>(), hmac(), curve25519()}));
    QUOIN_CHECK(with_best_aes([]<class Backend>() { return check_core({aes<Backend>()}); }));
    QUOIN_CHECK(with_widest_vectors([]<class Backend>() {
        return check_core({ml_kem<Backend>(), ml_dsa<Backend>(), ml_dsa_verify<Backend>()});
    }));
    return with_vectors(
        []<class Backend>() { return check_core({keccak<Backend>(), composite<Backend>()}); });
}

}  // namespace quoin::secure_element
