#include "broker/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace quoin::broker {
namespace {

using Given = std::vector<std::pair<std::string_view, std::string_view>>;
using testing::HasSubstr;

void expect_refused(const Given& given, Code code, std::string_view name) {
    const auto options = parse_options(given);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().code, code);
    EXPECT_THAT(options.error().message, HasSubstr(name));
}

TEST(options, site_and_socket__are_taken) {
    const auto options = parse_options(Given{
        {"site", "plant-1"}, {"feed_socket", "/run/quoin/broker.sock"}, {"trust", "/ca.pem"}});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->site, "plant-1");
    EXPECT_EQ(options->feed_socket, "/run/quoin/broker.sock");
    EXPECT_EQ(options->trust, "/ca.pem");
}

TEST(options, unknown__is_named) {
    expect_refused({{"site", "p"}, {"feed_socket", "/s"}, {"feedsocket", "/s"}},
                   Code::config_unknown_key, "plugin_opt_feedsocket");
}

TEST(options, missing__is_named) {
    expect_refused({}, Code::config_missing, "plugin_opt_site");
    expect_refused({{"site", "p"}}, Code::config_missing, "plugin_opt_feed_socket");
    expect_refused({{"feed_socket", "/s"}}, Code::config_missing, "plugin_opt_site");
    expect_refused({{"site", "p"}, {"feed_socket", "/s"}}, Code::config_missing,
                   "plugin_opt_trust");
}

TEST(options, twice__is_named) {
    expect_refused({{"site", "p"}, {"site", "q"}, {"feed_socket", "/s"}}, Code::config_invalid,
                   "plugin_opt_site");
}

TEST(options, unusable__is_named) {
    expect_refused({{"site", "a/b"}, {"feed_socket", "/s"}}, Code::config_invalid,
                   "plugin_opt_site");
    expect_refused({{"site", "p"}, {"feed_socket", "s"}}, Code::config_invalid,
                   "plugin_opt_feed_socket");
    expect_refused({{"site", "p"}, {"feed_socket", "/s"}, {"trust", "ca.pem"}},
                   Code::config_invalid, "plugin_opt_trust");
    const std::string longest = "/" + std::string(107, 's');
    expect_refused({{"site", "p"}, {"feed_socket", longest}}, Code::config_invalid,
                   "plugin_opt_feed_socket");
}

}  // namespace
}  // namespace quoin::broker
