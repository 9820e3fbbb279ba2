// Against a real mosquitto over PQ/TLS.
#include "host/net/mqtt_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <span>

#include "host/net/mosquitto_fixture.hpp"

namespace quoin::net {
namespace {

using testing::HasSubstr;
using x509::test::Entity;
using x509::test::Pki;

const Pki& pki() {
    static const Pki made = *x509::test::make_pki(crypto::Algorithm::ml_dsa_65_ed25519,
                                                  crypto::Algorithm::ml_dsa_65_ed25519);
    return made;
}

const Pki& foreign_pki() {
    static const Pki made = *x509::test::make_pki(crypto::Algorithm::ml_dsa_65_ed25519,
                                                  crypto::Algorithm::ml_dsa_65_ed25519, "foreign");
    return made;
}

tls::Context context_of(const Pki& own, const Pki& trusted, const std::string& id = "mpu-1") {
    const Entity leaf =
        *x509::test::make_leaf(own, {.id = id, .algorithm = crypto::Algorithm::ml_dsa_65_ed25519});
    const tls::Credentials credentials{own.chain(leaf), leaf.key};
    return *tls::client_context(tls::Suite::hybrid, trusted.anchors(), tls::Server::broker,
                                &credentials);
}

// A client whose reports are kept.
class Client {
public:
    struct Options {
        std::string host = "127.0.0.1";
        std::string id = "mpu-1";
        std::vector<std::string> subscriptions;
        std::chrono::milliseconds max_backoff{500};
        BrokerCheck check = {};
    };
    Client(std::uint16_t port, Options options, tls::Context tls = context_of(pki(), pki())) {
        MqttOptions mqtt;
        mqtt.host = options.host;
        mqtt.port = port;
        mqtt.client_id = options.id;
        mqtt.max_backoff = options.max_backoff;
        mqtt.check = std::move(options.check);
        MqttCallbacks callbacks;
        callbacks.connected = [this](bool present) {
            board.change([&] {
                ++connections;
                session_present = present;
            });
        };
        callbacks.disconnected = [this](const Error& error) {
            board.change([&] { losses.push_back(error); });
        };
        callbacks.message = [this](const std::string& topic, const std::string& payload) {
            board.change([&] { messages.emplace_back(topic, payload); });
        };
        auto started = MqttClient::start(mqtt, std::move(tls), std::move(options.subscriptions),
                                         std::move(callbacks));
        EXPECT_TRUE(started);
        client = *std::move(started);
    }
    // The PUBACK's verdict.
    Result<void> publish(const std::string& topic, const std::string& payload) {
        auto verdict = std::make_shared<std::optional<Result<void>>>();
        client->publish(topic, payload, 1, false, [this, verdict](Result<void> result) {
            board.change([&] { *verdict = std::move(result); });
        });
        if (!board.wait([&] { return verdict->has_value(); })) {
            return fail(Code::resource_timeout, "no verdict");
        }
        return **verdict;
    }
    bool wait_connected(int times = 1) {
        return board.wait([&] { return connections >= times; });
    }
    bool wait_loss() {
        return board.wait([&] { return !losses.empty(); });
    }

