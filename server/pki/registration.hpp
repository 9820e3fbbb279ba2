// The registration authority: decides who gets a certificate, and says so with its own key.
//
//   submit:  refused  (no row)
//            issued   (approved by rule: the approval and the certificate in one transaction)
//            pending --approve--> approved --submit--> issued
//               |                    |
//               +-------refuse-------+--> refused
//
// Each request of a device is checked against the inventory and the policy, and is one row of
// `enrolments`, found again by its key: a device that asks again with the same key gets the same
// answer. The CA issues only what an approval says (approval.hpp). Files of the home: reads
// services/ra.{crt,key}.
//
// Errors: peer_forbidden for what a device may not have; state_wrong for a decision that is taken;
// input_not_found; the store's. Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "host/audit/audit.hpp"
#include "host/keys/choice.hpp"
#include "host/store/database.hpp"
#include "host/store/group_commit.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"
#include "server/config/settings.hpp"
#include "server/pki/approval.hpp"
#include "server/pki/enrolee.hpp"

namespace quoin::server {

struct RegistrationOptions {
    std::filesystem::path home;
    std::string site;
    RaSettings policy = {};
    keys::Choice keys = {};
};

// What a device that has proven who it is asks for.
struct Submission {
    Enrolee enrolee;
    x509::Profile profile;  // device or attest
    x509::Request request;
    bool renewal = false;  // it came with its operational certificate
    std::string key_residence = {};
};

struct Submitted {
    std::int64_t number = 0;
    std::optional<x509::Certificate> certificate = {};  // none: an operator has not decided yet
};

// The CA: Authority::issue().
using Issue = std::function<Result<x509::Certificate>(Bytes approval, const x509::Request& request,
                                                      const Recording& recording)>;

class RegistrationAuthority {
public:
    // The references must outlive it.
    static Result<std::unique_ptr<RegistrationAuthority>> open(RegistrationOptions options,
                                                               store::Database& database,
                                                               audit::Log& audit);

    // What is approved, `issue` issues; its errors are returned, too.
    Result<Submitted> submit(const Submission& submission, const Issue& issue);
    // Once is enough: a second time it succeeds and does nothing.
    Result<void> approve(std::int64_t number, std::string_view actor);
    Result<void> refuse(std::int64_t number, std::string_view reason, std::string_view actor);
    // Renewed: approvals from now on are signed with this.
    void replace(tls::Credentials own);

private:
    struct Row;
    RegistrationAuthority(RegistrationOptions options, store::Database& database, audit::Log& audit,
                          tls::Credentials own);
    std::shared_ptr<const tls::Credentials> own() const;
    Result<Row> row_of(const Submission& submission);
    Result<Rule> rule_for(const Row& row, std::string& name);
    Result<crypto::ByteVector> sign(const Row& row, const Enrolee& enrolee) const;
    Result<Submitted> submit_once(const Submission& submission, const Issue& issue);
    void tell(const Row& row);

    RegistrationOptions options_;
    store::Database& database_;
    store::GroupCommit commits_;  // of requests that wait, and come together
    audit::Log& audit_;
    mutable std::mutex mutex_;
    std::shared_ptr<const tls::Credentials> own_;  // under mutex_
    std::atomic<std::int64_t> next_number_ = 1;
};

}  // namespace quoin::server
