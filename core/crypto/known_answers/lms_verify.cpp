#include "core/crypto/known_answers/vectors/lms.hpp"
#include "core/crypto/lms/ots.hpp"
#include "core/crypto/lms/verify.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace lms_vectors;

template <class Family, class Backend, const auto& key, const auto& message, const auto& signature>
bool verify(const Memory&, unsigned) {
    return lms::verify<Family, Backend>(key, message, signature).has_value();
}

template <class Family, class Backend, const auto& key, const auto& message, const auto& signature>
bool refuses(const Memory&, unsigned) {
    return !lms::verify<Family, Backend>(key, Bytes(message).first(message.size() - 1), signature);
}

template <class Family, class Backend, const auto& key, const auto& message, const auto& signature>
constexpr Operation operation(std::string_view name) {
    return {name, verify<Family, Backend, key, message, signature>,
            refuses<Family, Backend, key, message, signature>};
}

template <class Backend>
constexpr std::array sha256_operations = {
    operation<lms::Sha256M32, Backend, public_key_1, message_1, signature_1>(
        "HSS verify, SHA-256, H5 W8 twice"),
    operation<lms::Sha256M32, Backend, public_key_2, message_2, signature_2>(
        "HSS verify, SHA-256, H10 W4 over H5 W8"),
    operation<lms::Sha256M24, Backend, public_key_3, message_3, signature_3>(
        "LMS verify, SHA-256/192, H5 W8"),
};

template <class Backend>
constexpr std::array shake_operations = {
    operation<lms::ShakeM24, Backend, public_key_4, message_4, signature_4>(
        "LMS verify, SHAKE256/192"),
    operation<lms::ShakeM32, Backend, public_key_5, message_5, signature_5>("LMS verify, SHAKE256"),
};

template <class Backend>
constexpr std::array operations = {sha256_operations<Backend>[0], sha256_operations<Backend>[1],
                                   sha256_operations<Backend>[2], shake_operations<Backend>[0],
                                   shake_operations<Backend>[1]};

}  // namespace

template <>
Operations lms_verify<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations lms_verify<Avx2>() {
    return operations<Avx2>;
}
template <>
Operations lms_verify<ShaNi>() {
    return sha256_operations<ShaNi>;
}
#endif

}  // namespace quoin::core::known_answers
