#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/known_answers/messages.hpp"
#include "core/crypto/known_answers/vectors/aes_gcm.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace aes_gcm;
using namespace aes_gcm_vectors;

template <class Set, class Backend, const auto& ciphertext, const auto& expected_tag>
bool known(const Memory&, unsigned) {
    const Key<Set, Backend> key{std::span(key_16).template first<Set::key_size>()};
    std::array<std::uint8_t, 60> output{};
    std::array<std::uint8_t, tag_size> tag{};
    if (!key.seal(iv, aad, plaintext, output, tag)) return false;
    if (!same(output, ciphertext) || !same(tag, expected_tag)) return false;
    if (!key.open(iv, aad, ciphertext, expected_tag, output)) return false;
    if (!same(output, plaintext)) return false;
    tag[15] ^= 1;
    return !key.open(iv, aad, ciphertext, tag, output);
}

struct Sealed {
    std::array<std::uint8_t, 1024> text;
    std::array<std::uint8_t, tag_size> tag;
};

template <class Set, class Backend>
bool seal(const Memory& memory, unsigned) {
    auto& sealed = memory.kept_as<Sealed>();
    const Key<Set, Backend> key{std::span(key_16).template first<Set::key_size>()};
    return key.seal(iv, {}, kilobyte, sealed.text, sealed.tag).has_value();
}

template <class Set, class Backend>
bool opens(const Memory& memory, unsigned) {
    auto& sealed = memory.kept_as<Sealed>();
    const Key<Set, Backend> key{std::span(key_16).template first<Set::key_size>()};
    return key.open(iv, {}, sealed.text, sealed.tag, sealed.text) && same(sealed.text, kilobyte);
}

template <class Backend>
constexpr std::array operations = {
    Operation{"AES-128-GCM known answer", known<Set128, Backend, ciphertext_4, tag_4>},
    Operation{"AES-256-GCM known answer", known<Set256, Backend, ciphertext_16, tag_16>},
    Operation{"AES-128-GCM key, seal 1 KiB", seal<Set128, Backend>, opens<Set128, Backend>},
    Operation{"AES-256-GCM key, seal 1 KiB", seal<Set256, Backend>, opens<Set256, Backend>},
};

}  // namespace

template <>
Operations aes<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations aes<AesNi>() {
    return operations<AesNi>;
}
template <>
Operations aes<Vaes>() {
    return operations<Vaes>;
}
#endif

}  // namespace quoin::core::known_answers
