// The pairwise consistency test of a key that was just made: FIPS 140-3, 7.10.3.3. A pair that
// fails it is discarded by its maker, and the module stops.
#pragma once

#include "host/crypto/crypto.hpp"

namespace quoin::crypto::selftest {

// The private half signs, the public half verifies: of the algorithms of algorithm.hpp.
Result<void> check_pair(const PrivateKey& key);
// Of a KEM or X25519: what one side has is what the other has. `name`: "ML-KEM-768".
Result<void> check_agreement(std::string_view name, EVP_PKEY* key);

// How often each of the two tests a pair; once unless set. Before threads are.
void set_pair_rounds(unsigned rounds);

// What a store says of its own key's signature, for those that make and keep keys elsewhere.
Result<void> judge_pair(std::string_view name, bool consistent);

}  // namespace quoin::crypto::selftest
