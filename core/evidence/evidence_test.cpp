#include "core/evidence/evidence.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/evidence/cbor.hpp"

namespace quoin::evidence {
namespace {

using Vector = std::vector<std::uint8_t>;

// The worked example of docs/spec/evidence.md.
struct Example {
    Vector nonce = Vector(nonce_size);
    Vector ldevid = Vector(digest_size, 0xC1);
    Vector agent = Vector(digest_size, 0xA1);
    Vector config = Vector(digest_size, 0xA2);
    std::vector<Measurement> measurements;
    Claims claims;
    Vector signature = Vector(signature_size, 0x5A);

    Example() {
        for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(i);
        measurements = {{"config", config}, {"agent", agent}};
        claims.device = "mpu-1";
        claims.issued_s = 1700000000;
        claims.nonce = nonce;
        claims.boot_counter = 7;
        claims.release = "1.0.0";
        claims.ldevid_sha3_512 = ldevid;
        claims.device_class = "mpu";
        claims.measurements = measurements;
    }
    ~Example() = default;
    Example(const Example&) = delete;
    Example& operator=(const Example&) = delete;

    Vector payload() const {
        Vector buffer(max_payload_size);
        const auto bytes = encode_claims(claims, buffer);
        EXPECT_TRUE(bytes.has_value());
        return bytes ? Vector(bytes->begin(), bytes->end()) : Vector{};
    }
    Vector message() const {
        const Vector claims_bytes = payload();
        Vector buffer(max_message_size);
        const auto bytes = encode_message(
            {.payload = claims_bytes, .signature = signature, .quote = quote}, buffer);
        EXPECT_TRUE(bytes.has_value());
        return bytes ? Vector(bytes->begin(), bytes->end()) : Vector{};
    }
    Quote quote{};
    core::Result<Bytes> encode() const {
        static Vector buffer(max_payload_size);
        return encode_claims(claims, buffer);
    }
};

std::string hex(Bytes bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4U];
        text += "0123456789abcdef"[byte & 15U];
    }
    return text;
}

// The hex digits of the code block after `heading` in the page.
std::string hex_of_page(const std::string& heading) {
    std::ifstream file("docs/spec/evidence.md");
    std::stringstream page;
    page << file.rdbuf();
    const std::string text = page.str();
    const auto at = text.find(heading);
    if (at == std::string::npos) return "no heading " + heading;
    const auto begin = text.find("```", at) + 3;
    std::string digits;
    for (const char c : text.substr(begin, text.find("```", begin) - begin)) {
        if (c != '\n' && c != ' ') digits += c;
    }
    return digits;
}

Code decode_error(const Vector& payload) {
    MeasurementStorage storage;
    const auto claims = decode_claims(payload, storage);
    EXPECT_FALSE(claims.has_value());
    return claims ? Code::internal : claims.error();
}

TEST(evidence, page__worked_example__is_what_the_code_writes) {
    const Example example;
    const Vector payload = example.payload();
    EXPECT_EQ(hex(payload), hex_of_page("### Payload"));
    Vector buffer(max_signed_part_size);
    const auto signed_part = encode_signed_part(payload, "mpu-1", buffer);
    ASSERT_TRUE(signed_part);
    EXPECT_EQ(hex(*signed_part), hex_of_page("### What is signed"));
    const Vector message = example.message();
    EXPECT_EQ(hex(Bytes(message).first(message.size() - signature_size)),
              hex_of_page("### Message"));
}

TEST(evidence, claims__round_trip__the_same) {
    const Example example;
    const Vector bytes = example.message();
    const auto message = decode_message(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(hex(message->signature), hex(example.signature));
    MeasurementStorage storage;
    const auto claims = decode_claims(message->payload, storage);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->device, "mpu-1");
    EXPECT_EQ(claims->issued_s, 1700000000U);
    EXPECT_EQ(hex(claims->nonce), hex(example.nonce));
    EXPECT_EQ(claims->boot_counter, 7U);
    EXPECT_EQ(claims->release, "1.0.0");
    EXPECT_EQ(hex(claims->ldevid_sha3_512), hex(example.ldevid));
    EXPECT_EQ(claims->device_class, "mpu");
    EXPECT_EQ(claims->level, Level::self_reported);
    ASSERT_EQ(claims->measurements.size(), 2U);
    EXPECT_EQ(claims->measurements[0].name, "agent");  // shorter names first
    EXPECT_EQ(claims->measurements[1].name, "config");
    EXPECT_EQ(hex(claims->measurements[1].digest), hex(example.config));
}

TEST(evidence, signed_part__other_device__differs) {
    const Vector payload = Example().payload();
    Vector first(max_signed_part_size), second(max_signed_part_size);
    const auto a = encode_signed_part(payload, "mpu-1", first);
    const auto b = encode_signed_part(payload, "mpu-2", second);
    ASSERT_TRUE(a && b);
    EXPECT_NE(hex(*a), hex(*b));
}

