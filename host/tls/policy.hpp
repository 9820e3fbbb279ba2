// The TLS policy: TLS 1.3 only, one suite of groups and signatures for a plant.
//
// clang-format off
//   suite      groups          signatures and certificates
//   classical  X25519          Ed25519, ECDSA P-256; refused unless danger_allow_classical
//   hybrid     X25519MLKEM768  ML-DSA-65+Ed25519, ML-DSA-44+Ed25519 (composites); the default
//   pure       MLKEM768        ML-DSA-65, ML-DSA-44 under an SLH-DSA root; clients: as hybrid too
// clang-format on
//
// Source: RFC 8446, RFC 10024, draft-ietf-tls-mlkem, draft-ietf-tls-mldsa,
// draft-reddy-tls-composite-mldsa.
// Threads: an SSL_CTX is shared once it is made.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::tls {

enum class Suite : std::uint8_t { classical, hybrid, pure };

struct SuiteInfo {
    Suite suite;
    std::string_view name;
    std::string_view groups;      // OpenSSL list
    std::string_view signatures;  // OpenSSL list
    crypto::Algorithm root;
    crypto::Algorithm issuing;
    crypto::Algorithm service;  // quoind, broker, operators
    crypto::Algorithm ocsp;     // who answers for the issuing CA
    crypto::Algorithm mcu;      // device certificates by class
    crypto::Algorithm mpu;
};

const SuiteInfo& info(Suite suite);
// classical is refused unless `danger_allow_classical`.
Result<Suite> suite_by_name(std::string_view name, bool danger_allow_classical);

struct Credentials {
    std::vector<x509::Certificate> chain;  // leaf first, then issuing; never the root
    crypto::PrivateKey key;
};

struct ContextDeleter {
    void operator()(SSL_CTX* context) const noexcept;
};

using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

// Who must answer. All services of a plant have the names of its hosts, so a name alone does not
// tell quoind from a broker that somebody has broken into: their certificates do.
enum class Server : std::uint8_t { quoind, broker, foreign };  // foreign: no service of a plant

// A client that trusts `anchors` only, checks who the server is and its name, and shows
// `credentials` when given. Each connection must be told the name with expect_server(): without it
// every handshake fails. Unless the suite is classical, every CA of the server's chain must have a
// post-quantum key: what TLS negotiates binds only the leaf's.
Result<Context> client_context(Suite suite, std::span<const x509::Certificate> anchors,
                               Server server, const Credentials* credentials);
// The server this connection is for, a DNS name or an IP address: checked against the certificate,
// and sent as SNI when it is a name. (Boost MQTT5: call it in assign_tls_sni.)
Result<void> expect_server(SSL* connection, const std::string& host);

// A server. Client certificates are asked for and checked against `client_anchors`; whether one is
// required is the caller's decision per request (require_client makes it one per connection). A
// wrong one always ends the handshake. Every peer certificate must name its use in
// extendedKeyUsage; CAs of its chain as above. No session tickets: two of them cost 190 us a
// handshake with PQ chains.
Result<Context> server_context(Suite suite, const Credentials& credentials,
                               std::span<const x509::Certificate> client_anchors,
                               bool require_client);

// The value that binds what is said in a connection to it: tls-exporter, 32 bytes, the same on both
// sides and on no other connection. After the handshake. Source: RFC 9266.
Result<crypto::ByteVector> channel_binding(SSL* connection);

// Whether peers of this suite show certificates with keys of this algorithm.
bool is_of_suite(Suite suite, crypto::Algorithm algorithm);

// The text of an OPENSSL_CONF that holds an unmodified program (Mosquitto) to the suite.
std::string openssl_conf(Suite suite);

}  // namespace quoin::tls
