#include "server/pki/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quoin::server {
namespace {

using crypto::Algorithm;
using testing::HasSubstr;

std::string hybrid() { return find_profile("hybrid")->text; }

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const std::size_t at = text.find(what);
    if (at == std::string::npos) {
        ADD_FAILURE() << what;
        return text;
    }
    return text.replace(at, what.size(), by);
}

TEST(profile, built_in__all__are_read_with_their_text) {
    ASSERT_EQ(built_in_profiles().size(), 4U);
    for (const BuiltInProfile& row : built_in_profiles()) {
        const auto profile = find_profile(std::string(row.name));
        ASSERT_TRUE(profile) << profile.error().message;
        EXPECT_EQ(profile->text, row.text);
        EXPECT_TRUE(row.text.starts_with("# ")) << "quoin pki profiles shows it";
    }
}

TEST(profile, hybrid__built_in__chain_of_composites) {
    const auto profile = find_profile("hybrid");
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->suite, tls::Suite::hybrid);
    EXPECT_EQ(profile->algorithms.root, Algorithm::ml_dsa_65_ed25519);
    EXPECT_EQ(profile->algorithms.issuing, Algorithm::ml_dsa_65_ed25519);
    EXPECT_EQ(profile->algorithms.mcu, Algorithm::ml_dsa_44_ed25519);
    EXPECT_EQ(profile->algorithms.mpu, Algorithm::ml_dsa_65_ed25519);
    EXPECT_EQ(profile->algorithms.ocsp, Algorithm::ml_dsa_65);
    EXPECT_EQ(profile->lifetime.service, std::chrono::days(90));
    EXPECT_EQ(profile->lifetime.operator_, std::chrono::days(365));
}

TEST(profile, hybrid_44__built_in__no_level_3_in_the_chain_of_an_mcu) {
    const auto profile = find_profile("hybrid-44");
    ASSERT_TRUE(profile);
    for (const Algorithm each : {profile->algorithms.root, profile->algorithms.issuing,
                                 profile->algorithms.service, profile->algorithms.mcu}) {
        EXPECT_EQ(each, Algorithm::ml_dsa_44_ed25519);
    }
}

TEST(profile, algorithm__that_the_suite_does_not_allow__refused_with_line_and_key) {
    struct Case {
        const char* what;
        const char* by;
        const char* told;
    };
    for (const Case& bad :
         {Case{"mcu = \"ML-DSA-44+Ed25519\"", "mcu = \"ML-DSA-44\"", "mine.toml:11"},
          Case{"mpu = \"ML-DSA-65+Ed25519\"", "mpu = \"SLH-DSA-SHA2-128s\"", "algorithms.mpu"},
          Case{"issuing = \"ML-DSA-65+Ed25519\"", "issuing = \"ML-DSA-65\"", "algorithms.issuing"},
          Case{"ocsp = \"ML-DSA-65\"", "ocsp = \"SLH-DSA-SHAKE-128f\"", "algorithms.ocsp"},
          Case{"root = \"ML-DSA-65+Ed25519\"", "root = \"ECDSA-P256\"", "algorithms.root"},
          Case{"root = \"ML-DSA-65+Ed25519\"", "root = \"RSA\"", "algorithms.root"}}) {
        const auto refused = parse_profile(replaced(hybrid(), bad.what, bad.by), "mine.toml");
        ASSERT_FALSE(refused) << bad.by;
        EXPECT_EQ(refused.error().code, Code::config_invalid);
        EXPECT_THAT(refused.error().message, HasSubstr(bad.told));
    }
}

TEST(profile, authorities__by_hashes__allowed_in_every_post_quantum_suite) {
    for (const char* name : {"hybrid", "pure"}) {
        std::string text = find_profile(name)->text;
        const std::string issuing =
            std::string("issuing = \"") +
            (std::string_view(name) == "pure" ? "ML-DSA-65\"" : "ML-DSA-65+Ed25519\"");
        const auto profile =
            parse_profile(replaced(text, issuing, "issuing = \"SLH-DSA-SHA2-128s\""), "mine.toml");
        ASSERT_TRUE(profile) << profile.error().message;
        EXPECT_EQ(profile->algorithms.issuing, Algorithm::slh_dsa_sha2_128s);
    }
}

TEST(profile, key__missing_or_unknown__refused_by_name) {
    const auto missing =
        parse_profile(replaced(hybrid(), "mcu = \"ML-DSA-44+Ed25519\"\n", ""), "p");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::config_missing);
    EXPECT_THAT(missing.error().message, HasSubstr("algorithms.mcu"));
    const auto unknown = parse_profile(replaced(hybrid(), "mcu =", "mcv ="), "p");
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message, HasSubstr("algorithms.mc"));
    EXPECT_FALSE(parse_profile("", "p"));
    EXPECT_FALSE(parse_profile(std::string(max_profile_size + 1, '#'), "p"));
}

TEST(profile, classical__without_its_danger_flag__refused) {
    const std::string text = find_profile("classical")->text;
    const auto refused = parse_profile(replaced(text, "danger_allow_classical = true\n", ""), "p");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("classical"));
}

TEST(profile, lifetime__longer_than_its_issuers__refused) {
    const auto issuing = parse_profile(replaced(hybrid(), "root = \"20y\"", "root = \"4y\""), "p");
    ASSERT_FALSE(issuing);
    EXPECT_THAT(issuing.error().message, HasSubstr("lifetime.issuing"));
    const auto leaf = parse_profile(replaced(hybrid(), "ra = \"90d\"", "ra = \"6y\""), "p");
    ASSERT_FALSE(leaf);
    EXPECT_THAT(leaf.error().message, HasSubstr("lifetime.ra"));
}

TEST(profile, parse_lifetime__numbers_with_units__seconds) {
    EXPECT_EQ(*parse_lifetime("10s"), std::chrono::seconds(10));
    EXPECT_EQ(*parse_lifetime("90d"), std::chrono::days(90));
    EXPECT_EQ(*parse_lifetime("2y"), std::chrono::days(730));
    for (const char* bad :
         {"", "d", "10", "9s", "51y", "-1d", "1.5d", "90 d", "90dd", "4294967296s", "0d", "+9d"}) {
        EXPECT_FALSE(parse_lifetime(bad)) << bad;
    }
}

TEST(profile, find__unknown_name_or_missing_file__refused) {
    EXPECT_EQ(find_profile("hybrit").error().code, Code::input_invalid);
    EXPECT_EQ(find_profile("/none.toml").error().code, Code::input_not_found);
}

}  // namespace
}  // namespace quoin::server
