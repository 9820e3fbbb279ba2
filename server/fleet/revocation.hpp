// The rows of a revocation: what it ends, and the statements that say so. In the caller's
// transaction: all of it is done, or nothing.
//
// Errors: input_invalid, the store's, the signer's. Threads: the session's.
#pragma once

#include <soci/soci.h>

#include <string>
#include <string_view>
#include <vector>

#include "host/feed/revocation.hpp"
#include "server/bus/revocation.hpp"

namespace quoin::server {

// More than max_revoked_at_once devices, an id, a note or an actor out of bounds: input_invalid.
Result<void> check_request(const RevocationRequest& request);

// What it would end now; reads only.
Result<RevocationOutcome> find_endings(soci::session& session, const RevocationRequest& request,
                                       std::int64_t now_ms);

// What the device's row says from now on: "key_compromise: stolen from the van".
std::string revocation_text(const RevocationRequest& request);

// Ends what was found: devices, certificates, requests that wait.
Result<void> end_rows(soci::session& session, const RevocationRequest& request,
                      const RevocationOutcome& found, std::int64_t now_ms);

// Number and digest of the last statement; 0 and zeros: there is none.
struct LastStatement {
    std::uint64_t number = 0;
    crypto::Sha3_512Digest digest{};
};
Result<LastStatement> last_statement(soci::session& session);

// Signs and records statements, in their order; `request` says why and by whom.
Result<std::vector<feed::SealedStatement>> record_statements(
    soci::session& session, const RevocationRequest& request, std::vector<feed::Ending> endings,
    const std::string& site, const feed::Sign& sign, std::int64_t now_ms);

// The devices of an outcome, for statements.
std::vector<feed::Ending> endings_of(const RevocationOutcome& found);

// Ends certificates of a service or an operator: their serials.
std::vector<std::string> end_named_rows(soci::session& session, const NamedRevocation& request,
                                        std::int64_t now_ms);

// 'a','b',…: for IN (…). The ids are checked: no other text gets into a statement.
Result<std::string> id_list(const std::vector<std::string>& ids);

}  // namespace quoin::server