    test::Board board;
    int connections = 0;
    bool session_present = false;
    std::vector<Error> losses;
    std::vector<std::pair<std::string, std::string>> messages;
    std::unique_ptr<MqttClient> client;  // last: its thread ends first
};

// MQTT keeps the order of a topic within one QoS only (MQTT 5, section 4.6): QoS 1 waits for
// acknowledgements, QoS 0 overtakes it.
TEST(mqtt_client, publish__subscribed_by_another__arrives_in_order_of_each_qos) {
    const test::Mosquitto broker(pki());
    Client reader(broker.port(), {.id = "reader", .subscriptions = {"a/#"}});
    Client writer(broker.port(), {.id = "writer", .subscriptions = {}});
    ASSERT_TRUE(reader.wait_connected());
    // The first message says that the subscription is there.
    ASSERT_TRUE(reader.publish("a/begin", "x"));
    constexpr int count = 5000;
    for (int i = 0; i < count; ++i) {
        writer.client->publish("a/b", std::to_string(i), i % 2, false, nullptr);
    }
    ASSERT_TRUE(reader.board.wait([&] { return reader.messages.size() == count + 1; }));
    std::array<int, 2> next{0, 1};
    for (const auto& [topic, number] : std::span(reader.messages).subspan(1)) {
        int& expected = next.at(static_cast<std::size_t>(std::stoi(number) % 2));
        ASSERT_EQ(number, std::to_string(expected));
        expected += 2;
    }
}

TEST(mqtt_client, broker_with_another_name__is_refused) {
    const test::Mosquitto broker(pki(), "allow_anonymous true\n", {"other.example"});
    Client by_address(broker.port(), {.host = "127.0.0.1", .subscriptions = {}});
    Client by_name(broker.port(), {.host = "localhost", .subscriptions = {}});
    for (Client* client : {&by_address, &by_name}) {
        ASSERT_TRUE(client->wait_loss());
        EXPECT_EQ(client->losses[0].code, Code::peer_unauthenticated) << client->losses[0].message;
        EXPECT_THAT(client->losses[0].message, HasSubstr("mismatch"));
        EXPECT_EQ(client->connections, 0);
    }
}

TEST(mqtt_client, broker_named_by_dns_name__connects) {
    const test::Mosquitto broker(pki(), "allow_anonymous true\n", {"localhost"});
    Client client(broker.port(), {.host = "localhost", .subscriptions = {}});
    EXPECT_TRUE(client.wait_connected());
}

TEST(mqtt_client, broker_of_a_foreign_ca__is_refused) {
    const test::Mosquitto broker(foreign_pki());
    Client client(broker.port(), {.subscriptions = {}});
    ASSERT_TRUE(client.wait_loss());
    EXPECT_EQ(client.losses[0].code, Code::peer_unauthenticated) << client.losses[0].message;
    EXPECT_EQ(client.connections, 0);
}

TEST(mqtt_client, own_certificate_of_a_foreign_ca__the_brokers_alert_is_reported) {
    const test::Mosquitto broker(pki());
    Client client(broker.port(), {.subscriptions = {}}, context_of(foreign_pki(), pki()));
    ASSERT_TRUE(client.wait_loss());
    EXPECT_EQ(client.losses[0].code, Code::peer_unauthenticated) << client.losses[0].message;
    EXPECT_THAT(client.losses[0].message, HasSubstr("TLS alert"));
    EXPECT_EQ(client.connections, 0);
}

TEST(mqtt_client, connack_not_authorized__is_peer_forbidden) {
    const test::Mosquitto broker(pki(), "allow_anonymous false\n");
    Client client(broker.port(), {.subscriptions = {}});
    ASSERT_TRUE(client.wait_loss());
    EXPECT_EQ(client.losses[0].code, Code::peer_forbidden) << client.losses[0].message;
    // And it tries again.
    EXPECT_TRUE(client.board.wait([&] { return client.losses.size() >= 3; }));
}

TEST(mqtt_client, puback_not_authorized__is_peer_forbidden_and_the_session_stays) {
    test::TempFolder folder;
    const auto acl = folder.path() / "acl";
    std::ofstream(acl) << "topic readwrite open/#\n";
    const test::Mosquitto broker(pki(), "allow_anonymous true\nacl_file " + acl.string() + "\n");
    Client client(broker.port(), {.subscriptions = {}});
    const auto denied = client.publish("closed/a", "x");
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().code, Code::peer_forbidden) << denied.error().message;
    const auto allowed = client.publish("open/a", "x");
    EXPECT_TRUE(allowed) << allowed.error().message;
    EXPECT_EQ(client.connections, 1);
}

TEST(mqtt_client, broker_killed_and_started__reconnects_and_subscribes_again) {
    test::Mosquitto broker(pki());
    Client client(broker.port(), {.subscriptions = {"a/#"}});
    ASSERT_TRUE(client.wait_connected());
    broker.kill();
    ASSERT_TRUE(client.wait_loss());
    EXPECT_EQ(client.losses[0].code, Code::resource_unavailable) << client.losses[0].message;
    broker.start();
    ASSERT_TRUE(client.wait_connected(2));
    EXPECT_FALSE(client.session_present);
    ASSERT_TRUE(client.publish("a/b", "again"));
    EXPECT_TRUE(client.board.wait([&] { return client.messages.size() == 1; }));
}

TEST(mqtt_client, connection_lost__every_publish_gets_one_answer) {
    test::Mosquitto broker(pki());
    Client client(broker.port(), {.subscriptions = {}});
    ASSERT_TRUE(client.wait_connected());
    std::atomic<int> good = 0;
    std::atomic<int> bad = 0;
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i) {
        client.client->publish("a", "x", 1, false, [&](const Result<void>& result) {
            ++(result ? good : bad);
            EXPECT_TRUE(result || result.error().code == Code::resource_unavailable);
        });
        if (i == count / 2) broker.kill();
    }
    broker.start();
    ASSERT_TRUE(client.wait_connected(2));
    ASSERT_TRUE(client.publish("a", "last"));
    EXPECT_TRUE(client.board.wait([&] { return good + bad == count; }));
    EXPECT_GT(bad, 0);
}

