// Any bytes as the answer about one certificate: believed or refused, with a reason. The corpus has
// answers that OpenSSL signed for this CA; they hold until 2125.
#include <cstdlib>

#include "host/x509/ocsp.hpp"

using quoin::x509::Certificate;

namespace {

constexpr std::string_view issuer_pem = R"(-----BEGIN CERTIFICATE-----
MIIBgzCCASigAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxmdXp6IGlz
c3VpbmcwIBcNMjYxMTIzMDI0MjA4WhgPMjEyNjEwMzAwMjQyMDhaMBcxFTATBgNV
BAMMDGZ1enogaXNzdWluZzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABG3mTHDr
BkTbYaL8wL8NBWzCqlCzNDFSoTdvOcgEeIXlEnYEjgkkF6szEPCBYnLo5nxMdtCz
EknB2XDt0ym7Z/SjYzBhMB0GA1UdDgQWBBTT2b9d0wEfunG9Qt7oJV+jjFrDeDAf
BgNVHSMEGDAWgBTT2b9d0wEfunG9Qt7oJV+jjFrDeDAPBgNVHRMBAf8EBTADAQH/
MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNJADBGAiEAwH+hAjrNsSUDDjVm
MZQYpLjwmo7aQ3WG5pttjgkzLIMCIQCKCzzpcD2Y0Zo5tH/zHP2VBTi6cFiOF58e
exd7V3addw==
-----END CERTIFICATE-----
)";
constexpr std::string_view leaf_pem = R"(-----BEGIN CERTIFICATE-----
MIIBeDCCAR+gAwIBAgICEjQwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMZnV6eiBp
c3N1aW5nMCAXDTI2MTEyMzAyNDIwOFoYDzIxMjYxMDMwMDI0MjA4WjAQMQ4wDAYD
VQQDDAVtcHUtMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABG8vZMTz4EHcxDUk
FsPVrN70gcKO2MZ1fwFjmdhJlCRuiVM7uwgJSV10MJ6f1vNhsvMk75KcdWhu3muZ
Gfj2gMGjYDBeMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMB0GA1UdDgQW
BBTzWHgq6h9ywtgVoFe2pjWLdu7xdTAfBgNVHSMEGDAWgBTT2b9d0wEfunG9Qt7o
JV+jjFrDeDAKBggqhkjOPQQDAgNHADBEAiBWcMF1QoAgm16KNcVhIcCSOhVDXcPi
l2AbPvyxfmvlFAIgFLts6kHaJS5uDg2vNrbQwlhCBN9OwJ64/HQmhmhiVSY=
-----END CERTIFICATE-----
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto issuer = Certificate::from_pem(issuer_pem);
    static const auto leaf = Certificate::from_pem(leaf_pem);
    if (!issuer || !leaf) std::abort();
    const auto answer = quoin::x509::verify_ocsp_response({data, size}, *leaf, *issuer, {});
    if (answer && answer->next_update_ms <= answer->this_update_ms) std::abort();
    if (!answer && answer.error().message.empty()) std::abort();
    return 0;
}
