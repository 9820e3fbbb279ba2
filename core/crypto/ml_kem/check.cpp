// The input checks of FIPS 203, sections 7.2 and 7.3.
#include "core/crypto/ml_kem/kem.hpp"

namespace quoin::core::ml_kem {

// Section 7.2, step 2: ByteEncode_12(ByteDecode_12(ek)) = ek, that is, each number is below q.
template <class Set>
Result<EncapsulationKey<Set>> EncapsulationKey<Set>::check(Encoded bytes) {
    std::uint32_t wrong = 0;
    const std::uint8_t* from = bytes.data();
    for (std::size_t i = 0; i < 384 * Set::k; i += 3) {
        const std::uint32_t d1 = from[i] | (from[i + 1] & 15U) << 8U;
        const std::uint32_t d2 = from[i + 1] >> 4U | std::uint32_t{from[i + 2]} << 4U;
        wrong |= (q - 1 - d1) | (q - 1 - d2);  // the top bit is set if one is too large
    }
    if ((wrong >> 31U) != 0) return std::unexpected(Code::peer_malformed);
    return EncapsulationKey(bytes);
}

template class EncapsulationKey<Set512>;
template class EncapsulationKey<Set768>;
template class EncapsulationKey<Set1024>;

template Result<DecapsulationKey<Set512>> DecapsulationKey<Set512>::check<Portable>(Encoded);
template Result<DecapsulationKey<Set768>> DecapsulationKey<Set768>::check<Portable>(Encoded);
template Result<DecapsulationKey<Set1024>> DecapsulationKey<Set1024>::check<Portable>(Encoded);

}  // namespace quoin::core::ml_kem
