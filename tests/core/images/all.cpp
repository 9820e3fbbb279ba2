// Every algorithm but signing with SLH-DSA (slow.cpp), in memory without limits: correctness and
// measurements.
#include "tests/core/image.hpp"

namespace quoin::tests {

using namespace core::known_answers;
using core::Portable;

std::span<const Group> image() {
    static constexpr std::array groups{
        machine,
        sha2<Portable>,
        keccak<Portable>,
        hmac,
        aes<Portable>,
        curve25519,
        lms_sign<Portable>,
        lms_verify<Portable>,
        ml_kem<Portable>,
        hybrid_kems<Portable>,
        ml_dsa<Portable>,
        ml_dsa_verify<Portable>,
        ml_dsa_low_memory,
        ml_dsa_verify_low_memory,
        slh_dsa_verify<Portable>,
        composite<Portable>,
        falcon_keygen,
        falcon_sign,
        falcon_verify<Portable>,
    };
    return groups;
}

const Memory& memory() { return memory_of<kept_size, scratch_size>(); }

}  // namespace quoin::tests
