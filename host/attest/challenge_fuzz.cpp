// Whatever decodes must come back the same from its own encoding.
#include <cstdlib>

#include "host/attest/attest.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto challenge = attest::decode_challenge(text_of({data, size}));
    if (!challenge) return 0;
    const auto again = attest::decode_challenge(attest::encode_challenge(*challenge));
    if (!again || again->nonce != challenge->nonce || again->issued_ms != challenge->issued_ms ||
        again->timeout_ms != challenge->timeout_ms) {
        std::abort();
    }
    return 0;
}
