#include "agent/broker_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <array>
#include <atomic>
#include <future>

#include "agent/source.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::agent {
namespace {

using testing::HasSubstr;
using x509::OcspAnswer;
using x509::OcspRequest;
using x509::OcspStatus;
using x509::test::Entity;

struct World {
    x509::test::Pki pki;
    Entity broker, renewed, responder;
};

Result<World> make_world() {
    constexpr auto p256 = crypto::Algorithm::ecdsa_p256;
    QUOIN_TRY(auto pki, x509::test::make_pki(p256, p256));
    x509::test::LeafRequest request{.profile = x509::Profile::server,
                                    .kind = x509::Kind::service,
                                    .id = "broker",
                                    .names = {"127.0.0.1"}};
    QUOIN_TRY(auto broker, x509::test::make_leaf(pki, request));
    QUOIN_TRY(auto renewed, x509::test::make_leaf(pki, request));
    QUOIN_TRY(auto responder, x509::test::make_leaf(pki, {.profile = x509::Profile::ocsp,
                                                          .kind = x509::Kind::service,
                                                          .id = "ocsp"}));
    return World{std::move(pki), std::move(broker), std::move(renewed), std::move(responder)};
}

const World& world() {
    static const auto made = make_world();
    if (!made) ADD_FAILURE() << made.error().message;
    return *made;
}

// A plant that answers as told.
struct Plant {
    std::atomic<OcspStatus> status = OcspStatus::good;
    std::atomic<bool> away = false;
    std::atomic<int> asked = 0;
    std::atomic<int> lifetime_ms = 60'000;

    AskStatus ask() {
        return [this](const std::string& der) -> Result<std::string> {
            ++asked;
            if (away) return fail(Code::resource_unavailable, "connection refused");
            QUOIN_TRY(const auto request, OcspRequest::from_der(bytes_of(der)));
            EXPECT_EQ(request.nonce().size(), x509::ocsp_nonce_size);
            const std::array answers{OcspAnswer{.status = status,
                                                .this_update_ms = now_ms(),
                                                .next_update_ms = now_ms() + lifetime_ms}};
            return x509::sign_ocsp_response(world().responder.key, world().responder.certificate,
                                            request, answers);
        };
    }
};

net::BrokerCheck::Chain chain(const Entity& broker = world().broker) {
    return world().pki.chain(broker);
}

Result<void> ask(net::BrokerCheck& check, const Entity& broker = world().broker) {
    auto answered = std::make_shared<std::promise<Result<void>>>();
    check.ask(chain(broker), [answered](Result<void> result) { answered->set_value(result); });
    return answered->get_future().get();
}

template <class Condition>
bool soon(Condition&& condition) {
    for (int i = 0; i < 2000; ++i) {
        if (condition()) return true;
        ::poll(nullptr, 0, 10);
    }
    return false;
}

TEST(broker_status, good__asked_once_and_remembered) {
    Plant plant;
    BrokerStatus status(plant.ask());
    auto check = status.check();
    EXPECT_FALSE(check.still_good(chain())) << "not known yet";
    EXPECT_TRUE(ask(check));
    plant.away = true;
    EXPECT_TRUE(ask(check));
    EXPECT_TRUE(check.still_good(chain()));
    EXPECT_EQ(plant.asked, 1);
}

TEST(broker_status, revoked_or_unknown_or_plant_away__no_and_asked_anew_each_time) {
    Plant plant;
    BrokerStatus status(plant.ask());
    auto check = status.check();
    plant.status = OcspStatus::revoked;
    const auto revoked = ask(check);
    ASSERT_FALSE(revoked);
    EXPECT_EQ(revoked.error().code, Code::peer_unauthenticated);
    EXPECT_THAT(revoked.error().message, HasSubstr("revoked"));
    plant.status = OcspStatus::unknown;
    EXPECT_FALSE(ask(check));
    plant.away = true;
    const auto away = ask(check);
    ASSERT_FALSE(away);
    EXPECT_THAT(away.error().message, HasSubstr("not known: connection refused"));
    plant.away = false;
    plant.status = OcspStatus::good;
    EXPECT_TRUE(ask(check));
}

TEST(broker_status, renewed_certificate__asked_for_itself) {
    Plant plant;
    BrokerStatus status(plant.ask());
    auto check = status.check();
    EXPECT_TRUE(ask(check));
    EXPECT_FALSE(check.still_good(chain(world().renewed)));
    EXPECT_TRUE(ask(check, world().renewed));
    EXPECT_EQ(plant.asked, 2);
}

TEST(broker_status, half_of_its_life__asked_in_the_background) {
    Plant plant;
    plant.lifetime_ms = 4000;
    BrokerStatus status(plant.ask());
    auto check = status.check();
    ASSERT_TRUE(ask(check));
    EXPECT_TRUE(soon([&] { return plant.asked >= 2; }));
    EXPECT_TRUE(check.still_good(chain())) << "without a gap";
}

TEST(broker_status, revoked_later__the_background_finds_out) {
    Plant plant;
    plant.lifetime_ms = 4000;
    BrokerStatus status(plant.ask());
    auto check = status.check();
    ASSERT_TRUE(ask(check));
    plant.status = OcspStatus::revoked;
    EXPECT_TRUE(soon([&] { return !check.still_good(chain()); }));
    EXPECT_THAT(check.still_good(chain()).error().message, HasSubstr("revoked"));
}

TEST(broker_status, plant_away_for_longer_than_the_lifetime__stale_and_good_again_after) {
    Plant plant;
    plant.lifetime_ms = 2000;
    BrokerStatus status(plant.ask());
    auto check = status.check();
    ASSERT_TRUE(ask(check));
    plant.away = true;
    EXPECT_TRUE(soon([&] { return !check.still_good(chain()); }));
    EXPECT_EQ(check.still_good(chain()).error().code, Code::state_stale);
    EXPECT_FALSE(ask(check));
    plant.away = false;
    plant.lifetime_ms = 60'000;
    EXPECT_TRUE(ask(check));
    EXPECT_TRUE(check.still_good(chain()));
}

}  // namespace
}  // namespace quoin::agent
