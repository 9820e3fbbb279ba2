// The server and the client against each other, and against curl as a foreign client.
#include "host/net/http.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

namespace quoin::net {
namespace {

using namespace std::chrono_literals;

HttpResponse echo(const HttpRequest& request) {
    if (request.path == "/throw") throw std::runtime_error("as a library might");
    if (request.path == "/count") {
        auto left = std::make_shared<int>(3);
        return {.content_type = "text/csv",
                .stream = [left](std::chrono::milliseconds) -> Result<std::optional<std::string>> {
                    if (*left == 0) return std::nullopt;
                    return fmt::format("{}\n", (*left)--);
                }};
    }
    if (request.path == "/silent") {
        return {.content_type = "text/event-stream",
                .stream = [](std::chrono::milliseconds) -> Result<std::optional<std::string>> {
                    return "";
                }};
    }
    if (request.path == "/broken") {
        return {.content_type = "text/csv",
                .stream = [](std::chrono::milliseconds) -> Result<std::optional<std::string>> {
                    throw std::runtime_error("half way");
                }};
    }
    std::string text = fmt::format("{} {} {}\n", request.method, request.path, request.body.size());
    for (const auto& [name, value] : request.query) text += fmt::format("{}={}\n", name, value);
    if (request.peer_uid) text += fmt::format("uid={}\n", *request.peer_uid);
    return {.content_type = "text/plain", .body = text};
}

struct Plant {
    explicit Plant(HttpServerOptions options = {}) {
        auto started = HttpServer::start(std::move(options), echo);
        EXPECT_TRUE(started) << started.error().message;
        server = *std::move(started);
        url = fmt::format("http://127.0.0.1:{}", server->port());
    }
    HttpClientOptions client() const { return {.base_url = url, .timeout = 5s}; }
    std::unique_ptr<HttpServer> server;
    std::string url;
};

std::string output_of(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    std::string output;
    std::array<char, 4096> piece{};
    while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe)) {
        output.append(piece.data(), size);
    }
    ::pclose(pipe);
    return output;
}

// Sends bytes as they are and returns what comes back until the server closes.
std::string raw_exchange(std::uint16_t port, const std::string& bytes) {
    return output_of(
        fmt::format("exec 3<>/dev/tcp/127.0.0.1/{}; printf '{}' >&3; timeout 10 cat <&3", port,
                    bytes)
            .insert(0, "bash -c \"")
            .append("\""));
}

TEST(http, get_with_query__decoded_and_answered) {
    const Plant plant;
    const auto reply = http_request(plant.client(), "GET", "/a%20b?x=1&y=%C3%A4");
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "GET /a b 0\nx=1\ny=\xc3\xa4\n");
    EXPECT_EQ(reply->headers.at("cache-control"), "no-store");
}

TEST(http, repeated_query_key__400) {
    const Plant plant;
    const auto reply = http_request(plant.client(), "GET", "/?x=1&x=2");
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->status, 400);
    EXPECT_EQ(reply->content_type, "application/problem+json");
    EXPECT_NE(reply->body.find("twice"), std::string::npos) << reply->body;
}

TEST(http, handler_throws__500_and_server_goes_on) {
    const Plant plant;
    const auto thrown = http_request(plant.client(), "GET", "/throw");
    ASSERT_TRUE(thrown) << thrown.error().message;
    EXPECT_EQ(thrown->status, 500);
    EXPECT_EQ(thrown->body.find("as a library might"), std::string::npos);
    const auto after = http_request(plant.client(), "GET", "/");
    ASSERT_TRUE(after);
    EXPECT_EQ(after->status, 200);
}

TEST(http, body_over_limit__413_before_it_is_read) {
    const Plant plant({.max_body_bytes = 1000});
    const auto fits =
        http_request(plant.client(), "POST", "/", std::string(1000, 'x'), "text/plain");
    ASSERT_TRUE(fits) << fits.error().message;
    EXPECT_EQ(fits->body, "POST / 1000\n");
    const auto over =
        http_request(plant.client(), "POST", "/", std::string(1001, 'x'), "text/plain");
    ASSERT_TRUE(over) << over.error().message;
    EXPECT_EQ(over->status, 413);
}

TEST(http, body_over_the_limit_of_its_path__413_in_both_framings) {
    HttpServerOptions options;
    options.body_limit = [](const HttpRequest& request) -> std::size_t {
        return request.path == "/large" ? 5000 : 100;
    };
    const Plant plant(std::move(options));
    const auto post = [&](const std::string& path, const std::string& framing) {
        return output_of(
            fmt::format("head -c 3000 /dev/zero | curl -s -o /dev/null -w "
                        "'%{{http_code}}' {} --data-binary @- {}{}",
                        framing, plant.url, path));
    };
    for (const std::string framing : {"", "-H 'Transfer-Encoding: chunked'"}) {
        EXPECT_EQ(post("/large", framing), "200") << framing;
        EXPECT_EQ(post("/small", framing), "413") << framing;
    }
}

TEST(http, header_over_limit__431) {
    const Plant plant;
    const std::string code = output_of(fmt::format(
        "curl -s -o /dev/null -w '%{{http_code}}' -H \"X: $(printf 'a%.0s' $(seq 20000))\" {}/",
        plant.url));
    EXPECT_EQ(code, "431");
}

