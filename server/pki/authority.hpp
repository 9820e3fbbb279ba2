// The issuing CA at work: who a client certificate names, new certificates, the revocation list.
//
// Files of the home (docs/spec/plant.md): reads pki/root.crt, pki/issuing.{crt,key},
// pki/earlier, pki/makers/*.crt, services/*.crt, operator/*.crt; writes pki/crl.pem. Every
// certificate of the plant is in the table `certificates` before anybody has it: what is not there
// is not accepted. Errors: peer_unauthenticated, peer_forbidden for what a client shows;
// state_wrong when the device's state forbids; the store's. Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/feed/revocation.hpp"
#include "host/keys/choice.hpp"
#include "host/store/database.hpp"
#include "host/store/group_commit.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"
#include "server/bus/bus.hpp"
#include "server/pki/approval.hpp"
#include "server/pki/enrolee.hpp"
#include "server/pki/issuers.hpp"
#include "server/pki/next_hierarchy.hpp"

namespace quoin::server {

struct AuthorityOptions {
    std::filesystem::path home;
    std::string site;
    std::chrono::seconds device_lifetime;
    std::chrono::seconds crl_lifetime;
    std::string status_url = {};  // in the certificates: status_addresses()
    keys::Choice keys = {};
    tls::Suite suite = tls::Suite::hybrid;  // the plant's
};

class Authority {
public:
    // Loads the CA, records the certificates that `pki init` made and publishes a fresh list.
    // The references must outlive the authority.
    static Result<std::unique_ptr<Authority>> open(AuthorityOptions options,
                                                   store::Database& database, Bus& bus,
                                                   audit::Log& audit);

    const x509::Certificate& root() const { return root_; }
    // The issuing CAs of the root now.
    IssuersPointer issuers() const;
    x509::Certificate issuing() const { return issuers()->present->certificate; }
    // Whether a chain that TLS has verified is of an earlier issuing CA that devices are to leave.
    bool must_renew(std::span<const x509::Certificate> chain) const;
    // All that may have certificates out: the present one first, that of the second hierarchy last.
    std::vector<IssuerPointer> all_issuers() const;
    // The second hierarchy while the plant migrates; null: none.
    NextPointer next() const;
    // Whether a chain that TLS has verified is of the second hierarchy, which it may be.
    Result<bool> is_of_next(std::span<const x509::Certificate> chain) const;
    // Roots and the CAs that issue, and while the plant migrates NewWithOld (RFC 7030,
    // section 4.1.3; why no OldWithNew: host/x509/cross.hpp).
    std::vector<x509::Certificate> ca_certificates() const;
    // The plant's root (roots) and the makers' CAs: what a TLS server asks of its clients.
    std::vector<x509::Certificate> client_anchors() const;

    // Of a chain that TLS has verified, leaf first: whom the plant knows by it, now. Certificates
    // that are expired, revoked, unrecorded, of another site or of a maker are refused.
    Result<x509::Identity> authenticate(std::span<const x509::Certificate> chain);
    // The same for a birth certificate: it chains to a maker and is itself, bit by bit, in the
    // inventory.
    Result<Enrolee> authenticate_birth(std::span<const x509::Certificate> chain);
    Result<Enrolee> enrolee(const std::string& device);

    // What the registration authority approved, for the request that it approved; records the
    // certificate and marks the approval as used, in one transaction. A used approval gives the
    // certificate that was issued for it, while that is good. `approval`: approval.hpp.
    // integrity_mismatch: no approval of this plant's RA; peer_forbidden: not of this request;
    // state_wrong: not one that holds now; and the errors of `recording`.
    Result<x509::Certificate> issue(Bytes approval, const x509::Request& request,
                                    const Recording& recording = {});

    // Leaves of services and operators, and the issuing CA, as they are in the home now.
    Result<void> record_home();

    // A statement of the plant, by the present issuing CA. Thread-safe, and so is its use in a
    // transaction.
    Result<feed::Seal> seal(Bytes message) const;

    // From now on at once; before, with the next lists. A list takes a while to make: to be called
    // when all who must hear of a revocation first listen to the bus.
    void list_revocations();
    std::string crl_pem() const;  // of all issuers, one after the other
    // Of the issuer with this serial; empty: there is none.
    std::string crl_der(const std::string& issuer) const;
    // To be called about once a second: issues the lists again at half their life, or if that
    // failed before, and reads the issuing CAs, pki/makers and next/ anew. True: one of them
    // changed. Destroys the key of an earlier issuing CA that has no certificate left.
    bool tick();

private:
    Authority(AuthorityOptions options, store::Database& database, Bus& bus, audit::Log& audit,
              x509::Certificate root, IssuersPointer issuers);
    Result<std::vector<x509::Certificate>> load_makers() const;
    // Approvals that the RA has signed, and what became of them: issue.cpp.
    class Approved;
    Result<Approved> verify_approval(Bytes approval);
    Result<crypto::PublicKey> registration_key(const std::string& serial);
    struct Signed;
    Result<Signed> sign(const Approved& approved, const x509::Request& request);
    Result<std::optional<x509::Certificate>> issued_before(soci::session& session,
                                                           const Approved& approved) const;
    Result<std::string> record_issued(soci::session& session, const Approved& approved,
                                      const Signed& made);

    Result<std::optional<std::int64_t>> revoked_ms(const x509::Certificate& leaf);
    Result<IssuerPointer> issuer_for(const std::string& device, x509::Profile profile,
                                     const x509::Request& request);
    void note_move(const std::string& device, const std::string& serial);
    Result<std::uint64_t> next_crl_number();
    Result<std::vector<x509::Revoked>> revoked_of(const x509::Certificate& issuer,
                                                  std::int64_t oldest_ms);
    Result<void> publish_crl();
    void try_publish_crl();
    bool load_next_again();
    bool load_issuers_again();
    bool load_makers_again();
    Result<void> name_issuers();
    Result<bool> has_certificates(const x509::Certificate& issuer);
    void retire_earlier();

    AuthorityOptions options_;
    store::Database& database_;
    store::GroupCommit commits_;  // of certificates that are issued together
    Bus& bus_;
    audit::Log& audit_;
    x509::Certificate root_;
    std::mutex publishing_;     // one list at a time: numbers and files in the same order
    mutable std::mutex mutex_;  // what is below
    std::vector<x509::Certificate> makers_;
    IssuersPointer issuers_;
    NextPointer next_;
    std::string crl_pem_;
    std::map<std::string, std::string> crl_ders_;  // by the issuer's serial
    std::int64_t crl_due_ms_ = 0;
    std::optional<x509::Certificate> ra_;  // the last whose chain was verified
};

}  // namespace quoin::server
