#include <nlohmann/json.hpp>

#include <algorithm>

#include "host/attest/attest.hpp"

namespace quoin::attest {
namespace {

using Json = nlohmann::json;

// Parses into the three fields and refuses anything else, repeated keys included (a DOM would keep
// the last of them silently).
class ChallengeSax : public nlohmann::json_sax<Json> {
public:
    Challenge challenge;
    std::string problem;  // empty: none

    bool start_object(std::size_t) override { return depth_++ == 0 || refuse("nested object"); }
    bool end_object() override { return true; }
    bool key(string_t& name) override {
        key_ = name;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (keys[i] != key_) continue;
            if (seen_[i]) return refuse("repeated");
            seen_[i] = true;
            return true;
        }
        return refuse("unknown key");
    }
    bool string(string_t& text) override {
        if (key_ != "nonce") return refuse("must be a number");
        const auto bytes = crypto::from_hex(text);
        if (!bytes || bytes->size() != challenge.nonce.size())
            return refuse("must be 64 hex digits");
        std::ranges::copy(*bytes, challenge.nonce.begin());
        return true;
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (key_ == "issued_ms" && value <= evidence::max_counter) {
            challenge.issued_ms = static_cast<std::int64_t>(value);
            return true;
        }
        if (key_ == "timeout_ms" && value >= 1 && value <= std::uint64_t{max_timeout_ms}) {
            challenge.timeout_ms = static_cast<std::int64_t>(value);
            return true;
        }
        return refuse("out of range");
    }
    bool null() override { return refuse("wrong type"); }
    bool boolean(bool) override { return refuse("wrong type"); }
    bool number_integer(number_integer_t) override { return refuse("out of range"); }
    bool number_float(number_float_t, const string_t&) override { return refuse("not an integer"); }
    bool binary(binary_t&) override { return refuse("wrong type"); }
    bool start_array(std::size_t) override { return refuse("wrong type"); }
    bool end_array() override { return false; }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        if (problem.empty()) problem = fmt::format("not JSON at byte {}", position);
        return false;
    }
    bool complete() const {
        return std::ranges::all_of(seen_, [](bool seen) { return seen; });
    }

private:
    static constexpr std::array<std::string_view, 3> keys{"nonce", "issued_ms", "timeout_ms"};

    bool refuse(std::string_view what) {
        problem =
            key_.empty() ? std::string(what) : fmt::format("{}: {}", key_.substr(0, 32), what);
        return false;
    }
    std::string key_;
    std::array<bool, 3> seen_{};
    int depth_ = 0;
};

}  // namespace

std::string encode_challenge(const Challenge& challenge) {
    return fmt::format(R"({{"nonce":"{}","issued_ms":{},"timeout_ms":{}}})",
                       crypto::to_hex(challenge.nonce), challenge.issued_ms, challenge.timeout_ms);
}

Result<Challenge> decode_challenge(std::string_view json) {
    if (json.size() > max_challenge_size) {
        return fail(Code::peer_oversize, "challenge of {} bytes: the limit is {}", json.size(),
                    max_challenge_size);
    }
    ChallengeSax sax;
    const bool parsed = Json::sax_parse(json, &sax);
    if (!parsed || !sax.problem.empty()) {
        return fail(Code::peer_malformed, "challenge: {}", sax.problem);
    }
    if (!sax.complete()) {
        return fail(Code::peer_malformed,
                    "challenge: nonce, issued_ms and timeout_ms are all needed");
    }
    return sax.challenge;
}

}  // namespace quoin::attest
