#include "host/audit/event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "host/audit/syslog.hpp"

namespace quoin::audit {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

Line sample_line(const Detail& detail = {{"serial", "0a1b"}, {"days", 30}, {"renewed", false}}) {
    return Line{.event = {.number = 7,
                          .time_ms = 1'700'000'000'000,
                          .id = Id::pki_certificate_issued,
                          .severity = Severity::notice,
                          .subject = "mpu-1",
                          .detail = encode_detail(detail)}};
}

TEST(audit_event, encode__known_event__known_line) {
    EXPECT_EQ(encode(sample_line()),
              R"({"number":7,"time_ms":1700000000000,"id":"pki.certificate.issued","severity":5,)"
              R"("subject":"mpu-1","detail":{"serial":"0a1b","days":30,"renewed":false},"prev":")" +
                  std::string(128, '0') + "\"}");
}

TEST(audit_event, decode__what_encode_wrote__same_event) {
    const auto back = decode(encode(sample_line()));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->event.number, 7U);
    EXPECT_EQ(back->event.id, Id::pki_certificate_issued);
    EXPECT_EQ(back->event.subject, "mpu-1");
    EXPECT_EQ(encode(*back), encode(sample_line()));
}

TEST(audit_event, encode_then_decode__any_text_and_number__same_line) {
    const bool held =
        rc::check("one form", [](const std::string& text, std::int64_t number, bool truth) {
            const std::string line =
                encode(sample_line({{"text", text}, {"number", number}, {"truth", truth}}));
            RC_ASSERT(line.size() <= max_line_bytes);
            for (const char c : line) RC_ASSERT(c >= ' ' && c <= '~');
            const auto back = decode(line);
            RC_ASSERT(back.has_value());
            RC_ASSERT(encode(*back) == line);
        });
    EXPECT_TRUE(held);
}

TEST(audit_event, encode_detail__longest_hostile_text__fits_a_line) {
    for (const char* unit : {"\x01", "\xff", "\xe2\x82\xac", "\"", "a"}) {
        std::string text;
        while (text.size() < 5000) text += unit;
        const Detail detail{{"a_long_name_of_some_detail_____x", text},
                            {"b", text},
                            {"c", text},
                            {"d", text},
                            {"e", text},
                            {"f", text},
                            {"g", text},
                            {"h", text},
                            {"i", text},
                            {"j", text},
                            {"k", text},
                            {"l", text},
                            {"m", text},
                            {"n", text}};
        const std::string line = encode(sample_line(detail));
        EXPECT_LE(line.size(), max_line_bytes);
        EXPECT_THAT(line, HasSubstr("...\""));
    }
}

TEST(audit_event, encode_detail__key_twice__first_value_only) {
    EXPECT_EQ(encode_detail({{"a", 1}, {"b", 2}, {"a", 3}}), R"({"a":1,"b":2})");
}

TEST(audit_event, encode_detail__number_beyond_64_bits_signed__text) {
    EXPECT_EQ(encode_detail({{"n", UINT64_MAX}}), R"({"n":"18446744073709551615"})");
}

