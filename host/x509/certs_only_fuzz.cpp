// Any bytes: one to sixteen certificates, or an error.
#include <cstdlib>

#include "host/x509/certificate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto list = quoin::x509::certificates_from_certs_only({data, size});
    if (list && (list->empty() || list->size() > 16)) std::abort();
    return 0;
}
