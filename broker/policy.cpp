#include "broker/policy.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "broker/topic.hpp"

namespace quoin::broker {
namespace {

using feed::Grant;

enum class Role : std::uint8_t { device, telemetry, verifier };

// The services that have business on the broker.
constexpr std::array<std::pair<std::string_view, Role>, 2> services{
    {{"telemetry", Role::telemetry}, {"verifier", Role::verifier}}};

constexpr unsigned bit(Access access) { return static_cast<unsigned>(access); }
constexpr unsigned write = bit(Access::write);
constexpr unsigned read = bit(Access::read);
constexpr unsigned subscribe = bit(Access::subscribe);

struct Rule {
    Role role;
    Place place;
    unsigned access;
    Grant needed;  // of the device whose branch it is; none: whatever its state
};

constexpr std::array rules{
    Rule{Role::device, Place::telemetry, write, Grant::full},
    Rule{Role::device, Place::event, write, Grant::attest_only},
    Rule{Role::device, Place::evidence, write, Grant::attest_only},
    Rule{Role::device, Place::cmd, read | subscribe, Grant::attest_only},
    Rule{Role::device, Place::ack, read | subscribe, Grant::attest_only},
    Rule{Role::device, Place::challenge, read | subscribe, Grant::attest_only},
    Rule{Role::telemetry, Place::telemetry, read, Grant::full},
    Rule{Role::telemetry, Place::telemetry, subscribe, Grant::none},
    Rule{Role::telemetry, Place::ack, write, Grant::none},
    Rule{Role::verifier, Place::evidence, read, Grant::attest_only},
    Rule{Role::verifier, Place::event, read, Grant::attest_only},
    Rule{Role::verifier, Place::evidence, subscribe, Grant::none},
    Rule{Role::verifier, Place::event, subscribe, Grant::none},
    Rule{Role::verifier, Place::challenge, write, Grant::none},
    Rule{Role::verifier, Place::cmd, write, Grant::none},
    Rule{Role::verifier, Place::plant_event, write, Grant::none},
};

bool is_of_service(std::string_view client_id, std::string_view name) {
    if (!feed::is_service(client_id)) return false;
    client_id.remove_prefix(feed::service_prefix.size());
    if (!client_id.starts_with(name)) return false;
    client_id.remove_prefix(name.size());
    return client_id.empty() || client_id.front() == '-';
}

std::optional<Role> role_of(std::string_view client_id) {
    if (!feed::is_service(client_id)) {
        return x509::is_valid_id(client_id) ? std::optional(Role::device) : std::nullopt;
    }
    for (const auto& [name, role] : services) {
        if (is_of_service(client_id, name)) return role;
    }
    return std::nullopt;
}

Result<void> check_service(const StateTable& state, std::string_view client_id,
                           const Credential& credential) {
    const std::string& name = credential.identity.id;
    const bool known =
        std::ranges::any_of(services, [&](const auto& row) { return row.first == name; });
    if (!known) {
        return fail(Code::peer_forbidden, "service {} has no business on the broker", name);
    }
    if (!is_of_service(client_id, name)) {
        return fail(Code::peer_unauthenticated,
                    "client id \"{}\" is not service.{} or service.{}-SUFFIX", printable(client_id),
                    name, name);
    }
    return check_stay(state, subject_of(credential.identity), credential.serial);
}

Result<void> check_device(const StateTable& state, std::string_view client_id,
                          const Credential& credential) {
    const std::string& id = credential.identity.id;
    if (feed::is_service(id)) {
        return fail(Code::peer_forbidden, "device id {} is reserved for services", id);
    }
    if (client_id != id) {
        return fail(Code::peer_unauthenticated,
                    "client id \"{}\" is not {}, the device of its certificate",
                    printable(client_id), id);
    }
    return check_stay(state, id, credential.serial);
}

Result<void> check_kind(const x509::Identity& identity) {
    using x509::Kind;
    switch (identity.kind) {
        case Kind::device:
        case Kind::service:
            return {};
        case Kind::operator_:
            return fail(Code::peer_forbidden,
                        "operator {} belongs to the REST API, not to the broker", identity.id);
        case Kind::attest:
            return fail(Code::peer_forbidden, "the attestation key of {} is not for connections",
                        identity.id);
        case Kind::birth:
            return fail(Code::peer_forbidden, "{} shows its birth certificate: it must enrol first",
                        identity.id);
    }
    return fail(Code::peer_forbidden, "its certificate is of no kind that may connect");
}

}  // namespace

Result<void> check_connect(const StateTable& state, std::string_view client_id,
                           const Credential& credential, Now now) {
    const x509::Identity& identity = credential.identity;
    QUOIN_CHECK(check_kind(identity));
    if (identity.site != state.site()) {
        return fail(Code::peer_unauthenticated, "its certificate is of site {}, this is {}",
                    identity.site, state.site());
    }
    if (credential.not_after_ms <= now.utc_ms) {
        return fail(Code::peer_late, "certificate {} has expired: renew it", credential.serial);
    }
    if (!state.is_fresh(now)) {  // a service's certificate may have been revoked meanwhile, too
        return fail(Code::state_stale, "the state of the plant is not fresh: quoind is away");
    }
    if (identity.kind == x509::Kind::service) return check_service(state, client_id, credential);
    return check_device(state, client_id, credential);
}

Result<void> check_stay(const StateTable& state, std::string_view subject,
                        std::string_view serial) {
    const DeviceState* known = state.find(subject);
    const bool is_device = !feed::is_service(subject);
    if (is_device && known == nullptr) {
        return fail(Code::peer_forbidden, "device {} is unknown", subject);
    }
    if (is_device && known->grant == Grant::none) {
        return fail(Code::peer_forbidden, "device {} is {}{}{}", subject, known->state,
                    known->reason.empty() ? "" : ": ", known->reason);
    }
    if (known != nullptr && known->is_revoked(serial)) {
        return fail(Code::peer_forbidden, "certificate {} is revoked", serial);
    }
    return {};
}

bool may(const StateTable& state, std::string_view client_id, Access access, std::string_view topic,
         Now now) {
    const std::optional<Role> role = role_of(client_id);
    if (!role) return false;
    const Target target = target_of(state.site(), topic);
    if (target.place == Place::elsewhere) return false;
    // Wildcards are for filters; over devices, for services only.
    const bool wildcard = target.any_device || target.any_stream;
    if (wildcard && access != Access::subscribe) return false;
    if (*role == Role::device && target.device != client_id) return false;
    return std::ranges::any_of(rules, [&](const Rule& rule) {
        return rule.role == *role && rule.place == target.place &&
               (rule.access & bit(access)) != 0 &&
               (rule.needed == Grant::none || state.grant(target.device, now) >= rule.needed);
    });
}

std::string subject_of(const x509::Identity& identity) {
    const bool is_service = identity.kind == x509::Kind::service;
    return is_service ? std::string(feed::service_prefix) + identity.id : identity.id;
}

std::string printable(std::string_view text) {
    std::string shown(text.substr(0, 64));
    std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
    return shown;
}

}  // namespace quoin::broker
