// The input: a public key, then a signature of "message". The corpus has good ones of each family.
#include <cstdlib>

#include "core/crypto/lms/verify.hpp"

using namespace quoin;
using namespace quoin::core;

namespace {

template <class Family>
void try_family(Bytes input) {
    const std::size_t key_size = lms::public_key_size<Family>;
    if (input.size() < key_size) return;
    const Bytes key = input.first(key_size);
    lms::Verifier<Family> verifier;
    const auto started = verifier.start(key, input.subspan(key_size));
    verifier.update(bytes_of("message"));
    const auto finished = verifier.finish();
    if (finished && !started) std::abort();
    if (!finished && finished.error() != Code::integrity_signature) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(data, size);
    try_family<lms::Sha256M32>(input);
    try_family<lms::Sha256M24>(input);
    try_family<lms::ShakeM32>(input);
    try_family<lms::ShakeM24>(input);
    return 0;
}
