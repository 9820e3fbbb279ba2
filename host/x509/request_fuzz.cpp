// Any bytes: a request that proves possession of its key, or an error.
#include "host/x509/certificate.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto request = quoin::x509::Request::from_der({data, size});
    if (!request) return 0;
    static_cast<void>(request->common_name());
    const auto password = request->challenge_password();
    if (password && *password && ((*password)->empty() || (*password)->size() > 255)) std::abort();
    return 0;
}
