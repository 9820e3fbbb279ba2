// One event of the audit log, and its line in the file.
//
// A line is one JSON object in exactly one form (fixed order of keys, no spaces, ASCII):
//   {"number":7,"time_ms":1700000000000,"id":"pki.certificate.issued","severity":5,"subject":"mpu-1",
//    "detail":{"serial":"0a1b"},"prev":"<128 hex: SHA3-512 of the line before, without its
//    newline>"}
// A checkpoint's detail is {"key":"<SHA-256 of the signer's SPKI>","signature":"<base64,
// ML-DSA-65>"}.
//
// Threads: plain values.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/audit/catalogue.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"

namespace quoin::audit {

inline constexpr std::size_t max_line_bytes = 16 * 1024;  // without the newline
inline constexpr std::size_t max_details = 12;
inline constexpr std::size_t max_text_bytes = 512;  // of one value; longer text is cut and marked
inline constexpr std::size_t max_escaped_bytes = 1000;            // of the same, in the line
inline constexpr std::int64_t max_time_ms = 253'402'300'799'999;  // the end of the year 9999
inline constexpr std::string_view checkpoint_context = "quoin-audit-v1";

// A text, a whole number or a truth value. Text may be anything a peer sent: it is escaped and cut.
class Value {
public:
    Value(std::string text) : value_(std::move(text)) {}
    Value(std::string_view text) : value_(std::string(text)) {}
    Value(const char* text) : value_(std::string(text)) {}
    Value(std::same_as<bool> auto truth) : value_(truth) {}
    template <std::integral Number>
        requires(!std::same_as<Number, bool>)
    Value(Number number) {
        if (std::in_range<std::int64_t>(number))
            value_ = static_cast<std::int64_t>(number);
        else
            value_ = std::to_string(number);
    }
    const std::variant<std::string, std::int64_t, bool>& get() const { return value_; }

private:
    std::variant<std::string, std::int64_t, bool> value_;
};

// The name of a detail: a literal, [a-z][a-z0-9_]{0,31}, checked when it is compiled.
class Key {
public:
    consteval Key(const char* text) : text_(text) {
        if (!is_valid(text_)) a_key_is_a_letter_then_letters_digits_and_underscores();
    }
    constexpr std::string_view text() const { return text_; }
    static constexpr bool is_valid(std::string_view text) {
        if (text.empty() || text.size() > 32 || text[0] < 'a' || text[0] > 'z') return false;
        for (const char c : text) {
            if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
        }
        return true;
    }

private:
    // Never defined: to reach it ends the compilation.
    static void a_key_is_a_letter_then_letters_digits_and_underscores();
    std::string_view text_;
};

// {{"serial", serial}, {"days", 30}}; at most max_details, the rest is left out.
struct Entry {
    Key key;
    Value value;
};
using Detail = std::vector<Entry>;

struct Event {
    std::uint64_t number = 0;  // 1, 2, 3 … without gaps
    std::int64_t time_ms = 0;  // UTC
    Id id{};
    Severity severity = Severity::info;  // as the catalogue had it when the event was written
    std::string subject{};               // device id, or empty
    std::string detail = "{}";           // a flat JSON object
};

struct Line {
    Event event;
    crypto::Sha3_512Digest previous{};
};

std::string encode_detail(const Detail& detail);
// Without the newline.
std::string encode(const Line& line);
// Only what encode() would have written is taken: one event has one line.
Result<Line> decode(std::string_view line);
// The event as an object for people and the REST API: without the chain.
std::string to_json(const Event& event);

// What the signature of the checkpoint with this number covers.
std::string checkpoint_message(std::uint64_t number, std::int64_t time_ms,
                               const crypto::Sha3_512Digest& previous);
std::string checkpoint_detail(std::string_view key_id, Bytes signature);
struct Checkpoint {
    std::string key_id;
    crypto::ByteVector signature;
};
Result<Checkpoint> checkpoint_of(const Event& event);
// SHA-256 of the public key's SubjectPublicKeyInfo, in hex.
Result<std::string> key_id(const crypto::PublicKey& key);

}  // namespace quoin::audit
