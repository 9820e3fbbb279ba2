#include "host/feed/feed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace quoin::feed {
namespace {

using testing::HasSubstr;

constexpr std::string_view id_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

std::string_view without_newline(std::string_view line) {
    EXPECT_TRUE(line.ends_with('\n'));
    line.remove_suffix(1);
    EXPECT_EQ(line.find('\n'), std::string_view::npos);
    return line;
}

rc::Gen<std::string> any_id() {
    return rc::gen::resize(128, rc::gen::nonEmpty(rc::gen::container<std::string>(
                                    rc::gen::elementOf(std::string(id_alphabet)))));
}

rc::Gen<std::string> any_serial() {
    const auto byte = rc::gen::map(rc::gen::inRange(0, 256),
                                   [](int value) { return fmt::format("{:02x}", value); });
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(16, byte), [](auto bytes) {
        std::string all;
        for (const auto& item : bytes) all += item;
        return all;
    });
}

// ASCII of every kind, control characters too: the codec must escape them.
rc::Gen<std::string> any_text() {
    return rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
}

void expect_refused(std::string_view line, std::string_view field) {
    const auto decoded = decode_to_plugin(line);
    ASSERT_FALSE(decoded) << line;
    EXPECT_EQ(decoded.error().code, Code::peer_malformed);
    EXPECT_THAT(decoded.error().message, HasSubstr(field));
}

TEST(feed, device__any_values__round_trip) {
    EXPECT_TRUE(rc::check([] {
        const Device device{*rc::gen::arbitrary<std::uint64_t>(),
                            *any_id(),
                            *rc::gen::inRange<std::uint64_t>(1, 1'000'000),
                            *rc::gen::element(Grant::none, Grant::attest_only, Grant::full),
                            *any_text(),
                            *any_text(),
                            *rc::gen::container<std::vector<std::string>>(any_serial())};
        const auto decoded = decode_to_plugin(without_newline(encode(ToPlugin{device})));
        RC_ASSERT(decoded.has_value());
        const auto& read = std::get<Device>(*decoded);
        RC_ASSERT(read.seq == device.seq && read.id == device.id && read.grant == device.grant);
        RC_ASSERT(read.epoch == device.epoch);
        RC_ASSERT(read.state == device.state && read.reason == device.reason);
        RC_ASSERT(read.revoked == device.revoked);
    }));
}

TEST(feed, reports__any_values__round_trip) {
    EXPECT_TRUE(rc::check([] {
        const Applied applied{*rc::gen::arbitrary<std::uint64_t>(), *any_id(),
                              *rc::gen::arbitrary<bool>(), *rc::gen::positive<std::int64_t>()};
        const auto decoded = decode_from_plugin(without_newline(encode(FromPlugin{applied})));
        RC_ASSERT(decoded.has_value());
        const auto& read = std::get<Applied>(*decoded);
        RC_ASSERT(read.seq == applied.seq && read.id == applied.id);
        RC_ASSERT(read.closed == applied.closed && read.at_ms == applied.at_ms);

        const Refused refused{*any_id(), *any_text(), *any_text(), *any_serial()};
        const auto second = decode_from_plugin(without_newline(encode(FromPlugin{refused})));
        RC_ASSERT(second.has_value());
        const auto& answer = std::get<Refused>(*second);
        RC_ASSERT(answer.id == refused.id && answer.why == refused.why);
        RC_ASSERT(answer.peer == refused.peer && answer.serial == refused.serial);
    }));
}

TEST(feed, every_kind__round_trips_as_its_own_kind) {
    const std::vector<ToPlugin> down{
        Hello{"plant-1", 7, 30000, {1, 2}}, Device{1, "a", 1, Grant::full, "active", "", {}},
        Revocation{2, {1}, {2, 3}}, SnapshotEnd{1, 1, {4}, {5}}, Heartbeat{1}};
    for (const ToPlugin& message : down) {
        const auto decoded = decode_to_plugin(without_newline(encode(message)));
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(decoded->index(), message.index());
        EXPECT_EQ(encode(*decoded), encode(message));
    }
    const std::vector<FromPlugin> up{PluginHello{42, {7}},        Sessions{{"a", "b"}},
                                     Applied{3, "a", true, 5},    Refused{"", "no", "::1", ""},
                                     Connected{"a", "0a", "::1"}, Disconnected{"a", "bye"},
                                     Denied{"a", "write", "x/y"}};
    for (const FromPlugin& message : up) {
        const auto decoded = decode_from_plugin(without_newline(encode(message)));
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(decoded->index(), message.index());
        EXPECT_EQ(encode(*decoded), encode(message));
    }
}

TEST(feed, topic__not_utf8__is_replaced_never_thrown) {
    const auto line = encode(FromPlugin{Denied{"a", "write", "\xff\xfe"}});
    EXPECT_TRUE(decode_from_plugin(without_newline(line)));
}

