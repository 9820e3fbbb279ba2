// What AVX2 and AES-NI do, on a host: for callgrind, which knows neither SHA-NI nor AVX-512.
#include "tests/core/image.hpp"

namespace quoin::tests {

using namespace core::known_answers;
using core::AesNi, core::Avx2;

std::span<const Group> image() {
    static constexpr std::array groups{
        keccak<Avx2>,        aes<AesNi>,       ml_kem<Avx2>,         ml_dsa<Avx2>,
        ml_dsa_verify<Avx2>, lms_verify<Avx2>, slh_dsa_verify<Avx2>,
    };
    return groups;
}

const Memory& memory() { return memory_of<kept_size, scratch_size>(); }

}  // namespace quoin::tests
