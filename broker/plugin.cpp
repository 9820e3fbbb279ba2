// Mosquitto calls in here, on its one thread. Everything that decides is in guard.cpp.
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "broker/feed_client.hpp"
#include "broker/guard.hpp"
#include "broker/mosquitto_api.hpp"
#include "broker/options.hpp"
#include "broker/trust.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::broker {
namespace {

int level_of(Level level) {
    switch (level) {
        case Level::info:
            return mosq::info;
        case Level::notice:
            return mosq::notice;
        case Level::warning:
            return mosq::warning;
        case Level::error:
            return mosq::error;
    }
    return mosq::error;
}

void write_log(Level level, const std::string& text) {
    mosquitto_log_printf(level_of(level), "quoin: %s", text.c_str());
}

std::int64_t milliseconds(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

class MosquittoBroker final : public Broker {
public:
    Now now() const override {
        return {milliseconds(CLOCK_BOOTTIME), milliseconds(CLOCK_REALTIME)};
    }
    void log(Level level, const std::string& text) override { write_log(level, text); }
    bool kick(const std::string& client_id, bool with_will) override {
        return mosquitto_kick_client_by_clientid(client_id.c_str(), with_will) == mosq::success;
    }
};

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

struct Plugin {
    Plugin(Options options, Trust trusted)
        : trust(std::move(trusted)),
          guard(
              std::move(options.site),
              [this](Bytes certificate) { return trust.issuer_key(certificate); }, broker),
          feed(std::move(options.feed_socket), guard, broker) {}

    Trust trust;
    MosquittoBroker broker;
    Guard guard;
    FeedClient feed;
    // Between Mosquitto's RELOAD event and the next tick it authenticates every client again,
    // stored sessions without a socket too. At any other time a client without a certificate is
    // refused.
    bool reloading = false;
    mosquitto_plugin_id_t* identifier = nullptr;
};

struct FreeCertificate {
    void operator()(X509* certificate) const noexcept { ::X509_free(certificate); }
};

Client client_of(const mosquitto* client) {
    return {.key = client,
            .id = text_or_empty(mosquitto_client_id(client)),
            .username = text_or_empty(mosquitto_client_username(client)),
            .address = text_or_empty(mosquitto_client_address(client))};
}

int authenticate(Plugin& plugin, mosquitto* native) {
    // A thousand clients may shake hands in one turn of Mosquitto's loop, before the next tick:
    // what quoind says must not wait for them. Here, outside of Mosquitto's own walks over its
    // clients (a reload, a delivery), sessions may be closed.
    if (!plugin.reloading) plugin.feed.tick();
    const Client client = client_of(native);
    if (const auto sound = crypto::operational(); !sound) {
        plugin.guard.refuse(client, "", sound.error());
        return mosq::auth;
    }
    const std::unique_ptr<X509, FreeCertificate> shown(
        static_cast<X509*>(mosquitto_client_certificate(native)));
    if (!shown) {
        if (plugin.reloading && plugin.guard.keep_stored(client)) return mosq::success;
        plugin.guard.refuse(client, "", {Code::peer_unauthenticated, "it shows no certificate"});
        return mosq::auth;
    }
    const x509::Certificate certificate(shown.get());
    const std::string serial = certificate.serial_hex();
    const auto identity = certificate.identity();
    if (!identity) {
        plugin.guard.refuse(client, serial, identity.error());
        return mosq::auth;
    }
    const auto username =
        plugin.guard.connect(client, {*identity, serial, certificate.not_after_ms()});
    if (!username) return mosq::auth;
    return mosquitto_set_username(native, username->c_str());
}

int authorize(Plugin& plugin, const mosquitto_evt_acl_check& event) {
    if (!crypto::operational()) return mosq::acl_denied;
    if (event.access == MOSQ_ACL_UNSUBSCRIBE) return mosq::success;
    static_assert(MOSQ_ACL_READ == static_cast<int>(Access::read));
    static_assert(MOSQ_ACL_WRITE == static_cast<int>(Access::write));
    static_assert(MOSQ_ACL_SUBSCRIBE == static_cast<int>(Access::subscribe));
    const bool known = event.access == MOSQ_ACL_READ || event.access == MOSQ_ACL_WRITE ||
                       event.access == MOSQ_ACL_SUBSCRIBE;
    if (!known) return mosq::acl_denied;
    const std::string id = text_or_empty(mosquitto_client_id(event.client));
    return plugin.guard.may(event.client, id, static_cast<Access>(event.access), event.topic)
               ? mosq::success
               : mosq::acl_denied;
}

// The adapter that catches what libraries throw: nothing may unwind into Mosquitto.
template <class Work>
int guarded(int otherwise, const Work& work) noexcept {
    try {
        return work();
    } catch (const std::exception& error) {
        mosquitto_log_printf(mosq::error, "quoin: internal error: %s", error.what());
        return otherwise;
    }
}

int on_basic_auth(int, void* event, void* userdata) noexcept {
    return guarded(mosq::auth, [&] {
        return authenticate(*static_cast<Plugin*>(userdata),
                            static_cast<mosquitto_evt_basic_auth*>(event)->client);
    });
}

int on_acl_check(int, void* event, void* userdata) noexcept {
    return guarded(mosq::acl_denied, [&] {
        return authorize(*static_cast<Plugin*>(userdata),
                         *static_cast<mosquitto_evt_acl_check*>(event));
    });
}

int on_disconnect(int, void* event, void* userdata) noexcept {
    return guarded(mosq::success, [&] {
        static_cast<Plugin*>(userdata)->guard.left(
            static_cast<mosquitto_evt_disconnect*>(event)->client);
        return int{mosq::success};
    });
}

int on_reload(int, void*, void* userdata) noexcept {
    return guarded(mosq::success, [&] {
        auto& plugin = *static_cast<Plugin*>(userdata);
        plugin.reloading = true;
        const auto reloaded = plugin.trust.reload();
        if (!reloaded) write_log(Level::error, reloaded.error().message);
        return int{mosq::success};
    });
}

int on_tick(int, void*, void* userdata) noexcept {
    return guarded(mosq::success, [&] {
        auto& plugin = *static_cast<Plugin*>(userdata);
        plugin.reloading = false;
        plugin.feed.tick();
        plugin.guard.tick();
        return int{mosq::success};
    });
}

constexpr std::array<std::pair<int, MOSQ_FUNC_generic_callback>, 5> callbacks{
    {{MOSQ_EVT_BASIC_AUTH, on_basic_auth},
     {MOSQ_EVT_ACL_CHECK, on_acl_check},
     {MOSQ_EVT_DISCONNECT, on_disconnect},
     {MOSQ_EVT_RELOAD, on_reload},
     {MOSQ_EVT_TICK, on_tick}}};

int start(mosquitto_plugin_id_t* identifier, void** userdata, const mosquitto_opt* options,
          int count) {
    std::vector<std::pair<std::string_view, std::string_view>> given;
    given.reserve(static_cast<std::size_t>(std::max(count, 0)));
    for (int i = 0; i < count; ++i) given.emplace_back(options[i].key, options[i].value);
    auto parsed = parse_options(given);
    if (!parsed) {
        write_log(Level::error, parsed.error().message);
        return mosq::invalid;
    }
    // Once, here: the first use of the library's context loads our provider.
    const auto loaded = crypto::provider_is_loaded();
    if (!loaded) write_log(Level::warning, loaded.error().message);
    if (const auto sound = crypto::operational(); !sound) {
        write_log(Level::error, sound.error().message);
        return mosq::invalid;
    }
    write_log(Level::info, crypto::module_line());
    auto trust = Trust::load(parsed->trust);
    if (!trust) {
        write_log(Level::error, "plugin_opt_trust: " + trust.error().message);
        return mosq::invalid;
    }
    auto plugin = std::make_unique<Plugin>(*std::move(parsed), *std::move(trust));
    plugin->identifier = identifier;
    for (const auto& [event, callback] : callbacks) {
        const int answer =
            mosquitto_callback_register(identifier, event, callback, nullptr, plugin.get());
        if (answer != mosq::success) return answer;
    }
    *userdata = plugin.release();
    return mosq::success;
}

}  // namespace
}  // namespace quoin::broker

