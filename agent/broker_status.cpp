#include "agent/broker_status.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <utility>

#include "agent/source.hpp"
#include "host/net/http.hpp"
#include "host/tls/status.hpp"

namespace quoin::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds http_timeout{4000};
constexpr std::int64_t shortest_wait_ms = 500;

// Between 40 and 50 % of what is left: not all devices of a plant in one second.
std::int64_t ask_again_ms(std::int64_t now, std::int64_t until) {
    static thread_local std::minstd_rand random(std::random_device{}());
    std::uniform_real_distribution<double> share(0.4, 0.5);
    const auto left = static_cast<double>(std::max<std::int64_t>(0, until - now));
    return now + std::max(shortest_wait_ms, static_cast<std::int64_t>(left * share(random)));
}

bool same(const x509::Certificate& one, const x509::Certificate& other) {
    const auto first = one.sha256();
    const auto second = other.sha256();
    return first && second && *first == *second;
}

}  // namespace

AskStatus ask_plant(std::string plant_url, tls::Suite suite,
                    std::vector<x509::Certificate> anchors) {
    return [plant_url = std::move(plant_url), suite,
            anchors = std::move(anchors)](const std::string& request) -> Result<std::string> {
        QUOIN_TRY(const tls::Context context,
                  tls::client_context(suite, anchors, tls::Server::quoind, nullptr));
        QUOIN_CHECK(tls::demand_staple(context.get()));
        const net::HttpClientOptions options{.base_url = plant_url,
                                             .tls = context.get(),
                                             .timeout = http_timeout,
                                             .max_body_bytes = x509::max_ocsp_response_size};
        QUOIN_TRY(net::HttpReply reply,
                  net::http_request(options, "POST", "/ocsp", request, "application/ocsp-request"));
        if (reply.status != 200) {
            return fail(Code::resource_unavailable, "{}/ocsp: HTTP status {}", plant_url,
                        reply.status);
        }
        return std::move(reply.body);
    };
}

BrokerStatus::BrokerStatus(AskStatus ask) : ask_(std::move(ask)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

BrokerStatus::~BrokerStatus() {
    thread_.request_stop();
    thread_.join();
}

net::BrokerCheck BrokerStatus::check() {
    return {.ask = [this](const Chain& chain, Done done) { ask(chain, std::move(done)); },
            .still_good = [this](const Chain& chain) { return still_good(chain); }};
}

Result<void> BrokerStatus::judge(const Chain& chain) const {
    if (!known_ || chain.empty() || !same(known_->chain.front(), chain.front())) {
        return fail(Code::state_stale, "its status is not known");
    }
    if (known_->answer.next_update_ms <= now_ms()) {
        return fail(Code::state_stale, "its status is older than its lifetime; is the plant away?");
    }
    return x509::require_good(known_->answer, chain.front());
}

Result<void> BrokerStatus::still_good(const Chain& chain) const {
    const std::lock_guard lock(mutex_);
    return judge(chain);
}

void BrokerStatus::ask(const Chain& chain, Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (!judge(chain)) {
            asked_.push_back({chain, std::move(done)});
            changed_.notify_one();
            return;
        }
    }
    done({});
}

// What to ask next: for a connection that waits, or in the background. None: stopped.
std::optional<BrokerStatus::Asked> BrokerStatus::next(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        if (!asked_.empty()) {
            Asked asked = std::move(asked_.front());
            asked_.pop_front();
            return asked;
        }
        const bool good = known_ && judge(known_->chain);
        const std::int64_t wait_ms = good ? known_->ask_again_ms - now_ms() : 0;
        if (good && wait_ms <= 0) return Asked{known_->chain, nullptr};
        const auto has_asked = [this] { return !asked_.empty(); };
        if (good) {
            changed_.wait_until(lock, stop, steady_clock::now() + milliseconds(wait_ms), has_asked);
        } else {
            changed_.wait(lock, stop, has_asked);
        }
    }
    return std::nullopt;
}

Result<x509::OcspAnswer> BrokerStatus::answer_about(const Chain& chain) const {
    if (chain.size() < 2) {
        return fail(Code::peer_unauthenticated, "it has no issuer that could be asked about it");
    }
    std::array<std::uint8_t, x509::ocsp_nonce_size> nonce{};
    QUOIN_CHECK(crypto::random_bytes(nonce));
    QUOIN_TRY(const auto request, x509::OcspRequest::make(chain[0], chain[1], nonce));
    QUOIN_TRY(const std::string der, request.der());
    QUOIN_TRY(const std::string response, ask_(der));
    return x509::verify_ocsp_response(bytes_of(response), chain[0], chain[1], nonce);
}

void BrokerStatus::learn(const Asked& asked, const Result<x509::OcspAnswer>& answer) {
    Result<void> verdict;
    {
        const std::lock_guard lock(mutex_);
        const std::int64_t now = now_ms();
        if (answer) {
            known_ = Known{asked.chain, *answer, ask_again_ms(now, answer->next_update_ms)};
            verdict = judge(asked.chain);
        } else {
            verdict =
                fail(answer.error().code, "its status is not known: {}", answer.error().message);
            if (known_) known_->ask_again_ms = ask_again_ms(now, known_->answer.next_update_ms);
        }
    }
    tell(answer.has_value(), verdict);
    if (asked.done) asked.done(std::move(verdict));
}

// Once for each reason: the plant may be away for long.
void BrokerStatus::tell(bool is_answered, const Result<void>& verdict) {
    const std::string trouble = verdict ? "" : verdict.error().message;
    if (trouble == told_) return;
    if (verdict) {
        spdlog::info("broker_status_good: the plant answers again");
    } else {
        spdlog::warn("broker_status code={} error=\"{}\" action=\"{}\"",
                     code_name(verdict.error().code), trouble,
                     is_answered ? "the plant's services need new certificates"
                                 : "see that quoind runs and is reached; without its word there is "
                                   "no session, and samples wait in the queue");
    }
    told_ = trouble;
}

void BrokerStatus::run(const std::stop_token& stop) {
    while (const auto asked = next(stop)) {
        const auto begin = steady_clock::now();
        const auto answer = answer_about(asked->chain);
        if (answer && asked->done) {
            const std::chrono::duration<double, std::milli> took = steady_clock::now() - begin;
            spdlog::info("broker_status_asked ms={:.1f} until_ms={}", took.count(),
                         answer->next_update_ms);
        }
        learn(*asked, answer);
    }
}

}  // namespace quoin::agent