TEST(mqtt_client, publish_while_away__waits_and_goes_out_after_the_connect) {
    test::Mosquitto broker(pki());
    broker.kill();
    Client client(broker.port(), {.subscriptions = {"a"}});
    ASSERT_TRUE(client.wait_loss());
    client.client->publish("a", "early", 1, false, nullptr);
    broker.start();
    EXPECT_TRUE(client.board.wait([&] { return client.messages.size() == 1; }));
}

TEST(mqtt_client, publish_over_the_limit__is_resource_full) {
    const std::uint16_t nobody = test::free_port();
    Client client(nobody, {.subscriptions = {}});
    std::atomic<int> full = 0;
    std::atomic<int> cancelled = 0;
    for (std::size_t i = 0; i < mqtt_max_queued + 10; ++i) {
        client.client->publish("a", "x", 1, false, [&](const Result<void>& result) {
            ASSERT_FALSE(result);
            ++(result.error().code == Code::resource_full ? full : cancelled);
        });
    }
    client.client.reset();
    EXPECT_EQ(full, 10);
    EXPECT_EQ(cancelled, mqtt_max_queued);
}

TEST(mqtt_client, replace_tls__reconnects_with_the_new_certificate) {
    test::TempFolder folder;
    const auto acl = folder.path() / "acl";
    std::ofstream(acl) << "user mpu-2\ntopic readwrite #\n";
    const test::Mosquitto broker(
        pki(),
        "use_identity_as_username true\nallow_anonymous false\nacl_file " + acl.string() + "\n");
    Client client(broker.port(), {.subscriptions = {}});
    EXPECT_EQ(client.publish("a", "x").error().code, Code::peer_forbidden);
    client.client->replace_tls(context_of(pki(), pki(), "mpu-2"));
    ASSERT_TRUE(client.wait_connected(2));
    EXPECT_TRUE(client.publish("a", "x"));
}

// ---- BrokerCheck ----

TEST(mqtt_client, check__asked_before_connect_and_answered_by_another_thread__connects) {
    const test::Mosquitto broker(pki());
    std::vector<std::string> names;
    std::jthread answering;
    const auto ask = [&](const BrokerCheck::Chain& chain, std::function<void(Result<void>)> done) {
        for (const auto& certificate : chain) names.push_back(certificate.common_name());
        answering = std::jthread([done = std::move(done)] { done({}); });
    };
    Client client(broker.port(), {.subscriptions = {}, .check = {.ask = ask}});
    ASSERT_TRUE(client.wait_connected());
    EXPECT_THAT(names, testing::ElementsAre("broker", "test issuing", "test root"));
    EXPECT_TRUE(client.publish("a", "x"));
}

