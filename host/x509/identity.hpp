// Who a certificate names: one URI in its subjectAltName. The site stands where a host does, so
// that name constraints (RFC 5280, section 4.2.1.10) hold a CA to its site.
//
//   quoin://SITE/device/ID            operational certificate of a device (LDevID)
//   quoin://SITE/attest/ID            attestation key of a device
//   quoin://SITE/service/NAME         quoind, telemetry, verifier, broker, audit, ra, ocsp
//   quoin://SITE/operator/ROLE/NAME   a person; ROLE is viewer, operator or admin
//   quoin://birth/device/SILICON_ID   birth certificate (IDevID), made by the manufacturer
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::x509 {

enum class Kind : std::uint8_t { device, attest, service, operator_, birth };
enum class Role : std::uint8_t { viewer, operator_, admin };

struct Identity {
    Kind kind;
    std::string site;          // empty for birth
    std::string id;            // device id, silicon id, service or operator name
    std::optional<Role> role;  // operators only
    bool operator==(const Identity&) const = default;
};

// I0: ASCII [A-Za-z0-9_.-], 1..128 bytes.
bool is_valid_id(std::string_view id);
Result<Identity> parse_identity(std::string_view uri);
std::string to_uri(const Identity& identity);
std::string_view role_name(Role role);
Result<Role> role_by_name(std::string_view name);

}  // namespace quoin::x509
