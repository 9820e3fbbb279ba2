// The catalogue of security events: every id that can be in an audit log, once.
//
// An id is component.subject.event. To add one, add one row; the enum, the names, the metrics and
// the checks follow. Ids are never renamed or reused: a SIEM's rules depend on them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quoin::audit {

// RFC 5424, section 6.2.1.
enum class Severity : std::uint8_t {
    emergency,
    alert,
    critical,
    error,
    warning,
    notice,
    info,
    debug
};

// ROW(component, subject, event, severity, meaning)
// clang-format off
#define QUOIN_AUDIT_CATALOGUE(ROW) \
    ROW(audit, log, created, notice, "a new audit log was begun") \
    ROW(audit, log, repaired, warning, "a line that a crash had cut short was removed from the end of the log") \
    ROW(audit, chain, checkpoint, info, "the log up to here was signed") \
    ROW(audit, events, lost, error, "events came faster than they could be written and were dropped") \
    ROW(audit, events, suppressed, warning, "repeated events of one kind and subject were counted, not written") \
    ROW(audit, siem, connected, info, "the connection to the SIEM is up") \
    ROW(audit, siem, disconnected, warning, "the connection to the SIEM was lost") \
    ROW(audit, siem, lost, error, "events were not forwarded: the backlog was longer than allowed") \
    ROW(quoind, process, started, notice, "quoind started") \
    ROW(quoind, process, stopped, notice, "quoind stopped") \
    ROW(pki, plant, initialised, notice, "the plant's certificate authorities were made") \
    ROW(pki, certificate, issued, notice, "a certificate was issued") \
    ROW(pki, certificate, renewed, info, "a certificate was renewed") \
    ROW(pki, services, replaced, notice, "the services use new certificates and keys") \
    ROW(pki, services, kept, error, "the services could not take new certificates and keep those they have") \
    ROW(pki, certificate, revoked, warning, "a certificate was revoked") \
    ROW(pki, issuing, rotated, notice, "the plant issues by a new issuing CA") \
    ROW(pki, issuing, retired, notice, "the key of an earlier issuing CA, whose certificates have expired, was destroyed") \
    ROW(pki, migration, begun, notice, "the plant migrates to a stronger suite") \
    ROW(pki, migration, moved, info, "a device has moved to the new suite") \
    ROW(pki, migration, aborted, warning, "the plant does not migrate any more, and stays as it was") \
    ROW(pki, migration, finished, notice, "the plant is of the new suite only; quoind starts again with it") \
    ROW(pki, enrolment, pending, notice, "a request for a certificate waits for an operator") \
    ROW(pki, enrolment, approved, notice, "the registration authority approved a request for a certificate") \
    ROW(pki, enrolment, refused, warning, "a request for a certificate was refused") \
    ROW(pki, crl, published, info, "a new revocation list was published") \
    ROW(pki, crl, failed, error, "a new revocation list could not be published") \
    ROW(pki, status, failed, error, "the status of a certificate could not be told (OCSP)") \
    ROW(fleet, device, imported, notice, "a device was added to the inventory") \
    ROW(fleet, device, released, notice, "a device may be attested again after quarantine") \
    ROW(fleet, device, revoked, warning, "a device was revoked") \
    ROW(fleet, device, readmitted, notice, "a revoked device may onboard again, with a new birth certificate") \
    ROW(fleet, batch, imported, notice, "a batch of devices was added to the inventory") \
    ROW(fleet, batch, refused, warning, "a batch of devices was refused as a whole") \
    ROW(fleet, state, changed, notice, "a device changed its state") \
    ROW(fleet, device, quarantined, critical, "a device was quarantined") \
    ROW(fleet, release, added, notice, "reference values of a firmware release were added") \
    ROW(fleet, release, refused, warning, "reference values of a firmware release were refused") \
    ROW(broker, link, established, notice, "the broker's plugin is connected and knows the state of every device") \
    ROW(broker, link, lost, error, "the connection to the broker's plugin was lost") \
    ROW(broker, link, refused, warning, "a connection to the socket of the broker's plugin was refused") \
    ROW(broker, state, applied, info, "the broker applied the new state of a device") \
    ROW(broker, session, opened, info, "a session was opened on the broker") \
    ROW(broker, session, closed, info, "a session on the broker ended") \
    ROW(broker, session, refused, warning, "a session was refused by the broker") \
    ROW(broker, session, isolated, critical, "the live session of a device was closed by policy") \
    ROW(broker, access, denied, warning, "a topic was denied to a session") \
    ROW(verifier, challenge, sent, debug, "a device was asked for evidence") \
    ROW(verifier, evidence, trusted, info, "the evidence of a device matches its reference values") \
    ROW(verifier, evidence, untrusted, critical, "the evidence of a device does not hold") \
    ROW(verifier, evidence, stale, warning, "a device gave no evidence in time") \
    ROW(verifier, evidence, rejected, warning, "evidence was rejected before it was appraised") \
    ROW(telemetry, sample, rejected, warning, "a malformed sample was rejected") \
    ROW(telemetry, samples, dropped, warning, "a device dropped samples from its full queue") \
    ROW(telemetry, samples, suspect, warning, "samples were marked suspect: their device is not trusted since") \
    ROW(telemetry, rate, exceeded, warning, "a device sent faster than its rate") \
    ROW(telemetry, store, failed, error, "samples could not be stored and will be sent again") \
    ROW(telemetry, store, recovered, notice, "samples are stored again") \
    ROW(device, event, reported, info, "a device reported an event") \
    ROW(device, event, rejected, warning, "a malformed event of a device was rejected") \
    ROW(api, access, refused, warning, "a call of the API was refused") \
    ROW(api, action, done, notice, "an operator changed something")
// clang-format on

#define QUOIN_AUDIT_ENUMERATOR(component, subject, event, severity, meaning) \
    component##_##subject##_##event,
enum class Id : std::uint8_t { QUOIN_AUDIT_CATALOGUE(QUOIN_AUDIT_ENUMERATOR) };
#undef QUOIN_AUDIT_ENUMERATOR

struct CatalogueRow {
    Id id;
    std::string_view name;  // "pki.certificate.issued", at most 32 bytes (RFC 5424, MSGID)
    Severity severity;
    std::string_view meaning;
};

#define QUOIN_AUDIT_ROW(component, subject, event, severity, meaning)                     \
    CatalogueRow{Id::component##_##subject##_##event, #component "." #subject "." #event, \
                 Severity::severity, meaning},
inline constexpr std::array catalogue{QUOIN_AUDIT_CATALOGUE(QUOIN_AUDIT_ROW)};
#undef QUOIN_AUDIT_ROW

constexpr const CatalogueRow& row(Id id) { return catalogue[static_cast<std::size_t>(id)]; }
std::optional<Id> id_by_name(std::string_view name);
std::string_view severity_name(Severity severity);

}  // namespace quoin::audit
