// Any bytes as DER and as PEM: a certificate that is encoded as it was read, or an error.
#include <cstdlib>

#include "host/x509/certificate.hpp"

using quoin::x509::Certificate;

namespace {

void look_at(const Certificate& certificate) {
    static_cast<void>(certificate.identity());
    static_cast<void>(certificate.server_names());
    static_cast<void>(certificate.common_name());
    static_cast<void>(certificate.not_before_ms());
    static_cast<void>(certificate.not_after_ms());
    static_cast<void>(certificate.is_ca());
    static_cast<void>(certificate.public_key());
    if (certificate.serial_hex().size() % 2 != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const quoin::Bytes input{data, size};
    if (const auto certificate = Certificate::from_der(input)) {
        look_at(*certificate);
        const auto der = certificate->der();
        if (!der || quoin::text_of(*der) != quoin::text_of(input)) std::abort();
        const auto again = certificate->pem();
        if (!again || !Certificate::from_pem(*again)) std::abort();
    }
    if (const auto list = Certificate::list_from_pem(quoin::text_of(input))) {
        for (const Certificate& certificate : *list) look_at(certificate);
    }
    return 0;
}
