// Whether the broker's certificate still holds: asked of the plant (OCSP, with a nonce), and
// remembered.
//
//   unknown --the first connection asks--> good until T --half of its life--> asked in the
//   background
//      ^                                      |                                   |         |
//      '---- T has passed without an answer --+-- revoked, unknown: no more <-----'         |
//                                             '<-------------------- good until T' ---------'
//
// While it is not good there is no session: MqttClient asks with each new connection.
// Threads: one of its own asks, and blocks for it; check()'s functions are MqttClient's.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "host/net/mqtt_client.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/ocsp.hpp"

namespace quoin::agent {

// Sends a request (DER) and brings the response (DER). Blocks, less than 5 s.
using AskStatus = std::function<Result<std::string>(const std::string& request)>;
// POST to /ocsp of the plant, whose own certificate must show its status.
AskStatus ask_plant(std::string plant_url, tls::Suite suite,
                    std::vector<x509::Certificate> anchors);

class BrokerStatus {
public:
    explicit BrokerStatus(AskStatus ask);
    ~BrokerStatus();
    BrokerStatus(const BrokerStatus&) = delete;
    BrokerStatus& operator=(const BrokerStatus&) = delete;

    // Must not be used longer than this.
    net::BrokerCheck check();

private:
    using Chain = net::BrokerCheck::Chain;
    using Done = std::function<void(Result<void>)>;
    struct Asked {
        Chain chain;
        Done done;  // null: in the background
    };
    struct Known {
        Chain chain;
        x509::OcspAnswer answer;
        std::int64_t ask_again_ms = 0;
    };
    void ask(const Chain& chain, Done done);
    Result<void> still_good(const Chain& chain) const;
    Result<void> judge(const Chain& chain) const;  // by what is known; with mutex_
    void run(const std::stop_token& stop);
    std::optional<Asked> next(const std::stop_token& stop);
    Result<x509::OcspAnswer> answer_about(const Chain& chain) const;
    void learn(const Asked& asked, const Result<x509::OcspAnswer>& answer);
    void tell(bool is_answered, const Result<void>& verdict);

    const AskStatus ask_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Asked> asked_;
    std::optional<Known> known_;
    std::string told_;  // the trouble that is in the log; of the thread
    std::jthread thread_;
};

}  // namespace quoin::agent
