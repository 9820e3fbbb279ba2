#include "host/tls/status.hpp"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "host/crypto/crypto.hpp"
#include "host/x509/ocsp.hpp"

namespace quoin::tls {
namespace {

template <class T>
void free_data(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) noexcept {
    const std::unique_ptr<T> owner(static_cast<T*>(data));
}

int staple_index() {
    static const int index =
        SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_data<StapleFor>);
    return index;
}

int failure_index() {
    static const int index =
        SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_data<std::string>);
    return index;
}

std::unexpected<Error> failure(std::string_view doing) {
    return fail(Code::config_invalid, "TLS: cannot {}: {}", doing, crypto::openssl_error());
}

int show_staple(SSL* connection, void*) noexcept {
    const auto* source = static_cast<const StapleFor*>(
        SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), staple_index()));
    const auto der = source != nullptr ? (*source)(SSL_get_certificate(connection)) : nullptr;
    if (!der) return SSL_TLSEXT_ERR_NOACK;
    auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(der->data(), der->size()));
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    // Takes the copy.
    SSL_set_tlsext_status_ocsp_resp(connection, copy, static_cast<long>(der->size()));
    return SSL_TLSEXT_ERR_OK;
}

Result<void> check(SSL* connection) {
    const unsigned char* der = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(connection, &der);
    if (der == nullptr || size <= 0) {
        return fail(Code::state_stale,
                    "the server shows no status of its certificate (OCSP staple)");
    }
    const STACK_OF(X509)* chain = SSL_get0_verified_chain(connection);
    if (chain == nullptr || sk_X509_num(chain) < 2) {
        return fail(Code::peer_unauthenticated, "the server's certificate has no issuer");
    }
    const x509::Certificate leaf(sk_X509_value(chain, 0));
    const x509::Certificate issuer(sk_X509_value(chain, 1));
    QUOIN_TRY(
        const x509::OcspAnswer answer,
        x509::verify_ocsp_response(Bytes(der, static_cast<std::size_t>(size)), leaf, issuer, {}));
    return x509::require_good(answer, leaf);
}

// After the chain was verified, and before anything of ours is sent.
int check_staple(SSL* connection, void*) noexcept {
    const auto checked = check(connection);
    if (checked) return 1;
    auto reason = std::make_unique<std::string>(checked.error().message);
    if (SSL_set_ex_data(connection, failure_index(), reason.get()) == 1) {
        static_cast<void>(reason.release());
    }
    return 0;
}

}  // namespace

Result<void> staple(SSL_CTX* context, StapleFor source) {
    auto held = std::make_unique<StapleFor>(std::move(source));
    if (SSL_CTX_set_ex_data(context, staple_index(), held.get()) != 1 ||
        SSL_CTX_set_tlsext_status_cb(context, show_staple) != 1) {
        return failure("show a status");
    }
    static_cast<void>(held.release());
    return {};
}

Result<void> staple(SSL_CTX* context, Staple source) {
    return staple(context, StapleFor([source = std::move(source)](const X509*) {
                      return source ? source() : nullptr;
                  }));
}

Result<void> demand_staple(SSL_CTX* context) {
    if (SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp) != 1 ||
        SSL_CTX_set_tlsext_status_cb(context, check_staple) != 1) {
        return failure("demand a status");
    }
    return {};
}

std::string status_failure(const SSL* connection) {
    const auto* reason =
        static_cast<const std::string*>(SSL_get_ex_data(connection, failure_index()));
    return reason != nullptr ? *reason : std::string();
}

}  // namespace quoin::tls
