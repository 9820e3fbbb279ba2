#include "core/crypto/known_answers/vectors/ml_kem.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/known_answers/operation.hpp"
#include "core/crypto/ml_kem/ml_kem.hpp"
#include "core/crypto/ml_kem/workspace.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace ml_kem_vectors;
using ml_kem::Set512, ml_kem::Set768, ml_kem::Set1024;

// What the vectors say of each set.
template <class Set>
struct Answers;
template <>
struct Answers<Set512> {
    static constexpr const auto& seed = seed_512;
    static constexpr const auto& random = message_512;
    static constexpr const auto& encapsulation_key_hash = encapsulation_key_hash_512;
    static constexpr const auto& decapsulation_key_hash = decapsulation_key_hash_512;
    static constexpr const auto& ciphertext_hash = ciphertext_hash_512;
    static constexpr const auto& secret = secret_512;
    static constexpr const auto& rejected_ciphertext = rejected_ciphertext_512;
    static constexpr const auto& rejected_secret = rejected_secret_512;
};
template <>
struct Answers<Set768> {
    static constexpr const auto& seed = seed_768;
    static constexpr const auto& random = message_768;
    static constexpr const auto& encapsulation_key_hash = encapsulation_key_hash_768;
    static constexpr const auto& decapsulation_key_hash = decapsulation_key_hash_768;
    static constexpr const auto& ciphertext_hash = ciphertext_hash_768;
    static constexpr const auto& secret = secret_768;
    static constexpr const auto& rejected_ciphertext = rejected_ciphertext_768;
    static constexpr const auto& rejected_secret = rejected_secret_768;
};
template <>
struct Answers<Set1024> {
    static constexpr const auto& seed = seed_1024;
    static constexpr const auto& random = message_1024;
    static constexpr const auto& encapsulation_key_hash = encapsulation_key_hash_1024;
    static constexpr const auto& decapsulation_key_hash = decapsulation_key_hash_1024;
    static constexpr const auto& ciphertext_hash = ciphertext_hash_1024;
    static constexpr const auto& secret = secret_1024;
    static constexpr const auto& rejected_ciphertext = rejected_ciphertext_1024;
    static constexpr const auto& rejected_secret = rejected_secret_1024;
};

template <class Set>
struct Kept {
    std::array<std::uint8_t, Set::encapsulation_key_size> encapsulation_key;
    std::array<std::uint8_t, Set::decapsulation_key_size> decapsulation_key;
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext;
    std::array<std::uint8_t, ml_kem::shared_secret_size> secret;
};

// The first 16 bytes of SHAKE256, as the vectors have them.
bool hashes_to(Bytes bytes, Bytes expected) {
    std::array<std::uint8_t, 16> digest{};
    keccak::Shake256<>::digest(digest, bytes);
    return same(digest, expected);
}

template <class Set, class Backend>
bool generate(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<Set>>();
    const std::span seed = Answers<Set>::seed;
    ml_kem::generate<Set, Backend>(kept.encapsulation_key, kept.decapsulation_key,
                                   seed.template first<32>(), seed.template last<32>(),
                                   memory.scratch_as<ml_kem::Workspace<Set, Backend>>());
    return true;
}

template <class Set>
bool keys_are_right(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<Kept<Set>>();
    return hashes_to(kept.encapsulation_key, Answers<Set>::encapsulation_key_hash) &&
           hashes_to(kept.decapsulation_key, Answers<Set>::decapsulation_key_hash);
}

// With the check of the key, as who receives it must.
template <class Set, class Backend>
bool encapsulate(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<Set>>();
    const auto key = ml_kem::EncapsulationKey<Set>::template check<Backend>(kept.encapsulation_key);
    if (!key) return false;
    ml_kem::encapsulate<Set, Backend>(kept.secret, kept.ciphertext, *key, Answers<Set>::random,
                                      memory.scratch_as<ml_kem::Workspace<Set, Backend>>());
    return true;
}

// A key with a coefficient that is not below q is none (FIPS 203, section 7.2).
template <class Set, class Backend>
bool ciphertext_is_right(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<Set>>();
    if (!hashes_to(kept.ciphertext, Answers<Set>::ciphertext_hash) ||
        !same(kept.secret, Answers<Set>::secret)) {
        return false;
    }
    auto& last_coefficient = kept.encapsulation_key[384 * Set::k - 1];
    const std::uint8_t right = last_coefficient;
    last_coefficient = 0xff;
    const auto refused =
        ml_kem::EncapsulationKey<Set>::template check<Backend>(kept.encapsulation_key);
    last_coefficient = right;
    return !refused;
}

template <class Set, class Backend>
bool decapsulate(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<Set>>();
    kept.secret = {};
    ml_kem::decapsulate<Set, Backend>(
        kept.secret, ml_kem::DecapsulationKey<Set>::danger_unchecked(kept.decapsulation_key),
        kept.ciphertext, memory.scratch_as<ml_kem::Workspace<Set, Backend>>());
    return true;
}

// The right secret; of a ciphertext that nobody made, the secret that FIPS 203 wants; and a key
// whose hash is not that of its public half is none (section 7.3).
template <class Set, class Backend>
bool secrets_are_right(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<Set>>();
    if (!same(kept.secret, Answers<Set>::secret)) return false;
    const auto key = ml_kem::DecapsulationKey<Set>::template check<Backend>(kept.decapsulation_key);
    if (!key) return false;
    ml_kem::decapsulate<Set, Backend>(kept.secret, *key, Answers<Set>::rejected_ciphertext,
                                      memory.scratch_as<ml_kem::Workspace<Set, Backend>>());
    if (!same(kept.secret, Answers<Set>::rejected_secret)) return false;
    kept.decapsulation_key[768 * Set::k + 32] ^= 1U;
    return !ml_kem::DecapsulationKey<Set>::template check<Backend>(kept.decapsulation_key);
}

template <class Backend>
constexpr std::array operations = {
    Operation{"ML-KEM-512 keygen", generate<Set512, Backend>, keys_are_right<Set512>},
    Operation{"ML-KEM-512 encaps", encapsulate<Set512, Backend>,
              ciphertext_is_right<Set512, Backend>},
    Operation{"ML-KEM-512 decaps", decapsulate<Set512, Backend>,
              secrets_are_right<Set512, Backend>},
    Operation{"ML-KEM-768 keygen", generate<Set768, Backend>, keys_are_right<Set768>},
    Operation{"ML-KEM-768 encaps", encapsulate<Set768, Backend>,
              ciphertext_is_right<Set768, Backend>},
    Operation{"ML-KEM-768 decaps", decapsulate<Set768, Backend>,
              secrets_are_right<Set768, Backend>},
    Operation{"ML-KEM-1024 keygen", generate<Set1024, Backend>, keys_are_right<Set1024>},
    Operation{"ML-KEM-1024 encaps", encapsulate<Set1024, Backend>,
              ciphertext_is_right<Set1024, Backend>},
    Operation{"ML-KEM-1024 decaps", decapsulate<Set1024, Backend>,
              secrets_are_right<Set1024, Backend>},
};

}  // namespace

template <>
Operations ml_kem<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations ml_kem<Avx2>() {
    return operations<Avx2>;
}
template <>
Operations ml_kem<Avx512>() {
    return operations<Avx512>;
}
#endif

}  // namespace quoin::core::known_answers
