// The client half of http.hpp: one request on a connection of its own, run on the caller's thread.
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

#include "host/net/http.hpp"
#include "host/net/reach.hpp"
#include "host/net/target.hpp"
#include "host/tls/policy.hpp"
#include "host/tls/status.hpp"

namespace quoin::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
template <class Protocol>
using Plain = beast::basic_stream<Protocol, asio::any_io_executor>;
using Tls = asio::ssl::stream<Plain<Tcp>>;
using OnPiece = std::function<bool(std::string_view)>;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

struct Exchange {
    const HttpClientOptions& options;
    BaseUrl url;
    http::request<http::string_body> request;
    const OnPiece* on_piece = nullptr;  // null: the whole answer in one string
    const BoundBody* bound_body = nullptr;
    bool is_handshake_only = false;
};

std::unexpected<Error> failed(const Exchange& exchange, std::string_view doing,
                              const beast::error_code& error) {
    const std::string& where = exchange.options.base_url;
    if (error == beast::error::timeout) {
        return fail(Code::resource_timeout, "{}: {}: no answer within {} ms", where, doing,
                    exchange.options.timeout.count());
    }
    if (error.category() == asio::error::get_ssl_category()) {
        return fail(Code::peer_unauthenticated, "{}: {}: TLS: {}", where, doing, error.message());
    }
    return fail(Code::resource_unavailable, "{}: {}: {}", where, doing, error.message());
}

template <class Stream>
awaitable<Result<HttpReply>> read_whole(Stream& stream, const Exchange& exchange) {
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(exchange.options.max_body_bytes);
    const auto [error, size] = co_await http::async_read(stream, buffer, parser, as_tuple);
    if (error == http::error::body_limit) {
        co_return fail(Code::peer_oversize, "{}: the answer is longer than {} bytes",
                       exchange.options.base_url, exchange.options.max_body_bytes);
    }
    if (error) co_return failed(exchange, "reading the answer", error);
    auto message = parser.release();
    HttpReply reply{.status = static_cast<int>(message.result_int()),
                    .content_type = std::string(message[http::field::content_type])};
    for (const auto& field : message) {
        std::string name(field.name_string());
        for (char& letter : name) {
            if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
        }
        reply.headers.emplace(std::move(name), std::string(field.value()));
    }
    reply.body = std::move(message.body());
    co_return reply;
}

// Calls on_piece with the decoded body as it comes. The timeout holds between pieces.
template <class Stream>
awaitable<Result<HttpReply>> read_pieces(Stream& stream, const Exchange& exchange) {
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    {
        const auto [error, size] =
            co_await http::async_read_header(stream, buffer, parser, as_tuple);
        if (error) co_return failed(exchange, "reading the answer", error);
    }
    HttpReply reply{.status = static_cast<int>(parser.get().result_int()),
                    .content_type = std::string(parser.get()[http::field::content_type])};
    const bool good = reply.status == 200;
    std::array<char, 16 * 1024> piece{};
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        beast::get_lowest_layer(stream).expires_after(exchange.options.timeout);
        const auto [error, size] = co_await http::async_read_some(stream, buffer, parser, as_tuple);
        if (error && error != http::error::need_buffer) {
            co_return failed(exchange, "reading the stream", error);
        }
        const std::string_view text(piece.data(), piece.size() - parser.get().body().size);
        if (good) {
            if (!text.empty() && !(*exchange.on_piece)(text)) break;
        } else if (reply.body.size() + text.size() <= exchange.options.max_body_bytes) {
            reply.body += text;
        }
    }
    co_return reply;
}

template <class Stream>
awaitable<Result<HttpReply>> converse(Stream& stream, Exchange& exchange) {
    const auto [error, size] = co_await http::async_write(stream, exchange.request, as_tuple);
    // A server may answer and close before it has read everything: the answer says why.
    if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
        co_return failed(exchange, "sending the request", error);
    }
    if (exchange.on_piece != nullptr) co_return co_await read_pieces(stream, exchange);
    co_return co_await read_whole(stream, exchange);
}

