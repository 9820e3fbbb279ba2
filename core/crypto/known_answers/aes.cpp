#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/known_answers/messages.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace aes_gcm;

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 4 and 16.
constexpr auto key_16 = hex<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
constexpr auto iv = hex<12>("cafebabefacedbaddecaf888");
constexpr auto aad = hex<20>("feedfacedeadbeeffeedfacedeadbeefabaddad2");
constexpr auto plaintext = hex<60>(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
    "25b16aedf5aa0de657ba637b39");
constexpr auto ciphertext_4 = hex<60>(
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa"
    "051ba30b396a0aac973d58e091");
constexpr auto tag_4 = hex<16>("5bc94fbc3221a5db94fae95ae7121a47");
constexpr auto ciphertext_16 = hex<60>(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568288"
    "38c5f61e6393ba7a0abcc9f662");
constexpr auto tag_16 = hex<16>("76fc6ece0f4e1768cddf8853bb2d551b");

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
