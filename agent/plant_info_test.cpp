#include "agent/plant_info.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace quoin::agent {
namespace {

nlohmann::json good() {
    return {{"site", "plant"},  {"broker", {{"host", "b.example"}, {"port", 8883}}},
            {"suite", "pure"},  {"class", "mpu"},
            {"renew_at", 0.66}, {"now_ms", 1700000000000}};
}

TEST(plant_info, good__is_read__and_unknown_keys_are_left_out) {
    auto json = good();
    json["later"] = 1;
    const auto info = parse_plant_info(json.dump());
    ASSERT_TRUE(info);
    EXPECT_EQ(info->broker_host, "b.example");
    EXPECT_EQ(info->broker_port, 8883);
    EXPECT_EQ(info->renew_at, 0.66);
}

TEST(plant_info, bad__is_refused__naming_the_key) {
    const auto refused = [](const char* key, const nlohmann::json& value) {
        auto json = good();
        json[key] = value;
        const auto info = parse_plant_info(json.dump());
        EXPECT_FALSE(info) << key;
        if (info) return;
        EXPECT_EQ(info.error().code, Code::peer_malformed);
        EXPECT_THAT(info.error().message, testing::HasSubstr(key));
    };
    refused("site", "a/b");
    refused("site", "");
    refused("suite", 1);
    refused("class", nullptr);
    refused("next", 1);
    refused("renew", 1);
    refused("broker", "b:1");
    refused("broker", {{"host", "b"}, {"port", 0}});
    refused("broker", {{"host", "b"}, {"port", 65536}});
    refused("renew_at", 1.0);
    refused("now_ms", -1);
    EXPECT_FALSE(parse_plant_info("[]"));
    EXPECT_FALSE(parse_plant_info(""));
    EXPECT_EQ(parse_plant_info(std::string(5000, ' ')).error().code, Code::peer_oversize);
}

}  // namespace
}  // namespace quoin::agent
