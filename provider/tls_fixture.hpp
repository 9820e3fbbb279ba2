// For tests: both ends of mutual TLS 1.3 in this process, over memory.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>

#include "provider/fixture.hpp"

namespace quoin::provider::test {

using Context = Owner<SSL_CTX, SSL_CTX_free>;
using Session = Owner<SSL, SSL_free>;
using Certificate = Owner<X509, X509_free>;

// Signed by the key that it is about.
inline Certificate certify(const Library& library, const Key& key, const char* name) {
    Certificate certificate(X509_new_ex(library, nullptr));
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    EXPECT_GT(X509_sign(certificate.get(), key.get(), nullptr), 0) << queued_errors();
    return certificate;
}

// One end, with a key and a certificate that the other end trusts.
struct End {
    Context context;
    Session session;

    End(OSSL_LIB_CTX* library, const Key& key, const Certificate& own, const Certificate& peer,
        bool is_server)
        : context(SSL_CTX_new_ex(library, nullptr, TLS_method())) {
        SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
        EXPECT_EQ(SSL_CTX_use_certificate(context.get(), own.get()), 1) << queued_errors();
        EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key.get()), 1) << queued_errors();
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), peer.get());
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           nullptr);
        session.reset(SSL_new(context.get()));
        SSL_set_bio(session.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        is_server ? SSL_set_accept_state(session.get()) : SSL_set_connect_state(session.get());
    }
};

inline void carry(End& from, End& to) {
    std::array<unsigned char, 4096> piece{};
    int size = 0;
    while ((size = BIO_read(SSL_get_wbio(from.session.get()), piece.data(), piece.size())) > 0) {
        BIO_write(SSL_get_rbio(to.session.get()), piece.data(), size);
    }
}

}  // namespace quoin::provider::test