TEST(feed, not_an_object__is_refused) {
    for (const auto* line : {"", "[]", "7", "null", "{", "{\"type\":", "\"hello\"", "{}x"}) {
        const auto decoded = decode_to_plugin(line);
        ASSERT_FALSE(decoded) << line;
        EXPECT_EQ(decoded.error().code, Code::peer_malformed);
    }
}

TEST(feed, type__missing_or_of_the_other_side__is_refused) {
    expect_refused("{}", "type");
    expect_refused(R"({"type":7})", "type");
    expect_refused(R"({"type":"applied","seq":1,"id":"a","closed":true,"at_ms":1})", "type");
    EXPECT_FALSE(decode_from_plugin(R"({"type":"heartbeat","seq":1})"));
}

TEST(feed, field__missing__is_named) {
    expect_refused(R"({"type":"heartbeat"})", "seq is missing");
    expect_refused(R"({"type":"hello","v":2,"epoch":1,"lifetime_ms":5,"issuer":""})",
                   "site is missing");
    expect_refused(
        R"({"type":"device","seq":1,"id":"a","epoch":1,"grant":"full","state":"","reason":""})",
        "revoked is missing");
}

TEST(feed, field__unknown__is_named) {
    expect_refused(R"({"type":"heartbeat","seq":1,"extra":2})", "extra");
}

TEST(feed, field__of_a_wrong_type_or_range__is_named) {
    expect_refused(R"({"type":"heartbeat","seq":-1})", "seq");
    expect_refused(R"({"type":"heartbeat","seq":1.5})", "seq");
    expect_refused(R"({"type":"heartbeat","seq":"1"})", "seq");
    expect_refused(R"({"type":"hello","v":2,"site":"s","epoch":1,"lifetime_ms":0,"issuer":""})",
                   "lifetime_ms");
    expect_refused(
        R"({"type":"hello","v":2,"site":"s","epoch":1,"lifetime_ms":9223372036854775808})",
        "lifetime_ms");
    expect_refused(
        R"({"type":"device","seq":1,"id":"a","epoch":1,"grant":"all","state":"","reason":"","revoked":[]})",
        "grant");
    EXPECT_FALSE(decode_from_plugin(R"({"type":"applied","seq":1,"id":"a","closed":1,"at_ms":1})"));
}

TEST(feed, signed_fields__not_base64_or_too_long__are_named) {
    expect_refused(R"({"type":"revocation","seq":1,"statement":"?","signature":""})", "statement");
    expect_refused(R"({"type":"revocation","seq":1,"statement":"","signature":7})", "signature");
    const std::string long_one = crypto::to_base64(crypto::ByteVector(max_signature_bytes + 1));
    expect_refused(
        fmt::format(R"({{"type":"revocation","seq":1,"statement":"","signature":"{}"}})", long_one),
        "signature");
    expect_refused(
        fmt::format(R"({{"type":"snapshot_end","seq":1,"count":1,"head":"{}","signature":""}})",
                    long_one),
        "head");
    EXPECT_FALSE(decode_from_plugin(R"({"type":"hello","v":2,"pid":1,"nonce":"AAAA"})"));
    EXPECT_FALSE(decode_from_plugin(R"({"type":"sessions","ids":["a","b c"]})"));
}

// What one line must hold.
TEST(feed, longest_statement__fits_a_line) {
    const Revocation longest{~0ULL, crypto::ByteVector(max_statement_bytes),
                             crypto::ByteVector(max_signature_bytes)};
    EXPECT_TRUE(decode_to_plugin(without_newline(encode(ToPlugin{longest}))));
}

TEST(feed, version__another__is_refused) {
    expect_refused(R"({"type":"hello","v":1,"site":"s","epoch":1,"lifetime_ms":5,"issuer":""})",
                   "v ");
}

TEST(feed, id__outside_i0__is_refused) {
    for (const auto* id : {"", "a/b", "a b", "+", "#", "é"}) {
        expect_refused(
            fmt::format(
                R"({{"type":"device","seq":1,"id":"{}","epoch":1,"grant":"full","state":"","reason":"","revoked":[]}})",
                id),
            "id ");
    }
}

TEST(feed, serial__not_hex_pairs__is_refused) {
    for (const auto* serial :
         {"", "0", "0G", "AB", "001122334455667788990011223344556677889900aa"}) {
        expect_refused(
            fmt::format(
                R"({{"type":"device","seq":1,"id":"a","epoch":1,"grant":"full","state":"","reason":"","revoked":["{}"]}})",
                serial),
            "revoked");
    }
}

TEST(feed, line__over_the_limit__is_oversize) {
    const auto decoded = decode_to_plugin(std::string(max_line_bytes + 1, ' '));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Code::peer_oversize);
}

TEST(feed, text__over_its_limit__is_named) {
    expect_refused(
        fmt::format(
            R"({{"type":"device","seq":1,"id":"a","epoch":1,"grant":"full","state":"","reason":"{}","revoked":[]}})",
            std::string(2049, 'x')),
        "reason");
}

}  // namespace
}  // namespace quoin::feed
