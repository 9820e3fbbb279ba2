#include "broker/mosquitto_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace quoin::broker {
namespace {

using testing::HasSubstr;
using testing::Not;

MosquittoConf good() {
    MosquittoConf conf;
    conf.port = 18883;
    conf.ca_file = "/p/broker/ca.crt";
    conf.certificate = "/p/services/broker.crt";
    conf.key = "/proc/self/fd/7";
    conf.plugin = "/usr/lib/quoin_broker.so";
    conf.site = "plant-1";
    conf.feed_socket = "/p/run/broker.sock";
    conf.data_folder = "/p/broker/data";
    return conf;
}

void expect_refused(const std::function<void(MosquittoConf&)>& spoil, std::string_view name) {
    MosquittoConf conf = good();
    spoil(conf);
    const auto text = render(conf);
    ASSERT_FALSE(text) << name;
    EXPECT_EQ(text.error().code, Code::config_invalid);
    EXPECT_THAT(text.error().message, HasSubstr(name));
}

TEST(mosquitto_conf, good_values__make_every_line_that_security_needs) {
    const auto text = render(good());
    ASSERT_TRUE(text);
    for (const auto* line :
         {"\nallow_anonymous false\n", "\nrequire_certificate true\n", "\ntls_version tlsv1.3\n",
          "\nset_tcp_nodelay true\n", "\ncheck_retain_source true\n", "\nsys_interval 0\n",
          "\nlistener 18883 127.0.0.1\n", "\nkeyfile /proc/self/fd/7\n",
          "\nuse_identity_as_username false\n", "\nplugin /usr/lib/quoin_broker.so\n",
          "\nplugin_opt_site plant-1\n", "\nplugin_opt_feed_socket /p/run/broker.sock\n",
          "\nplugin_opt_trust /p/broker/ca.crt\n", "\npersistence true\n",
          "\npersistence_location /p/broker/data/\n", "\nlog_dest stdout\n"}) {
        EXPECT_THAT(*text, HasSubstr(line));
    }
    EXPECT_THAT(*text, Not(HasSubstr("\nuser ")));
}

TEST(mosquitto_conf, second__a_listener_of_its_own_behind_the_same_plugin) {
    MosquittoConf conf = good();
    conf.second = {.port = 18884, .certificate = "/p/next/broker.crt", .key = "/proc/self/fd/8"};
    const auto text = render(conf);
    ASSERT_TRUE(text);
    const auto once = [&](std::string_view line) {
        const std::size_t at = text->find(line);
        return at != std::string::npos && text->find(line, at + 1) == std::string::npos;
    };
    EXPECT_TRUE(once("\nplugin /usr/lib/quoin_broker.so\n"));
    EXPECT_TRUE(once("\nallow_anonymous false\n"));
    const std::string second = text->substr(text->find("\nlistener 18884 127.0.0.1\n"));
    for (const auto* line : {"\nrequire_certificate true\n", "\ntls_version tlsv1.3\n",
                             "\ncafile /p/broker/ca.crt\n", "\ncertfile /p/next/broker.crt\n",
                             "\nkeyfile /proc/self/fd/8\n", "\nuse_identity_as_username false\n"}) {
        EXPECT_THAT(second, HasSubstr(line));
    }
    expect_refused(
        [](MosquittoConf& c) { c.second = {.port = 18883, .certificate = "/c", .key = "/k"}; },
        "second port");
    expect_refused(
        [](MosquittoConf& c) { c.second = {.port = 1, .certificate = "c", .key = "/k"}; },
        "second certificate");
}

TEST(mosquitto_conf, user_and_log_file__are_written) {
    MosquittoConf conf = good();
    conf.user = "quoin";
    conf.log_file = "/p/log/with blank.log";
    const auto text = render(conf);
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("\nuser quoin\n"));
    EXPECT_THAT(*text, HasSubstr("\nlog_dest file /p/log/with blank.log\n"));
}

TEST(mosquitto_conf, path_that_would_add_a_line__is_refused) {
    expect_refused([](auto& conf) { conf.ca_file = "/a\nallow_anonymous true"; }, "ca_file");
    expect_refused([](auto& conf) { conf.certificate = "/a\r"; }, "certificate");
    expect_refused([](auto& conf) { conf.key = std::string("/a\0b", 4); }, "key");
    expect_refused([](auto& conf) { conf.plugin = "/a "; }, "plugin");
    expect_refused([](auto& conf) { conf.feed_socket = "relative"; }, "feed_socket");
    expect_refused([](auto& conf) { conf.data_folder = ""; }, "data_folder");
    expect_refused([](auto& conf) { conf.log_file = "/a\n"; }, "log_file");
}

TEST(mosquitto_conf, names_and_numbers_out_of_range__are_refused) {
    expect_refused([](auto& conf) { conf.address = "0.0.0.0\nx"; }, "address");
    expect_refused([](auto& conf) { conf.address = "localhost"; }, "address");
    expect_refused([](auto& conf) { conf.port = 0; }, "port");
    expect_refused([](auto& conf) { conf.site = "a b"; }, "site");
    expect_refused([](auto& conf) { conf.user = "root\nx"; }, "user");
    expect_refused([](auto& conf) { conf.max_packet_bytes = 0; }, "max_packet_bytes");
    expect_refused([](auto& conf) { conf.max_inflight_messages = 0; }, "max_inflight_messages");
    expect_refused([](auto& conf) { conf.max_inflight_messages = 70'000; },
                   "max_inflight_messages");
    expect_refused([](auto& conf) { conf.max_queued_messages = 0; }, "max_queued_messages");
    expect_refused([](auto& conf) { conf.max_queued_bytes = 0; }, "max_queued_bytes");
    expect_refused([](auto& conf) { conf.autosave_interval_s = 0; }, "autosave_interval_s");
}

}  // namespace
}  // namespace quoin::broker
