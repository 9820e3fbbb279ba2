// Blobs of a TPM store come from a disk: no crash, and one blob has one encoding.
#include <algorithm>
#include <cstdlib>

#include "host/keys/tpm/object.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes blob(data, size);
    const auto object = keys::tpm::decode(blob);
    if (!object) return 0;
    const auto again = keys::tpm::encode(*object);
    if (!again || !std::ranges::equal(*again, blob)) std::abort();
    static_cast<void>(keys::tpm::spki_of(object->open));
    return 0;
}
