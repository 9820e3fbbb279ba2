#include "agent/session.hpp"

#include <spdlog/spdlog.h>

#include <future>
#include <utility>

namespace quoin::agent {
namespace {

constexpr auto max_backoff = std::chrono::milliseconds(15'000);

}  // namespace

Session::Session(const Config& config, SessionOptions options, Queue& queue, Identity identity)
    : config_(config),
      options_(std::move(options)),
      queue_(queue),
      branch_(fmt::format("quoin/{}/{}", identity.site, identity.device)),
      broker_status_(ask_plant(config.plant, options_.standing.suite, options_.standing.anchors)),
      publisher_(queue, *this, branch_),
      identity_(std::make_shared<const Identity>(std::move(identity))) {}

Session::~Session() {
    attester_ = {};  // joins: it uses the client
    queue_.on_added(nullptr);
    if (!waker_) return;
    const std::lock_guard lock(waker_->mutex);
    waker_->publisher = nullptr;
}

Result<std::unique_ptr<Session>> Session::start(const Config& config, SessionOptions options,
                                                Queue& queue, Identity identity) {
    std::unique_ptr<Session> session(
        new Session(config, std::move(options), queue, std::move(identity)));
    QUOIN_TRY(tls::Context tls, session->context(*session->identity_));
    QUOIN_CHECK(session->connect(std::move(tls)));
    Session& self = *session;
    self.waker_ = std::make_shared<Waker>();
    self.waker_->publisher = &self.publisher_;
    queue.on_added([waker = self.waker_] {
        const std::lock_guard lock(waker->mutex);
        if (waker->publisher != nullptr) waker->publisher->wake();
    });
    self.attester_ = std::jthread([&self](const std::stop_token& stop) { self.attest(stop); });
    return session;
}

Result<tls::Context> Session::context(const Identity& identity) const {
    return tls::client_context(options_.standing.suite, options_.standing.anchors,
                               tls::Server::broker, &identity.session);
}

Result<void> Session::connect(tls::Context tls) {
    net::MqttOptions options;
    options.host = options_.broker_host;
    options.port = options_.broker_port;
    options.client_id = identity_->device;
    options.max_backoff = max_backoff;
    options.max_packet_bytes = 16U << 10U;
    options.check = broker_status_.check();
    net::MqttCallbacks callbacks;
    callbacks.connected = [this](bool session_present) {
        ready_.wait();
        connected(session_present);
    };
    callbacks.disconnected = [this](const Error& error) {
        ready_.wait();
        disconnected(error);
    };
    callbacks.message = [this](const std::string& topic, const std::string& payload) {
        message(topic, payload);
    };
    auto client = net::MqttClient::start(
        options, std::move(tls),
        {branch_ + "/ack/+", branch_ + "/attest/challenge", branch_ + "/cmd"},
        std::move(callbacks));
    if (!client) {
        ready_.count_down();
        return std::unexpected(client.error());
    }
    client_ = *std::move(client);
    ready_.count_down();
    return {};
}

Result<void> Session::replace(Identity identity) {
    QUOIN_TRY(tls::Context tls, context(identity));
    auto fresh = std::make_shared<const Identity>(std::move(identity));
    needs_attestation_key_ = false;
    // std::function copies what it holds, which a context does not allow.
    auto held = std::make_shared<tls::Context>(std::move(tls));
    const auto replaced = std::make_shared<std::promise<void>>();
    const std::future<void> effect = replaced->get_future();
    client_->post([this, fresh = std::move(fresh), held, replaced] {
        identity_ = fresh;
        client_->replace_tls(std::move(*held));
        replaced->set_value();
    });
    effect.wait();
    return {};
}

void Session::publish(std::string topic, std::string payload,
                      std::function<void(Result<void>)> done) {
    client_->publish(std::move(topic), std::move(payload), 1, false, std::move(done));
}

void Session::connected(bool session_present) {
    ++connection_;
    told_.clear();
    spdlog::info("connected broker={}:{} session_present={}", options_.broker_host,
                 options_.broker_port, session_present);
    publish(branch_ + "/event",
            fmt::format(R"({{"event":"online","release":"{}","counter":{}}})", config_.release,
                        options_.boot_counter),
            [](const Result<void>& result) {
                if (!result) spdlog::warn("online_refused error=\"{}\"", result.error().message);
            });
    publisher_.connected();
}

void Session::disconnected(const Error& error) {
    const bool refused =
        error.code == Code::peer_forbidden || error.code == Code::peer_unauthenticated;
    const bool is_told = std::exchange(told_, error.message) == error.message;
    spdlog::log(is_told ? spdlog::level::debug : spdlog::level::warn,
                "{} broker={}:{} code={} error=\"{}\"", refused ? "refused" : "disconnected",
                options_.broker_host, options_.broker_port, code_name(error.code), error.message);
    ++connection_;
    publisher_.disconnected();
}

void Session::message(std::string_view topic, std::string_view payload) {
    // The broker routes by our subscriptions: our branch, always.
    if (!topic.starts_with(branch_ + "/")) return;
    topic.remove_prefix(branch_.size() + 1);
    if (topic.starts_with("ack/")) {
        publisher_.acknowledged(std::string(topic.substr(4)), payload);
    } else if (topic == "attest/challenge") {
        challenged(payload);
    } else if (topic == "cmd") {
        spdlog::warn("cmd_ignored bytes={}: this release knows no commands", payload.size());
    }
}

void Session::challenged(std::string_view payload) {
    const auto challenge = attest::decode_challenge(payload);
    if (!challenge) {
        spdlog::warn("challenge_refused error=\"{}\"", challenge.error().message);
        return;
    }
    const std::lock_guard lock(mutex_);
    challenge_ = Asked{*challenge, identity_, connection_};
    asked_.notify_one();
}

void Session::attest(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        std::optional<Asked> asked;
        {
            std::unique_lock lock(mutex_);
            asked_.wait(lock, stop, [this] { return challenge_.has_value(); });
            asked = std::exchange(challenge_, std::nullopt);
        }
        if (asked) answer_one(*asked);
    }
}

void Session::answer_one(const Asked& asked) {
    const auto evidence = answer(asked.challenge, *asked.identity, config_, options_.device_class,
                                 options_.boot_counter);
    if (!evidence) {
        spdlog::error("attest_failed error=\"{}\"", evidence.error().message);
        const bool fits = attestation_key_fits(*asked.identity, config_);
        // A renewal in between has removed the key that was asked for: the present one is another.
        client_->post([this, asked, fits] {
            if (!fits && asked.identity == identity_) needs_attestation_key_ = true;
        });
        return;
    }
    client_->post([this, asked, text = std::string(text_of(*evidence))]() mutable {
        send_evidence(asked, std::move(text));
    });
}

void Session::send_evidence(const Asked& asked, std::string evidence) {
    if (asked.connection != connection_) {
        spdlog::info("attest_dropped: the connection of the challenge has ended");
        return;
    }
    publish(branch_ + "/attest/evidence", std::move(evidence), [this](const Result<void>& result) {
        if (!result) {
            spdlog::warn("attest_not_sent error=\"{}\"", result.error().message);
            return;
        }
        spdlog::info("attested counter={} release={}", options_.boot_counter, config_.release);
        publisher_.evidence_sent();
    });
}

}  // namespace quoin::agent
