#include "server/schema.hpp"

#include <array>

namespace quoin::server {
namespace {

// Times are UTC milliseconds; digests and serials lower-case hex; JSON is text; DER is base64.
constexpr std::string_view version_1 = R"(
CREATE TABLE meta (name VARCHAR(64) PRIMARY KEY, number BIGINT NOT NULL);
CREATE TABLE devices (
    device_id VARCHAR(128) PRIMARY KEY,
    silicon_id VARCHAR(128) NOT NULL UNIQUE,
    class VARCHAR(8) NOT NULL,
    birth_cert_sha256 VARCHAR(64) NOT NULL UNIQUE,
    state VARCHAR(16) NOT NULL,
    reason VARCHAR(256) NOT NULL,
    release_version VARCHAR(64) NOT NULL,
    boot_counter BIGINT NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    verdict_reason VARCHAR(256) NOT NULL,
    verdict_level VARCHAR(32) NOT NULL,
    verdict_ms BIGINT NOT NULL,
    last_pass_ms BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL);
CREATE INDEX devices_state ON devices (state, device_id);
CREATE TABLE certificates (
    serial VARCHAR(40) PRIMARY KEY,
    kind VARCHAR(16) NOT NULL,
    subject_id VARCHAR(128) NOT NULL,
    not_before_ms BIGINT NOT NULL,
    not_after_ms BIGINT NOT NULL,
    revoked_ms BIGINT NOT NULL,
    sha3_512 VARCHAR(128) NOT NULL,
    der TEXT NOT NULL);
CREATE INDEX certificates_subject ON certificates (subject_id, kind);
CREATE INDEX certificates_revoked ON certificates (revoked_ms, not_after_ms);
CREATE TABLE releases (
    release_version VARCHAR(64) NOT NULL,
    class VARCHAR(8) NOT NULL,
    device_id VARCHAR(128) NOT NULL,
    name VARCHAR(64) NOT NULL,
    sha3_512 VARCHAR(128) NOT NULL,
    PRIMARY KEY (release_version, class, device_id, name));
CREATE TABLE verdicts (
    device_id VARCHAR(128) NOT NULL,
    at_ms BIGINT NOT NULL,
    number BIGINT NOT NULL,
    verdict VARCHAR(16) NOT NULL,
    reason VARCHAR(256) NOT NULL,
    level VARCHAR(32) NOT NULL,
    PRIMARY KEY (device_id, number));
CREATE INDEX verdicts_at ON verdicts (at_ms);
CREATE TABLE streams (
    stream_key BIGINT PRIMARY KEY,
    device_id VARCHAR(128) NOT NULL,
    stream VARCHAR(64) NOT NULL,
    contiguous BIGINT NOT NULL,
    UNIQUE (device_id, stream));
CREATE TABLE samples (
    stream_key BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    ts_ms BIGINT NOT NULL,
    stored_ms BIGINT NOT NULL,
    suspect SMALLINT NOT NULL,
    sample_values TEXT NOT NULL,
    PRIMARY KEY (stream_key, seq)) @WITHOUT_ROWID@;
)";

// Until when a device was not trusted; 0: it still is not. Few rows: those that ever were isolated.
constexpr std::string_view version_2 = R"(
CREATE TABLE distrust (
    device_id VARCHAR(128) PRIMARY KEY,
    until_ms BIGINT NOT NULL);
)";

// Of attestation certificates: SHA-256 of the TPM quote key that they name, in hex; empty: none.
constexpr std::string_view version_3 = R"(
ALTER TABLE certificates ADD COLUMN quote_key VARCHAR(64) NOT NULL DEFAULT '';
CREATE INDEX certificates_quote_key ON certificates (quote_key, subject_id);
)";

// What the device said of where the certificate's key is: host/keys/security_provider.hpp,
// residence_name(); "": nothing.
constexpr std::string_view version_4 = R"(
ALTER TABLE certificates ADD COLUMN key_residence VARCHAR(32) NOT NULL DEFAULT '';
)";