TEST(http, not_http__400_and_closed) {
    const Plant plant;
    const std::string answer = raw_exchange(plant.server->port(), "HELLO WORLD\\r\\n\\r\\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
}

TEST(http, slow_header__closed_at_the_timeout) {
    const Plant plant({.request_timeout = 200ms});
    EXPECT_EQ(raw_exchange(plant.server->port(), "GET / HT"), "");
}

TEST(http, curl_keep_alive__one_connection_for_two_requests) {
    const Plant plant;
    const std::string output = output_of(
        fmt::format("curl -sS -w '%{{num_connects}}\\n' {0}/one {0}/two --next -sS -w "
                    "'%{{num_connects}}\\n' --data-binary @/dev/stdin -H 'Expect: 100-continue' "
                    "{0}/three <<< hello",
                    plant.url)
            .insert(0, "bash -c \"")
            .append("\""));
    EXPECT_EQ(output, "GET /one 0\n1\nGET /two 0\n0\nPOST /three 6\n0\n");
}

TEST(http, head__405_without_body) {
    const Plant plant;
    EXPECT_EQ(output_of(fmt::format("curl -s -I -o /dev/null -w '%{{http_code}}' {}/", plant.url)),
              "405");
}

TEST(http, stream__every_piece_then_the_end) {
    const Plant plant;
    std::string got;
    const auto streamed = http_stream(plant.client(), "/count", [&](std::string_view piece) {
        got += piece;
        return true;
    });
    ASSERT_TRUE(streamed) << streamed.error().message;
    EXPECT_EQ(got, "3\n2\n1\n");
    EXPECT_EQ(output_of(fmt::format("curl -sS {}/count", plant.url)), "3\n2\n1\n");
}

TEST(http, stream_that_breaks__not_taken_for_complete) {
    const Plant plant;
    const auto streamed =
        http_stream(plant.client(), "/broken", [](std::string_view) { return true; });
    ASSERT_FALSE(streamed);
}

TEST(http, stream_of_an_error__its_detail) {
    const Plant plant;
    const auto streamed =
        http_stream(plant.client(), "/throw", [](std::string_view) { return true; });
    ASSERT_FALSE(streamed);
    EXPECT_NE(streamed.error().message.find("inside the server"), std::string::npos);
}

TEST(http, streams_over_limit__503) {
    const Plant plant({.max_streams = 0});
    const auto streamed =
        http_stream(plant.client(), "/count", [](std::string_view) { return true; });
    ASSERT_FALSE(streamed);
    EXPECT_EQ(streamed.error().code, Code::resource_unavailable);
}

TEST(http, stop_with_open_stream_and_connection__ends) {
    auto plant = std::make_unique<Plant>();
    std::thread client([options = plant->client()] {
        (void)http_stream(options, "/silent", [](std::string_view) { return true; });
    });
    const auto other = http_request(plant->client(), "GET", "/");
    EXPECT_TRUE(other);
    plant->server.reset();  // would hang if a stream could hold it
    client.join();
}

TEST(http, unix_socket__peer_uid_and_mode) {
    const std::string path = fmt::format("/tmp/quoin-http-test-{}.sock", ::getpid());
    {
        const Plant plant({.address = "unix:" + path});
        struct stat status{};
        ASSERT_EQ(::stat(path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U);
        const auto reply = http_request({.base_url = "unix:" + path}, "GET", "/who");
        ASSERT_TRUE(reply) << reply.error().message;
        EXPECT_EQ(reply->body, fmt::format("GET /who 0\nuid={}\n", ::getuid()));
        EXPECT_EQ(output_of(fmt::format("curl -sS --unix-socket {} http://x/who", path)),
                  reply->body);
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    const auto gone = http_request({.base_url = "unix:" + path}, "GET", "/");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Code::resource_unavailable);
}

TEST(http, unix_socket_left_by_a_killed_server__taken_over) {
    const std::string path = fmt::format("/tmp/quoin-http-stale-{}.sock", ::getpid());
    const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), path.size());
    ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(left);
    const Plant plant({.address = "unix:" + path});
    EXPECT_TRUE(http_request({.base_url = "unix:" + path}, "GET", "/"));
}

TEST(http, port_taken__error_names_it) {
    const Plant plant;
    auto second = HttpServer::start({.port = plant.server->port()}, echo);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::resource_unavailable);
    EXPECT_NE(second.error().message.find(std::to_string(plant.server->port())), std::string::npos);
}

TEST(http, connections_over_limit__closed_others_served) {
    const Plant plant({.threads = 1, .max_connections = 1});
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            if (http_request(plant.client(), "GET", "/")) ++answered;
        });
    }
    for (auto& client : clients) client.join();
    EXPECT_GE(answered, 1);
}

TEST(http, connections_of_one_peer_over_its_limit__closed) {
    const Plant plant({.max_connections_per_peer = 0});
    EXPECT_FALSE(http_request(plant.client(), "GET", "/"));
}

}  // namespace
}  // namespace quoin::net
