// The server half of http.hpp.
//
//   accept -> [TLS handshake] -> ( read header -> read body -> handler -> write )* -> close
//
// Coroutines: connections in clear on the I/O thread, those over TLS, whose handshakes cost a
// millisecond, each on a strand of a pool with a thread for each processor. Answers that are ready
// are given there, too; only a handler (pool) and a stream's source (own thread) run elsewhere.
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "host/net/http.hpp"
#include "host/net/target.hpp"

namespace quoin::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::use_awaitable;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
template <class Protocol>
using Plain = beast::basic_stream<Protocol, asio::any_io_executor>;
using Tls = asio::ssl::stream<Plain<Tcp>>;
constexpr auto as_tuple = asio::as_tuple(use_awaitable);

constexpr std::uint32_t max_header_bytes = 16 * 1024;
constexpr milliseconds stream_wait{500};        // bounds how long a stop waits for a stream
constexpr std::chrono::seconds keep_alive{5};   // between comments of a silent event stream
constexpr std::chrono::seconds linger_time{2};  // for a refused upload to see its answer
constexpr std::size_t linger_bytes = 4 << 20;

struct Peer {
    std::vector<x509::Certificate> chain = {};
    crypto::ByteVector exporter = {};
    std::optional<uid_t> uid = {};
    std::string remote = {};
};

using Piece = Result<std::optional<std::string>>;

// What ends a coroutine, and with it its connection.
constexpr auto log_thrown = [](const std::exception_ptr& thrown) {
    try {
        if (thrown) std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        spdlog::error("a connection ended by an error: {}", error.what());
    }
};

// `Handler` is HttpHandler or HttpReadyHandler.
template <class Handler>
auto call_handler(const Handler& handler, const HttpRequest& request)
    -> decltype(handler(request)) {
    try {
        return handler(request);
    } catch (const std::exception& error) {
        // A library threw through the handler: the request fails, the server goes on.
        spdlog::error("{} {}: {}", request.method, request.path, error.what());
        return problem({Code::internal, "the request failed inside the server; its log says why"});
    }
}

Piece next_piece(const Stream& source) {
    try {
        return source(stream_wait);
    } catch (const std::exception& error) {
        return fail(Code::internal, "{}", error.what());
    }
}

std::vector<x509::Certificate> client_chain(SSL* ssl) {
    std::vector<x509::Certificate> chain;
    if (SSL_get0_peer_certificate(ssl) == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) {
        return chain;
    }
    const STACK_OF(X509)* verified = SSL_get0_verified_chain(ssl);
    for (int i = 0; verified != nullptr && i < sk_X509_num(verified); ++i) {
        chain.emplace_back(sk_X509_value(verified, i));
    }
    return chain;
}

bool is_parse_error(const beast::error_code& error) {
    return error.category() == http::make_error_code(http::error::bad_method).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message;
}

HttpResponse refusal(const beast::error_code& error, std::size_t max_body_bytes) {
    if (error == http::error::body_limit) {
        return problem({Code::peer_oversize,
                        fmt::format("the request's body is longer than {} bytes", max_body_bytes)});
    }
    if (error == http::error::header_limit) {
        HttpResponse response =
            problem({Code::peer_oversize,
                     fmt::format("the header is longer than {} bytes", max_header_bytes)});
        response.status = 431;
        return response;
    }
    return problem({Code::peer_malformed, "this is not an HTTP/1.1 request: " + error.message()});
}

std::string text_of_field(const http::request<http::string_body>& message, http::field field) {
    return std::string(message[field]);
}

// Without the body.
Result<HttpRequest> to_request(const http::request<http::string_body>& message, const Peer& peer) {
    const beast::string_view raw = message.target();
    QUOIN_TRY(Target target, parse_target({raw.data(), raw.size()}));
    return HttpRequest{.method = std::string(message.method_string()),
                       .path = std::move(target.path),
                       .query = std::move(target.query),
                       .content_type = text_of_field(message, http::field::content_type),
                       .accept = text_of_field(message, http::field::accept),
                       .body = {},
                       .client_chain = peer.chain,
                       .tls_exporter = peer.exporter,
                       .peer_uid = peer.uid,
                       .remote = peer.remote};
}

