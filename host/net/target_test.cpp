#include "host/net/target.hpp"

#include "host/percent.hpp"

#include <gtest/gtest.h>

namespace quoin::net {
namespace {

TEST(parse_target, plain__path_and_query_decoded) {
    const auto parsed = parse_target("/api/v1/devices/mpu-1?state=active&after=a%20b&empty=");
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->path, "/api/v1/devices/mpu-1");
    EXPECT_EQ(parsed->query.at("state"), "active");
    EXPECT_EQ(parsed->query.at("after"), "a b");
    EXPECT_EQ(parsed->query.at("empty"), "");
}

TEST(parse_target, wrong__refused) {
    for (const std::string_view target :
         {"", "x", "http://a/b", "/%", "/%4", "/%zz", "/%00", "/a\nb", "/a b", "/\xc3\xa4", "/?=1",
          "/?a=1&a=2", "/?a=1&%61=2", "/?a=%0d%0a"}) {
        const auto parsed = parse_target(target);
        ASSERT_FALSE(parsed) << target;
        EXPECT_EQ(parsed.error().code, Code::peer_malformed) << target;
    }
}

TEST(parse_target, too_long__refused) {
    const auto parsed = parse_target("/" + std::string(max_target_bytes, 'a'));
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Code::peer_oversize);
}

TEST(parse_target, too_many_parameters__refused) {
    std::string target = "/?";
    for (std::size_t i = 0; i <= max_query_parameters; ++i) target += fmt::format("p{}=1&", i);
    const auto parsed = parse_target(target);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, Code::peer_oversize);
}

TEST(percent_encode, any_text__decodes_to_itself) {
    const std::string text = "a b/c?d=e&f%g~";
    const auto parsed = parse_target("/?x=" + percent_encode(text));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->query.at("x"), text);
}

TEST(parse_base_url, three_forms__taken_apart) {
    const auto https = parse_base_url("https://[::1]:8443");
    ASSERT_TRUE(https) << https.error().message;
    EXPECT_EQ(https->host, "::1");
    EXPECT_EQ(https->port, 8443);
    const auto http = parse_base_url("http://localhost:80");
    ASSERT_TRUE(http);
    EXPECT_EQ(http->scheme, Scheme::http);
    const auto socket = parse_base_url("unix:/run/q.sock");
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->scheme, Scheme::unix_socket);
    EXPECT_EQ(socket->host, "/run/q.sock");
}

TEST(parse_base_url, wrong__refused) {
    for (const std::string_view url :
         {"", "ftp://a:1", "https://a", "https://a:0", "https://a:65536", "https://:1",
          "https://a:1/", "https://a b:1", "https://[::1:8", "unix:", "https://a:1x"}) {
        EXPECT_FALSE(parse_base_url(url)) << url;
    }
    EXPECT_FALSE(parse_base_url("unix:/" + std::string(200, 'a')));
}

}  // namespace
}  // namespace quoin::net
