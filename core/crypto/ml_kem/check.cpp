// The input checks of FIPS 203, sections 7.2 and 7.3.
#include "core/crypto/ml_kem/kem.hpp"

namespace quoin::core::ml_kem {

template Result<EncapsulationKey<Set512>> EncapsulationKey<Set512>::check<Portable>(Encoded);
template Result<DecapsulationKey<Set512>> DecapsulationKey<Set512>::check<Portable>(Encoded);
template Result<EncapsulationKey<Set768>> EncapsulationKey<Set768>::check<Portable>(Encoded);
template Result<DecapsulationKey<Set768>> DecapsulationKey<Set768>::check<Portable>(Encoded);
template Result<EncapsulationKey<Set1024>> EncapsulationKey<Set1024>::check<Portable>(Encoded);
template Result<DecapsulationKey<Set1024>> DecapsulationKey<Set1024>::check<Portable>(Encoded);

}  // namespace quoin::core::ml_kem
