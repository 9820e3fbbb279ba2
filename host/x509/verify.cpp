#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <optional>

#include "host/x509/certificate.hpp"
#include "host/x509/names.hpp"

namespace quoin::x509 {
namespace {

using StoreHandle = crypto::Handle<X509_STORE, X509_STORE_free>;
using StoreContextHandle = crypto::Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using CrlHandle = crypto::Handle<X509_CRL, X509_CRL_free>;

constexpr std::size_t max_crl_pem_size = 32U << 20U;  // bytes

void free_list(STACK_OF(X509) * list) { sk_X509_free(list); }  // not the certificates
using ListHandle = crypto::Handle<STACK_OF(X509), free_list>;

Result<ListHandle> list_of(std::span<const Certificate> certificates) {
    ListHandle list(sk_X509_new_null());
    for (const Certificate& certificate : certificates) {
        if (!list || sk_X509_push(list.get(), certificate.native()) == 0) break;
    }
    if (!list || static_cast<std::size_t>(sk_X509_num(list.get())) != certificates.size()) {
        return fail(Code::internal, "chain: {}", crypto::openssl_error());
    }
    return list;
}

Result<void> add_crls(X509_STORE* store, std::string_view pem) {
    if (pem.size() > max_crl_pem_size) {
        return fail(Code::input_invalid, "revocation list is longer than {} bytes",
                    max_crl_pem_size);
    }
    const crypto::BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) return fail(Code::internal, "revocation list: {}", crypto::openssl_error());
    std::size_t count = 0;
    for (;; ++count) {
        X509_CRL* next = X509_CRL_new_ex(crypto::library(), nullptr);
        const bool is_read = PEM_read_bio_X509_CRL(bio.get(), &next, nullptr, nullptr) != nullptr;
        const CrlHandle crl(next);
        if (!is_read) break;
        if (X509_STORE_add_crl(store, crl.get()) != 1) {
            return fail(Code::internal, "revocation list: {}", crypto::openssl_error());
        }
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string reason = crypto::openssl_error();
    // I10: a list that cannot be read says nothing about revocation, and that is a no.
    if (count == 0 || !at_end) {
        return fail(Code::state_stale, "revocation list cannot be read: {}", reason);
    }
    return {};
}

Result<StoreHandle> make_store(std::span<const Certificate> anchors, std::string_view crl_pem) {
    StoreHandle store(X509_STORE_new());
    if (!store) return fail(Code::internal, "chain: {}", crypto::openssl_error());
    for (const Certificate& anchor : anchors) {
        if (X509_STORE_add_cert(store.get(), anchor.native()) != 1) {
            return fail(Code::internal, "chain: {}", crypto::openssl_error());
        }
    }
    if (!crl_pem.empty()) QUOIN_CHECK(add_crls(store.get(), crl_pem));
    return store;
}

void free_usages(EXTENDED_KEY_USAGE* usages) { EXTENDED_KEY_USAGE_free(usages); }
using UsagesHandle = crypto::Handle<EXTENDED_KEY_USAGE, free_usages>;

// id-kp-cmcRA (RFC 6402, section 2.10) and nothing else.
Result<void> check_registration(const Certificate& leaf) {
    const UsagesHandle usages(static_cast<EXTENDED_KEY_USAGE*>(
        X509_get_ext_d2i(leaf.native(), NID_ext_key_usage, nullptr, nullptr)));
    if (usages && sk_ASN1_OBJECT_num(usages.get()) == 1 &&
        OBJ_obj2nid(sk_ASN1_OBJECT_value(usages.get(), 0)) == NID_cmcRA) {
        return {};
    }
    return fail(Code::peer_unauthenticated, "certificate of {} is not a registration authority's",
                leaf.common_name());
}

// An absent extendedKeyUsage means "any" to OpenSSL. An attestation certificate has none, and must
// not become a client by that.
Result<void> check_purpose(const Certificate& leaf, Purpose purpose) {
    if (purpose == Purpose::any) return {};
    if (purpose == Purpose::registration) return check_registration(leaf);
    const std::uint32_t usage = X509_get_extended_key_usage(leaf.native());
    const std::uint32_t wanted = purpose == Purpose::client ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
    if (usage == UINT32_MAX || (usage & wanted) == 0) {
        return fail(Code::peer_unauthenticated, "certificate of {} is not for TLS {}s",
                    leaf.common_name(), purpose == Purpose::client ? "client" : "server");
    }
    return {};
}

// I10: what makes freshness unknown is told apart from what makes the certificate wrong.
Code code_of(int error) {
    switch (error) {
        case X509_V_ERR_UNABLE_TO_GET_CRL:
        case X509_V_ERR_CRL_NOT_YET_VALID:
        case X509_V_ERR_CRL_HAS_EXPIRED:
        case X509_V_ERR_CRL_SIGNATURE_FAILURE:
        case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
            return Code::state_stale;
        default:
            return Code::peer_unauthenticated;
    }
}

Result<void> run(X509_STORE_CTX* context) {
    if (X509_verify_cert(context) == 1) return {};
    const int error = X509_STORE_CTX_get_error(context);
    X509* at = X509_STORE_CTX_get_current_cert(context);
    crypto::openssl_error();
    return fail(code_of(error), "certificate {} of the chain ({}): {}",
                X509_STORE_CTX_get_error_depth(context),
                at != nullptr ? Certificate(at).common_name() : "unknown",
                X509_verify_cert_error_string(error));
}

// `at`: seconds since 1970; none: now.
Result<void> verify(const Certificate& leaf, std::span<const Certificate> intermediates,
                    std::span<const Certificate> anchors, Purpose purpose, std::string_view crl_pem,
                    std::optional<std::time_t> at) {
    QUOIN_CHECK(check_purpose(leaf, purpose));
    QUOIN_TRY(const StoreHandle store, make_store(anchors, crl_pem));
    QUOIN_TRY(const ListHandle untrusted, list_of(intermediates));
    const StoreContextHandle context(X509_STORE_CTX_new_ex(crypto::library(), nullptr));
    if (!context ||
        X509_STORE_CTX_init(context.get(), store.get(), leaf.native(), untrusted.get()) != 1) {
        return fail(Code::internal, "chain: {}", crypto::openssl_error());
    }
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    // PARTIAL_CHAIN: an anchor is trusted because it is pinned, whether it signed itself or not.
    unsigned long flags = X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN;
    if (!crl_pem.empty()) flags |= X509_V_FLAG_CRL_CHECK;
    const int wanted = purpose == Purpose::client   ? X509_PURPOSE_SSL_CLIENT
                       : purpose == Purpose::server ? X509_PURPOSE_SSL_SERVER
                                                    : X509_PURPOSE_ANY;
    if (X509_VERIFY_PARAM_set_flags(parameters, flags) != 1 ||
        X509_VERIFY_PARAM_set_purpose(parameters, wanted) != 1) {
        return fail(Code::internal, "chain: {}", crypto::openssl_error());
    }
    if (at) X509_VERIFY_PARAM_set_time(parameters, *at);
    return run(context.get());
}

}  // namespace

Result<void> verify_chain(const Certificate& leaf, std::span<const Certificate> intermediates,
                          std::span<const Certificate> anchors, Purpose purpose,
                          std::string_view crl_pem) {
    return verify(leaf, intermediates, anchors, purpose, crl_pem, std::nullopt);
}

Result<void> verify_chain_as_issued(const Certificate& leaf,
                                    std::span<const Certificate> intermediates,
                                    std::span<const Certificate> anchors) {
    // One second into its lifetime.
    const auto at = static_cast<std::time_t>(leaf.not_before_ms() / 1000 + 1);
    return verify(leaf, intermediates, anchors, Purpose::any, {}, at);
}

}  // namespace quoin::x509
