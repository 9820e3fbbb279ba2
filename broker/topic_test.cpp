#include "broker/topic.hpp"

#include <gtest/gtest.h>

#include <string>

namespace quoin::broker {
namespace {

Target at(std::string_view topic) { return target_of("plant", topic); }

TEST(topic, every_row_of_the_table__has_its_place) {
    EXPECT_EQ(at("quoin/plant/mpu-1/telemetry/temp_1").place, Place::telemetry);
    EXPECT_EQ(at("quoin/plant/mpu-1/ack/temp_1").place, Place::ack);
    EXPECT_EQ(at("quoin/plant/mpu-1/event").place, Place::event);
    EXPECT_EQ(at("quoin/plant/mpu-1/cmd").place, Place::cmd);
    EXPECT_EQ(at("quoin/plant/mpu-1/attest/challenge").place, Place::challenge);
    EXPECT_EQ(at("quoin/plant/mpu-1/attest/evidence").place, Place::evidence);
    EXPECT_EQ(at("quoin-events/plant/isolation").place, Place::plant_event);
    EXPECT_EQ(at("quoin/plant/mpu-1/event").device, "mpu-1");
}

TEST(topic, wildcard_levels__are_marked) {
    const Target all = at("quoin/plant/+/telemetry/+");
    EXPECT_EQ(all.place, Place::telemetry);
    EXPECT_TRUE(all.any_device);
    EXPECT_TRUE(all.any_stream);
    EXPECT_EQ(all.device, "");
    const Target one = at("quoin/plant/a/ack/+");
    EXPECT_FALSE(one.any_device);
    EXPECT_TRUE(one.any_stream);
    EXPECT_TRUE(at("quoin/plant/+/event").any_device);
}

TEST(topic, anything_else__is_elsewhere) {
    for (const auto* topic : {"",
                              "/",
                              "#",
                              "+",
                              "quoin",
                              "quoin/plant",
                              "quoin/plant/a",
                              "quoin/plant/a/",
                              "quoin/plant/#",
                              "quoin/plant/a/#",
                              "quoin/plant/a/+",
                              "quoin/plant/a/+/x",
                              "quoin/plant/a/telemetry",
                              "quoin/plant/a/telemetry/",
                              "quoin/plant/a/telemetry/#",
                              "quoin/plant/a/telemetry/X",
                              "quoin/plant/a/telemetry/x/y",
                              "quoin/plant/a/telemetry/x y",
                              "quoin/plant//telemetry/x",
                              "quoin/plant/a/event/x",
                              "quoin/plant/a/attest/+",
                              "quoin/plant/a/attest/other",
                              "quoin/other/a/event",
                              "quoin/+/a/event",
                              "+/plant/a/event",
                              "/quoin/plant/a/event",
                              "Quoin/plant/a/event",
                              "quoin/plant/a\xc3\xa9/event",
                              "$SYS/broker/uptime",
                              "$SYS/#",
                              "$share/g/quoin/plant/+/telemetry/+",
                              "$CONTROL/dynamic-security/v1",
                              "quoin-events/plant",
                              "quoin-events/plant/",
                              "quoin-events/plant/#",
                              "quoin-events/plant/+",
                              "quoin-events/other/x",
                              "quoin-events/plantation/x",
                              "quoin-events/#"}) {
        EXPECT_EQ(at(topic).place, Place::elsewhere) << topic;
    }
    EXPECT_EQ(at("quoin/plant/a/telemetry/" + std::string(65, 'x')).place, Place::elsewhere);
    EXPECT_EQ(at("quoin/plant/" + std::string(129, 'x') + "/event").place, Place::elsewhere);
}

}  // namespace
}  // namespace quoin::broker
