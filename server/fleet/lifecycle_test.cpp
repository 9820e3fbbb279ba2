#include "server/fleet/lifecycle.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

namespace quoin::server {
namespace {

constexpr std::array all_states{State::expected,    State::onboarding,  State::active,
                                State::degraded,    State::quarantined, State::revoked,
                                State::transferred, State::retired};
constexpr std::array all_events{LifeEvent::enrolled, LifeEvent::trusted,   LifeEvent::untrusted,
                                LifeEvent::stale,    LifeEvent::no_policy, LifeEvent::release,
                                LifeEvent::revoke,   LifeEvent::readmit};

// Every move there is; what is not here must move nothing.
const std::map<std::pair<State, LifeEvent>, State> mpu_moves{
    {{State::expected, LifeEvent::enrolled}, State::onboarding},
    {{State::onboarding, LifeEvent::trusted}, State::active},
    {{State::degraded, LifeEvent::trusted}, State::active},
    {{State::onboarding, LifeEvent::untrusted}, State::quarantined},
    {{State::active, LifeEvent::untrusted}, State::quarantined},
    {{State::degraded, LifeEvent::untrusted}, State::quarantined},
    {{State::active, LifeEvent::stale}, State::degraded},
    {{State::active, LifeEvent::no_policy}, State::degraded},
    {{State::quarantined, LifeEvent::release}, State::degraded},
    {{State::expected, LifeEvent::revoke}, State::revoked},
    {{State::onboarding, LifeEvent::revoke}, State::revoked},
    {{State::active, LifeEvent::revoke}, State::revoked},
    {{State::degraded, LifeEvent::revoke}, State::revoked},
    {{State::quarantined, LifeEvent::revoke}, State::revoked},
    {{State::revoked, LifeEvent::readmit}, State::expected},
};

TEST(next_state, mpu_every_pair__as_in_the_picture) {
    for (const State state : all_states) {
        for (const LifeEvent event : all_events) {
            const auto expected = mpu_moves.find({state, event});
            const auto next = next_state(state, DeviceClass::mpu, event);
            EXPECT_EQ(next,
                      expected == mpu_moves.end() ? std::nullopt : std::optional(expected->second))
                << state_name(state) << " " << static_cast<int>(event);
        }
    }
}

TEST(next_state, mcu__active_on_enrolment_and_no_verdict_needed) {
    EXPECT_EQ(next_state(State::expected, DeviceClass::mcu, LifeEvent::enrolled), State::active);
    EXPECT_EQ(next_state(State::active, DeviceClass::mcu, LifeEvent::no_policy), std::nullopt);
    EXPECT_EQ(next_state(State::active, DeviceClass::mcu, LifeEvent::stale), std::nullopt);
    EXPECT_EQ(next_state(State::active, DeviceClass::mcu, LifeEvent::untrusted),
              State::quarantined);
}

TEST(next_state, quarantined__no_verdict_lifts_it) {
    for (const LifeEvent event :
         {LifeEvent::trusted, LifeEvent::untrusted, LifeEvent::stale, LifeEvent::no_policy}) {
        EXPECT_EQ(next_state(State::quarantined, DeviceClass::mpu, event), std::nullopt);
    }
    EXPECT_FALSE(takes_verdicts(State::quarantined));
}

TEST(grant_of, each_state__as_in_the_table) {
    EXPECT_EQ(grant_of(State::expected), feed::Grant::none);
    EXPECT_EQ(grant_of(State::onboarding), feed::Grant::attest_only);
    EXPECT_EQ(grant_of(State::active), feed::Grant::full);
    EXPECT_EQ(grant_of(State::degraded), feed::Grant::attest_only);
    EXPECT_EQ(grant_of(State::quarantined), feed::Grant::none);
    EXPECT_EQ(grant_of(State::revoked), feed::Grant::none);
    EXPECT_EQ(grant_of(State::retired), feed::Grant::none);
    EXPECT_EQ(grant_of(State::transferred), feed::Grant::none);
}

TEST(state_by_name, every_name__round_trip_and_unknown_refused) {
    for (const State state : all_states) {
        const auto again = state_by_name(state_name(state));
        ASSERT_TRUE(again);
        EXPECT_EQ(*again, state);
    }
    EXPECT_FALSE(state_by_name("Active"));
    EXPECT_FALSE(class_by_name("plc"));
}

}  // namespace
}  // namespace quoin::server
