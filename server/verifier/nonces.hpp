// The verifier's nonces: it recognises its own, and knows how old each is, without keeping them.
//
//   nonce = issued_ms (8) | random (8) | first 16 bytes of SHA3-512(key | issued_ms | random |
//   device)
//
// The key is random and lives as long as this object. Source: docs/spec/evidence.md, "The
// challenge". Times are of one clock that never steps back (the caller's), in UTC milliseconds at
// the start. Threads: one owner.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>

#include "core/base/secret.hpp"
#include "host/attest/attest.hpp"

namespace quoin::verifier {

enum class NonceState : std::uint8_t {
    fresh,       // ours, unanswered, in time
    late,        // ours, unanswered, past its timeout; or of an earlier verifier (not ours, and not
                 // issued later than a minute after our start)
    superseded,  // as late, and a later one was answered: says nothing any more
    replayed,    // answered before, or never ours
};

// What has to be remembered for one device. Memory: at most `max_answered` numbers.
class NonceRecord {
public:
    static constexpr std::size_t max_answered = 32;
    // The device answered the nonce issued then (in time or not).
    void answered(std::int64_t issued_ms);
    // Nothing issued until now counts any more.
    void forget() { latest_answered_ms_ = last_issued_ms_; }

private:
    friend class Nonces;
    std::int64_t last_issued_ms_ = 0;
    std::int64_t latest_answered_ms_ = 0;
    std::deque<std::int64_t> answered_;  // the latest ones
};

class Nonces {
public:
    static Result<Nonces> make(std::int64_t now_ms);
    Result<attest::Nonce> issue(std::string_view device, NonceRecord& record,
                                std::int64_t now_ms) const;
    Result<NonceState> classify(std::string_view device, Bytes nonce, const NonceRecord& record,
                                std::int64_t now_ms, std::int64_t timeout_ms) const;

private:
    struct KeyTag;
    Nonces(core::Secret<KeyTag, 32> key, std::int64_t start_ms)
        : key_(std::move(key)), start_ms_(start_ms) {}
    Result<bool> is_ours(std::string_view device, Bytes nonce) const;
    Result<crypto::Sha3_512Digest> tag(std::string_view device, Bytes head) const;

    core::Secret<KeyTag, 32> key_;
    std::int64_t start_ms_;
};

// The first 8 bytes.
std::int64_t issued_ms_of(Bytes nonce);

}  // namespace quoin::verifier
