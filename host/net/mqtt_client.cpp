#include "host/net/mqtt_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/compose.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/mqtt5/mqtt_client.hpp>
#include <boost/mqtt5/reason_codes.hpp>
#include <boost/mqtt5/ssl.hpp>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

namespace quoin::net {
namespace {

namespace asio = boost::asio;
namespace mqtt5 = boost::mqtt5;
using boost::system::error_code;

// More in flight gains nothing and makes Boost.MQTT5's list of open replies slow: it is searched
// from the front for every packet.
constexpr std::uint16_t max_in_flight = 512;
constexpr auto first_backoff = std::chrono::milliseconds(250);
// A connection that lived this long was a good one: the next wait starts small again.
constexpr auto good_life = std::chrono::seconds(2);
constexpr auto goodbye_timeout = std::chrono::seconds(1);

struct Link;
class Client;

// What Boost.MQTT5 tells about a link while it is made and when the broker ends it.
struct LinkWatch {
    std::shared_ptr<Link> link;
    void at_resolve(error_code error, std::string_view host, std::string_view port,
                    const asio::ip::tcp::resolver::results_type& endpoints);
    void at_tcp_connect(error_code error, const asio::ip::tcp::endpoint& endpoint);
    void at_tls_handshake(error_code error, const asio::ip::tcp::endpoint& endpoint);
    void at_connack(mqtt5::reason_code reason, bool session_present,
                    const mqtt5::connack_props& properties);
    void at_disconnect(mqtt5::reason_code reason, const mqtt5::disconnect_props& properties);
};

// The TLS context of one link: shares the SSL_CTX of the client.
struct LinkContext : asio::ssl::context {
    LinkContext(SSL_CTX* shared, std::shared_ptr<Link> owner)
        : asio::ssl::context((SSL_CTX_up_ref(shared), shared)), link(std::move(owner)) {}
    std::shared_ptr<Link> link;
};

// Reports a failing read or write to the link, which Boost.MQTT5 does not; and after a failing
// write reads once, because the broker's last word, a TLS alert, may lie there unread.
class LinkStream : public asio::ssl::stream<asio::ip::tcp::socket> {
public:
    using Base = asio::ssl::stream<asio::ip::tcp::socket>;
    template <class Executor>
    LinkStream(Executor&& executor, LinkContext& context)
        : Base(std::forward<Executor>(executor), context), link_(context.link) {}

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        auto read = [this, buffers, begun = false](auto& self, error_code error = {},
                                                   std::size_t size = 0) mutable {
            if (!std::exchange(begun, true)) {
                const Buffers copy = buffers;
                return Base::async_read_some(copy, std::move(self));
            }
            if (error) report(error);
            self.complete(error, size);
        };
        return asio::async_compose<Token, void(error_code, std::size_t)>(std::move(read), token,
                                                                         *this);
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        enum class Step : std::uint8_t { begin, written, drained };
        auto write = [this, buffers, step = Step::begin, failure = error_code{}](
                         auto& self, error_code error = {}, std::size_t size = 0) mutable {
            if (step == Step::begin) {
                step = Step::written;
                const Buffers copy = buffers;
                return Base::async_write_some(copy, std::move(self));
            }
            if (step == Step::written && error && !is_over()) {
                step = Step::drained;
                failure = error;
                return Base::async_read_some(asio::buffer(scratch_), std::move(self));
            }
            if (step == Step::drained) report(failure);
            self.complete(step == Step::drained ? failure : error,
                          step == Step::drained ? 0 : size);
        };
        return asio::async_compose<Token, void(error_code, std::size_t)>(std::move(write), token,
                                                                         *this);
    }

