// The device's identities on disk.
//
//   birth.crt, birth.key            from the manufacturer (IDevID), for enrolment only
//   identity/current -> N           switched by one rename
//   identity/N/device.crt .key
//   identity/N/attest.crt .key      (mpu only)
//   identity/N/suite trust.crt      (after a migration: in place of suite and trust of agent.toml)
//   identity/asked/                 device.key attest.key suite: of a request without an answer yet
//
// A reader, and a start after a power cut, see the old identity or the new one, never a part; and
// the keys of a request whole, or none.
// Keys are encrypted under unlock.key (I11), or references to quoin-se. Threads: one at a time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/keys/attestation_key.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::agent {

struct AttestationKey {
    x509::Certificate certificate;
    keys::AttestationKey key;
};

// What the device holds a plant to: the roots that it has pinned, and the suite.
struct Standing {
    tls::Suite suite;
    std::vector<x509::Certificate> anchors;
};

// What the plant gave to the device.
struct Identity {
    std::string device;
    std::string site;
    tls::Credentials session;  // leaf + issuing
    std::optional<AttestationKey> attestation;
    // Of a device that has moved to a stronger suite than agent.toml says.
    std::optional<Standing> standing = {};

    const x509::Certificate& certificate() const { return session.chain.front(); }
};

// What a request is for: keys, and the suite of the plant that is asked.
struct Asked {
    tls::Suite suite;
    crypto::PrivateKey session;
    std::optional<keys::AttestationKey> attestation;
};

struct Certificates {
    x509::Certificate session;
    std::optional<x509::Certificate> attestation;
};

struct Birth {
    std::string device;  // the silicon id
    std::vector<x509::Certificate> chain;
};

class IdentityStore {
public:
    // Takes HOME/unlock.key, which must be there. `stores`: of attestation keys.
    static Result<IdentityStore> open(std::filesystem::path home,
                                      keys::AttestationStores stores = {});

    Result<Birth> birth() const;
    // With its key, which is read for an enrolment, and not kept.
    Result<tls::Credentials> birth_credentials() const;
    // None before the first enrolment.
    Result<std::optional<Identity>> current() const;
    // Of current(), also while its keys cannot be reached.
    Result<std::optional<Certificates>> certificates() const;
    Result<std::vector<std::filesystem::path>> key_files() const;
    // That of the identity on disk, if it has one.
    Result<std::optional<Standing>> standing() const;
    // Writes a folder of its own, then switches to it and removes the others, and what was asked.
    // Durable when it returns.
    Result<void> replace(const Identity& identity) const;

    // The keys of a request that has no answer, as far as known here. Durable when they return.
    Result<std::optional<Asked>> asked() const;
    Result<void> keep(const Asked& asked) const;
    Result<void> forget_asked() const;

private:
    IdentityStore(std::filesystem::path home, crypto::Passphrase unlock,
                  keys::AttestationStores stores)
        : home_(std::move(home)), unlock_(std::move(unlock)), stores_(std::move(stores)) {}
    Result<std::optional<std::filesystem::path>> current_folder() const;
    Result<Identity> load(const std::filesystem::path& folder) const;
    Result<keys::AttestationKey> load_attestation_key(const std::filesystem::path& file) const;
    Result<void> write(const Identity& identity, const std::filesystem::path& folder) const;
    Result<void> switch_to(const std::string& number) const;

    std::filesystem::path home_;
    crypto::Passphrase unlock_;
    keys::AttestationStores stores_;
};

}  // namespace quoin::agent
