// Any bytes: a request that proves possession of its key, or an error.
#include "host/x509/certificate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto request = quoin::x509::Request::from_der({data, size});
    if (request) static_cast<void>(request->common_name());
    return 0;
}
