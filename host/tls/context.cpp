#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include <algorithm>
#include <array>

#include "host/crypto/library.hpp"
#include "host/tls/policy.hpp"
#include "host/tls/settings.hpp"
#include "host/tls/suites.hpp"

namespace quoin::tls {
namespace {

constexpr int max_depth = 3;                 // certificates between leaf and anchor
constexpr long max_chain_size = 64L << 10U;  // bytes; ours have about 20 KiB

std::unexpected<Error> failure(std::string_view doing) {
    return fail(Code::config_invalid, "TLS: cannot {}: {}", doing, crypto::openssl_error());
}

// An absent extendedKeyUsage means "any" to OpenSSL; here the leaf must name its use.
bool names_its_use(X509* leaf, bool is_server) {
    const std::uint32_t usage = X509_get_extended_key_usage(leaf);
    return usage != UINT32_MAX && (usage & (is_server ? XKU_SSL_SERVER : XKU_SSL_CLIENT)) != 0;
}

// What a context asks of its peers' certificates; kept with it.
struct Demands {
    bool classical_cas;
    Server server;  // of clients
};
constexpr std::array demands{Demands{false, Server::quoind},  Demands{false, Server::broker},
                             Demands{false, Server::foreign}, Demands{true, Server::quoind},
                             Demands{true, Server::broker},   Demands{true, Server::foreign}};

int demands_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

Result<void> demand(SSL_CTX* context, std::span<const Suite> suites, Server server) {
    const bool classical = std::ranges::contains(suites, Suite::classical);
    const auto found = std::ranges::find_if(demands, [&](const Demands& one) {
        return one.classical_cas == classical && one.server == server;
    });
    // OpenSSL keeps a pointer, and does not write there.
    void* const kept = const_cast<Demands*>(&*found);
    if (SSL_CTX_set_ex_data(context, demands_index(), kept) != 1) return failure("keep the checks");
    return {};
}

// Null: not of a context made here.
const Demands* demands_of(X509_STORE_CTX* store) {
    const auto* connection = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    if (connection == nullptr) return nullptr;
    return static_cast<const Demands*>(
        SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), demands_index()));
}

bool expects_a_server(X509_VERIFY_PARAM* parameters) {
    if (X509_VERIFY_PARAM_get0_host(parameters, 0) != nullptr) return true;
    char* address = X509_VERIFY_PARAM_get1_ip_asc(parameters);
    OPENSSL_free(address);
    return address != nullptr;
}

int refuse(X509_STORE_CTX* store, int error) {
    X509_STORE_CTX_set_error(store, error);
    return 0;
}

bool is_post_quantum(X509* ca) {
    const auto key = x509::Certificate(ca).public_key();
    const auto algorithm = key ? key->algorithm() : std::unexpected(key.error());
    return algorithm && crypto::info(*algorithm).post_quantum;
}

bool is_service(X509* leaf, std::string_view name) {
    const auto identity = x509::Certificate(leaf).identity();
    return identity && identity->kind == x509::Kind::service && identity->id == name;
}

bool is_this(X509* leaf, Server server) {
    switch (server) {
        case Server::quoind:
            return is_service(leaf, "quoind");
        case Server::broker:
            return is_service(leaf, "broker");
        case Server::foreign:
            return true;
    }
    return false;
}

// What OpenSSL does not ask of a certificate of the chain, `depth` above the leaf.
int check(X509_STORE_CTX* store, int depth, bool is_server) {
    const Demands* const wanted = demands_of(store);
    if (wanted == nullptr) return refuse(store, X509_V_ERR_APPLICATION_VERIFICATION);
    X509* const certificate = X509_STORE_CTX_get_current_cert(store);
    if (depth > 0) {
        const bool is_strong = wanted->classical_cas || is_post_quantum(certificate);
        return is_strong ? 1 : refuse(store, X509_V_ERR_CA_KEY_TOO_SMALL);
    }
    if (!names_its_use(certificate, is_server)) return refuse(store, X509_V_ERR_INVALID_PURPOSE);
    if (!is_server) return 1;
    // A caller that forgot expect_server() would accept this server under any name.
    const bool expected =
        expects_a_server(X509_STORE_CTX_get0_param(store)) && is_this(certificate, wanted->server);
    return expected ? 1 : refuse(store, X509_V_ERR_HOSTNAME_MISMATCH);
}

int check_client(int sound, X509_STORE_CTX* store) noexcept {
    return sound == 1 ? check(store, X509_STORE_CTX_get_error_depth(store), false) : sound;
}

int check_server(int sound, X509_STORE_CTX* store) noexcept {
    return sound == 1 ? check(store, X509_STORE_CTX_get_error_depth(store), true) : sound;
}