awaitable<Result<HttpReply>> over_local(Exchange& exchange) {
    Plain<Local> stream(co_await asio::this_coro::executor);
    stream.expires_after(exchange.options.timeout);
    const auto [error] =
        co_await stream.async_connect(Local::endpoint(exchange.url.host), as_tuple);
    if (error) co_return failed(exchange, "connecting (is quoind running?)", error);
    co_return co_await converse(stream, exchange);
}

awaitable<Result<void>> connect_tcp(Plain<Tcp>& stream, const Exchange& exchange) {
    Tcp::resolver resolver(co_await asio::this_coro::executor);
    const std::string port = std::to_string(exchange.url.port);
    // An address needs no look-up, which would start a thread.
    beast::error_code error;
    auto endpoints =
        resolver.resolve(exchange.url.host, port,
                         Tcp::resolver::numeric_host | Tcp::resolver::numeric_service, error);
    if (error) {
        std::tie(error, endpoints) =
            co_await resolver.async_resolve(exchange.url.host, port, as_tuple);
    }
    if (error) co_return failed(exchange, "looking up the host", error);
    stream.expires_after(exchange.options.timeout);
    const auto [refused, endpoint] = co_await stream.async_connect(endpoints, as_tuple);
    if (refused) co_return failed(exchange, "connecting", refused);
    beast::error_code ignored;  // only latency is at stake
    stream.socket().set_option(Tcp::no_delay(true), ignored);
    co_return Result<void>{};
}

awaitable<Result<HttpReply>> over_tcp(Exchange& exchange) {
    Plain<Tcp> stream(co_await asio::this_coro::executor);
    if (auto connected = co_await connect_tcp(stream, exchange); !connected) {
        co_return std::unexpected(std::move(connected).error());
    }
    co_return co_await converse(stream, exchange);
}

Result<void> bind_body(SSL* ssl, Exchange& exchange) {
    if (exchange.bound_body == nullptr) return {};
    QUOIN_TRY(const crypto::ByteVector exporter, tls::channel_binding(ssl));
    QUOIN_TRY(exchange.request.body(), (*exchange.bound_body)(exporter));
    exchange.request.prepare_payload();
    return {};
}

awaitable<Result<HttpReply>> over_tls(Exchange& exchange) {
    SSL_CTX_up_ref(exchange.options.tls);
    asio::ssl::context context(exchange.options.tls);
    Tls stream(Plain<Tcp>(co_await asio::this_coro::executor), context);
    if (auto named = tls::expect_server(stream.native_handle(), exchange.url.host); !named) {
        co_return std::unexpected(std::move(named).error());
    }
    if (auto connected = co_await connect_tcp(stream.next_layer(), exchange); !connected) {
        co_return std::unexpected(std::move(connected).error());
    }
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_tuple);
    if (error) {
        const long verified = SSL_get_verify_result(stream.native_handle());
        if (verified != X509_V_OK) {
            co_return fail(Code::peer_unauthenticated, "{}: the server's certificate: {}",
                           exchange.options.base_url, X509_verify_cert_error_string(verified));
        }
        if (const std::string why = tls::status_failure(stream.native_handle()); !why.empty()) {
            co_return fail(Code::peer_unauthenticated, "{}: {}", exchange.options.base_url, why);
        }
        co_return failed(exchange, "TLS handshake", error);
    }
    if (exchange.is_handshake_only) co_return HttpReply{};
    if (auto bound = bind_body(stream.native_handle(), exchange); !bound) {
        co_return std::unexpected(std::move(bound).error());
    }
    beast::get_lowest_layer(stream).expires_after(exchange.options.timeout);
    co_return co_await converse(stream, exchange);
}

awaitable<Result<HttpReply>> run_exchange(Exchange& exchange) {
    switch (exchange.url.scheme) {
        case Scheme::unix_socket:
            return over_local(exchange);
        case Scheme::http:
            return over_tcp(exchange);
        case Scheme::https:
            break;
    }
    return over_tls(exchange);
}

