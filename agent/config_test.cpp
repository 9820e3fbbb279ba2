#include "agent/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quoin::agent {
namespace {

using testing::HasSubstr;

constexpr std::string_view least = R"(
plant = "https://plant.example:8443"
[[source]]
stream = "press"
type = "flexim"
host = "10.0.0.7"
)";

std::string error_of(std::string_view text) {
    const auto config = parse_config(text, "/home/device");
    return config ? "accepted" : config.error().message;
}

TEST(agent_config, three_keys__are_enough) {
    const auto config = parse_config(least, "/home/device");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->trust, "/home/device/trust.crt");
    EXPECT_EQ(config->suite, tls::Suite::hybrid);
    EXPECT_EQ(config->queue.when_full, WhenFull::block);
    const auto& source = std::get<ModbusOptions>(config->sources.at(0));
    EXPECT_EQ(source.name, "press");
    EXPECT_EQ(source.port, 502);
    EXPECT_EQ(source.registers.size(), 8U);
}

TEST(agent_config, everything__is_read) {
    const auto config = parse_config(R"(
plant = "https://p:1"
trust = "ca/root.crt"
suite = "pure"
class = "mcu"
release = "2.1.0"
[queue]
max_rows = 5000
max_mib = 3
when_full = "drop_oldest"
[attest]
files = ["recipe.json", "plc/program.bin"]
firmware = "image.bin"
[[source]]
stream = "oven"
name = "oven-plc"
type = "modbus"
host = "plc"
port = 1502
unit = 9
period_ms = 250
[[source.register]]
name = "temperature_c"
address = 10
kind = "holding"
type = "i32"
scale = 0.01
word_order = "low_first"
[[source.register]]
name = "open"
address = 1
kind = "coil"
[[source]]
stream = "hall"
type = "csv"
file = "hall.csv"
value = "temperature_c"
convert = "f_to_c"
speed = 300
loop = true
time = "file"
)",
                                     "/d");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->device_class, DeviceClass::mcu);
    EXPECT_EQ(config->release, "2.1.0");
    EXPECT_EQ(config->queue.max_bytes, 3U << 20U);
    EXPECT_EQ(config->files.at(1).name, "file:plc/program.bin");
    EXPECT_EQ(config->files.at(1).path, "/d/plc/program.bin");
    EXPECT_EQ(config->firmware, "/d/image.bin");
    const auto& modbus = std::get<ModbusOptions>(config->sources.at(0));
    EXPECT_EQ(modbus.unit, 9);
    EXPECT_EQ(modbus.registers.at(0).word_order, fieldbus::WordOrder::low_first);
    EXPECT_EQ(modbus.registers.at(1).type, fieldbus::Type::bit);
    const auto& csv = std::get<CsvOptions>(config->sources.at(1));
    EXPECT_TRUE(csv.loop && csv.fahrenheit_to_celsius && csv.file_time);
    EXPECT_EQ(csv.file, "/d/hall.csv");
}

TEST(agent_config, wrong__names_the_key_and_the_problem) {
    const std::string base(least);
    EXPECT_THAT(error_of(base + "prot = 1"), HasSubstr("prot"));
    EXPECT_THAT(error_of("plant = \"https://p:1\""), HasSubstr("source"));
    EXPECT_THAT(error_of("[[source]]\nstream=\"a\"\ntype=\"flexim\"\nhost=\"x\""),
                HasSubstr("plant"));
    EXPECT_THAT(error_of("plant = \"http://p:1\"" + base.substr(base.find("\n["))),
                HasSubstr("https://"));
    EXPECT_THAT(error_of("suite = \"classical\"" + base), HasSubstr("quantum"));
    EXPECT_THAT(error_of(base + "[queue]\nwhen_full = \"forget\""), HasSubstr("drop_oldest"));
    EXPECT_THAT(error_of(base + "[queue]\nmax_rows = 1"), HasSubstr("max_rows"));
    EXPECT_THAT(error_of(base + "[keys]\ntpm = \"tpm:dir=t\""), HasSubstr("store"));
    EXPECT_THAT(error_of(base + "[keys]\nstore = \"se:socket=s\"\ntpm = \"se:socket=s\""),
                HasSubstr("tpm"));
    EXPECT_THAT(error_of(base + "[attest]\nfiles = [\"a b\"]"), HasSubstr("files"));
    EXPECT_THAT(error_of(base + "[[source]]\nstream = \"press\"\ntype = \"flexim\"\nhost = \"x\""),
                HasSubstr("two sources"));
    EXPECT_THAT(error_of(base + "[[source]]\nstream = \"Press!\"\ntype = \"flexim\"\nhost = \"x\""),
                HasSubstr("stream"));
    EXPECT_THAT(error_of(base + "[[source]]\nstream = \"b\"\ntype = \"modbus\"\nhost = \"x\""),
                HasSubstr("register"));
    EXPECT_THAT(error_of(base + "[[source]]\nstream = \"b\"\ntype = \"csv\"\nfile = \"f\"\n"
                                "value = \"temperature_f\"\nconvert = \"f_to_c\""),
                HasSubstr("_c"));
}

TEST(agent_config, register_wrong__names_the_problem) {
    const std::string base = std::string(least) +
                             "[[source]]\nstream = \"b\"\ntype = \"modbus\"\nhost = \"x\"\n"
                             "[[source.register]]\nname = \"v\"\naddress = 1\n";
    EXPECT_THAT(error_of(base + "kind = \"holding\"\n"), HasSubstr("accepted"));
    EXPECT_THAT(error_of(base + "kind = \"hold\"\n"), HasSubstr("input"));
    EXPECT_THAT(error_of(base + "kind = \"coil\"\ntype = \"u16\"\n"), HasSubstr("bit"));
    EXPECT_THAT(error_of(base + "kind = \"input\"\ntype = \"f64\"\n"), HasSubstr("f32"));
    EXPECT_THAT(error_of(base + "kind = \"input\"\naddress2 = 70000\n"), HasSubstr("address"));
}

TEST(agent_config, keys__store_fallbacks_and_profile) {
    const auto config = parse_config("profile = \"production\"\n" + std::string(least) +
                                         "[keys]\nstore = \"se:socket=/a\"\n"
                                         "fallbacks = [\"se:socket=/b\"]\n",
                                     "/home/device");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_TRUE(config->keys.production);
    EXPECT_EQ(config->keys.fallbacks, std::vector<std::string>{"se:socket=/b"});
    EXPECT_THAT(error_of("profile = \"production\"\n" + std::string(least)),
                HasSubstr("danger_software_keys"));
    const std::string bound = std::string(least) +
                              "[keys]\nstore = \"se:socket=/a\"\n"
                              "tpm = \"tpm:dir=/t\"\n";
    EXPECT_EQ(error_of(bound + "fallbacks = [\"se:socket=/b\"]\n"), "accepted");
    EXPECT_THAT(error_of(bound + "fallbacks = [\"software\"]\n"), HasSubstr("bound to a TPM"));
}

}  // namespace
}  // namespace quoin::agent