Result<Context> make_context(const SSL_METHOD* method, const Offer& suite) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    Context context(SSL_CTX_new_ex(crypto::library(), nullptr, method));
    if (!context) return failure("make a context");
    SSL_CTX* const raw = context.get();
    // OpenSSL's default, whatever OPENSSL_CONF says: that reaches every context of the process.
    SSL_CTX_set_security_level(raw, 2);
    if (SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(raw, cipher_suites()) != 1) {
        return failure("hold to TLS 1.3");
    }
    if (SSL_CTX_set1_groups_list(raw, suite.groups.c_str()) != 1) return failure("set the groups");
    if (SSL_CTX_set1_sigalgs_list(raw, suite.signatures.c_str()) != 1 ||
        SSL_CTX_set1_client_sigalgs_list(raw, suite.client_signatures.c_str()) != 1) {
        return failure("set the signatures");
    }
    // NO_AUTO_CHAIN: with a lone leaf OpenSSL would look for the chain itself and add the root.
    SSL_CTX_set_mode(raw, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    // Certificates of post-quantum keys do not compress: trying costs the client 200 us a handshake
    // and the server, who undoes it, 100.
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_TX_CERTIFICATE_COMPRESSION |
                                 SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
    if (SSL_CTX_set_num_tickets(raw, 0) != 1) return failure("turn tickets off");
    SSL_CTX_set_max_cert_list(raw, max_chain_size);
    SSL_CTX_set_verify_depth(raw, max_depth);
    return context;
}

Result<void> check_allowed(std::span<const Suite> suites) {
    if (!approved_mode() || !std::ranges::contains(suites, Suite::classical)) return {};
    return fail(Code::config_invalid, "TLS: suite classical is not allowed in approved mode");
}

Result<void> trust(SSL_CTX* context, std::span<const x509::Certificate> anchors) {
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    for (const x509::Certificate& anchor : anchors) {
        if (X509_STORE_add_cert(store, anchor.native()) != 1) return failure("trust a certificate");
    }
    X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
    if (X509_VERIFY_PARAM_set_flags(parameters,
                                    X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        return failure("set the checks");
    }
    X509_VERIFY_PARAM_set_hostflags(
        parameters, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return {};
}

Result<void> show(SSL_CTX* context, const Credentials& credentials) {
    if (credentials.chain.empty()) {
        return fail(Code::config_invalid, "TLS: the certificate chain is empty");
    }
    if (SSL_CTX_use_certificate(context, credentials.chain.front().native()) != 1) {
        return failure("use the certificate");
    }
    for (const x509::Certificate& certificate : std::span(credentials.chain).subspan(1)) {
        if (SSL_CTX_add1_chain_cert(context, certificate.native()) != 1)
            return failure("add the chain");
    }
    if (SSL_CTX_use_PrivateKey(context, credentials.key.native()) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return failure("use the private key with this certificate");
    }
    return {};
}

}  // namespace

void ContextDeleter::operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }

Result<Context> client_context(Suite suite, std::span<const x509::Certificate> anchors,
                               Server server, const Credentials* credentials) {
    QUOIN_CHECK(check_allowed({&suite, 1}));
    QUOIN_TRY(Context context, make_context(TLS_client_method(), offer({&suite, 1})));
    QUOIN_CHECK(demand(context.get(), {&suite, 1}, server));
    QUOIN_CHECK(trust(context.get(), anchors));
    if (credentials != nullptr) QUOIN_CHECK(show(context.get(), *credentials));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, check_server);
    return context;
}

Result<void> expect_server(SSL* connection, const std::string& host) {
    std::uint8_t address[16];
    const bool is_address = ::inet_pton(AF_INET, host.c_str(), address) == 1 ||
                            ::inet_pton(AF_INET6, host.c_str(), address) == 1;
    if (host.empty() || SSL_set1_host(connection, host.c_str()) != 1) {
        crypto::openssl_error();
        return fail(Code::input_invalid, "\"{}\" is no name of a server", host);
    }
    // RFC 6066, section 3: literal addresses are not permitted in SNI.
    if (!is_address && SSL_set_tlsext_host_name(connection, host.c_str()) != 1) {
        crypto::openssl_error();
        return fail(Code::input_invalid, "\"{}\" is too long for the name of a server", host);
    }
    return {};
}

Result<crypto::ByteVector> channel_binding(SSL* connection) {
    constexpr std::string_view label = "EXPORTER-Channel-Binding";  // RFC 9266, section 4
    crypto::ByteVector value(32);
    if (SSL_export_keying_material(connection, value.data(), value.size(), label.data(),
                                   label.size(), nullptr, 0, 1) != 1) {
        return failure("export the channel binding");
    }
    return value;
}

Result<Context> server_context(Suite suite, const Credentials& credentials,
                               std::span<const x509::Certificate> client_anchors,
                               bool require_client) {
    const ServerIdentity identity{suite, credentials};
    return server_context(std::span(&identity, 1), client_anchors, require_client);
}

Result<Context> server_context(std::span<const ServerIdentity> identities,
                               std::span<const x509::Certificate> client_anchors,
                               bool require_client) {
    std::vector<Suite> suites;
    for (const ServerIdentity& identity : identities) suites.push_back(identity.suite);
    QUOIN_CHECK(check_allowed(suites));
    QUOIN_TRY(Context context, make_context(TLS_server_method(), offer(suites)));
    QUOIN_CHECK(demand(context.get(), suites, Server::foreign));
    QUOIN_CHECK(trust(context.get(), client_anchors));
    // One certificate for each kind of key: OpenSSL chooses by what the client can check, and by
    // our order before the client's.
    SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    for (const ServerIdentity& identity : identities) {
        QUOIN_CHECK(show(context.get(), identity.credentials));
    }
    const int mode = SSL_VERIFY_PEER | (require_client ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    SSL_CTX_set_verify(context.get(), mode, check_client);
    return context;
}

}  // namespace quoin::tls