// Mosquitto declares these without noexcept, and clang wants the same here.
extern "C" int mosquitto_plugin_version(  // tidy: allow(extern-c-noexcept) Mosquitto's declaration
    int count, const int* versions) {
    for (int i = 0; i < count; ++i) {
        if (versions[i] == MOSQ_PLUGIN_VERSION) return MOSQ_PLUGIN_VERSION;
    }
    return -1;
}

extern "C" int mosquitto_plugin_init(  // tidy: allow(extern-c-noexcept) Mosquitto's declaration
    mosquitto_plugin_id_t* identifier, void** userdata, mosquitto_opt* options, int count) {
    return quoin::broker::guarded(quoin::broker::mosq::invalid, [&] {
        return quoin::broker::start(identifier, userdata, options, count);
    });
}

extern "C" int mosquitto_plugin_cleanup(  // tidy: allow(extern-c-noexcept) Mosquitto's declaration
    void* userdata, mosquitto_opt*, int) {
    const std::unique_ptr<quoin::broker::Plugin> plugin(
        static_cast<quoin::broker::Plugin*>(userdata));
    for (const auto& [event, callback] : quoin::broker::callbacks) {
        mosquitto_callback_unregister(plugin->identifier, event, callback, nullptr);
    }
    return quoin::broker::mosq::success;
}
