#include "server/config/settings.hpp"

#include <gtest/gtest.h>

namespace quoin::server {
namespace {

Result<Settings> parse(std::string_view text) {
    return parse_settings(text, "quoin.toml", "/plant");
}

TEST(settings, site_alone__safe_defaults) {
    const auto settings = parse("site = \"hall-1\"\n");
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->suite, tls::Suite::hybrid);
    EXPECT_EQ(settings->https.address, "127.0.0.1");
    EXPECT_EQ(settings->http.address, "127.0.0.1");
    EXPECT_EQ(settings->database_url, "sqlite:///plant/db/quoin.sqlite");
    EXPECT_FALSE(settings->syslog);
}

TEST(settings, all_keys__taken) {
    const auto settings = parse(R"(
site = "hall-1"
suite = "pure"
[listen]
https = "0.0.0.0:0"
http = "[::1]:8081"
[database]
url = "postgresql://u@h/d"
[broker]
host = "broker"
port = 1883
[pki]
device_lifetime_s = 60
renew_at = 0.5
crl_lifetime_s = 30
ocsp_lifetime_s = 20
ocsp_live_per_peer = 7
[ra]
first = "manual"
after_expiry = "refuse"
retry_after_s = 5
[verifier]
period_s = 2
timeout_s = 1
lifetime_s = 6
minimum_level = "tpm-quoted"
[telemetry]
rate_per_device = 10
rate_burst = 20
[feed]
lifetime_s = 5
[audit.syslog]
host = "siem"
port = 6515
trust = "/siem.crt"
danger_classical_certificate = true
)");
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->suite, tls::Suite::pure);
    EXPECT_EQ(settings->https.port, 0);
    EXPECT_EQ(settings->http.address, "::1");
    EXPECT_EQ(settings->broker_port, 1883);
    EXPECT_EQ(settings->device_lifetime.count(), 60);
    EXPECT_EQ(settings->ocsp_lifetime.count(), 20);
    EXPECT_EQ(settings->ocsp_live_per_peer, 7U);
    EXPECT_EQ(settings->ra.first, Rule::manual);
    EXPECT_EQ(settings->ra.renewal, Rule::automatic);
    EXPECT_EQ(settings->ra.after_expiry, Rule::refuse);
    EXPECT_EQ(settings->ra.retry_after.count(), 5);
    EXPECT_EQ(settings->verdict_lifetime.count(), 6);
    EXPECT_EQ(settings->rate_burst, 20U);
    ASSERT_TRUE(settings->syslog);
    EXPECT_EQ(settings->syslog->port, 6515);
    EXPECT_TRUE(settings->syslog->danger_classical_certificate);
}

TEST(settings, wrong__error_names_the_key) {
    struct Case {
        std::string_view text;
        std::string_view names;
    };
    for (const Case& wrong : {
             Case{"suite = \"pure\"\n", "site"},
             Case{"site = \"a/b\"\n", "site"},
             Case{"site = \"a\"\nsuit = \"pure\"\n", "suit"},
             Case{"site = \"a\"\nsuite = \"classical\"\n", "suite"},
             Case{"site = \"a\"\n[listen]\nhttps = \"8443\"\n", "https"},
             Case{"site = \"a\"\n[listen]\nhttp = \":1\"\n", "http"},
             Case{"site = \"a\"\n[listen]\nhttp = \"h:65536\"\n", "http"},
             Case{"site = \"a\"\n[broker]\nport = 0\n", "port"},
             Case{"site = \"a\"\n[pki]\nrenew_at = 1.5\n", "renew_at"},
             Case{"site = \"a\"\n[verifier]\nperiod_s = 9\nlifetime_s = 9\n", "lifetime_s"},
             Case{"site = \"a\"\n[audit.syslog]\nhost = \"h\"\n", "trust"},
         }) {
        const auto settings = parse(wrong.text);
        ASSERT_FALSE(settings) << wrong.text;
        EXPECT_NE(settings.error().message.find(wrong.names), std::string::npos)
            << settings.error().message;
    }
}

TEST(settings, classical_with_danger__allowed) {
    const auto settings =
        parse("site = \"a\"\nsuite = \"classical\"\ndanger_allow_classical = true\n");
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->suite, tls::Suite::classical);
}

}  // namespace
}  // namespace quoin::server
