// Errors of the freestanding core: a code, no string, no heap, no exceptions.
//
// Threads: plain values. Hosts add a sentence to the code: host/error.hpp.
#pragma once

#include <cstdint>
#include <expected>
#include <utility>

namespace quoin {

// What went wrong, in blocks by who is to blame (the high byte). The texts, log levels, HTTP
// statuses and exit codes of each block are in host/error.cpp.
enum class Code : std::uint16_t {
    // The peer: what came over a wire is wrong.
    peer_malformed = 0x0100,  // cannot be parsed
    peer_oversize,            // longer than the limit
    peer_unauthenticated,     // no proof of identity, or a wrong one
    peer_forbidden,           // identity proven, but this is not allowed to it
    peer_replayed,            // seen before
    peer_late,                // valid once, too old now
    peer_too_fast,            // over its rate
    // The input: what a person or a file gave.
    input_invalid = 0x0200,
    input_not_found,
    input_conflict,         // contradicts what is there already
    input_unsupported,      // well said, but this thing cannot do it
    input_unauthenticated,  // PIN, passphrase or authorisation: wrong, missing or locked out
    // The configuration.
    config_invalid = 0x0300,
    config_unknown_key,
    config_missing,
    // The state: right request, wrong time.
    state_wrong = 0x0400,
    state_stale,  // freshness unknown: the answer is no (I10)
    // Resources: disk, network, processes.
    resource_unavailable = 0x0500,
    resource_timeout,
    resource_full,
    // Integrity: what should be sound is not.
    integrity_mismatch = 0x0600,
    integrity_signature,
    // A bug of ours, or of a library.
    internal = 0x0700,
};

namespace core {

template <class T>
class [[nodiscard]] Result : public std::expected<T, Code> {
public:
    using std::expected<T, Code>::expected;
    void value() const = delete;  // it throws: QUOIN_TRY, or operator* after a check
};

}  // namespace core
}  // namespace quoin

#define QUOIN_CONCAT_INNER(a, b) a##b
#define QUOIN_CONCAT(a, b) QUOIN_CONCAT_INNER(a, b)

// QUOIN_TRY(auto value, expression): declares value, or returns the error of the expression.
#define QUOIN_TRY(declaration, ...)                                                    \
    auto&& QUOIN_CONCAT(quoin_try_, __LINE__) = (__VA_ARGS__);                         \
    if (!QUOIN_CONCAT(quoin_try_, __LINE__)) {                                         \
        return std::unexpected(std::move(QUOIN_CONCAT(quoin_try_, __LINE__)).error()); \
    }                                                                                  \
    declaration = *std::move(QUOIN_CONCAT(quoin_try_, __LINE__))

// QUOIN_CHECK(expression): returns the error of the expression, if there is one.
#define QUOIN_CHECK(...)                                             \
    do {                                                             \
        if (auto quoin_check_ = (__VA_ARGS__); !quoin_check_) {      \
            return std::unexpected(std::move(quoin_check_).error()); \
        }                                                            \
    } while (false)
