// The signature schemes of TLS 1.3 that libssl finds here: provider-base(7), "TLS-SIGALG".
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/tls1.h>

#include "provider/algorithms.hpp"
#include "provider/operations.hpp"

namespace quoin::provider {
namespace {

OSSL_PARAM text(const char* name, const char* value) {
    // OpenSSL's type has no const; a capability is only read.
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

int tell(const SignatureRow& row, unsigned code_point, OSSL_CALLBACK* take, void* argument) {
    unsigned security_bits = row.security_bits;
    int first_tls = TLS1_3_VERSION;
    int last_tls = 0;     // no end
    int first_dtls = -1;  // not in DTLS
    int last_dtls = -1;
    const std::array parameters = {
        text(OSSL_CAPABILITY_TLS_SIGALG_IANA_NAME, row.tls_name),
        text(OSSL_CAPABILITY_TLS_SIGALG_NAME, row.name),
        text(OSSL_CAPABILITY_TLS_SIGALG_OID, row.oid),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_SIGALG_CODE_POINT, &code_point),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_SIGALG_SECURITY_BITS, &security_bits),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_SIGALG_MIN_TLS, &first_tls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_SIGALG_MAX_TLS, &last_tls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_SIGALG_MIN_DTLS, &first_dtls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_SIGALG_MAX_DTLS, &last_dtls),
        OSSL_PARAM_construct_end(),
    };
    return take(parameters.data(), argument);
}

}  // namespace

int tell_signatures(const CodePoints& code_points, OSSL_CALLBACK* take, void* argument) {
    for (const SignatureRow& row : ml_dsas) {
        if (tell(row, row.tls_code_point, take, argument) == 0) return 0;
    }
    for (std::size_t i = 0; i < composites.size(); ++i) {
        if (tell(composites[i], code_points[i], take, argument) == 0) return 0;
    }
    return 1;
}

}  // namespace quoin::provider