// The answer's head. `length`: of its body; none: chunked.
std::string head_of(const HttpResponse& response, std::optional<std::size_t> length, bool keep) {
    const auto status = static_cast<unsigned>(response.status);
    const beast::string_view reason = http::obsolete_reason(http::int_to_status(status));
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nServer: quoind\r\nContent-Type: {}\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n",
        status, std::string_view(reason.data(), reason.size()), response.content_type);
    for (const auto& [name, value] : response.headers) {
        head += fmt::format("{}: {}\r\n", name, value);
    }
    if (!keep) head += "Connection: close\r\n";
    head += length ? fmt::format("Content-Length: {}\r\n\r\n", *length)
                   : "Transfer-Encoding: chunked\r\n\r\n";
    return head;
}

class Server final : public HttpServer {
public:
    Server(HttpServerOptions options, HttpHandler handler)
        : options_(std::move(options)), handler_(std::move(handler)), pool_(options_.threads) {
        if (options_.tls) adopt(std::move(options_.tls));
    }

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() override {
        asio::post(io_, [this] { stop(); });
        work_.reset();
        if (thread_.joinable()) thread_.join();
        tls_pool_.join();
        pool_.join();
        if (!socket_path_.empty()) ::unlink(socket_path_.c_str());
    }

    Result<void> listen() {
        try {
            if (options_.address.starts_with("unix:")) {
                QUOIN_TRY(const BaseUrl url, parse_base_url(options_.address));
                listen_local(url.host);
            } else {
                listen_tcp();
            }
        } catch (const boost::system::system_error& error) {
            const std::string where = options_.address.starts_with("unix:")
                                          ? options_.address
                                          : fmt::format("{}:{}", options_.address, options_.port);
            return fail(Code::resource_unavailable, "cannot listen on {}: {}", where,
                        error.code().message());
        }
        thread_ = std::thread([this] { io_.run(); });
        return {};
    }

    std::uint16_t port() const override { return port_; }

    void replace_tls(tls::Context context) override { adopt(std::move(context)); }

    void close_connections(std::vector<std::string> serials) override {
        const std::set ended(serials.begin(), serials.end());
        close_those([&](const Open& connection) { return ended.contains(connection.serial); });
    }

private:
    struct Open {
        asio::any_io_executor executor;
        std::function<void()> close;
        std::string serial = {};  // of its client's certificate
    };

    void adopt(tls::Context context) {
        auto adopted = std::make_shared<asio::ssl::context>(context.release());
        const std::lock_guard lock(tls_mutex_);
        tls_ = std::move(adopted);
    }

    std::shared_ptr<asio::ssl::context> current_tls() {
        const std::lock_guard lock(tls_mutex_);
        return tls_;
    }

    void listen_tcp() {
        const Tcp::endpoint endpoint(asio::ip::make_address(options_.address), options_.port);
        auto acceptor = std::make_shared<Tcp::acceptor>(io_, endpoint);  // reuse_address on
        port_ = acceptor->local_endpoint().port();
        close_acceptor_ = [acceptor] { acceptor->close(); };
        asio::co_spawn(io_, accept_loop<Tcp>(acceptor), log_thrown);
    }

    void listen_local(const std::string& path) {
        struct stat status{};
        // A socket left by a killed process; the lock on the home says that nobody else serves it.
        if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
        auto acceptor = std::make_shared<Local::acceptor>(io_);
        acceptor->open();
        ::fchmod(acceptor->native_handle(),
                 0600);  // before bind: the file is never wider than this
        acceptor->bind(Local::endpoint(path));
        acceptor->listen();
        socket_path_ = path;
        close_acceptor_ = [acceptor] { acceptor->close(); };
        asio::co_spawn(io_, accept_loop<Local>(acceptor), log_thrown);
    }

    void stop() {
        stopping_ = true;
        if (close_acceptor_) close_acceptor_();
        close_those([](const Open&) { return true; });
    }

    template <class Which>
    void close_those(const Which& which) {
        const std::lock_guard lock(open_mutex_);
        for (const auto& [id, connection] : open_) {
            if (!which(connection)) continue;
            asio::post(connection.executor, [this, number = id] { close(number); });
        }
    }

    // On the connection's executor, where it also ends.
    void close(std::uint64_t id) {
        std::function<void()> closing;
        {
            const std::lock_guard lock(open_mutex_);
            const auto found = open_.find(id);
            if (found != open_.end()) closing = found->second.close;
        }
        if (closing) closing();
    }

    template <class Protocol>
    asio::any_io_executor executor_of_next() {
        if constexpr (std::is_same_v<Protocol, Tcp>) {
            if (current_tls()) return asio::make_strand(tls_pool_);
        }
        return io_.get_executor();
    }

