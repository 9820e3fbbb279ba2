// Handshakes in memory, for tests. Not a part of the product.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"

namespace quoin::tls::test {

using Connection = crypto::Handle<SSL, SSL_free>;

struct Outcome {
    bool client_done = false;
    bool server_done = false;
    long client_verify = X509_V_OK;
    long server_verify = X509_V_OK;
    std::string group;
    int tickets_on_wire = 0;
    bool peer_certificate = false;
    bool ok() const { return client_done && server_done; }
};

// Runs both sides over memory BIOs until neither can go on, then one byte each way, because a
// TLS 1.3 client learns that its certificate was refused only after its own handshake.
inline Outcome run(SSL* client, SSL* server) {
    BIO* client_out = BIO_new(BIO_s_mem());
    BIO* server_out = BIO_new(BIO_s_mem());
    BIO_up_ref(client_out);
    BIO_up_ref(server_out);
    SSL_set_bio(client, server_out, client_out);
    SSL_set_bio(server, client_out, server_out);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    Outcome outcome;
    for (int round = 0; round < 20 && !outcome.ok(); ++round) {
        if (!outcome.client_done) outcome.client_done = SSL_do_handshake(client) == 1;
        if (!outcome.server_done) outcome.server_done = SSL_do_handshake(server) == 1;
    }
    char byte = 'x';
    if (outcome.ok()) {
        outcome.server_done = SSL_write(server, &byte, 1) == 1 && SSL_read(client, &byte, 1) == 1;
        outcome.client_done = SSL_write(client, &byte, 1) == 1 && SSL_read(server, &byte, 1) == 1;
        outcome.group = SSL_get0_group_name(server);
        outcome.peer_certificate = SSL_get0_peer_certificate(server) != nullptr;
        outcome.tickets_on_wire = SSL_SESSION_has_ticket(SSL_get_session(client));
    }
    outcome.client_verify = SSL_get_verify_result(client);
    outcome.server_verify = SSL_get_verify_result(server);
    crypto::openssl_error();
    return outcome;
}

}  // namespace quoin::tls::test
