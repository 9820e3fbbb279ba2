#include "secure_element/key.hpp"

#include <openssl/rand.h>

#include "host/crypto/crypto.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/crypto/selftest/pair.hpp"

namespace quoin::secure_element {

using keys::se::info;
using keys::se::Kind;

Result<ByteVector> Key::sign(Bytes, Bytes) const {
    return fail(Code::input_unsupported, "this key's algorithm does not sign");
}
Result<SharedSecret> Key::decapsulate(Bytes) const {
    return fail(Code::input_unsupported, "this key's algorithm does not decapsulate");
}
Result<SharedSecret> Key::agree(Bytes) const {
    return fail(Code::input_unsupported, "this key's algorithm does not agree on a secret");
}

Result<void> private_random(MutableBytes out) {
    QUOIN_CHECK(crypto::operational());
    if (RAND_priv_bytes_ex(crypto::library(), out.data(), out.size(), 256) == 1) return {};
    return fail(Code::internal, "no random bytes: {}", crypto::openssl_error());
}

namespace {

bool is_hash_based(Algorithm algorithm) {
    return algorithm >= Algorithm::slh_dsa_sha2_128s && algorithm <= Algorithm::slh_dsa_shake_256f;
}
bool is_composite(Algorithm algorithm) {
    return algorithm == Algorithm::ml_dsa_44_ed25519 || algorithm == Algorithm::ml_dsa_65_ed25519;
}

}  // namespace

Result<SecretBytes> make_material(Algorithm algorithm) {
    if (is_hash_based(algorithm)) return make_hash_based_material(algorithm);
    SecretBytes material(info(algorithm).private_key_size);
    QUOIN_CHECK(private_random(material.expose_to_fill()));
    return material;
}

Result<std::unique_ptr<Key>> load_key(Algorithm algorithm, Bytes material) {
    if (material.size() != info(algorithm).private_key_size) {
        return fail(Code::integrity_mismatch, "a key of {} has {} bytes, this one {}",
                    info(algorithm).name, info(algorithm).private_key_size, material.size());
    }
    if (is_hash_based(algorithm)) return load_hash_based_key(algorithm, material);
    if (is_composite(algorithm)) return load_composite_key(algorithm, material);
    if (info(algorithm).kind == Kind::kem) return load_kem_key(algorithm, material);
    if (algorithm == Algorithm::ed25519 || algorithm == Algorithm::x25519) {
        return load_curve_key(algorithm, material);
    }
    return load_lattice_key(algorithm, material);
}

Result<void> check_new_pair(const Key& key, Algorithm algorithm) {
    return crypto::selftest::judge_pair(info(algorithm).name, key.check_pair().has_value());
}

}  // namespace quoin::secure_element
