#include "host/config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

namespace quoin::config {
namespace {

using testing::HasSubstr;

struct Settings {
    std::string site;
    std::string suite = "hybrid";
    int period_s = 30;
    double renew_at = 0.66;
    bool verbose = false;
    std::vector<std::string> names;
    std::vector<std::string> registers;
};

Result<Settings> bind(const Document& document) {
    Settings settings;
    Section root = document.root();
    root.text("site", settings.site, required);
    constexpr std::array<std::string_view, 2> suites{"hybrid", "pure"};
    root.choice("suite", settings.suite, suites);
    root.flag("verbose", settings.verbose);
    root.texts("names", settings.names);
    Section verifier = root.table("verifier");
    verifier.integer("period_s", settings.period_s, {1, 3600});
    verifier.number("renew_at", settings.renew_at, {0.1, 0.9});
    for (Section& entry : root.tables("register")) {
        entry.text("name", settings.registers.emplace_back(), required);
    }
    QUOIN_CHECK(document.finish());
    return settings;
}

Result<Settings> read(std::string_view text) {
    QUOIN_TRY(const auto document, Document::parse(text, "a.toml"));
    return bind(document);
}

TEST(config, parse__every_kind_of_key__bound) {
    const auto settings = read(R"(
site = "hall-1"
suite = "pure"
verbose = true
names = ["a", "b"]
[verifier]
period_s = 5
renew_at = 0.5
[[register]]
name = "temperature"
[[register]]
name = "state"
)");
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->site, "hall-1");
    EXPECT_EQ(settings->suite, "pure");
    EXPECT_TRUE(settings->verbose);
    EXPECT_EQ(settings->period_s, 5);
    EXPECT_EQ(settings->renew_at, 0.5);
    EXPECT_THAT(settings->names, testing::ElementsAre("a", "b"));
    EXPECT_THAT(settings->registers, testing::ElementsAre("temperature", "state"));
}

TEST(config, parse__absent_keys__keep_their_defaults) {
    const auto settings = read("site = 'x'");
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->suite, "hybrid");
    EXPECT_EQ(settings->period_s, 30);
}

struct Wrong {
    std::string_view text;
    Code code;
    std::string_view says;
};

class Refused : public testing::TestWithParam<Wrong> {};

TEST_P(Refused, finish__names_place_key_and_problem) {
    const auto settings = read(GetParam().text);
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().code, GetParam().code);
    EXPECT_THAT(settings.error().message, HasSubstr(std::string(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    config, Refused,
    testing::Values(
        Wrong{"", Code::config_missing, "a.toml: \"site\" is missing"},
        Wrong{"site = 'x'\n[verifier]\nperiode_s = 5", Code::config_unknown_key,
              "a.toml:3: key \"verifier.periode_s\" is not known; did you mean "
              "\"verifier.period_s\"?"},
        Wrong{"siet = 'x'", Code::config_unknown_key, "did you mean \"site\"? (and 1 more)"},
        Wrong{"site = 'x'\n[verifer]\nperiod_s = 5", Code::config_unknown_key,
              "a.toml:2: key \"verifer\" is not known; did you mean \"verifier\"?"},
        Wrong{"site = 5", Code::config_invalid, "a.toml:1: \"site\" must be a text"},
        Wrong{"site = ''", Code::config_invalid, "not empty"},
        Wrong{"site = 'x'\nsuite = 'rsa'", Code::config_invalid,
              "a.toml:2: \"suite\" must be one of hybrid, pure"},
        Wrong{"site = 'x'\nverbose = 'yes'", Code::config_invalid, "true or false"},
        Wrong{"site = 'x'\nverifier.period_s = 0", Code::config_invalid, "from 1 to 3600"},
        Wrong{"site = 'x'\nverifier.period_s = 3601", Code::config_invalid, "from 1 to 3600"},
        Wrong{"site = 'x'\nverifier.period_s = 1.5", Code::config_invalid, "whole number"},
        Wrong{"site = 'x'\nverifier.period_s = '5'", Code::config_invalid, "whole number"},
        Wrong{"site = 'x'\nverifier.renew_at = nan", Code::config_invalid, "from 0.1 to 0.9"},
        Wrong{"site = 'x'\nverifier.renew_at = true", Code::config_invalid, "from 0.1 to 0.9"},
        Wrong{"site = 'x'\nverifier = 5", Code::config_invalid, "must be a table"},
        Wrong{"site = 'x'\nnames = 'a'", Code::config_invalid, "list of texts"},
        Wrong{"site = 'x'\nnames = ['a', 1]", Code::config_invalid, "list of texts"},
        Wrong{"site = 'x'\nregister = [1]", Code::config_invalid, "list of tables"},
        Wrong{"site = 'x'\n[register]", Code::config_invalid, "list of tables"},
        Wrong{"site = 'x'\n[[register]]\nnam = 'a'", Code::config_unknown_key, "register[0].nam"},
        Wrong{"site = 'x'\n[[register]]", Code::config_missing, "a.toml:2: \"register[0].name\""},
        Wrong{"site = 'x'\nsite = 'y'", Code::config_invalid, "a.toml:2:"},
        Wrong{"site = \"x", Code::config_invalid, "a.toml:1:"}));

TEST(config, refuse__by_the_caller__names_the_place) {
    const auto document = Document::parse("site = 'a b'", "a.toml");
    ASSERT_TRUE(document);
    std::string site;
    Section root = document->root();
    root.text("site", site);
    root.refuse("site", "has a space");
    EXPECT_EQ(document->finish().error().message, "a.toml:1: \"site\" has a space");
}

class Files : public testing::Test {
protected:
    Files() : folder_(testing::TempDir() + "quoin-config-" + std::to_string(::getpid())) {
        std::filesystem::create_directories(folder_ / "conf.d");
    }
    ~Files() override { std::filesystem::remove_all(folder_); }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(folder_ / name) << text;
    }
    std::filesystem::path folder_;
};

TEST_F(Files, load__overlays__in_order_of_names) {
    write("quoin.toml", "site = 'x'\n[verifier]\nperiod_s = 1\nrenew_at = 0.5");
    write("conf.d/20.toml", "verifier.period_s = 3");
    write("conf.d/10.toml", "verifier.period_s = 2");
    write("conf.d/30.txt", "not toml");
    const auto document = Document::load(folder_ / "quoin.toml");
    ASSERT_TRUE(document) << document.error().message;
    const auto settings = bind(*document);
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->period_s, 3);
    EXPECT_EQ(settings->renew_at, 0.5);
}

TEST_F(Files, load__unknown_key_in_an_overlay__names_the_overlay) {
    write("quoin.toml", "site = 'x'");
    write("conf.d/10.toml", "\nsit = 'y'");
    const auto document = Document::load(folder_ / "quoin.toml");
    ASSERT_TRUE(document);
    const auto settings = bind(*document);
    ASSERT_FALSE(settings);
    EXPECT_THAT(settings.error().message, HasSubstr("conf.d/10.toml:2:"));
}

TEST_F(Files, load__no_file__input_not_found_with_its_path) {
    const auto document = Document::load(folder_ / "none.toml");
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code, Code::input_not_found);
    EXPECT_THAT(document.error().message, HasSubstr("none.toml"));
}

TEST_F(Files, load__file_over_the_limit__refused) {
    write("quoin.toml", std::string(max_file_size + 1, '#'));
    EXPECT_FALSE(Document::load(folder_ / "quoin.toml"));
}

}  // namespace
}  // namespace quoin::config
