#include "core/crypto/slh_dsa/slh_dsa.hpp"

#include <algorithm>

#include "core/crypto/known_answers/vectors/slh_dsa_sha2.hpp"
#include "core/crypto/known_answers/vectors/slh_dsa_shake.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace slh_dsa_sha2_vectors;
using namespace slh_dsa_shake_vectors;
using namespace slh_dsa;
constexpr auto& message = slh_dsa_sha2_vectors::message;  // the same for both
static_assert(message == slh_dsa_shake_vectors::message);

template <class Set, class Backend, const auto& key, const auto& signature>
bool verifies(const Memory&, unsigned) {
    return verify<Set, Backend>(key, message, {}, signature).has_value();
}

template <class Set, class Backend, const auto& key, const auto& signature>
bool refuses(const Memory&, unsigned) {
    return !verify<Set, Backend>(key, Bytes(message).first(message.size() - 1), {}, signature) &&
           !verify<Set, Backend>(key, message, {}, Bytes(signature).first(signature.size() - 1));
}

template <class Set, class Backend, const auto& key, const auto& signature>
constexpr Operation operation(std::string_view name) {
    return {name, verifies<Set, Backend, key, signature>, refuses<Set, Backend, key, signature>};
}

template <class Backend>
constexpr std::array sha2_operations = {
    operation<Sha2_128s, Backend, public_key_sha2_128s, signature_sha2_128s>(
        "SLH-DSA-SHA2-128s verify"),
    operation<Sha2_128f, Backend, public_key_sha2_128f, signature_sha2_128f>(
        "SLH-DSA-SHA2-128f verify"),
    operation<Sha2_192s, Backend, public_key_sha2_192s, signature_sha2_192s>(
        "SLH-DSA-SHA2-192s verify"),
    operation<Sha2_192f, Backend, public_key_sha2_192f, signature_sha2_192f>(
        "SLH-DSA-SHA2-192f verify"),
    operation<Sha2_256s, Backend, public_key_sha2_256s, signature_sha2_256s>(
        "SLH-DSA-SHA2-256s verify"),
    operation<Sha2_256f, Backend, public_key_sha2_256f, signature_sha2_256f>(
        "SLH-DSA-SHA2-256f verify"),
};

template <class Backend>
constexpr std::array shake_operations = {
    operation<Shake_128s, Backend, public_key_shake_128s, signature_shake_128s>(
        "SLH-DSA-SHAKE-128s verify"),
    operation<Shake_128f, Backend, public_key_shake_128f, signature_shake_128f>(
        "SLH-DSA-SHAKE-128f verify"),
    operation<Shake_192s, Backend, public_key_shake_192s, signature_shake_192s>(
        "SLH-DSA-SHAKE-192s verify"),
    operation<Shake_192f, Backend, public_key_shake_192f, signature_shake_192f>(
        "SLH-DSA-SHAKE-192f verify"),
    operation<Shake_256s, Backend, public_key_shake_256s, signature_shake_256s>(
        "SLH-DSA-SHAKE-256s verify"),
    operation<Shake_256f, Backend, public_key_shake_256f, signature_shake_256f>(
        "SLH-DSA-SHAKE-256f verify"),
};

template <class Backend>
constexpr auto operations = [] {
    const auto& sha2 = sha2_operations<Backend>;
    const auto& shake = shake_operations<Backend>;
    std::array<Operation, sha2.size() + shake.size()> all{};
    std::ranges::copy(shake, std::ranges::copy(sha2, all.begin()).out);
    return all;
}();

}  // namespace

template <>
Operations slh_dsa_verify<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations slh_dsa_verify<Avx2>() {
    return operations<Avx2>;
}
template <>
Operations slh_dsa_verify<ShaNi>() {
    return sha2_operations<ShaNi>;
}
#endif

}  // namespace quoin::core::known_answers
