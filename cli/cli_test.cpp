// The parts of the commands that decide something by themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/plant/manifest.hpp"
#include "cli/plant/ports.hpp"
#include "cli/revoke_command.hpp"
#include "cli/sse.hpp"
#include "cli/supervise/scratch.hpp"
#include "cli/text_file.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(target, parameters__encoded_and_empty_ones_left_out) {
    EXPECT_EQ(target("devices", {}), "devices");
    EXPECT_EQ(target("devices", {{"state", ""}, {"after", "a b&c"}, {"limit", "5"}}),
              "devices?after=a%20b%26c&limit=5");
}

TEST(output, printable__control_characters__cannot_steer_the_terminal) {
    EXPECT_EQ(printable("a\x1b[2Jb\n\x7f"), "a?[2Jb??");
    EXPECT_EQ(plain(json("x\ry")), "x?y");
}

TEST(output, plain__nothing__is_a_dash) {
    EXPECT_EQ(plain(json()), "-");
    EXPECT_EQ(plain(json("")), "-");
    EXPECT_EQ(plain(json(0)), "0");
}

TEST(output, utc__milliseconds__iso_time) {
    EXPECT_EQ(utc(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(utc(1'795'347'712'008), "2026-11-22T11:41:52.008Z");
}

TEST(output, table__missing_field__is_a_dash_and_columns_line_up) {
    const json rows = {{{"id", "a"}, {"at_ms", 1'795'347'712'008}}, {{"id", "longer"}}};
    EXPECT_EQ(table({{"ID", "id"}, {"AT", "at_ms"}}, rows),
              "ID      AT\n"
              "a       2026-11-22T11:41:52.008Z\n"
              "longer  -\n");
}

TEST(output, event_line__unknown_severity__does_not_break) {
    EXPECT_THAT(event_line({{"severity", 99}, {"id", "a.b.c"}, {"detail", {{"why", "x\n"}}}}),
                HasSubstr("a.b.c"));
    EXPECT_THAT(event_line(json::object()), HasSubstr("#0"));
}

TEST(manifest, measure_argument__device_and_file__sha3_512_of_the_file) {
    const Scratch scratch;
    const auto file = scratch.path() / "empty";
    ASSERT_TRUE(files::create(file, "", 0600).has_value());
    Manifest manifest("1.0.0", "mpu");
    ASSERT_TRUE(manifest.measure_argument("file:plc.bin@mpu-1=" + file.string()).has_value());
    ASSERT_TRUE(manifest.measure_argument("agent=" + file.string()).has_value());
    const json made = json::parse(manifest.text());
    // FIPS 202: SHA3-512 of the empty message.
    const std::string empty =
        "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
        "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26";
    EXPECT_EQ(made["measurements"],
              json({{{"name", "file:plc.bin"}, {"device", "mpu-1"}, {"sha3_512", empty}},
                    {{"name", "agent"}, {"sha3_512", empty}}}));
}

TEST(manifest, measure_argument__malformed__refused_and_unchanged) {
    Manifest manifest("1.0.0", "mpu");
    for (const char* argument : {"", "agent", "agent=", "=x", "a@=/etc/hosts", "a@b c=/etc/hosts",
                                 "agent=/there/is/no/such/file"}) {
        EXPECT_FALSE(manifest.measure_argument(argument).has_value()) << argument;
    }
    EXPECT_EQ(json::parse(manifest.text())["measurements"], json::array());
}

TEST(ports, find_free__all_different_and_free) {
    const auto ports = Ports::find_free();
    ASSERT_TRUE(ports.has_value());
    EXPECT_NE(ports->mqtt, ports->https);
    EXPECT_NE(ports->https, ports->http);
    EXPECT_TRUE(ports->check_free().has_value());
}

TEST(ports, load__not_ports__error) {
    const Scratch scratch;
    ASSERT_TRUE(files::make_private_folder(scratch.path() / "run").has_value());
    for (const char* text :
         {"", "[]", R"({"mqtt":1,"https":2})", R"({"mqtt":1,"https":2,"http":70000})",
          R"({"mqtt":1,"https":-2,"http":3})"}) {
        ASSERT_TRUE(
            files::write_atomically(scratch.path() / "run/ports.json", text, 0600).has_value());
        EXPECT_FALSE(Ports::load(scratch.path()).has_value()) << text;
    }
}

TEST(text_file, not_finished__leaves_no_file) {
    const Scratch scratch;
    const auto file = scratch.path() / "out.csv";
    {
        auto out = TextFile::create(file);
        ASSERT_TRUE(out.has_value());
        EXPECT_TRUE(out->write("half"));
    }
    EXPECT_FALSE(std::filesystem::exists(file));
    auto whole = TextFile::create(file);
    ASSERT_TRUE(whole.has_value());
    whole->write("whole");
    ASSERT_TRUE(whole->finish().has_value());
    EXPECT_EQ(files::read(file).value_or(""), "whole");
    EXPECT_FALSE(TextFile::create(file).has_value()) << "an existing file is never overwritten";
}

std::vector<std::string> events_of(std::string_view text) {
    SseReader reader;
    std::vector<std::string> events;
    const auto fed = reader.feed(text, [&](std::string_view data) {
        events.emplace_back(data);
        return data != "stop";
    });
    EXPECT_TRUE(fed.has_value());
    return events;
}

TEST(revoke, batch__ids_of_a_list_or_of_a_makers_batch_each_once) {
    const auto ids = ids_of_batch(
        "mcu-1\r\n\n"
        R"({"silicon_id":"mpu-1","class":"mpu","birth_cert_sha256":"00"})"
        "\nmcu-1\nmcu-2");
    ASSERT_TRUE(ids);
    EXPECT_THAT(*ids, testing::ElementsAre("mcu-1", "mpu-1", "mcu-2"));
}

TEST(revoke, batch__anything_else__refused_with_its_line) {
    for (const char* text : {"mcu-1\na b", "mcu-1\n{}", "mcu-1\n{\"silicon_id\":7}", "a\n{"}) {
        const auto ids = ids_of_batch(text);
        ASSERT_FALSE(ids) << text;
        EXPECT_THAT(ids.error().message, HasSubstr("line 2"));
    }
    EXPECT_FALSE(ids_of_batch("\n\n"));
}

TEST(sse, feed__comments_and_other_fields__skipped) {
    EXPECT_EQ(events_of(": hello\n\ndata: 1\n\nevent: x\ndata:2\r\n\ndata: unfinished"),
              (std::vector<std::string>{"1", "2"}));
}

TEST(sse, feed__listener_has_enough__stops) {
    EXPECT_EQ(events_of("data: stop\n\ndata: 2\n\n"), (std::vector<std::string>{"stop"}));
}

TEST(sse, feed__endless_line__refused) {
    SseReader reader;
    const std::string piece(max_sse_line_bytes / 2 + 1, 'x');
    EXPECT_TRUE(reader.feed(piece, [](std::string_view) { return true; }).has_value());
    const auto more = reader.feed(piece, [](std::string_view) { return true; });
    ASSERT_FALSE(more.has_value());
    EXPECT_EQ(more.error().code, Code::peer_oversize);
}

}  // namespace
}  // namespace quoin::cli