    template <class Protocol>
    awaitable<void> accept_loop(std::shared_ptr<typename Protocol::acceptor> acceptor) {
        asio::steady_timer timer(io_);
        while (!stopping_) {
            const asio::any_io_executor executor = executor_of_next<Protocol>();
            auto [error, socket] = co_await acceptor->async_accept(executor, as_tuple);
            if (stopping_) co_return;
            if (error) {  // out of descriptors, or the peer left: a pause instead of a busy loop
                timer.expires_after(milliseconds(50));
                (void)co_await timer.async_wait(as_tuple);
            } else if (connections_ >= options_.max_connections) {
                spdlog::warn("refused a connection: {} are open, the limit",
                             options_.max_connections);
            } else {
                ++connections_;
                asio::co_spawn(executor, serve(std::move(socket)),
                               [this](const std::exception_ptr& thrown) {
                                   --connections_;
                                   log_thrown(thrown);
                               });
            }
        }
    }

    // Remembers how to close a connection, for stop(), close_connections() and the limit.
    class Registration {
    public:
        Registration(Server& server, asio::any_io_executor executor, std::function<void()> close)
            : server_(server) {
            const std::lock_guard lock(server_.open_mutex_);
            id_ = server_.next_id_++;
            server_.open_.emplace(id_, Open{std::move(executor), std::move(close)});
        }
        void shown(std::string serial) const {
            const std::lock_guard lock(server_.open_mutex_);
            server_.open_.at(id_).serial = std::move(serial);
        }
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;
        ~Registration() {
            const std::lock_guard lock(server_.open_mutex_);
            server_.open_.erase(id_);
        }

    private:
        Server& server_;
        std::uint64_t id_ = 0;
    };

