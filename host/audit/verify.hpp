// Checks an audit log offline: every line, the chain, and the signatures of its checkpoints.
//
// What a good report says: the lines up to `covered_number` are those that the holder of the key
// wrote, in that order, none missing. Behind that they are chained, not signed. What it cannot say
// from the file alone: that the log was not cut back to an earlier checkpoint. Compare
// `last_number` with what a SIEM or an earlier check saw. How good the signatures are is how
// good the place of the key is (I6): `quoin audit verify` says where it is.
//
// Keys that were replaced: none signs again behind the next one, and nothing but the present key
// behind its first checkpoint, which vouches for all before it. So who has an earlier key must cut
// the log back to before that to write another tail, and then no checkpoint is the present key's
// (`by_present_key`). That is also how a log is between a renewal and the next start of quoind,
// which then signs it: from there on a tail forged before that start is not told from a right one.
//
// Threads: free functions. A log that is being written may be checked: its last line may be
// unfinished.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "host/audit/event.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"

namespace quoin::audit {

struct Problem {
    std::uint64_t line;  // 1, 2, 3 …
    std::string reason;
};

struct Report {
    std::uint64_t lines = 0;  // good ones, from the beginning
    std::uint64_t checkpoints = 0;
    std::uint64_t last_number = 0;
    std::uint64_t covered_number = 0;  // of the last good checkpoint
    std::string signer;                // key id of the last good checkpoint
    bool by_present_key = false;       // it is the present key
    std::int64_t first_ms = 0;
    std::int64_t last_ms = 0;
    std::size_t unfinished_bytes = 0;                  // behind the last whole line
    std::map<std::string_view, std::uint64_t> counts;  // by id, without checkpoints
    std::optional<Problem> problem;  // the first one; nothing behind it was looked at
};

// Checks lines one after another.
class ChainChecker {
public:
    // `earlier`: those that may have signed before the present one, in any order; the present one
    // among them is no earlier one.
    static Result<ChainChecker> make(std::span<const crypto::PublicKey> earlier,
                                     const crypto::PublicKey& present);
    // From the middle of a log: the first line given is taken as it is.
    void start_in_the_middle() { started_ = false; }
    // The event of the next line, or what is wrong with it; a wrong line changes nothing.
    Result<Event> check(std::string_view line);
    std::uint64_t number() const { return number_; }
    std::uint64_t covered_number() const { return covered_; }
    const crypto::Sha3_512Digest& head() const { return head_; }
    const std::string& signer() const { return signer_; }  // of the last checkpoint seen; or empty
    bool by_present_key() const { return signer_ == present_; }

private:
    Result<void> check_signature(const Line& line);

    std::map<std::string, crypto::PublicKey> keys_;
    std::string present_;
    std::string signer_;
    std::set<std::string> replaced_;
    bool started_ = true;
    std::uint64_t number_ = 0;
    std::uint64_t covered_ = 0;
    crypto::Sha3_512Digest head_{};
};

Result<Report> verify(const std::filesystem::path& file, std::span<const crypto::PublicKey> earlier,
                      const crypto::PublicKey& present);

}  // namespace quoin::audit
