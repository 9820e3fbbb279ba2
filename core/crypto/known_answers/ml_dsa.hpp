// What the vectors say of each set of ML-DSA.
#pragma once

#include "core/crypto/known_answers/operation.hpp"
#include "core/crypto/known_answers/vectors/ml_dsa.hpp"
#include "core/crypto/ml_dsa/set.hpp"

namespace quoin::core::known_answers {

template <class Set>
struct Answers;
template <>
struct Answers<ml_dsa::Set44> {
    static constexpr const auto& seed = ml_dsa_vectors::seed_44;
    static constexpr const auto& public_key = ml_dsa_vectors::public_key_44;
    static constexpr const auto& private_key_hash = ml_dsa_vectors::private_key_hash_44;
    static constexpr const auto& signature = ml_dsa_vectors::signature_44;
};
template <>
struct Answers<ml_dsa::Set65> {
    static constexpr const auto& seed = ml_dsa_vectors::seed_65;
    static constexpr const auto& public_key = ml_dsa_vectors::public_key_65;
    static constexpr const auto& private_key_hash = ml_dsa_vectors::private_key_hash_65;
    static constexpr const auto& signature = ml_dsa_vectors::signature_65;
};
template <>
struct Answers<ml_dsa::Set87> {
    static constexpr const auto& seed = ml_dsa_vectors::seed_87;
    static constexpr const auto& public_key = ml_dsa_vectors::public_key_87;
    static constexpr const auto& private_key_hash = ml_dsa_vectors::private_key_hash_87;
    static constexpr const auto& signature = ml_dsa_vectors::signature_87;
};

}  // namespace quoin::core::known_answers