// On this thread, to its end.
Result<HttpReply> perform(Exchange& exchange) {
    std::optional<Result<HttpReply>> outcome;
    const std::string& url = exchange.options.base_url;
    try {
        asio::io_context io(1);
        asio::co_spawn(io, run_exchange(exchange),
                       [&outcome](std::exception_ptr thrown, Result<HttpReply> result) {
                           if (thrown) std::rethrow_exception(thrown);
                           outcome = std::move(result);
                       });
        io.run();
    } catch (const std::exception& error) {
        return fail(Code::internal, "{}: {}", url, error.what());
    }
    if (!outcome) return fail(Code::internal, "{}: no outcome", url);
    return *std::move(outcome);
}

Result<HttpReply> run(const HttpClientOptions& options, std::string_view method,
                      std::string_view target, std::string_view body, std::string_view content_type,
                      const OnPiece* on_piece, const BoundBody* bound_body = nullptr) {
    QUOIN_TRY(BaseUrl url, parse_base_url(options.base_url));
    if (bound_body != nullptr && url.scheme != Scheme::https) {
        return fail(Code::input_invalid, "{}: only a TLS connection can be bound to",
                    options.base_url);
    }
    if (url.scheme == Scheme::https && options.tls == nullptr) {
        return fail(Code::config_missing, "{} needs TLS credentials, and none are given",
                    options.base_url);
    }
    Exchange exchange{.options = options,
                      .url = std::move(url),
                      .request = {},
                      .on_piece = on_piece,
                      .bound_body = bound_body};
    try {
        auto& request = exchange.request;
        request.version(11);
        request.method_string(method);
        request.target(target);
        request.set(http::field::host,
                    exchange.url.scheme == Scheme::unix_socket ? "localhost" : exchange.url.host);
        request.set(http::field::connection, "close");
        if (!content_type.empty()) request.set(http::field::content_type, content_type);
        request.body() = std::string(body);
        request.prepare_payload();
    } catch (const std::exception& error) {
        return fail(Code::internal, "{} {}: {}", options.base_url, target, error.what());
    }
    return perform(exchange);
}

}  // namespace

Result<HttpReply> http_request(const HttpClientOptions& options, std::string_view method,
                               std::string_view target, std::string_view body,
                               std::string_view content_type) {
    return run(options, method, target, body, content_type, nullptr);
}

Result<HttpReply> http_request(const HttpClientOptions& options, std::string_view method,
                               std::string_view target, const BoundBody& body,
                               std::string_view content_type) {
    return run(options, method, target, {}, content_type, nullptr, &body);
}

Result<void> tls_reach(const std::string& host, std::uint16_t port, SSL_CTX* tls,
                       std::chrono::milliseconds timeout) {
    const bool is_v6 = host.contains(':');
    HttpClientOptions options;
    options.base_url =
        fmt::format("https://{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
    options.tls = tls;
    options.timeout = timeout;
    QUOIN_TRY(BaseUrl url, parse_base_url(options.base_url));
    Exchange exchange{.options = options,
                      .url = std::move(url),
                      .request = {},
                      .on_piece = nullptr,
                      .bound_body = nullptr,
                      .is_handshake_only = true};
    QUOIN_TRY(const HttpReply none, perform(exchange));
    static_cast<void>(none);
    return {};
}

Result<void> http_stream(const HttpClientOptions& options, std::string_view target,
                         const std::function<bool(std::string_view)>& on_piece) {
    QUOIN_TRY(const HttpReply reply, run(options, "GET", target, {}, {}, &on_piece));
    if (reply.status == 200) return {};
    // The server's own words, when it sent a problem document.
    const auto document = nlohmann::json::parse(reply.body, nullptr, false);
    std::string detail = reply.body;
    if (document.is_object() && document.contains("detail") && document["detail"].is_string()) {
        detail = document["detail"].get<std::string>();
    }
    const Code code = reply.status == 401   ? Code::peer_unauthenticated
                      : reply.status == 403 ? Code::peer_forbidden
                      : reply.status == 404 ? Code::input_not_found
                      : reply.status < 500  ? Code::input_invalid
                                            : Code::resource_unavailable;
    return fail(code, "{}{}: {} {}", options.base_url, target, reply.status, detail);
}

}  // namespace quoin::net
