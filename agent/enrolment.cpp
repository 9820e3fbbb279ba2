#include "agent/enrolment.hpp"

#include <spdlog/spdlog.h>

#include "agent/succession.hpp"
#include "host/files/files.hpp"
#include "host/keys/open.hpp"
#include "host/keys/program_key.hpp"
#include "host/net/reach.hpp"

namespace quoin::agent {
namespace {

constexpr std::string_view plant_file_name = "plant.json";

void say_fallback(std::string_view from, std::string_view to, const Error& why) {
    spdlog::warn("key_fallback from={} to={} error=\"{}\": the new key is made there", from, to,
                 why.message);
}

void say_unreached(std::string_view store, const Error& why) {
    spdlog::warn("old_keys_stay store={} error=\"{}\": until the next renewal", store, why.message);
}

constexpr unsigned max_failures = 3;  // then it is asked for other keys

Result<std::string> digest_of(const crypto::PublicKey& key) {
    QUOIN_TRY(const crypto::ByteVector spki, key.spki_der());
    QUOIN_TRY(const crypto::Sha256Digest digest, crypto::sha256(spki));
    return crypto::to_hex(digest);
}

}  // namespace

Result<DeviceClass> class_of(const Config& config, const Birth& birth) {
    if (config.device_class) return *config.device_class;
    QUOIN_TRY(const crypto::PublicKey key, birth.chain.front().public_key());
    QUOIN_TRY(const crypto::Algorithm algorithm, key.algorithm());
    // Made in the factory, before anybody knew the suite of the plant.
    for (const tls::Suite suite : {tls::Suite::hybrid, tls::Suite::pure}) {
        if (algorithm == tls::info(suite).mcu) return DeviceClass::mcu;
    }
    return DeviceClass::mpu;
}

Result<Enrolment> Enrolment::move_to(tls::Suite suite) const {
    QUOIN_TRY(const auto offered, est_.ca_certificates());
    QUOIN_TRY(const x509::Certificate root, find_successor(offered, est_.anchors()));
    return Enrolment(config_, store_, est_, EstClient(config_.plant, suite, {root}), class_);
}

// A device that has moved does not come back: not before it has seen the way to the broker open.
Result<void> Enrolment::reach_broker(const PlantInfo& plant, const Identity& identity) const {
    QUOIN_TRY(const tls::Context context,
              tls::client_context(next_.suite(), next_.anchors(), &identity.session));
    return net::tls_reach(plant.broker_host, plant.broker_port, context.get());
}

Result<Outcome> Enrolment::enrol() {
    QUOIN_TRY(const Birth birth, store_.birth());
    QUOIN_TRY(const tls::Credentials credentials, store_.birth_credentials());
    return obtain(EstClient::Call::enroll, credentials, birth.device);
}

Result<Outcome> Enrolment::renew(const Identity& present) {
    return obtain(EstClient::Call::reenroll, present.session, present.device);
}

Result<std::string> Enrolment::asked_keys() const {
    if (!attempt_) return std::string();
    const Asked& asked = attempt_->asked;
    QUOIN_TRY(const crypto::PublicKey session, asked.session.public_key());
    QUOIN_TRY(std::string digests, digest_of(session));
    if (asked.attestation) {
        QUOIN_TRY(const std::string other, digest_of(asked.attestation->public_key()));
        digests += "," + other;
    }
    return digests;
}

// Keeps the keys of a request that may still be answered.
Result<Outcome> Enrolment::obtain(EstClient::Call call, const tls::Credentials& as,
                                  const std::string& device) {
    auto outcome = try_obtain(call, as, device);
    if (!attempt_) return outcome;
    if (outcome) {
        attempt_->failures = 0;
        if (std::holds_alternative<Enrolled>(*outcome)) attempt_.reset();
        return outcome;
    }
    // Refused keys stay refused; of other failures the keys may be the reason.
    const bool refused = outcome.error().code == Code::peer_forbidden;
    if (refused || ++attempt_->failures >= max_failures) forget_attempt();
    return outcome;
}

void Enrolment::forget_attempt() {
    attempt_.reset();
    const auto forgotten = store_.forget_asked();
    if (!forgotten) spdlog::warn("asked_keys_stay error=\"{}\"", forgotten.error().message);
}

Result<Outcome> Enrolment::try_obtain(EstClient::Call call, const tls::Credentials& as,
                                      const std::string& device) {
    if (!attempt_) {
        QUOIN_TRY(Asked asked, keys_to_ask_for(call, as, device));
        attempt_.emplace(Attempt{std::move(asked)});
    }
    QUOIN_TRY(auto asked, request(call, as, device));
    if (auto* pending = std::get_if<Pending>(&asked)) return *std::move(pending);
    Identity identity = std::get<Identity>(std::move(asked));
    // Tried before the switch: a certificate that does not work must not replace one that does.
    QUOIN_TRY(EstClient::InfoReply reply, next_.plant_info(identity.session));
    if (reply.info.suite != tls::info(next_.suite()).name) {
        return fail(Code::config_invalid, "suite is \"{}\", the plant's is \"{}\": set it in {}",
                    tls::info(next_.suite()).name, reply.info.suite,
                    (config_.home / config_file_name).string());
    }
    if (next_.suite() != est_.suite()) QUOIN_CHECK(reach_broker(reply.info, identity));
    QUOIN_CHECK(keep(reply));
    QUOIN_CHECK(store_.replace(identity));
    return Enrolled{std::move(identity), std::move(reply.info)};
}

// None, too, if they are of another suite, or of no use any more, which is told.
Result<std::optional<Asked>> Enrolment::asked_before() const {
    auto asked = store_.asked();
    if (asked && *asked && (*asked)->suite != next_.suite()) return std::nullopt;
    if (asked) return asked;
    const bool is_away = keys::cannot_be_reached(asked.error().code);
    if (is_away && config_.keys.fallbacks.empty()) return asked;
    spdlog::warn("asked_keys_dropped error=\"{}\": asking for others", asked.error().message);
    return std::nullopt;
}

Result<Asked> Enrolment::keys_to_ask_for(EstClient::Call call, const tls::Credentials& as,
                                         const std::string& device) const {
    QUOIN_TRY(auto before, asked_before());
    if (before) return *std::move(before);
    // Failed attempts have made keys that nobody uses. If one failed behind its switch on the
    // disk, the session still has the keys from before it.
    QUOIN_TRY(const auto on_disk, store_.certificates());
    if (call == EstClient::Call::enroll ||
        (on_disk && on_disk->session.serial_hex() == as.chain.front().serial_hex())) {
        QUOIN_CHECK(remove_keys_but(on_disk, device));
    }
    QUOIN_TRY(Asked asked, new_keys(as, device));
    QUOIN_CHECK(store_.keep(asked));
    return asked;
}

void Enrolment::remove_old_keys(const std::string& device) const {
    const auto removed = [&]() -> Result<void> {
        QUOIN_TRY(const auto asked, store_.asked());
        if (asked) return {};  // when it is answered
        QUOIN_TRY(const auto on_disk, store_.certificates());
        return remove_keys_but(on_disk, device);
    }();
    if (!removed) say_unreached(config_.keys.store, removed.error());
}

Result<void> Enrolment::remove_keys_but(const std::optional<Certificates>& kept,
                                        const std::string& device) const {
    std::optional<crypto::PublicKey> session;
    std::optional<crypto::PublicKey> attestation;
    if (kept) {
        QUOIN_TRY(session, kept->session.public_key());
    }
    if (kept && kept->attestation) {
        QUOIN_TRY(attestation, kept->attestation->public_key());
    }
    QUOIN_TRY(const std::string prefix, keys::program_key_prefix("session", device));
    QUOIN_CHECK(keys::remove_other_program_keys(config_.keys, prefix, session ? &*session : nullptr,
                                                say_unreached));
    return keys::AttestationKey::remove_others(
        config_.keys, device, attestation ? &*attestation : nullptr, say_unreached);
}

Result<bool> Enrolment::is_out_of_reach() const {
    if (config_.keys.fallbacks.empty()) return false;
    QUOIN_TRY(const auto files, store_.key_files());
    for (const std::filesystem::path& file : files) {
        QUOIN_TRY(const keys::KeyPlace place, keys::place_of_key(file));
        const auto reached = keys::residence_of(place);
        if (!reached && keys::cannot_be_reached(reached.error().code)) return true;
    }
    return false;
}

Result<Asked> Enrolment::new_keys(const tls::Credentials& as, const std::string& device) const {
    const bool mcu = class_ == DeviceClass::mcu;
    const tls::SuiteInfo& suite = tls::info(next_.suite());
    crypto::Algorithm algorithm = mcu ? suite.mcu : suite.mpu;
    // Who moves knows it by the suite: the plant would name that of the certificate that asks.
    if (next_.suite() == est_.suite()) {
        QUOIN_TRY(algorithm, est_.algorithm(as, algorithm));
    }
    QUOIN_TRY(const std::string prefix, keys::program_key_prefix("session", device));
    QUOIN_TRY(crypto::PrivateKey session,
              keys::make_program_key(config_.keys, prefix, algorithm, say_fallback));
    Asked asked{next_.suite(), std::move(session), std::nullopt};
    if (!mcu) {
        QUOIN_TRY(asked.attestation,
                  keys::AttestationKey::make(attestation_stores(config_), device, say_fallback));
    }
    return asked;
}

// Asks for all certificates before it waits for one: an operator approves them together.
Result<std::variant<Identity, Pending>> Enrolment::request(EstClient::Call call,
                                                           const tls::Credentials& as,
                                                           const std::string& device) const {
    const Asked& asked = attempt_->asked;
    QUOIN_TRY(const auto intermediates, est_.intermediates(next_.anchors()));
    QUOIN_TRY(const Answer session, est_.certificate(call, as, asked.session, device));
    std::optional<Answer> attestation;
    if (asked.attestation) {
        QUOIN_TRY(attestation, est_.certificate(call, as, *asked.attestation, device));
    }
    if (const auto* pending = std::get_if<Pending>(&session)) return *pending;
    const auto& leaf = std::get<x509::Certificate>(session);
    QUOIN_TRY(const x509::Identity named, check(leaf, intermediates, x509::Kind::device, device));
    Identity identity{device, named.site, {{leaf}, asked.session}, std::nullopt, {}};
    // While it is above what agent.toml says; there is no way back.
    if (next_.suite() > config_.suite) identity.standing = {next_.suite(), next_.anchors()};
    identity.session.chain.insert(identity.session.chain.end(), intermediates.begin(),
                                  intermediates.end());
    if (!attestation) return identity;
    if (const auto* pending = std::get_if<Pending>(&*attestation)) return *pending;
    const auto& attest = std::get<x509::Certificate>(*attestation);
    QUOIN_TRY(const x509::Identity attester,
              check(attest, intermediates, x509::Kind::attest, device));
    if (attester.site != named.site) {
        return fail(Code::peer_malformed, "the plant gave certificates of two sites: {} and {}",
                    named.site, attester.site);
    }
    QUOIN_TRY(const auto quote_key, attest.quote_key());
    if (quote_key != asked.attestation->quote_key()) {
        return fail(Code::peer_malformed,
                    "the plant's attestation certificate does not name this device's TPM");
    }
    identity.attestation = {attest, *asked.attestation};
    return identity;
}

Result<x509::Identity> Enrolment::check(const x509::Certificate& certificate,
                                        const std::vector<x509::Certificate>& intermediates,
                                        x509::Kind kind, const std::string& device) const {
    const auto purpose = kind == x509::Kind::device ? x509::Purpose::client : x509::Purpose::any;
    QUOIN_CHECK(x509::verify_chain(certificate, intermediates, next_.anchors(), purpose));
    QUOIN_TRY(x509::Identity named, certificate.identity());
    if (named.kind != kind || named.id != device) {
        return fail(Code::peer_malformed, "the plant gave a certificate that names {} to device {}",
                    x509::to_uri(named), device);
    }
    return named;
}

Result<void> Enrolment::keep(const EstClient::InfoReply& reply) const {
    return files::write_atomically(config_.home / plant_file_name, reply.json, 0600);
}

Result<PlantInfo> Enrolment::plant(const Identity& present) const {
    auto reply = est_.plant_info(present.session);
    if (reply) {
        QUOIN_CHECK(keep(*reply));
        return std::move(reply->info);
    }
    if (reply.error().code == Code::peer_forbidden) return std::unexpected(reply.error());
    const auto kept = files::read(config_.home / plant_file_name, max_plant_info_bytes);
    if (!kept) return std::unexpected(reply.error());
    QUOIN_TRY(PlantInfo before, parse_plant_info(*kept));
    // Of before a move, or behind one that a crash cut off.
    if (before.suite != tls::info(est_.suite()).name) return std::unexpected(reply.error());
    spdlog::warn("plant_away error=\"{}\": going on with what it said before",
                 reply.error().message);
    return before;
}

}  // namespace quoin::agent
