// How a running plant follows the certificates of its services.
#include <spdlog/spdlog.h>

#include <array>

#include "host/tls/status.hpp"
#include "host/tls/suites.hpp"
#include "server/bus/clock.hpp"
#include "server/plant_process.hpp"

namespace quoin::server {

Result<void> renew_and_log(const std::filesystem::path& home) {
    return renew_services(
        home, {.on_fallback =
                   [](std::string_view from, std::string_view to, const Error& why) {
                       spdlog::warn("key_fallback from={} to={}: {}", from, to, why.message);
                   },
               .on_unreached =
                   [](std::string_view store, const Error& why) {
                       spdlog::warn("old keys stay in {} until the next renewal: {}", store,
                                    why.message);
                   }});
}

Result<const tls::Credentials*> PlantProcess::credentials(std::string_view service) const {
    const auto found = services_.credentials.find(service);
    if (found != services_.credentials.end()) return &found->second;
    return fail(Code::config_missing, "{}: has no {}.crt", (home_ / "services").string(), service);
}

Result<tls::Context> PlantProcess::client_context(std::string_view service) const {
    QUOIN_TRY(const auto* const own, credentials(service));
    const std::array anchors{authority_->root()};
    return tls::client_context(settings_.suite, anchors, tls::Server::broker, own);
}

Result<tls::Context> PlantProcess::server_context() const {
    QUOIN_TRY(const auto* const own, credentials("quoind"));
    std::vector<tls::ServerIdentity> identities{{settings_.suite, *own}};
    if (const NextPointer next = authority_->next()) {
        QUOIN_TRY(tls::Credentials second, credentials_of_next(*next, "quoind"));
        identities.push_back({next->profile.suite, std::move(second)});
    }
    // Who needs a certificate is decided for each request: cacerts must work without.
    QUOIN_TRY(tls::Context context,
              tls::server_context(identities, authority_->client_anchors(), false));
    QUOIN_CHECK(tls::staple(
        context.get(), tls::StapleFor([this](const X509* shown) { return ocsp_->staple(shown); })));
    return context;
}

Result<tls::Context> PlantProcess::siem_context() const {
    const SyslogSettings& siem = *settings_.syslog;
    QUOIN_TRY(const auto anchors, x509::Certificate::load(siem.trust));
    QUOIN_TRY(const auto* const own, credentials("audit"));
    // A client certificate of ours would be of a kind that a classical SIEM cannot read.
    return audit::siem_context(settings_.suite, siem.danger_classical_certificate, anchors,
                               siem.danger_classical_certificate ? nullptr : own);
}

// The one CA bundle that is not the plant's own.
void PlantProcess::follow_siem_trust() {
    if (!forwarder_) return;
    const auto text = files::read(settings_.syslog->trust);
    if (!text || *text == siem_trust_) return;
    siem_trust_ = *text;
    auto context = siem_context();
    if (context) {
        forwarder_->replace_tls(*std::move(context));
        spdlog::info("siem: {} is another one now", settings_.syslog->trust.string());
    } else {
        spdlog::error("siem: goes on as it is: {}", context.error().message);
    }
}

// Which generation we run on, so that no renewal takes its keys away (server/pki/renewal.cpp).
Result<void> PlantProcess::write_services() const {
    QUOIN_TRY(const auto* const quoind, credentials("quoind"));
    return files::write_atomically(home_ / "run" / "services",
                                   quoind->chain.front().serial_hex() + "\n", 0600);
}

// New ones, whoever made them; and new ones by ourselves when it is time.
void PlantProcess::follow_services() {
    const auto keep = [this](const Error& why) {
        if (why.message == services_trouble_) return;
        services_trouble_ = why.message;
        audit_->append(audit::Id::pki_services_kept, "", {{"reason", why.message}});
    };
    if (const auto outcome = renewal_.outcome(); outcome && !*outcome) keep(outcome->error());
    follow_siem_trust();
    if (look_at_services(home_) == services_.seen) {
        // Not before those that are there are taken: they may be what the last one has made.
        if (now_ms() >= services_.renewal_ms) renewal_.start();
        return;
    }
    auto set = load_services(home_, settings_.keys);
    if (!set && set.error().code == Code::state_stale) return;  // the next tick reads it whole
    const auto used = set ? use_services(*std::move(set)) : std::unexpected(set.error());
    if (!used) return keep(used.error());
    services_trouble_.clear();
    const x509::Certificate& quoind = services_.credentials.at("quoind").chain.front();
    audit_->append(
        audit::Id::pki_services_replaced, "",
        {{"quoind_serial", quoind.serial_hex()}, {"not_after_ms", quoind.not_after_ms()}});
}

// All, or none: everything that can fail comes first.
Result<void> PlantProcess::use_services(ServiceSet set) {
    std::swap(services_, set);
    const auto used = [this]() -> Result<void> {
        QUOIN_TRY(const auto* const log_signer, credentials("audit"));
        QUOIN_TRY(tls::Context https, server_context());
        tls::Context telemetry;
        tls::Context verifier;
        tls::Context siem;
        if (telemetry_) {
            QUOIN_TRY(telemetry, client_context("telemetry"));
        }
        if (verifier_) {
            QUOIN_TRY(verifier, client_context("verifier"));
        }
        if (forwarder_) {
            QUOIN_TRY(siem, siem_context());
        }
        QUOIN_CHECK(authority_->record_home());  // before anybody sees them
        QUOIN_TRY(const auto* const ra, credentials("ra"));
        QUOIN_CHECK(replace_responders());
        registration_->replace(*ra);
        QUOIN_CHECK(audit_->replace_key(log_signer->key));
        QUOIN_CHECK(write_services());
        https_->replace_tls(std::move(https));
        if (telemetry_) telemetry_->replace_tls(std::move(telemetry));
        if (verifier_) verifier_->replace_tls(std::move(verifier));
        if (forwarder_) forwarder_->replace_tls(std::move(siem));
        return {};
    }();
    if (!used) std::swap(services_, set);
    return used;
}

}  // namespace quoin::server