TEST(audit_event, decode__other_forms__refused) {
    const std::string good = encode(sample_line());
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        return text.replace(text.find(from), from.size(), to);
    };
    const std::vector<std::string> bad{
        "",
        "{}",
        "[]",
        "null",
        good + " ",
        " " + good,
        good + good,
        good.substr(0, good.size() - 1),
        with("\"number\":7", "\"number\":0"),
        with("\"number\":7", "\"number\":7.0"),
        with("\"number\":7", "\"number\":\"7\""),
        with("\"number\":7", "\"number\":07"),
        with("\"number\":7", "\"number\":18446744073709551615"),
        with("\"number\":7,", ""),
        with("\"number\":7,", "\"number\":7,\"number\":7,"),
        with("1700000000000", "253402300800000"),
        with("1700000000000", "-1"),
        with("1700000000000", "9223372036854775807"),
        with("\"severity\":5", "\"severity\":8"),
        with("\"severity\":5", "\"severity\":-1"),
        with("\"severity\":5,", ""),
        with("pki.certificate.issued", "pki.certificate.isued"),
        with("mpu-1", "mpu 1"),
        with("mpu-1", std::string(129, 'a')),
        with("\"days\":30", "\"days\":30.5"),
        with("\"days\":30", "\"days\":null"),
        with("\"days\":30", "\"days\":[30]"),
        with("\"days\":30", "\"Days\":30"),
        with("\"days\":30", "\"days\":30,\"days\":30"),
        with("\"days\":30", "\"days\": 30"),
        with("0a1b", "\\u0030a1b"),
        with("\"prev\":\"00", "\"prev\":\""),
        with("\"prev\":\"00", "\"prev\":\"0g"),
        with("\"prev\":\"00", "\"prev\":\"AA"),
        std::string(max_line_bytes + 1, ' '),
        std::string(10'000, '['),
    };
    for (const std::string& text : bad) {
        const auto line = decode(text);
        ASSERT_FALSE(line) << text;
        EXPECT_EQ(line.error().code == Code::integrity_mismatch ||
                      line.error().code == Code::input_invalid,
                  true)
            << text;
        EXPECT_FALSE(line.error().message.empty());
    }
    EXPECT_TRUE(decode(good));
}

TEST(audit_event, checkpoint_of__what_checkpoint_detail_wrote__same_signature) {
    Event event{.number = 3, .id = Id::audit_chain_checkpoint};
    event.detail = checkpoint_detail(std::string(64, 'a'), bytes_of("signature"));
    const auto checkpoint = checkpoint_of(event);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(text_of(checkpoint->signature), "signature");
    event.detail.insert(event.detail.size() - 2, " ");
    EXPECT_FALSE(checkpoint_of(event));
    event.detail = "{}";
    EXPECT_FALSE(checkpoint_of(event));
    event.id = Id::audit_log_created;
    EXPECT_FALSE(checkpoint_of(event));
}

TEST(audit_catalogue, id_by_name__every_row__its_id) {
    for (const CatalogueRow& each : catalogue) {
        EXPECT_EQ(id_by_name(each.name), each.id);
        EXPECT_EQ(&row(each.id), &each);
        EXPECT_EQ(std::ranges::count(each.name, '.'), 2) << each.name;
        for (const CatalogueRow& other : catalogue)
            EXPECT_TRUE(&each == &other || each.name != other.name);
    }
    EXPECT_FALSE(id_by_name("pki.certificate"));
}

TEST(audit_syslog, to_syslog__known_event__known_message) {
    EXPECT_EQ(to_syslog(sample_line(), "plant-1"),
              "<109>1 2023-11-14T22:13:20.000Z plant-1 quoin - pki.certificate.issued "
              "[quoin@32473 number=\"7\" subject=\"mpu-1\" serial=\"0a1b\" days=\"30\" "
              "renewed=\"false\"] "
              "a certificate was issued");
}

TEST(audit_syslog, utc_text__ends_of_the_range__exact) {
    EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(utc_text(1'795'346'463'603), "2026-11-22T11:21:03.603Z");
    EXPECT_EQ(utc_text(max_time_ms), "9999-12-31T23:59:59.999Z");
}

TEST(audit_syslog, to_syslog__hostile_values__escaped) {
    const std::string text = to_syslog(sample_line({{"why", "a]b\"c\\d\ne"}}), "ho st\n");
    EXPECT_THAT(text, HasSubstr(R"(why="a\]b\\\"c\\\\d\\ne")"));
    EXPECT_THAT(text, HasSubstr(" host quoin "));
    EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(audit_syslog, to_syslog__too_much_detail__cut_and_marked) {
    Detail detail;
    for (const Key key :
         {Key("a"), Key("b"), Key("c"), Key("d"), Key("e"), Key("f"), Key("g"), Key("h")}) {
        detail.push_back({key, std::string(480, '\\')});
    }
    const std::string text = to_syslog(sample_line(detail), "h");
    EXPECT_LE(text.size(), max_syslog_bytes);
    EXPECT_THAT(text, HasSubstr("truncated=\"true\"]"));
}

TEST(audit_syslog, to_syslog__checkpoint__head_without_signature) {
    Line line = sample_line();
    line.event.id = Id::audit_chain_checkpoint;
    line.event.detail = checkpoint_detail("k", bytes_of(std::string(3309, 's')));
    const std::string text = to_syslog(line, "");
    EXPECT_THAT(text, StartsWith("<109>1 "));
    EXPECT_THAT(text, HasSubstr(" - quoin - audit.chain.checkpoint [quoin@32473 number=\"7\" "
                                "subject=\"mpu-1\" head=\"000"));
    EXPECT_LT(text.size(), 400U);
    EXPECT_THAT(text, EndsWith("the log up to here was signed"));
}

}  // namespace
}  // namespace quoin::audit
