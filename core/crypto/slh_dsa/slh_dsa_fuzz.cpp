// The input: a set, a public key, a context, a message, a signature, which is filled up with zeros
// or cut to a size that is nearly right, so that inputs reach the hashing.
#include <cstdlib>
#include <vector>

#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "core/crypto/test_cpu.hpp"

using namespace quoin;
using namespace quoin::core;

namespace {

template <class Set, class Backend>
void try_backend(std::span<const std::uint8_t, Set::public_key_size> key, Bytes message,
                 Bytes context, Bytes signature) {
    const auto verified = slh_dsa::verify<Set, Backend>(key, message, context, signature);
    // Nobody finds a signature by chance.
    if (verified || verified.error() != Code::integrity_signature) std::abort();
}

template <class Set>
void try_set(Bytes input) {
    if (input.size() < Set::public_key_size + 2) return;
    const auto key = input.first<Set::public_key_size>();
    const std::size_t context_size = input[Set::public_key_size];
    const int change = input[Set::public_key_size + 1] % 8;
    const Bytes rest = input.subspan(Set::public_key_size + 2);
    const Bytes context = rest.first(context_size < rest.size() ? context_size : rest.size());
    std::vector<std::uint8_t> signature(rest.begin(), rest.end());
    const std::size_t size = Set::signature_size + (change == 0 ? 1 : 0) - (change == 1 ? 1 : 0);
    signature.resize(size);
    try_backend<Set, Portable>(key, rest, context, signature);
    if constexpr (avx2_is_built) {
        if (test::runs_here<Avx2>()) try_backend<Set, Avx2>(key, rest, context, signature);
        if constexpr (!Set::is_shake) {
            if (test::runs_here<ShaNi>()) try_backend<Set, ShaNi>(key, rest, context, signature);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes rest(data + 1, size - 1);
    if (*data % 6 == 0) try_set<slh_dsa::Sha2_128s>(rest);
    if (*data % 6 == 1) try_set<slh_dsa::Sha2_192s>(rest);
    if (*data % 6 == 2) try_set<slh_dsa::Shake_128f>(rest);
    if (*data % 6 == 3) try_set<slh_dsa::Shake_256s>(rest);
    if (*data % 6 == 4) try_set<slh_dsa::Sha2_192f>(rest);
    if (*data % 6 == 5) try_set<slh_dsa::Sha2_256f>(rest);
    return 0;
}
