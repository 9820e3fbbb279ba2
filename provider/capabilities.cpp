// The groups of TLS 1.3 that libssl finds here: provider-base(7), "TLS-GROUP" capability.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/tls1.h>

#include <string_view>

#include "provider/algorithms.hpp"
#include "provider/operations.hpp"

namespace quoin::provider {
namespace {

OSSL_PARAM text(const char* name, const char* value) {
    // OpenSSL's type has no const; a capability is only read.
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

int tell_group(const Kem& kem, OSSL_CALLBACK* take, void* argument) {
    unsigned id = kem.group_id;
    unsigned security_bits = kem.security_bits;
    int first_tls = TLS1_3_VERSION;
    int last_tls = 0;     // no end
    int first_dtls = -1;  // not in DTLS
    int last_dtls = -1;
    unsigned is_kem = 1;
    const std::array parameters = {
        text(OSSL_CAPABILITY_TLS_GROUP_NAME, kem.group_name),
        text(OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL, ""),
        text(OSSL_CAPABILITY_TLS_GROUP_ALG, kem.name),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_ID, &id),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS, &security_bits),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MIN_TLS, &first_tls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MAX_TLS, &last_tls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, &first_dtls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, &last_dtls),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_IS_KEM, &is_kem),
        OSSL_PARAM_construct_end(),
    };
    return take(parameters.data(), argument);
}

int tell_groups(OSSL_CALLBACK* take, void* argument) {
    for (const Kem& kem : kems) {
        if (tell_group(kem, take, argument) == 0) return 0;
    }
    return 1;
}

}  // namespace

int tell_capability(const char* capability, OSSL_CALLBACK* take, void* argument) {
    if (std::string_view(capability) == "TLS-GROUP") return tell_groups(take, argument);
    return 0;
}

}  // namespace quoin::provider
