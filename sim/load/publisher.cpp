#include "sim/load/publisher.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace quoin::sim {
namespace {

std::string sample(std::uint64_t sequence, std::uint64_t low) {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return fmt::format(
        R"({{"seq":{},"low":{},"ts":{},"values":{{"value":{}.5,"state":"running"}}}})", sequence,
        low, now.count(), sequence % 100);
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::connect(const Access& access,
                                                      const PublishOptions& options,
                                                      const std::string& device,
                                                      tls::Context context) {
    std::unique_ptr<Publisher> made(new Publisher(access, options, device));
    Publisher& self = *made;
    self.next_ = options.first;
    self.sent_at_.resize(options.messages);
    net::MqttOptions mqtt;
    mqtt.host = access.host;
    mqtt.port = access.port;
    mqtt.client_id = device;
    net::MqttCallbacks callbacks;
    callbacks.connected = [&self](bool) {
        const std::scoped_lock lock(self.mutex_);
        self.connected_ = true;
        self.changed_.notify_all();
    };
    callbacks.disconnected = [&self](const Error& error) { self.stop(error); };
    // The broker may still hold what an earlier session of this device had subscribed to.
    callbacks.message = [&self, wanted = self.topic("ack")](const std::string& topic,
                                                            const std::string& payload) {
        if (self.options_.until_stored && topic == wanted) self.on_message(payload);
    };
    std::vector<std::string> subscriptions;
    if (options.until_stored) subscriptions.push_back(self.topic("ack"));
    QUOIN_TRY(self.client_, net::MqttClient::start(std::move(mqtt), std::move(context),
                                                   std::move(subscriptions), std::move(callbacks)));
    return made;
}

std::string Publisher::topic(const char* kind) const {
    return fmt::format("quoin/{}/{}/{}/{}", access_.site, device_, kind, options_.stream);
}

void Publisher::stop(const Error& error) {
    const std::scoped_lock lock(mutex_);
    error_ = error;
    changed_.notify_all();
}

Result<void> Publisher::wait_connected(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return connected_ || error_; });
    if (error_) return std::unexpected(*error_);
    if (!connected_) return fail(Code::resource_timeout, "{}: no connection in time", device_);
    return {};
}

void Publisher::start() {
    client_->post([this] { send_more(); });
}

// On the client's thread, as everything that sends.
void Publisher::send_more() {
    while (true) {
        std::uint64_t sequence = 0;
        {
            const std::scoped_lock lock(mutex_);
            if (error_ || next_ > last() || next_ - options_.first - completed_ >= options_.window)
                return;
            sequence = next_++;
            sent_at_[sequence - options_.first] = Clock::now();
        }
        auto done = [this, sequence](const Result<void>& result) {
            if (!result) {
                stop(result.error());
            } else if (!options_.until_stored) {
                finished_one(sequence);
            }
        };
        client_->publish(topic("telemetry"), sample(sequence, options_.first), 1, false,
                         std::move(done));
    }
}

// PUBACKs may come in any order.
void Publisher::finished_one(std::uint64_t sequence) {
    {
        const std::scoped_lock lock(mutex_);
        complete(sequence);
    }
    send_more();
}

// The data server's acknowledgement: everything up to `sequence`.
void Publisher::finished_up_to(std::uint64_t sequence) {
    {
        const std::scoped_lock lock(mutex_);
        while (completed_ < options_.messages && options_.first + completed_ <= sequence) {
            complete(options_.first + completed_);
        }
    }
    send_more();
}

void Publisher::complete(std::uint64_t sequence) {
    const auto taken = Clock::now() - sent_at_[sequence - options_.first];
    latencies_.add(std::chrono::duration<double, std::milli>(taken).count());
    if (++completed_ == options_.messages) changed_.notify_all();
}

void Publisher::on_message(const std::string& payload) {
    const auto ack = nlohmann::json::parse(payload, nullptr, false);
    if (!ack.is_object() || !ack.contains("seq") || !ack["seq"].is_number_unsigned()) {
        stop({Code::peer_malformed, device_ + ": an acknowledgement without a sequence"});
        return;
    }
    finished_up_to(ack["seq"].get<std::uint64_t>());
}

Result<void> Publisher::wait_done(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return completed_ == options_.messages || error_; });
    if (error_) return std::unexpected(*error_);
    if (completed_ == options_.messages) return {};
    return fail(Code::resource_timeout, "{}: {} of {} done in time", device_, completed_,
                options_.messages);
}

Latencies Publisher::latencies() const {
    const std::scoped_lock lock(mutex_);
    return latencies_;
}

}  // namespace quoin::sim