TEST(evidence, signed_part__largest_payload_and_id__fits_the_documented_size) {
    Vector buffer(max_signed_part_size);
    EXPECT_TRUE(
        encode_signed_part(Vector(max_payload_size), std::string(max_device_size, 'a'), buffer));
}

TEST(evidence, encode__claim_out_of_range__input_invalid) {
    const auto refused = [](auto&& spoil) {
        Example example;
        spoil(example);
        const auto encoded = example.encode();
        return !encoded && encoded.error() == Code::input_invalid;
    };
    EXPECT_FALSE(refused([](Example&) {}));  // the example itself is fine
    EXPECT_TRUE(refused([](Example& e) { e.claims.device = ""; }));
    EXPECT_TRUE(refused([](Example& e) { e.claims.device = "a/b"; }));
    EXPECT_TRUE(refused([](Example& e) { e.claims.release = "1 0"; }));
    EXPECT_TRUE(refused([](Example& e) { e.claims.device_class = "MPU"; }));
    EXPECT_TRUE(refused([](Example& e) { e.claims.nonce = e.claims.nonce.first(31); }));
    EXPECT_TRUE(refused([](Example& e) { e.claims.ldevid_sha3_512 = e.claims.nonce; }));
    EXPECT_TRUE(refused([](Example& e) { e.claims.boot_counter = max_counter + 1; }));
    EXPECT_TRUE(refused([](Example& e) { e.claims.measurements = {}; }));
    EXPECT_TRUE(refused([](Example& e) { e.measurements[0].name = "agent"; }));
    EXPECT_TRUE(refused([](Example& e) { e.measurements[0].name = "a b"; }));
    EXPECT_TRUE(refused([](Example& e) { e.measurements[0].digest = e.claims.nonce; }));
}

TEST(evidence, encode__buffer_too_small__resource_full) {
    const Example example;
    Vector buffer(100);
    const auto encoded = encode_claims(example.claims, buffer);
    ASSERT_FALSE(encoded);
    EXPECT_EQ(encoded.error(), Code::resource_full);
}

TEST(evidence, encode__more_than_the_payload_limit__resource_full_in_any_buffer) {
    Example example;
    std::vector<std::string> names;
    for (char a = 'a'; a <= 'z'; ++a) {
        for (const char b : {'x', 'y'}) names.push_back(std::string(62, 'n') + a + b);
    }
    for (int i = 0; i < 12; ++i) names.push_back(std::string(63, 'n') + static_cast<char>('A' + i));
    example.measurements.clear();
    for (const std::string& name : names) example.measurements.push_back({name, example.agent});
    ASSERT_EQ(example.measurements.size(), max_measurements);
    example.claims.measurements = example.measurements;
    Vector buffer(max_message_size);
    const auto encoded = encode_claims(example.claims, buffer);
    ASSERT_FALSE(encoded);
    EXPECT_EQ(encoded.error(), Code::resource_full);
}

TEST(evidence, decode_claims__every_truncation_and_a_trailing_byte__refused) {
    Vector payload = Example().payload();
    for (std::size_t size = 0; size < payload.size(); ++size) {
        EXPECT_EQ(decode_error(Vector(payload.begin(), payload.begin() + static_cast<long>(size))),
                  Code::peer_malformed);
    }
    payload.push_back(0);
    EXPECT_EQ(decode_error(payload), Code::peer_malformed);
}

TEST(evidence, decode_claims__measurements_in_wrong_order_or_twice__refused) {
    const Vector payload = Example().payload();
    const std::size_t map_at = payload.size() - (1 + (6 + 66) + (7 + 66));
    ASSERT_EQ(payload[map_at], 0xA2);
    const auto agent = payload.begin() + static_cast<long>(map_at) + 1;
    const auto config = agent + 72;
    Vector swapped(payload.begin(), agent);
    swapped.insert(swapped.end(), config, payload.end());
    swapped.insert(swapped.end(), agent, config);
    EXPECT_EQ(decode_error(swapped), Code::peer_malformed);
    Vector twice(payload.begin(), config);
    twice.insert(twice.end(), agent, config);
    EXPECT_EQ(decode_error(twice), Code::peer_malformed);
}

TEST(evidence, decode_claims__length_not_shortest__refused) {
    Vector payload = Example().payload();
    ASSERT_EQ(payload[2], 0x65);  // "mpu-1"
    payload[2] = 0x78;
    payload.insert(payload.begin() + 3, 5);
    EXPECT_EQ(decode_error(payload), Code::peer_malformed);
}

