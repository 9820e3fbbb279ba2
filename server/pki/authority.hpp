// The issuing CA at work: who a client certificate names, new certificates, the revocation list.
//
// Files of the home (docs/spec/plant.md): reads pki/root.crt, pki/issuing.{crt,key},
// pki/makers/*.crt, services/*.crt, operator/*.crt; writes pki/crl.pem. Every certificate of the
// plant is in the table `certificates` before anybody has it: what is not there is not accepted.
// Errors: peer_unauthenticated, peer_forbidden for what a client shows; state_wrong when the
// device's state forbids; the store's. Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/feed/revocation.hpp"
#include "host/keys/choice.hpp"
#include "host/store/database.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"
#include "server/bus/bus.hpp"

namespace quoin::server {

struct AuthorityOptions {
    std::filesystem::path home;
    std::string site;
    std::chrono::seconds device_lifetime;
    std::chrono::seconds crl_lifetime;
    x509::Addresses addresses = {};  // in the certificates
    keys::Choice keys = {};
};

// A device of the inventory that has proven who it is, by its birth or by its operational
// certificate.
struct Enrolee {
    std::string device;
    std::string device_class;
    std::string state;
};

class Authority {
public:
    // Loads the CA, records the certificates that `pki init` made and publishes a fresh list.
    // Listens to certificates_revoked on `bus`. The references must outlive the authority.
    static Result<std::unique_ptr<Authority>> open(AuthorityOptions options,
                                                   store::Database& database, Bus& bus,
                                                   audit::Log& audit);

    const x509::Certificate& root() const { return root_; }
    const x509::Certificate& issuing() const { return issuing_; }
    // The plant's root and the makers' CAs: what a TLS server asks of its clients.
    std::vector<x509::Certificate> client_anchors() const;

    // Of a chain that TLS has verified, leaf first: whom the plant knows by it, now. Certificates
    // that are expired, revoked, unrecorded, of another site or of a maker are refused.
    Result<x509::Identity> authenticate(std::span<const x509::Certificate> chain);
    // The same for a birth certificate: it chains to a maker and is itself, bit by bit, in the
    // inventory.
    Result<Enrolee> authenticate_birth(std::span<const x509::Certificate> chain);
    Result<Enrolee> enrolee(const std::string& device);

    // Issues and records. `profile`: device or attest. `key_residence`: where the device says that
    // its key is; may be empty. state_wrong when the device may not have one now.
    Result<x509::Certificate> issue(const Enrolee& enrolee, x509::Profile profile,
                                    const x509::Request& request, bool renewal,
                                    const std::string& key_residence);

    // Leaves of services and operators, and the issuing CA, as they are in the home now.
    Result<void> record_home();

    // A statement of the plant, by the issuing CA. Thread-safe, and so is its use in a transaction.
    Result<feed::Seal> seal(Bytes message) const;

    std::string crl_pem() const;
    std::string crl_der() const;  // the same
    // To be called about once a second: issues the list again at half its life, or if that failed
    // before, and reads pki/makers anew. True: the makers changed.
    bool tick();

private:
    Authority(AuthorityOptions options, store::Database& database, Bus& bus, audit::Log& audit,
              x509::Certificate root, x509::Certificate issuing, crypto::PrivateKey key);
    Result<std::vector<x509::Certificate>> load_makers() const;
    Result<std::int64_t> revoked_ms(const std::string& serial, bool& recorded);
    Result<std::uint64_t> next_crl_number();
    Result<void> publish_crl();
    void try_publish_crl();

    AuthorityOptions options_;
    store::Database& database_;
    Bus& bus_;
    audit::Log& audit_;
    x509::Certificate root_;
    x509::Certificate issuing_;
    crypto::PrivateKey key_;
    std::mutex publishing_;     // one list at a time: numbers and files in the same order
    mutable std::mutex mutex_;  // what is below
    std::vector<x509::Certificate> makers_;
    std::string crl_pem_;
    std::string crl_der_;
    std::int64_t crl_due_ms_ = 0;
};

// True if a device in this state may get certificates.
bool may_enrol(std::string_view state);

}  // namespace quoin::server