TEST(mqtt_client, check__refused__no_connect_and_the_reason_is_told_and_it_tries_again) {
    const test::Mosquitto broker(pki());
    std::atomic<int> asked = 0;
    const auto ask = [&](const BrokerCheck::Chain&, const auto& done) {
        if (++asked > 2) return done({});
        done(fail(Code::state_stale, "nobody knows"));
    };
    Client client(broker.port(), {.subscriptions = {}, .check = {.ask = ask}});
    ASSERT_TRUE(client.wait_connected());
    ASSERT_EQ(client.losses.size(), 2U);
    EXPECT_EQ(client.losses[0].code, Code::state_stale);
    EXPECT_THAT(client.losses[0].message, HasSubstr("the broker's certificate: nobody knows"));
}

TEST(mqtt_client, check__never_answered__the_client_can_still_be_ended) {
    const test::Mosquitto broker(pki());
    std::function<void(Result<void>)> late;
    {
        test::Board board;
        const auto ask = [&](const BrokerCheck::Chain&, std::function<void(Result<void>)> done) {
            board.change([&] { late = std::move(done); });
        };
        Client client(broker.port(), {.subscriptions = {}, .check = {.ask = ask}});
        ASSERT_TRUE(board.wait([&] { return static_cast<bool>(late); }));
    }
    late({});
}

TEST(mqtt_client, check__not_good_any_more__the_session_ends) {
    const test::Mosquitto broker(pki());
    std::atomic<bool> good = true;
    BrokerCheck check{.ask =
                          [&](const BrokerCheck::Chain&, const auto& done) {
                              done(good ? Result<void>{} : fail(Code::state_stale, "old"));
                          },
                      .still_good = [&](const BrokerCheck::Chain&) -> Result<void> {
                          return good ? Result<void>{} : fail(Code::state_stale, "old");
                      },
                      .interval = std::chrono::milliseconds(20)};
    Client client(broker.port(), {.subscriptions = {}, .check = std::move(check)});
    ASSERT_TRUE(client.wait_connected());
    good = false;
    ASSERT_TRUE(client.wait_loss());
    EXPECT_THAT(client.losses[0].message, HasSubstr("old"));
    good = true;
    EXPECT_TRUE(client.wait_connected(2));
}

TEST(mqtt_client, after_and_post__run_on_the_clients_thread) {
    Client client(test::free_port(), {.subscriptions = {}});
    std::thread::id posted;
    std::thread::id later;
    client.client->post([&] { client.board.change([&] { posted = std::this_thread::get_id(); }); });
    client.client->after(std::chrono::milliseconds(20),
                         [&] { client.board.change([&] { later = std::this_thread::get_id(); }); });
    ASSERT_TRUE(client.board.wait([&] { return later != std::thread::id{}; }));
    EXPECT_EQ(posted, later);
    EXPECT_NE(posted, std::this_thread::get_id());
}

TEST(mqtt_client, start__options_that_cannot_be__are_refused) {
    MqttOptions options;
    options.host = "::1";
    options.client_id = "x";
    const auto start = [&] { return MqttClient::start(options, context_of(pki(), pki()), {}, {}); };
    EXPECT_EQ(start().error().code, Code::config_invalid);
    options.host = "127.0.0.1";
    options.client_id = "";
    EXPECT_EQ(start().error().code, Code::config_invalid);
    options.client_id = "x";
    EXPECT_EQ(MqttClient::start(options, nullptr, {}, {}).error().code, Code::config_invalid);
}

}  // namespace
}  // namespace quoin::net
