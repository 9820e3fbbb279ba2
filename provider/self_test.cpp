#include "provider/self_test.hpp"

#include <cstdio>

#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/known_answers/ml_dsa.hpp"
#include "core/crypto/known_answers/vectors/composite.hpp"
#include "core/crypto/known_answers/vectors/curve25519.hpp"
#include "core/crypto/known_answers/vectors/ml_kem.hpp"
#include "host/crypto/selftest/fault.hpp"
#include "provider/ml_kem.hpp"
#include "provider/x25519_ml_kem_768.hpp"

namespace quoin::provider {
namespace {

using namespace core::known_answers;
using namespace core::known_answers::ml_kem_vectors;

bool same_as(Bytes computed, Bytes known) { return std::ranges::equal(computed, known); }

bool judge(const ProviderContext& context, const char* test, bool passed) {
    return passed != crypto::selftest::is_broken(test) || stop(context, test);
}

// As the vectors have it: the first 16 bytes of SHAKE256.
bool hashes_to(Bytes bytes, Bytes known) {
    std::array<std::uint8_t, 16> digest{};
    core::keccak::Shake256<>::digest(digest, bytes);
    return same_as(digest, known);
}

struct MlKemAnswers {
    core::ml_kem::Random random;
    Bytes public_hash, private_hash, ciphertext_hash, secret, rejected_ciphertext, rejected_secret;
};

// FIPS 203: key generation, encapsulation, decapsulation, implicit rejection.
template <class Set>
bool ml_kem_is_right(const ProviderContext& context, typename MlKemKey<Set>::Seed seed,
                     const MlKemAnswers& known) {
    using Key = MlKemKey<Set>;
    Key key(context);
    key.set_seed(seed);
    std::array<std::uint8_t, Key::row.shared_secret_size> secret{};
    std::array<std::uint8_t, Key::row.ciphertext_size> ciphertext{};
    if (!hashes_to(key.public_key(), known.public_hash) ||
        !hashes_to(key.private_key(), known.private_hash)) {
        return false;
    }
    if (!key.encapsulate(secret, ciphertext, known.random) || !same_as(secret, known.secret) ||
        !hashes_to(ciphertext, known.ciphertext_hash)) {
        return false;
    }
    secret = {};
    if (!key.decapsulate(secret, ciphertext) || !same_as(secret, known.secret)) return false;
    return key.decapsulate(secret, known.rejected_ciphertext.first<Key::row.ciphertext_size>()) &&
           same_as(secret, known.rejected_secret);
}

// FIPS 204: key generation, signing, verification. mu of Algorithm 7, line 6, without a context.
template <class Set>
bool ml_dsa_is_right(const ProviderContext& context) {
    using Form = MlDsa<Set>;
    SignatureKey<Form> key(context);
    if (!key.set_seed(Answers<Set>::seed) || !same_as(key.public_key(), Answers<Set>::public_key)) {
        return false;
    }
    core::ml_dsa::Mu mu{};
    constexpr std::array<std::uint8_t, 2> head{};
    core::keccak::Shake256<> hash;
    hash.absorb(key.public_key_hash().bytes)
        .absorb(head)
        .absorb(ml_dsa_vectors::message)
        .squeeze(mu.bytes);
    std::array<std::uint8_t, Form::signature_size> signature{};
    if (!key.sign(mu, core::ml_dsa::deterministic, signature) ||
        !same_as(signature, Answers<Set>::signature) || !key.verify(mu, signature)) {
        return false;
    }
    signature[0] ^= 1U;
    return !key.verify(mu, signature);
}

// Each half alone is not enough: the first byte is ML-DSA's, the last 64 are Ed25519's.
template <class Form>
bool tells_apart(const SignatureKey<Form>& key,
                 std::array<std::uint8_t, Form::signature_size> signature) {
    const typename Form::Input input{composite_vectors::message, {}};
    if (!key.verify(input, signature)) return false;
    signature[0] ^= 1U;
    if (key.verify(input, signature)) return false;
    signature[0] ^= 1U;
    signature[Form::signature_size - 64] ^= 1U;
    return !key.verify(input, signature);
}

// The vectors are for verification; what is signed here is held against that.
template <class Algorithm, const auto& public_key, const auto& known>
bool composite_is_right(const ProviderContext& context) {
    using Form = Composite<Algorithm>;
    SignatureKey<Form> theirs(context);
    theirs.set_public(public_key);
    SignatureKey<Form> own(context);
    std::array<std::uint8_t, Form::seed_size> seed{};
    seed.fill(7);
    std::array<std::uint8_t, Form::signature_size> signature{};
    return tells_apart<Form>(theirs, known) && own.set_seed(seed) &&
           own.sign({composite_vectors::message, {}}, core::ml_dsa::deterministic, signature) &&
           tells_apart<Form>(own, signature);
}

// The vectors of the halves: RFC 10024 puts them beside each other.
bool hybrid_is_right(const ProviderContext& context) {
    using namespace curve25519_vectors;
    using Key = X25519MlKem768Key;
    MlKemKey<core::ml_kem::Set768> half(context);
    half.set_seed(seed_768);
    std::array<std::uint8_t, Key::row.private_key_size> private_key{};
    std::array<std::uint8_t, Key::row.ciphertext_size> ciphertext{};
    std::array<std::uint8_t, Key::row.shared_secret_size> secret{};
    const std::size_t half_size = half.private_key().size();
    std::ranges::copy(half.private_key(), private_key.begin());
    std::ranges::copy(private_a, private_key.begin() + static_cast<std::ptrdiff_t>(half_size));
    Key key(context);
    if (!half.encapsulate(std::span(secret).first<32>(),
                          std::span(ciphertext).first<core::ml_kem::Set768::ciphertext_size>(),
                          message_768) ||
        !key.set_private(private_key)) {
        return false;
    }
    std::ranges::copy(x25519_public_b, ciphertext.end() - 32);
    secret = {};
    if (!key.decapsulate(secret, ciphertext) ||
        !same_as(std::span(secret).first<32>(), secret_768) ||
        !same_as(std::span(secret).last<32>(), shared)) {
        return false;
    }
    auto back = secret;
    return key.encapsulate(secret, ciphertext, message_768) && key.decapsulate(back, ciphertext) &&
           same_as(secret, back) && same_as(std::span(secret).first<32>(), secret_768);
}

}  // namespace

bool stop(const ProviderContext& context, const char* test) {
    context.stopped = true;
    std::array<char, 128> sentence{};
    std::snprintf(sentence.data(), sentence.size(),
                  "the self-test \"%s\" failed: the provider has stopped", test);
    return refuse(PROV_R_SELF_TEST_POST_FAILURE, sentence.data());
}

bool judge_pair(const ProviderContext& context, const char* algorithm, bool consistent) {
    std::array<char, 64> test{};
    std::snprintf(test.data(), test.size(), "pair of %s", algorithm);
    return judge(context, test.data(), consistent);
}

bool test_known_answers(const ProviderContext& context) {
    using namespace core::ml_kem;
    using namespace core::hybrid;
    using namespace composite_vectors;
    return judge(
               context, "ML-KEM-512",
               ml_kem_is_right<Set512>(context, seed_512,
                                       {message_512, encapsulation_key_hash_512,
                                        decapsulation_key_hash_512, ciphertext_hash_512, secret_512,
                                        rejected_ciphertext_512, rejected_secret_512})) &&
           judge(
               context, "ML-KEM-768",
               ml_kem_is_right<Set768>(context, seed_768,
                                       {message_768, encapsulation_key_hash_768,
                                        decapsulation_key_hash_768, ciphertext_hash_768, secret_768,
                                        rejected_ciphertext_768, rejected_secret_768})) &&
           judge(context, "ML-KEM-1024",
                 ml_kem_is_right<Set1024>(
                     context, seed_1024,
                     {message_1024, encapsulation_key_hash_1024, decapsulation_key_hash_1024,
                      ciphertext_hash_1024, secret_1024, rejected_ciphertext_1024,
                      rejected_secret_1024})) &&
           judge(context, "ML-DSA-44", ml_dsa_is_right<core::ml_dsa::Set44>(context)) &&
           judge(context, "ML-DSA-65", ml_dsa_is_right<core::ml_dsa::Set65>(context)) &&
           judge(context, "ML-DSA-87", ml_dsa_is_right<core::ml_dsa::Set87>(context)) &&
           judge(context, "ML-DSA-44+Ed25519",
                 composite_is_right<MlDsa44Ed25519, public_key_44, signature_44>(context)) &&
           judge(context, "ML-DSA-65+Ed25519",
                 composite_is_right<MlDsa65Ed25519, public_key_65, signature_65>(context));
}

bool test_hybrid(const ProviderContext& context) {
    if (context.hybrid_tested.load(std::memory_order_acquire)) return true;
    // Two threads may both do it: they find the same.
    if (!judge(context, "X25519MLKEM768", hybrid_is_right(context))) return false;
    context.hybrid_tested.store(true, std::memory_order_release);
    return true;
}

}  // namespace quoin::provider
