// Any bytes: a request that is encoded as it was read, or an error.
#include <cstdlib>

#include "host/x509/ocsp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const quoin::Bytes input{data, size};
    const auto request = quoin::x509::OcspRequest::from_der(input);
    if (!request) return 0;
    if (request->questions().empty() || request->nonce().size() > 128) std::abort();
    const auto der = request->der();
    if (!der || *der != quoin::text_of(input)) std::abort();
    return 0;
}
