#include "core/crypto/known_answers/vectors/slh_dsa_shake.hpp"
#include "core/crypto/slh_dsa/slh_dsa.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace slh_dsa_shake_vectors;
using slh_dsa::Shake_128f, slh_dsa::Shake_128s;

template <class Set>
struct Kept {
    std::array<std::uint8_t, Set::private_key_size> private_key;
};
template <class Set>
struct Made {
    std::array<std::uint8_t, Set::signature_size> signature;
};

// The seeds are the first three parts of the key that they make.
template <class Set, class Backend, const auto& key>
bool keygen(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<Set>>();
    slh_dsa::keygen<Set, Backend>(std::span(key).template first<3 * Set::n>(), kept.private_key);
    return same(kept.private_key, key);
}

template <class Set, class Backend>
bool sign(const Memory& memory, unsigned) {
    return slh_dsa::sign_deterministic<Set, Backend>(memory.kept_as<Kept<Set>>().private_key,
                                                     message, {},
                                                     memory.scratch_as<Made<Set>>().signature)
        .has_value();
}

template <class Set, const auto& signature>
bool signature_is_right(const Memory& memory, unsigned) {
    return same(memory.scratch_as<Made<Set>>().signature, signature);
}

template <class Backend>
constexpr std::array operations = {
    Operation{"SLH-DSA-SHAKE-128s keygen", keygen<Shake_128s, Backend, private_key_shake_128s>},
    Operation{"SLH-DSA-SHAKE-128s sign", sign<Shake_128s, Backend>,
              signature_is_right<Shake_128s, signature_shake_128s>},
    Operation{"SLH-DSA-SHAKE-128f keygen", keygen<Shake_128f, Backend, private_key_shake_128f>},
    Operation{"SLH-DSA-SHAKE-128f sign", sign<Shake_128f, Backend>,
              signature_is_right<Shake_128f, signature_shake_128f>},
};

}  // namespace

template <>
Operations slh_dsa_sign<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations slh_dsa_sign<Avx2>() {
    return operations<Avx2>;
}
#endif

}  // namespace quoin::core::known_answers
