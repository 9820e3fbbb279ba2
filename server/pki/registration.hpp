// The registration authority: decides who gets a certificate, and says so with its own key.
//
//   submit:  refused                    (no row)
//            pending --approve--> approved --(Authority::issue)--> issued
//               |                    ^
//               +--refuse--> refused |  by rule, at once
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
#include <memory>
#include <mutex>
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
    crypto::ByteVector approval = {};  // empty: an operator has not decided yet
};

class RegistrationAuthority {
public:
    // The references must outlive it.
    static Result<std::unique_ptr<RegistrationAuthority>> open(RegistrationOptions options,
                                                               store::Database& database,
                                                               audit::Log& audit);

    Result<Submitted> submit(const Submission& submission);
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
    Result<Row> insert(Row row, const Enrolee& enrolee);
    void tell(const Row& row);

    RegistrationOptions options_;
    store::Database& database_;
    store::GroupCommit commits_;  // of requests that come together
    audit::Log& audit_;
    mutable std::mutex mutex_;
    std::shared_ptr<const tls::Credentials> own_;  // under mutex_
    std::atomic<std::int64_t> next_number_ = 1;
};

}  // namespace quoin::server