    // Completes when the broker's certificate was checked, too.
    template <class Token>
    auto async_handshake(handshake_type type, Token&& token) {
        enum class Step : std::uint8_t { begin, shaken, checked };
        auto handshake = [this, type, step = Step::begin](auto& self,
                                                          error_code error = {}) mutable {
            if (step == Step::begin) {
                step = Step::shaken;
                return Base::async_handshake(type, std::move(self));
            }
            if (step == Step::checked || error || !is_checked()) return self.complete(error);
            step = Step::checked;
            check([self = std::move(self)](error_code refused) mutable { self(refused); });
        };
        return asio::async_compose<Token, void(error_code)>(std::move(handshake), token, *this);
    }

private:
    bool is_over() const;
    void report(error_code error);
    bool is_checked() const;
    void check(std::move_only_function<void(error_code)> then);

    std::shared_ptr<Link> link_;
    std::array<char, 64> scratch_{};
};

}  // namespace
}  // namespace quoin::net

namespace boost::mqtt5 {

template <>
struct tls_handshake_type<quoin::net::LinkStream> {
    static constexpr auto client = asio::ssl::stream_base::client;
};

}  // namespace boost::mqtt5

namespace quoin::net {
namespace {

// Boost.MQTT5 finds this function by its name.
template <class Handler>
void async_shutdown(LinkStream& stream, Handler&& handler) {
    stream.async_shutdown(std::forward<Handler>(handler));
}

using BoostClient = mqtt5::mqtt_client<LinkStream, LinkContext, LinkWatch>;

// One connection from the first try to its end, never used again: Boost.MQTT5 would reconnect by
// itself, but without a word, without a bound on a peer that accepts and closes, and with the same
// random seed in all devices that start in one second.
struct Link {
    Link(Client& owner, std::string name) : client(owner), server_name(std::move(name)) {}
    Client& client;
    std::string server_name;  // what the broker's certificate must name
    std::unique_ptr<BoostClient> boost;
    SSL* tls = nullptr;  // of the newest try; valid while its handshake is reported
    std::string alert;   // the fatal TLS alert that the broker sent
    std::size_t addresses = 0;
    std::size_t failed_addresses = 0;
    BrokerCheck::Chain chain;                               // of the broker
    std::move_only_function<void(error_code)> after_check;  // while the check is asked
    std::optional<Error> refusal;                           // by the check
    bool resolved = false;
    bool up = false;    // the broker has accepted
    bool over = false;  // lost, refused or closed
    std::chrono::steady_clock::time_point up_at;

    void end_check(error_code error) {
        if (auto then = std::exchange(after_check, nullptr)) then(error);
    }
};

// How a check on another thread reaches a client that may be gone by then.
struct Mailbox {
    explicit Mailbox(asio::io_context& of) : io(&of) {}
    std::mutex mutex;
    asio::io_context* io;  // null: the client is gone
    void post(std::function<void()> work) {
        const std::lock_guard lock(mutex);
        if (io != nullptr) asio::post(*io, std::move(work));
    }
};

struct Message {
    std::string topic, payload;
    int qos = 0;
    bool retain = false;
    bool over_limit = false;
    std::function<void(Result<void>)> done;
};

Error error_of(mqtt5::reason_code reason, std::string_view doing) {
    Code code = Code::resource_unavailable;
    switch (reason.value()) {
        case mqtt5::reason_codes::not_authorized.value():
        case mqtt5::reason_codes::banned.value():
        case mqtt5::reason_codes::bad_username_or_password.value():
        case mqtt5::reason_codes::client_identifier_not_valid.value():
        case mqtt5::reason_codes::administrative_action.value():
            code = Code::peer_forbidden;
            break;
        case mqtt5::reason_codes::message_rate_too_high.value():
        case mqtt5::reason_codes::quota_exceeded.value():
            code = Code::peer_too_fast;
            break;
        case mqtt5::reason_codes::packet_too_large.value():
            code = Code::peer_oversize;
            break;
        default:
            break;
    }
    return {code,
            fmt::format("{}: {} (MQTT reason 0x{:02x})", doing, reason.message(), reason.value())};
}

class Client final : public MqttClient {
public:
    Client(MqttOptions options, tls::Context tls, std::vector<std::string> subscriptions,
           MqttCallbacks callbacks)
        : options_(std::move(options)),
          subscriptions_(std::move(subscriptions)),
          callbacks_(std::move(callbacks)),
          tls_(std::move(tls)),
          mailbox_(std::make_shared<Mailbox>(io_)),
          retry_timer_(io_),
          check_timer_(io_),
          random_(std::random_device{}()) {
        asio::post(io_, [this] { connect(); });
        thread_ = std::thread([this] { run(); });
    }
    ~Client() override;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void publish(std::string topic, std::string payload, int qos, bool retain,
                 std::function<void(Result<void>)> done) override;
    void replace_tls(tls::Context tls) override;
    void post(std::function<void()> work) override { asio::post(io_, std::move(work)); }
    void after(std::chrono::milliseconds delay, std::function<void()> work) override;

