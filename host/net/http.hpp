// HTTPS, HTTP and Unix-socket HTTP server and client, on Boost.Beast. No Boost type leaves this
// header.
//
// Threads: a server accepts on an I/O thread, where it also serves what is not TLS, serves TLS on
// a pool of a thread for each processor, and runs handlers on another; handlers may block on the
// database. A client call blocks its caller until `timeout`.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::net {

struct HttpRequest {
    std::string method;                        // upper case
    std::string path;                          // decoded, without query
    std::map<std::string, std::string> query;  // decoded; a repeated key is refused with 400
    std::string content_type;
    std::string accept;
    std::string body;
    std::vector<x509::Certificate> client_chain;  // leaf first; verified by TLS; empty: none shown
    crypto::ByteVector tls_exporter;              // RFC 9266; empty: not over TLS
    std::optional<uid_t> peer_uid;                // Unix socket only
    std::string remote;                           // "127.0.0.1:51234" or "unix"
};

// Blocks up to `wait`: a piece to send, an empty one (nothing yet: a comment keeps the line alive),
// or nullopt: the end. An error breaks the answer off, so that nobody takes it for complete.
using Stream = std::function<Result<std::optional<std::string>>(std::chrono::milliseconds wait)>;

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    Stream stream = {};  // when set: chunked, `body` is ignored (SSE, CSV export)
};

// RFC 9457 problem document from an error.
HttpResponse problem(const Error& error);

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;
// An answer that is at hand, or none.
using HttpReadyHandler = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

struct HttpServerOptions {
    std::string address = "127.0.0.1";  // or the path of a Unix socket, "unix:/run/x.sock"
    std::uint16_t port = 0;             // 0: a free one
    tls::Context tls = {};              // null: plain
    unsigned threads = 4;
    std::size_t max_body_bytes = 1 << 20;
    // A smaller limit for some requests, asked before the body is read (`body` is empty). Any
    // thread; quick. Null: max_body_bytes for all.
    std::function<std::size_t(const HttpRequest&)> body_limit = {};
    std::size_t max_connections = 1024;
    std::size_t max_connections_per_peer = 256;  // of one IP address
    std::chrono::milliseconds request_timeout{15000};
    // Asked before the handler, on the connection's thread, which spares a request two changes of
    // threads: any thread, and must never block. Null: every request goes to the handler.
    HttpReadyHandler ready = {};
    unsigned max_streams = 32;  // each holds one thread of its own
    // A client's certificate failed in the handshake: it has no session. Any thread; quick.
    std::function<void(const std::string& remote, const std::string& reason)>
        on_refused_certificate = {};
};

class HttpServer {
public:
    static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options,
                                                     HttpHandler handler);
    virtual ~HttpServer() = default;  // stops accepting, ends connections, joins its threads
    virtual std::uint16_t port() const = 0;
    // New connections use this context (certificate renewal).
    virtual void replace_tls(tls::Context context) = 0;
    // Ends the connections whose client showed one of these certificates (serials, hex), and what
    // is being answered on them. Thread-safe; at once, but does not wait for it.
    virtual void close_connections(std::vector<std::string> serials) = 0;
};

struct HttpClientOptions {
    std::string base_url;    // https://host:port, http://host:port or unix:/path
    SSL_CTX* tls = nullptr;  // borrowed; needed for https
    std::chrono::milliseconds timeout{15000};
    std::size_t max_body_bytes = 16 << 20;
};

struct HttpReply {
    int status = 0;
    std::string content_type = {};
    std::string body = {};
    std::map<std::string, std::string> headers = {};  // names in lower case
};

// One request on a new connection.
Result<HttpReply> http_request(const HttpClientOptions& options, std::string_view method,
                               std::string_view target, std::string_view body = {},
                               std::string_view content_type = {});
// Likewise over TLS, with a body that is bound to the connection: made when that is there, of its
// exporter value (RFC 9266), on the caller's thread and in its time.
using BoundBody = std::function<Result<std::string>(Bytes tls_exporter)>;
Result<HttpReply> http_request(const HttpClientOptions& options, std::string_view method,
                               std::string_view target, const BoundBody& body,
                               std::string_view content_type);
// Calls `on_piece` for every piece of a streamed answer until it returns false or the server ends.
Result<void> http_stream(const HttpClientOptions& options, std::string_view target,
                         const std::function<bool(std::string_view)>& on_piece);

}  // namespace quoin::net
