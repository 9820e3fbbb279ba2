#include "server/verifier/device_event.hpp"

#include <gtest/gtest.h>

namespace quoin::verifier {
namespace {

TEST(device_event, name__of_good_events__found) {
    EXPECT_EQ(event_name(R"({"event":"online","release":"1.0.0","counter":7})"), "online");
    EXPECT_EQ(event_name(R"({"event":"queue.full","detail":{"a":1}})"), "queue.full");
}

TEST(device_event, name__anything_else__refused) {
    for (const std::string_view json :
         {"", "x", "[]", "{}", "7", R"({"event":7})", R"({"event":""})", R"({"event":"On line"})",
          R"({"event":"a","b":{"c":{"d":1}}})", R"({"event":"a","b":[[[1]]]})",
          R"({"event":"online"} x)"}) {
        EXPECT_FALSE(event_name(json)) << json;
    }
    EXPECT_FALSE(event_name(R"({"event":")" + std::string(65, 'a') + "\"}"));
    EXPECT_EQ(event_name(std::string(4097, ' ')).error().code, Code::peer_oversize);
}

TEST(device_event, topic__good_and_bad__device_or_refused) {
    EXPECT_EQ(device_of_topic("quoin/p/d.1/event", "p", "event"), "d.1");
    EXPECT_EQ(device_of_topic("quoin/p/d/attest/evidence", "p", "attest/evidence"), "d");
    for (const std::string_view topic :
         {"", "quoin/p/d", "quoin/p/d/", "quoin/p//event", "quoin/q/d/event", "quoin/pp/d/event",
          "quoin/p/d/event/x", "quoin/p/d e/event", "x/p/d/event"}) {
        EXPECT_FALSE(device_of_topic(topic, "p", "event")) << topic;
    }
}

}  // namespace
}  // namespace quoin::verifier