// Requests for certificates, as the registration authority deals with them; revocations, signed;
// how often a device was taken in.
//
//   enrolments.state        pending, approved, issued, refused
//   enrolments.key_sha256   of the request's SubjectPublicKeyInfo: it stays when a request is sent
//                           again
//   enrolments.approval     what the RA signed, base64; "" before
//   devices.epoch           how often it was taken in: 2 after it was revoked and came back
//   devices.foreign_client  1: no agent of ours, need not bind requests to the TLS channel
//   certificates.enrolment  the row that it was issued for; 0: none (made by a ceremony)
//   certificates.issuer     serial of the issuing CA's certificate; "": the first one
//   certificates.reason     CRLReason (RFC 5280, section 5.3.1) of a revoked one
//   revocations             host/feed/revocation.hpp: base64, and the serial of who signed it
//   births                  every birth certificate that was ever on the inventory: one serves one
//                           epoch of one device. key_sha256: of its SubjectPublicKeyInfo; "" until
//                           it was shown
//   moves                   who was on the broker with a certificate of the new suite's issuing CA,
//                           while the plant migrated
constexpr std::string_view version_5 = R"(
ALTER TABLE certificates ADD COLUMN enrolment BIGINT NOT NULL DEFAULT 0;
ALTER TABLE certificates ADD COLUMN issuer VARCHAR(40) NOT NULL DEFAULT '';
ALTER TABLE certificates ADD COLUMN reason SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN epoch BIGINT NOT NULL DEFAULT 1;
ALTER TABLE devices ADD COLUMN foreign_client SMALLINT NOT NULL DEFAULT 0;
CREATE TABLE enrolments (
    number BIGINT PRIMARY KEY,
    device_id VARCHAR(128) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    renewal SMALLINT NOT NULL,
    key_sha256 VARCHAR(64) NOT NULL,
    request TEXT NOT NULL,
    key_residence VARCHAR(32) NOT NULL,
    state VARCHAR(16) NOT NULL,
    created_ms BIGINT NOT NULL,
    decided_ms BIGINT NOT NULL,
    actor VARCHAR(128) NOT NULL,
    reason VARCHAR(256) NOT NULL,
    approval TEXT NOT NULL,
    serial VARCHAR(40) NOT NULL);
CREATE INDEX enrolments_state ON enrolments (state, number);
CREATE INDEX enrolments_device ON enrolments (device_id, key_sha256);
CREATE TABLE moves (
    device_id VARCHAR(128) NOT NULL,
    issuer VARCHAR(40) NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (device_id, issuer));
CREATE TABLE revocations (
    seq BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    statement TEXT NOT NULL,
    signature TEXT NOT NULL,
    issuer VARCHAR(40) NOT NULL);
CREATE TABLE births (
    birth_cert_sha256 VARCHAR(64) PRIMARY KEY,
    device_id VARCHAR(128) NOT NULL,
    epoch BIGINT NOT NULL,
    key_sha256 VARCHAR(64) NOT NULL);
CREATE INDEX births_key ON births (key_sha256);
INSERT INTO births SELECT birth_cert_sha256, device_id, 1, '' FROM devices;
)";

// Of revoked ones only: SQLite took the whole index for a device's certificates that are not.
constexpr std::string_view version_6 = R"(
DROP INDEX certificates_revoked;
CREATE INDEX certificates_revoked ON certificates (revoked_ms, not_after_ms) WHERE revoked_ms > 0;
)";

constexpr std::array all{store::Migration{.version = 1, .sql = version_1},
                         store::Migration{.version = 2, .sql = version_2},
                         store::Migration{.version = 3, .sql = version_3},
                         store::Migration{.version = 4, .sql = version_4},
                         store::Migration{.version = 5, .sql = version_5},
                         store::Migration{.version = 6, .sql = version_6}};

}  // namespace

std::span<const store::Migration> migrations() { return all; }

}  // namespace quoin::server
