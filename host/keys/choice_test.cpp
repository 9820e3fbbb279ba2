#include "host/keys/choice.hpp"

#include <gtest/gtest.h>

namespace quoin::keys {
namespace {

Result<Choice> parse(std::string_view text) {
    QUOIN_TRY(const config::Document document, config::Document::parse(text, "agent.toml"));
    config::Section root = document.root();
    Choice choice;
    bind_choice(root, choice);
    QUOIN_CHECK(document.finish());
    return choice;
}

std::string error_of(std::string_view text) {
    const auto choice = parse(text);
    return choice ? "accepted" : choice.error().message;
}

TEST(Choice, nothing_said__software_keys_as_ever) {
    const auto choice = parse("");
    ASSERT_TRUE(choice) << choice.error().message;
    EXPECT_EQ(*choice, Choice());
    EXPECT_TRUE(check_software_key(*choice, "x"));
    EXPECT_EQ(keys_table(*choice), "");
}

TEST(Choice, everything__is_read_and_written_again) {
    const auto choice = parse(R"(
profile = "production"
[keys]
store = "se:socket=/run/a \"b\""
fallbacks = ["se:socket=/c", "software"]
danger_software_keys = true
)");
    ASSERT_TRUE(choice) << choice.error().message;
    EXPECT_EQ(choice->fallbacks, (std::vector<std::string>{"se:socket=/c", "software"}));
    EXPECT_TRUE(choice->production);
    const auto again = parse("profile = \"production\"\n" + keys_table(*choice));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *choice);
}

TEST(Choice, production_without_a_store__refused_with_the_way_out) {
    const std::string error = error_of("profile = \"production\"\n");
    for (const char* part : {"agent.toml", "keys.store", "production", "se:socket=PATH",
                             "danger_software_keys = true"}) {
        EXPECT_NE(error.find(part), std::string::npos) << part << " in: " << error;
    }
    EXPECT_EQ(error_of("profile = \"production\"\n[keys]\nstore = \"se:socket=/a\"\n"), "accepted");
    EXPECT_EQ(error_of("profile = \"production\"\n[keys]\ndanger_software_keys = true\n"),
              "accepted");
    EXPECT_NE(error_of("profile = \"productoin\"\n"), "accepted");
}

TEST(Choice, production_with_a_software_fallback__refused) {
    const std::string keys = "[keys]\nstore = \"se:socket=/a\"\nfallbacks = [\"software\"]\n";
    EXPECT_EQ(error_of(keys), "accepted");
    EXPECT_NE(error_of("profile = \"production\"\n" + keys).find("keys.fallbacks"),
              std::string::npos);
    EXPECT_EQ(error_of("profile = \"production\"\n" + keys + "danger_software_keys = true\n"),
              "accepted");
}

TEST(Choice, stores_that_programs_cannot_use__refused) {
    for (const char* keys :
         {"store = \"software:/x\"", "store = \"tpm:dir=/x\"", "fallbacks = [\"se:socket=/a\"]",
          "store = \"se:socket=/a\"\nfallbacks = [\"tpm:dir=/x\"]",
          "store = \"se:socket=/a\"\nfallbacks = [\"software\", \"se:socket=/b\"]"}) {
        EXPECT_NE(error_of(fmt::format("[keys]\n{}\n", keys)), "accepted") << keys;
    }
    EXPECT_FALSE(check_choice({.store = "tpm:dir=/x"}));
    EXPECT_FALSE(check_choice({.production = true}));
    EXPECT_TRUE(check_choice({}));
}

TEST(Choice, software_key__refused_in_production_only) {
    EXPECT_TRUE(check_software_key({}, "x"));
    EXPECT_TRUE(check_software_key({.production = true, .danger_software_keys = true}, "x"));
    const auto refused = check_software_key({.production = true}, "/p/services/audit.key");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::config_invalid);
    EXPECT_TRUE(refused.error().message.starts_with("/p/services/audit.key: "));
    EXPECT_NE(refused.error().message.find("best effort"), std::string::npos);
}

}  // namespace
}  // namespace quoin::keys