TEST(evidence, decode_claims__unknown_level_or_profile__refused) {
    Vector payload = Example().payload();
    Vector level = payload;
    const std::size_t level_at = payload.size() - (1 + 72 + 73) - 5 - 1;
    ASSERT_EQ(level[level_at], 0x00);
    level[level_at] = 0x02;
    MeasurementStorage storage;
    EXPECT_TRUE(decode_claims(level, storage));
    level[level_at] = 0x03;
    EXPECT_EQ(decode_error(level), Code::peer_malformed);
    const std::string text(payload.begin(), payload.end());
    payload[text.find(":v1") + 2] = '2';
    EXPECT_EQ(decode_error(payload), Code::peer_malformed);
}

TEST(evidence, decode_claims__too_many_measurements__oversize) {
    const Vector payload = Example().payload();
    Vector many(payload.begin(), payload.end() - (1 + 72 + 73));
    many.push_back(0xB8);
    many.push_back(65);
    EXPECT_EQ(decode_error(many), Code::peer_oversize);
}

TEST(evidence, decode_message__bare_claims_or_empty_signature__unauthenticated) {
    const Example example;
    const Vector payload = example.payload();
    EXPECT_EQ(decode_message(payload).error(), Code::peer_unauthenticated);
    Vector message = example.message();
    message.resize(message.size() - signature_size - 3);  // the signature and its head
    message.push_back(0x40);
    EXPECT_EQ(decode_message(message).error(), Code::peer_unauthenticated);
}

TEST(evidence, decode_message__oversize__before_parsing) {
    EXPECT_EQ(decode_message(Vector(max_message_size + 1)).error(), Code::peer_oversize);
    EXPECT_EQ(decode_message(Vector(max_message_size)).error(), Code::peer_malformed);
}

TEST(evidence, decode_message__other_algorithm_tag_or_header__refused) {
    const Vector good = Example().message();
    ASSERT_TRUE(decode_message(good));
    Vector algorithm = good;
    algorithm[9] = 0x01;  // -65538
    EXPECT_EQ(decode_message(algorithm).error(), Code::peer_malformed);
    Vector tag = good;
    tag[0] = 0xD1;
    EXPECT_EQ(decode_message(tag).error(), Code::peer_malformed);
    Vector unprotected = good;
    ASSERT_EQ(unprotected[10], 0xA0);
    unprotected[10] = 0xA1;
    EXPECT_EQ(decode_message(unprotected).error(), Code::peer_malformed);
    Vector trailing = good;
    trailing.push_back(0);
    EXPECT_EQ(decode_message(trailing).error(), Code::peer_malformed);
}

TEST(evidence, message__with_a_quote__the_same_and_only_whole) {
    const Vector statement(max_quote_statement_size, 0x5A);
    const Vector signature(max_quote_signature_size, 0xA5);
    Example example;
    const Vector bare = example.message();
    example.quote = {statement, signature};
    const Vector bytes = example.message();
    const auto message = decode_message(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(hex(message->quote.statement), hex(statement));
    EXPECT_EQ(hex(message->quote.signature), hex(signature));
    EXPECT_EQ(hex(message->payload), hex(decode_message(bare)->payload));
    Vector changed = bytes;
    changed[10] = 0xA2;  // two unprotected headers
    EXPECT_EQ(decode_message(changed).error(), Code::peer_malformed);
    changed = bytes;
    changed[15] ^= 1;  // of another name
    EXPECT_EQ(decode_message(changed).error(), Code::peer_malformed);
    for (std::size_t size = 11; size < bytes.size() - signature_size; ++size) {
        EXPECT_FALSE(decode_message(Vector(bytes.begin(), bytes.begin() + static_cast<long>(size))))
            << size;
    }
    Vector room(max_message_size);
    const Vector longer(max_quote_statement_size + 1);
    const auto refused = [&](const Quote& quote) {
        const Message parts{
            .payload = message->payload, .signature = message->signature, .quote = quote};
        return encode_message(parts, room).error() == Code::input_invalid;
    };
    EXPECT_TRUE(refused({longer, signature}));
    EXPECT_TRUE(refused({statement, longer}));
    EXPECT_TRUE(refused({statement, {}}));
    EXPECT_TRUE(refused({{}, signature}));
}

TEST(evidence, decode_message__short_signature__refused) {
    const Vector payload = Example().payload();
    Vector buffer(max_message_size);
    CborWriter writer(buffer);
    const Vector header{0xA1, 0x01, 0x3A, 0x00, 0x01, 0x00, 0x00};
    ASSERT_TRUE(writer.put_head(Major::tag, 18) && writer.put_head(Major::array, 4) &&
                writer.put_bytes(header) && writer.put_head(Major::map, 0) &&
                writer.put_bytes(payload) && writer.put_bytes(Vector(signature_size - 1)));
    EXPECT_EQ(decode_message(writer.written()).error(), Code::peer_malformed);
}

}  // namespace
}  // namespace quoin::evidence
