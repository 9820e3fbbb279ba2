// A private key that is loaded and used. What it is made of ("material": a seed where there is one)
// and what the public key is: host/keys/se/algorithm.hpp.
//
// Arithmetic: core/crypto with this processor's fastest backend; OpenSSL for the SLH-DSA sets that
// core does not sign with. Errors: input_unsupported for what the algorithm cannot do,
// input_invalid for a wrong size; internal with OpenSSL's reason.
// Threads: a loaded key is only read. Constant time: core's and OpenSSL's. A key wipes itself.
#pragma once

#include <memory>

#include "host/error.hpp"
#include "host/keys/se/protocol.hpp"
#include "host/keys/secret_bytes.hpp"

namespace quoin::secure_element {

using keys::SecretBytes;
using keys::se::Algorithm;
using keys::se::ByteVector;

using keys::se::SharedSecret;

class Key {
public:
    Key() = default;
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;
    virtual ~Key() = default;

    virtual Bytes public_key() const = 0;
    virtual Result<ByteVector> sign(Bytes message, Bytes context) const;
    virtual Result<SharedSecret> decapsulate(Bytes ciphertext) const;
    virtual Result<SharedSecret> agree(Bytes peer) const;
    // Does the public key belong to the private one? FIPS 140-3's pair-wise consistency test.
    virtual Result<void> check_pair() const = 0;
};

// Random bytes for secrets: OpenSSL's private generator.
Result<void> private_random(MutableBytes out);

// New material; not for AES.
Result<SecretBytes> make_material(Algorithm algorithm);
Result<std::unique_ptr<Key>> load_key(Algorithm algorithm, Bytes material);
// The test of a pair that was just made, which stops the module if it fails.
Result<void> check_new_pair(const Key& key, Algorithm algorithm);

// The parts of load_key, one file each.
std::unique_ptr<Key> load_curve_key(Algorithm algorithm, Bytes material);
std::unique_ptr<Key> load_kem_key(Algorithm algorithm, Bytes material);
Result<std::unique_ptr<Key>> load_lattice_key(Algorithm algorithm, Bytes material);
Result<std::unique_ptr<Key>> load_composite_key(Algorithm algorithm, Bytes material);
Result<std::unique_ptr<Key>> load_hash_based_key(Algorithm algorithm, Bytes material);
Result<SecretBytes> make_hash_based_material(Algorithm algorithm);

}  // namespace quoin::secure_element