    // From LinkWatch and the TLS alert hook, on the client's thread.
    void lose(const std::shared_ptr<Link>& link, const Error& error);
    void accepted(std::shared_ptr<Link> link, bool session_present, std::uint16_t receive_maximum);
    void broken(std::shared_ptr<Link> link, error_code error);
    bool is_checked() const { return static_cast<bool>(options_.check.ask); }
    void check(const std::shared_ptr<Link>& link, std::move_only_function<void(error_code)> then);
    std::string broker() const { return fmt::format("{}:{}", options_.host, options_.port); }

private:
    void run();
    void connect();
    void connect_later();
    void subscribe(const std::shared_ptr<Link>& link);
    void receive(const std::shared_ptr<Link>& link);
    void check_later(const std::shared_ptr<Link>& link);
    void close(std::function<void()> then);
    void take_inbox();
    void pump();
    void send(Message message);
    void sent(const std::shared_ptr<Link>& link, error_code error, mqtt5::reason_code reason,
              const std::string& topic, const std::function<void(Result<void>)>& done);
    void fail_queued(const Error& error);

    const MqttOptions options_;
    const std::vector<std::string> subscriptions_;
    const MqttCallbacks callbacks_;

    std::mutex inbox_mutex_;
    std::vector<Message> inbox_;  // guarded by inbox_mutex_
    std::atomic<std::size_t> queued_ = 0;

    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    tls::Context tls_;
    std::shared_ptr<Mailbox> mailbox_;
    asio::steady_timer retry_timer_;
    asio::steady_timer check_timer_;
    std::minstd_rand random_;
    std::shared_ptr<Link> link_;
    std::deque<Message> pending_;
    std::size_t in_flight_ = 0;
    std::size_t window_ = max_in_flight;
    unsigned failures_ = 0;  // since the last good connection
    bool stopping_ = false;
    std::thread thread_;
};

bool LinkStream::is_over() const { return link_->over; }

void LinkStream::report(error_code error) {
    if (!link_->over && error != asio::error::operation_aborted) {
        link_->client.broken(link_, error);
    }
}

bool LinkStream::is_checked() const { return link_->client.is_checked(); }

void LinkStream::check(std::move_only_function<void(error_code)> then) {
    link_->client.check(link_, std::move(then));
}

// --- what Boost.MQTT5 reports -------------------------------------------------------------------

void LinkWatch::at_resolve(error_code error, std::string_view, std::string_view,
                           const asio::ip::tcp::resolver::results_type& endpoints) {
    // The second time means that Boost.MQTT5 has given the connection up and is looking for
    // another.
    if (link->resolved) {
        const std::string_view what =
            link->up ? "closed the connection" : "ended the connection before CONNACK";
        link->client.lose(
            link, {Code::resource_unavailable, fmt::format("{} {}", link->client.broker(), what)});
        return;
    }
    link->resolved = true;
    link->addresses = endpoints.size();
    if (error) {
        link->client.lose(link, {Code::resource_unavailable,
                                 fmt::format("{}: the name does not resolve: {}",
                                             link->client.broker(), error.message())});
    }
}

void LinkWatch::at_tcp_connect(error_code error, const asio::ip::tcp::endpoint&) {
    if (!error || ++link->failed_addresses < link->addresses) return;
    link->client.lose(link, {Code::resource_unavailable,
                             fmt::format("{}: {}", link->client.broker(), error.message())});
}

void LinkWatch::at_tls_handshake(error_code error, const asio::ip::tcp::endpoint&) {
    if (!error) return;
    if (link->refusal) {
        link->client.lose(link, {link->refusal->code,
                                 fmt::format("{}: the broker's certificate: {}",
                                             link->client.broker(), link->refusal->message)});
        return;
    }
    const long verified = link->tls == nullptr ? X509_V_OK : SSL_get_verify_result(link->tls);
    const std::string why = verified != X509_V_OK  ? X509_verify_cert_error_string(verified)
                            : !link->alert.empty() ? "alert from the broker: " + link->alert
                                                   : error.message();
    link->client.lose(link, {Code::peer_unauthenticated,
                             fmt::format("{}: TLS handshake: {}", link->client.broker(), why)});
}

void LinkWatch::at_connack(mqtt5::reason_code reason, bool session_present,
                           const mqtt5::connack_props& properties) {
    if (reason) {
        link->client.lose(link,
                          error_of(reason, link->client.broker() + " refused the connection"));
        return;
    }
    const std::uint16_t maximum = properties[mqtt5::prop::receive_maximum].value_or(max_in_flight);
    link->client.accepted(link, session_present, maximum);
}

void LinkWatch::at_disconnect(mqtt5::reason_code reason, const mqtt5::disconnect_props&) {
    link->client.lose(link, error_of(reason, link->client.broker() + " ended the connection"));
}

// --- TLS
// ------------------------------------------------------------------------------------------

int link_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int refuse_all(int, X509_STORE_CTX*) { return 0; }

// A TLS 1.3 client learns only after its own handshake that its certificate was refused.
void on_tls_state(const SSL* tls, int where, int value) {
    const bool read_alert = (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT;
    if (!read_alert || (value & 0xff) == SSL_AD_CLOSE_NOTIFY) return;
    auto* context = static_cast<LinkContext*>(SSL_get_ex_data(tls, link_index()));
    context->link->alert = SSL_alert_desc_string_long(value);
}

// Binds the TLS connection to the link, and the broker's certificate to its name. What cannot be
// set up refuses every certificate. Boost.MQTT5 finds this function by its name.
void assign_tls_sni(const mqtt5::authority_path&, LinkContext& context, LinkStream& stream) {
    SSL* tls = stream.native_handle();
    const std::string& name = context.link->server_name;
    context.link->tls = tls;
    error_code not_an_address;
    asio::ip::make_address(name, not_an_address);
    bool ready =
        SSL_set1_host(tls, name.c_str()) == 1 && SSL_set_ex_data(tls, link_index(), &context) == 1;
    if (ready && not_an_address) ready = SSL_set_tlsext_host_name(tls, name.c_str()) == 1;
    SSL_set_verify(tls, SSL_VERIFY_PEER, ready ? nullptr : refuse_all);
    if (ready) SSL_set_info_callback(tls, on_tls_state);
}

// --- the client
// -------------------------------------------------------------------------------------

Client::~Client() {
    {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->io = nullptr;
    }
    asio::post(io_, [this] {
        stopping_ = true;
        close([this] { io_.stop(); });
    });
    thread_.join();
    // What was cancelled reports to its callbacks here, and never later.
    io_.restart();
    io_.poll();
    fail_queued({Code::resource_unavailable, "the MQTT client was stopped"});
}

void Client::run() {
    while (!io_.stopped()) {
        try {
            io_.run();
        } catch (const std::exception& thrown) {  // Asio and OpenSSL out of memory or descriptors
            const std::shared_ptr<Link> link = link_;
            const Error error{Code::internal, fmt::format("{}: {}", broker(), thrown.what())};
            if (link) {
                lose(link, error);
            } else {
                spdlog::error("mqtt_client {}", error.message);
                connect_later();
            }
        }
    }
}

void Client::connect() {
    if (link_ || stopping_) return;
    auto link = std::make_shared<Link>(*this, options_.host);
    link->boost =
        std::make_unique<BoostClient>(io_, LinkContext(tls_.get(), link), LinkWatch{link});
    link->boost->brokers(options_.host, options_.port)
        .credentials(options_.client_id)
        .keep_alive(static_cast<std::uint16_t>(options_.keep_alive.count()))
        .connect_property(mqtt5::prop::session_expiry_interval,
                          static_cast<std::uint32_t>(options_.session_expiry.count()))
        .connect_property(mqtt5::prop::maximum_packet_size,
                          static_cast<std::uint32_t>(options_.max_packet_bytes));
    link_ = link;
    link->boost->async_run([this, link](error_code) {
        lose(link, {Code::resource_unavailable, broker() + " closed the connection"});
    });
}

void Client::connect_later() {
    const auto limit = options_.max_backoff.count();
    const auto wanted = first_backoff.count() << std::min(failures_, 16U);
    const auto longest = std::max<std::int64_t>(2, std::min<std::int64_t>(wanted, limit));
    std::uniform_int_distribution<std::int64_t> wait_ms(longest / 2, longest);
    ++failures_;
    retry_timer_.expires_after(std::chrono::milliseconds(wait_ms(random_)));
    retry_timer_.async_wait([this](error_code error) {
        if (!error) connect();
    });
}

void Client::lose(const std::shared_ptr<Link>& link, const Error& error) {
    if (link->over) return;
    link->over = true;
    // Boost.MQTT5 may be our caller: it goes when it is not.
    asio::post(io_, [link] {
        link->end_check(asio::error::operation_aborted);
        link->boost.reset();
    });
    if (link_ != link) return;
    link_.reset();
    check_timer_.cancel();
    if (link->up && std::chrono::steady_clock::now() - link->up_at >= good_life) failures_ = 0;
    if (!stopping_) connect_later();
    if (callbacks_.disconnected) callbacks_.disconnected(error);
    if (link->up) fail_queued(error);
}

void Client::broken(std::shared_ptr<Link> link, error_code error) {
    // Boost.MQTT5 is our caller, and the alert may come with what it reads next.
    asio::post(io_, [this, link = std::move(link), error] {
        if (!link->alert.empty()) {
            lose(link, {Code::peer_unauthenticated,
                        fmt::format("{} refused this side: TLS alert: {}", broker(), link->alert)});
            return;
        }
        const std::string_view when = link->up ? "" : " before CONNACK";
        lose(link, {Code::resource_unavailable,
                    fmt::format("{}: connection lost{}: {}", broker(), when, error.message())});
    });
}

void Client::accepted(std::shared_ptr<Link> link, bool session_present,
                      std::uint16_t receive_maximum) {
    asio::post(io_, [this, link = std::move(link), session_present, receive_maximum] {
        if (link->over) return;
        link->up = true;
        link->up_at = std::chrono::steady_clock::now();
        window_ = std::min(max_in_flight, receive_maximum);
        subscribe(link);
        receive(link);
        if (options_.check.still_good) check_later(link);
        if (callbacks_.connected) callbacks_.connected(session_present);
        pump();
    });
}

void Client::check(const std::shared_ptr<Link>& link,
                   std::move_only_function<void(error_code)> then) {
    const STACK_OF(X509)* chain = SSL_get0_verified_chain(link->tls);
    link->chain.clear();
    for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
        link->chain.emplace_back(sk_X509_value(chain, i));
    }
    link->after_check = std::move(then);
    options_.check.ask(
        link->chain, [mailbox = mailbox_, weak = std::weak_ptr(link)](const Result<void>& result) {
            mailbox->post([weak, result] {
                const std::shared_ptr<Link> asked = weak.lock();
                if (!asked) return;
                if (!result) asked->refusal = result.error();
                asked->end_check(result ? error_code{} : asio::error::no_permission);
            });
        });
}

void Client::check_later(const std::shared_ptr<Link>& link) {
    check_timer_.expires_after(options_.check.interval);
    check_timer_.async_wait([this, link](error_code error) {
        if (error || link->over) return;
        if (const auto good = options_.check.still_good(link->chain); !good) {
            lose(link, {good.error().code, fmt::format("{}: the broker's certificate: {}", broker(),
                                                       good.error().message)});
            return;
        }
        check_later(link);
    });
}

void Client::subscribe(const std::shared_ptr<Link>& link) {
    if (subscriptions_.empty()) return;
    std::vector<mqtt5::subscribe_topic> topics;
    for (const std::string& filter : subscriptions_) {
        mqtt5::subscribe_options options;
        options.max_qos = mqtt5::qos_e::at_least_once;
        options.no_local = mqtt5::no_local_e::no;
        options.retain_handling = mqtt5::retain_handling_e::send;
        topics.push_back({filter, options});
    }
    link->boost->async_subscribe(
        topics, mqtt5::subscribe_props{},
        [this, link](error_code error, const std::vector<mqtt5::reason_code>& reasons,
                     const mqtt5::suback_props&) {
            if (error && error != asio::error::operation_aborted) {
                lose(link,
                     {Code::resource_unavailable, broker() + ": subscribe: " + error.message()});
            }
            for (std::size_t i = 0; i < reasons.size() && i < subscriptions_.size(); ++i) {
                if (!error && reasons[i]) {
                    lose(link, error_of(reasons[i], fmt::format("{} refused the subscription to {}",
                                                                broker(), subscriptions_[i])));
                }
            }
        });
}

void Client::receive(const std::shared_ptr<Link>& link) {
    if (!link->boost) return;
    link->boost->async_receive([this, link](error_code error, std::string topic,
                                            std::string payload, const mqtt5::publish_props&) {
        if (link->over || error == asio::error::operation_aborted) return;
        // An error without an end is "the session has expired", which `connected` has said already.
        if (!error && callbacks_.message) callbacks_.message(std::move(topic), std::move(payload));
        receive(link);
    });
}

void Client::close(std::function<void()> then) {
    retry_timer_.cancel();
    check_timer_.cancel();
    const std::shared_ptr<Link> link = std::exchange(link_, nullptr);
    if (!link || link->over) return then();
    link->over = true;
    if (!link->up) {
        link->end_check(asio::error::operation_aborted);
        link->boost.reset();
        return then();
    }
    retry_timer_.expires_after(goodbye_timeout);
    retry_timer_.async_wait([link, then = std::move(then)](error_code) {
        link->boost.reset();
        then();
    });
    link->boost->async_disconnect([this](error_code) { retry_timer_.cancel(); });
    fail_queued({Code::resource_unavailable, "the connection was closed by this side"});
}

void Client::replace_tls(tls::Context tls) {
    asio::dispatch(io_, [this, tls = std::move(tls)]() mutable {
        if (stopping_) return;
        tls_ = std::move(tls);
        const bool was_up = link_ && link_->up;
        close([this] { connect(); });
        if (was_up && callbacks_.disconnected) {
            callbacks_.disconnected({Code::state_wrong, "reconnecting with a new certificate"});
        }
    });
}

void Client::after(std::chrono::milliseconds delay, std::function<void()> work) {
    asio::post(io_, [this, delay, work = std::move(work)]() mutable {
        auto timer = std::make_shared<asio::steady_timer>(io_, delay);
        timer->async_wait([timer, work = std::move(work)](error_code error) {
            if (!error) work();
        });
    });
}

// --- publishing
// -----------------------------------------------------------------------------------

void Client::publish(std::string topic, std::string payload, int qos, bool retain,
                     std::function<void(Result<void>)> done) {
    Message message{std::move(topic), std::move(payload), qos, retain, false, std::move(done)};
    if (queued_.fetch_add(1) >= mqtt_max_queued) {
        message.over_limit = true;
        message.payload.clear();
    }
    bool first = false;
    {
        const std::lock_guard lock(inbox_mutex_);
        first = inbox_.empty();
        inbox_.push_back(std::move(message));
    }
    if (first) {
        asio::post(io_, [this] {
            take_inbox();
            pump();
        });
    }
}

void Client::take_inbox() {
    std::vector<Message> taken;
    {
        const std::lock_guard lock(inbox_mutex_);
        taken.swap(inbox_);
    }
    for (Message& message : taken) {
        if (!message.over_limit) {
            pending_.push_back(std::move(message));
            continue;
        }
        --queued_;
        if (message.done) {
            message.done(fail(Code::resource_full, "{}: {} messages wait already", message.topic,
                              mqtt_max_queued));
        }
    }
}

void Client::pump() {
    while (link_ && link_->up && in_flight_ < window_ && !pending_.empty()) {
        Message message = std::move(pending_.front());
        pending_.pop_front();
        --queued_;
        send(std::move(message));
    }
}

void Client::send(Message message) {
    const std::shared_ptr<Link> link = link_;
    const auto retain = message.retain ? mqtt5::retain_e::yes : mqtt5::retain_e::no;
    std::string topic = message.topic;
    ++in_flight_;
    if (message.qos == 0) {
        link->boost->async_publish<mqtt5::qos_e::at_most_once>(
            std::move(message.topic), std::move(message.payload), retain, mqtt5::publish_props{},
            [this, link, topic = std::move(topic),
             done = std::move(message.done)](error_code error) {
                sent(link, error, mqtt5::reason_codes::success, topic, done);
            });
        return;
    }
    link->boost->async_publish<mqtt5::qos_e::at_least_once>(
        std::move(message.topic), std::move(message.payload), retain, mqtt5::publish_props{},
        [this, link, topic = std::move(topic), done = std::move(message.done)](
            error_code error, mqtt5::reason_code reason, const mqtt5::puback_props&) {
            sent(link, error, reason, topic, done);
        });
}

void Client::sent(const std::shared_ptr<Link>& link, error_code error, mqtt5::reason_code reason,
                  const std::string& topic, const std::function<void(Result<void>)>& done) {
    --in_flight_;
    if (done) {
        if (error && (link->over || error == asio::error::operation_aborted)) {
            done(fail(Code::resource_unavailable, "{}: the connection ended before the PUBACK",
                      topic));
        } else if (error) {
            done(fail(Code::input_invalid, "{}: cannot be published: {}", topic, error.message()));
        } else if (reason) {
            done(std::unexpected(error_of(reason, topic + ": the broker refused the message")));
        } else {
            done({});
        }
    }
    pump();
}

void Client::fail_queued(const Error& error) {
    take_inbox();
    std::deque<Message> failed;
    failed.swap(pending_);
    queued_ -= failed.size();
    for (const Message& message : failed) {
        if (message.done) {
            message.done(
                fail(Code::resource_unavailable, "{}: not sent: {}", message.topic, error.message));
        }
    }
}

bool is_host(std::string_view host) {
    return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_';
    });
}

}  // namespace

Result<std::unique_ptr<MqttClient>> MqttClient::start(MqttOptions options, tls::Context tls,
                                                      std::vector<std::string> subscriptions,
                                                      MqttCallbacks callbacks) {
    if (!tls)
        return fail(Code::config_invalid, "MQTT: there is no TLS context; clear TCP is not spoken");
    if (!is_host(options.host)) {
        return fail(Code::config_invalid,
                    "MQTT: host \"{}\" is neither a DNS name nor an IPv4 address", options.host);
    }
    if (options.client_id.empty())
        return fail(Code::config_invalid, "MQTT: the client id is empty");
    if (options.keep_alive.count() < 1 || options.keep_alive.count() > 65535) {
        return fail(Code::config_invalid, "MQTT: keep_alive is {} s; 1 to 65535 are possible",
                    options.keep_alive.count());
    }
    try {
        return std::make_unique<Client>(std::move(options), std::move(tls),
                                        std::move(subscriptions), std::move(callbacks));
    } catch (const std::exception& thrown) {  // Asio: no descriptors, no threads
        return fail(Code::resource_unavailable, "MQTT: cannot start: {}", thrown.what());
    }
}

}  // namespace quoin::net
