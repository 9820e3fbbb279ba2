// What the two ways of signing with ML-DSA share. Inside core/crypto/known_answers only.
#pragma once

#include "core/crypto/known_answers/ml_dsa.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"

namespace quoin::core::known_answers {

using ml_dsa::Set44, ml_dsa::Set65, ml_dsa::Set87;

template <class Set>
struct MlDsaKept {
    std::array<std::uint8_t, Set::public_key_size> public_key;
    std::array<std::uint8_t, Set::private_key_size> private_key;
    std::array<std::uint8_t, Set::signature_size> signature;
};

template <class Set, class Backend>
bool ml_dsa_keygen(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<MlDsaKept<Set>>();
    std::array<std::uint8_t, 32> xi = Answers<Set>::seed;
    ml_dsa::keygen<Set, Backend>(ml_dsa::Seed(xi), kept.public_key, kept.private_key,
                                 memory.scratch_as<ml_dsa::KeygenWorkspace<Set, Backend>>());
    return true;
}

template <class Set>
bool ml_dsa_keys_are_right(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<MlDsaKept<Set>>();
    std::array<std::uint8_t, 32> digest{};
    keccak::Sha3_256<>::digest(digest, kept.private_key);
    return same(kept.public_key, Answers<Set>::public_key) &&
           same(digest, Answers<Set>::private_key_hash);
}

// Round 0: the message of the vector. Later rounds: others, for the mean of the attempts.
inline std::array<std::uint8_t, ml_dsa_vectors::message.size()> message_of(unsigned round) {
    std::array<std::uint8_t, ml_dsa_vectors::message.size()> varied = ml_dsa_vectors::message;
    varied[0] ^= static_cast<std::uint8_t>(round);
    return varied;
}

template <class Set>
bool ml_dsa_signature_is_right(const Memory& memory, unsigned round) {
    const auto& kept = memory.kept_as<MlDsaKept<Set>>();
    if (round == 0) return same(kept.signature, Answers<Set>::signature);
    return ml_dsa::verify<Set>(kept.public_key, message_of(round), {}, kept.signature,
                               memory.scratch_as<ml_dsa::VerifyWorkspace<Set>>())
        .has_value();
}

}  // namespace quoin::core::known_answers