    awaitable<void> serve(Local::socket socket) {
        ucred credentials{};
        socklen_t size = sizeof credentials;
        if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) !=
            0) {
            co_return;
        }
        Plain<Local> stream(std::move(socket));
        const Registration registration(*this, stream.get_executor(),
                                        [&stream] { stream.close(); });
        co_await serve_requests(stream, {.chain = {}, .uid = credentials.uid, .remote = "unix"});
    }

    // Counts the connections of one address, for the limit of each peer.
    class Share {
    public:
        Share(Server& server, std::string address) : server_(server), address_(std::move(address)) {
            const std::lock_guard lock(server_.open_mutex_);
            ++server_.peers_[address_];
        }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() {
            const std::lock_guard lock(server_.open_mutex_);
            const auto found = server_.peers_.find(address_);
            if (--found->second == 0) server_.peers_.erase(found);
        }
        bool is_over() const {
            const std::lock_guard lock(server_.open_mutex_);
            return server_.peers_.at(address_) > server_.options_.max_connections_per_peer;
        }

    private:
        Server& server_;
        std::string address_;
    };

    awaitable<void> serve(Tcp::socket socket) {
        beast::error_code error;
        const Tcp::endpoint endpoint = socket.remote_endpoint(error);
        if (error) co_return;  // gone already
        const Share share(*this, endpoint.address().to_string());
        if (share.is_over()) {
            spdlog::warn("refused a connection of {}: it has {} already",
                         endpoint.address().to_string(), options_.max_connections_per_peer);
            co_return;
        }
        socket.set_option(Tcp::no_delay(true), error);
        Peer peer{.remote = fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port())};
        const std::shared_ptr<asio::ssl::context> context = current_tls();
        if (!context) {
            Plain<Tcp> stream(std::move(socket));
            const Registration registration(*this, stream.get_executor(),
                                            [&stream] { stream.close(); });
            co_await serve_requests(stream, std::move(peer));
        } else {
            co_await serve_tls(Tls(Plain<Tcp>(std::move(socket)), *context), std::move(peer));
        }
    }

    awaitable<void> serve_tls(Tls stream, Peer peer) {
        auto& socket = beast::get_lowest_layer(stream);
        const Registration registration(*this, socket.get_executor(),
                                        [&socket] { socket.close(); });
        if (stopping_) co_return;  // stop() may have been before the registration
        socket.expires_after(options_.request_timeout);
        const auto [error] =
            co_await stream.async_handshake(asio::ssl::stream_base::server, as_tuple);
        if (error) {
            report_refusal(stream.native_handle(), peer.remote, error);
            co_return;
        }
        peer.chain = client_chain(stream.native_handle());
        if (!peer.chain.empty()) registration.shown(peer.chain.front().serial_hex());
        auto exporter = tls::channel_binding(stream.native_handle());
        if (!exporter) {
            spdlog::error("{}: {}", peer.remote, exporter.error().message);
            co_return;
        }
        peer.exporter = *std::move(exporter);
        co_await serve_requests(stream, std::move(peer));
        socket.expires_after(linger_time);
        (void)co_await stream.async_shutdown(as_tuple);
    }

    void report_refusal(SSL* ssl, const std::string& remote, const beast::error_code& error) {
        spdlog::debug("{}: TLS handshake: {}", remote, error.message());
        const long verified = SSL_get_verify_result(ssl);
        if (verified == X509_V_OK || !options_.on_refused_certificate) return;
        options_.on_refused_certificate(remote, X509_verify_cert_error_string(verified));
    }

    template <class Stream>
    awaitable<void> serve_requests(Stream& stream, Peer peer) {
        beast::flat_buffer buffer;
        bool keep = true;
        while (keep && !stopping_) keep = co_await serve_one(stream, buffer, peer);
    }

    // Reads a request and answers it. False: the connection ends.
    template <class Stream>
    awaitable<bool> serve_one(Stream& stream, beast::flat_buffer& buffer, const Peer& peer) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(max_header_bytes);
        parser.body_limit(options_.max_body_bytes);
        beast::get_lowest_layer(stream).expires_after(options_.request_timeout);
        HttpRequest request;
        std::size_t limit = options_.max_body_bytes;
        auto error = co_await read_head(stream, buffer, parser);
        if (!error) {
            auto head = to_request(parser.get(), peer);
            if (!head) {
                co_await refuse(stream, problem(head.error()));
                co_return false;
            }
            request = *std::move(head);
            if (options_.body_limit) limit = std::min(limit, options_.body_limit(request));
            error = co_await read_body(stream, buffer, parser, limit);
        }
        if (error) {
            if (is_parse_error(error)) co_await refuse(stream, refusal(error, limit));
            co_return false;
        }
        const bool keep = parser.get().keep_alive();
        const bool http_11 = parser.get().version() >= 11;
        request.body = std::move(parser.get().body());
        if (request.method == "HEAD") {
            HttpResponse response{.status = 405, .headers = {{"Allow", "GET, POST"}}};
            co_return co_await write(stream, std::move(response), keep);
        }
        HttpResponse response = co_await answer(request);
        if (response.stream && (!http_11 || streams_ >= options_.max_streams)) {
            response =
                problem({Code::resource_unavailable,
                         "no more streamed answers at once (or not to HTTP/1.0); try later"});
        }
        if (response.stream) co_return co_await write_stream(stream, std::move(response), keep);
        co_return co_await write(stream, std::move(response), keep);
    }

    awaitable<HttpResponse> answer(const HttpRequest& request) {
        if (options_.ready) {
            auto ready = call_handler(options_.ready, request);
            if (ready) co_return *std::move(ready);
        }
        co_return co_await asio::co_spawn(
            pool_,
            [this, &request]() -> awaitable<HttpResponse> {
                co_return call_handler(handler_, request);
            },
            use_awaitable);
    }

    template <class Stream>
    awaitable<beast::error_code> read_head(Stream& stream, beast::flat_buffer& buffer,
                                           http::request_parser<http::string_body>& parser) {
        const auto [error, size] =
            co_await http::async_read_header(stream, buffer, parser, as_tuple);
        co_return error;
    }

    template <class Stream>
    awaitable<beast::error_code> read_body(Stream& stream, beast::flat_buffer& buffer,
                                           http::request_parser<http::string_body>& parser,
                                           std::size_t limit) {
        const auto announced = parser.content_length();
        if (announced && *announced > limit) co_return http::error::body_limit;
        parser.body_limit(limit);
        if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
            http::response<http::empty_body> go_on(http::status::continue_, 11);
            const auto [error, size] = co_await http::async_write(stream, go_on, as_tuple);
            if (error) co_return error;
        }
        // What came with the head needs no wait; a small body did.
        if (buffer.size() > 0 && !parser.is_done()) {
            beast::error_code error;
            parser.eager(true);
            buffer.consume(parser.put(buffer.data(), error));
            if (error && error != http::error::need_more) co_return error;
        }
        if (parser.is_done()) co_return beast::error_code{};
        const auto [error, size] = co_await http::async_read(stream, buffer, parser, as_tuple);
        co_return error;
    }

    template <class Stream>
    awaitable<bool> write(Stream& stream, HttpResponse response, bool keep) {
        const bool stays = keep && !stopping_;
        // In one piece: Beast's own serializer costs more than all the rest of a small answer.
        const std::string message = head_of(response, response.body.size(), stays) + response.body;
        beast::get_lowest_layer(stream).expires_after(options_.request_timeout);
        const auto [error, size] =
            co_await asio::async_write(stream, asio::buffer(message), as_tuple);
        co_return !error && stays;
    }

    // Answers a request that is not read to its end, and takes the rest so that a peer in the
    // middle of an upload sees the answer instead of a reset.
    template <class Stream>
    awaitable<void> refuse(Stream& stream, HttpResponse response) {
        (void)co_await write(stream, std::move(response), false);
        std::array<char, 16 * 1024> scrap{};
        std::size_t taken = 0;
        beast::get_lowest_layer(stream).expires_after(linger_time);
        beast::error_code ignored;
        if constexpr (!std::is_same_v<Stream, Tls>) {
            stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
        }
        while (taken < linger_bytes && !stopping_) {
            const auto [error, size] =
                co_await stream.async_read_some(asio::buffer(scrap), as_tuple);
            if (error) co_return;
            taken += size;
        }
    }

    template <class Stream>
    awaitable<bool> write_stream(Stream& stream, HttpResponse response, bool keep) {
        struct Count {
            std::atomic<unsigned>& value;
            explicit Count(std::atomic<unsigned>& counted) : value(counted) { ++value; }
            Count(const Count&) = delete;
            Count& operator=(const Count&) = delete;
            ~Count() { --value; }
        };
        const Count count(streams_);
        asio::thread_pool own(1);
        const std::string head = head_of(response, std::nullopt, keep);
        beast::get_lowest_layer(stream).expires_after(options_.request_timeout);
        {
            const auto [error, size] =
                co_await asio::async_write(stream, asio::buffer(head), as_tuple);
            if (error) co_return false;
        }
        const bool events = response.content_type == "text/event-stream";
        auto last = steady_clock::now();
        while (!stopping_) {
            Piece piece = co_await asio::co_spawn(
                own, [&response]() -> awaitable<Piece> { co_return next_piece(response.stream); },
                use_awaitable);
            if (!piece) {  // no last chunk: the peer sees that it is cut off
                spdlog::error("a streamed answer broke off: {}", piece.error().message);
                co_return false;
            }
            if (!*piece) co_return co_await end_stream(stream, keep);
            std::string text = std::move(**piece);
            if (text.empty()) {
                if (!events || steady_clock::now() - last < keep_alive) continue;
                text = ":\n\n";
            }
            beast::get_lowest_layer(stream).expires_after(options_.request_timeout);
            const auto [error, size] =
                co_await asio::async_write(stream, http::make_chunk(asio::buffer(text)), as_tuple);
            if (error) co_return false;
            last = steady_clock::now();
        }
        co_return false;
    }

    template <class Stream>
    awaitable<bool> end_stream(Stream& stream, bool keep) {
        beast::get_lowest_layer(stream).expires_after(options_.request_timeout);
        const auto [error, size] =
            co_await asio::async_write(stream, http::make_chunk_last(), as_tuple);
        co_return !error && keep;
    }

    HttpServerOptions options_;
    HttpHandler handler_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    asio::thread_pool tls_pool_{options_.tls ? std::max(1U, std::thread::hardware_concurrency())
                                             : 1U};
    asio::thread_pool pool_;
    std::thread thread_;
    std::mutex tls_mutex_;
    std::shared_ptr<asio::ssl::context> tls_;
    std::uint16_t port_ = 0;
    std::string socket_path_;
    std::function<void()> close_acceptor_;  // of the I/O thread
    std::mutex open_mutex_;
    // Under open_mutex_:
    std::unordered_map<std::uint64_t, Open> open_;
    std::unordered_map<std::string, std::size_t> peers_;
    std::uint64_t next_id_ = 0;
    std::atomic<std::size_t> connections_ = 0;  // from the accept to the end
    std::atomic<unsigned> streams_ = 0;
    std::atomic<bool> stopping_ = false;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options,
                                                      HttpHandler handler) {
    auto server = std::make_unique<Server>(std::move(options), std::move(handler));
    QUOIN_CHECK(server->listen());
    return server;
}

}  // namespace quoin::net
