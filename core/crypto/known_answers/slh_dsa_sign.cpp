#include "core/crypto/known_answers/vectors/slh_dsa.hpp"
#include "core/crypto/slh_dsa/slh_dsa.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace slh_dsa_vectors;
using Set = slh_dsa::Shake_128f;

struct Kept {
    std::array<std::uint8_t, Set::private_key_size> private_key;
};
struct Made {
    std::array<std::uint8_t, Set::signature_size> signature;
};

template <class Backend>
bool keygen(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept>();
    slh_dsa::keygen<Set, Backend>(std::span(private_key_shake_128f).template first<3 * Set::n>(),
                                  kept.private_key);
    return same(kept.private_key, private_key_shake_128f);
}

template <class Backend>
bool sign(const Memory& memory, unsigned) {
    return slh_dsa::sign_deterministic<Set, Backend>(memory.kept_as<Kept>().private_key, message,
                                                     {}, memory.scratch_as<Made>().signature)
        .has_value();
}

bool signature_is_right(const Memory& memory, unsigned) {
    return same(memory.scratch_as<Made>().signature, signature_shake_128f);
}

template <class Backend>
constexpr std::array operations = {
    Operation{"SLH-DSA-SHAKE-128f keygen", keygen<Backend>},
    Operation{"SLH-DSA-SHAKE-128f sign", sign<Backend>, signature_is_right},
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
