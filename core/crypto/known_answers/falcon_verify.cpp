#include "core/crypto/falcon/falcon.hpp"
#include "core/crypto/known_answers/falcon.hpp"

namespace quoin::core::known_answers {
namespace {

using namespace falcon_vectors;
using falcon::Set512, falcon::Set1024;

template <class Set, class Backend>
bool verifies(const Memory& memory, Bytes message) {
    auto& workspace = memory.scratch_as<falcon::VerifyWorkspace<Set>>();
    if constexpr (Set::n == 512) {
        return falcon::verify<Set, Backend>(public_key_512, message, signature_512, workspace)
            .has_value();
    } else {
        return falcon::verify<Set, Backend>(public_key_1024, message, signature_1024, workspace)
            .has_value();
    }
}

template <class Set>
constexpr Bytes message_of() {
    if constexpr (Set::n == 512) return message_512;
    return message_1024;
}

template <class Set, class Backend>
bool verify(const Memory& memory, unsigned) {
    return verifies<Set, Backend>(memory, message_of<Set>());
}

template <class Set, class Backend>
bool refuses(const Memory& memory, unsigned) {
    return !verifies<Set, Backend>(memory, message_of<Set>().first(message_of<Set>().size() - 1));
}

template <class Backend>
constexpr std::array operations = {
    Operation{"Falcon-512 verify", verify<Set512, Backend>, refuses<Set512, Backend>},
    Operation{"Falcon-1024 verify", verify<Set1024, Backend>, refuses<Set1024, Backend>},
};

}  // namespace

template <>
Operations falcon_verify<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations falcon_verify<Avx2>() {
    return operations<Avx2>;
}
#endif

}  // namespace quoin::core::known_answers
