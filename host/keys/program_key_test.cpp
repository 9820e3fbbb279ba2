// Without a quoin-se; with one: tests/provider/program_key_test.cpp.
#include "host/keys/program_key.hpp"

#include <gtest/gtest.h>

#include "host/files/files.hpp"
#include "host/keys/se/store.hpp"
#include "host/keys/test_folder.hpp"

namespace quoin::keys {
namespace {

constexpr auto algorithm = crypto::Algorithm::ml_dsa_44;

class ProgramKey : public testing::Test {
protected:
    std::string nowhere() const {
        return fmt::format("se:socket={}", (folder_.path() / "none.sock").string());
    }
    std::string pem_of_reference() const {
        return *se::reference_pem({(folder_.path() / "none.sock").string(), "a"});
    }
    OnFallback teller() {
        return [this](std::string_view from, std::string_view to, const Error& why) {
            told_.push_back(fmt::format("{} > {}: {}", from, to, code_name(why.code)));
        };
    }
    TestFolder folder_;
    std::vector<std::string> told_;
};

TEST_F(ProgramKey, make__store_away_and_no_fallback__unavailable) {
    const auto made = make_program_key({.store = nowhere()}, "a-", algorithm, teller());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::resource_unavailable);
    EXPECT_TRUE(told_.empty());
}

TEST_F(ProgramKey, make__store_away_and_software_fallback__software_key_and_told) {
    Choice choice{.store = nowhere(), .fallbacks = {"software"}};
    const auto made = make_program_key(choice, "a-", algorithm, teller());
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_FALSE(made->is_in_store());
    EXPECT_EQ(told_, std::vector{nowhere() + " > software: resource_unavailable"});
    choice.production = true;
    EXPECT_EQ(make_program_key(choice, "a-", algorithm, teller()).error().code,
              Code::config_invalid);
}

TEST_F(ProgramKey, make__two_stores_away__told_of_each) {
    const Choice choice{.store = nowhere(), .fallbacks = {nowhere() + "2", "software"}};
    ASSERT_TRUE(make_program_key(choice, "a-", algorithm, teller()));
    ASSERT_EQ(told_.size(), 2U);
    EXPECT_EQ(told_[1], nowhere() + "2 > software: resource_unavailable");
}

TEST_F(ProgramKey, make__wrong_uri__no_fallback) {
    const Choice choice{.store = "se:sock=/x", .fallbacks = {"software"}};
    EXPECT_EQ(make_program_key(choice, "a-", algorithm, teller()).error().code,
              Code::input_invalid);
    EXPECT_TRUE(told_.empty());
}

TEST_F(ProgramKey, load__software_key__production_refuses_the_file_by_name) {
    const auto key = make_program_key({}, "a-", algorithm, teller());
    ASSERT_TRUE(key);
    const crypto::Passphrase unlock("secret");
    const auto file = folder_.path() / "audit.key";
    ASSERT_TRUE(files::write_atomically(file, *key->to_encrypted_pem(unlock), 0600));
    EXPECT_TRUE(load_program_key({}, file, unlock));
    EXPECT_TRUE(load_program_key({.production = true, .danger_software_keys = true}, file, unlock));
    const auto refused = load_program_key({.production = true}, file, unlock);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::config_invalid);
    EXPECT_TRUE(refused.error().message.starts_with(file.string())) << refused.error().message;
    const auto place = place_of_key(file);
    ASSERT_TRUE(place) << place.error().message;
    EXPECT_EQ(place->store, "");
    EXPECT_EQ(*residence_of(*place), Residence::best_effort);
}

TEST_F(ProgramKey, place_and_load__reference_and_a_software_key_in_a_file__refused) {
    const crypto::Passphrase unlock("secret");
    const auto key = make_program_key({}, "a-", algorithm, teller());
    ASSERT_TRUE(key);
    const std::string reference = pem_of_reference();
    const auto file = folder_.path() / "audit.key";
    for (const std::string& software :
         {*key->to_encrypted_pem(unlock), *key->danger_to_clear_pem()}) {
        for (const std::string& text : {reference + software, software + reference}) {
            ASSERT_TRUE(files::write_atomically(file, text, 0600));
            const auto place = place_of_key(file);
            ASSERT_FALSE(place) << text;
            EXPECT_EQ(place.error().code, Code::input_invalid);
            const auto loaded = load_program_key({}, file, unlock);
            ASSERT_FALSE(loaded) << text;
            EXPECT_EQ(loaded.error().code, Code::input_invalid);
        }
    }
    ASSERT_TRUE(files::write_atomically(file, "\n" + reference + "\n", 0600));
    EXPECT_EQ(place_of_key(file)->name, "a");
}

TEST_F(ProgramKey, remove_others__store_away__told_and_not_an_error) {
    std::vector<std::string> stay;
    const auto removed = remove_other_program_keys(
        {.store = nowhere(), .fallbacks = {"software"}}, "a-", nullptr,
        [&](std::string_view store, const Error&) { stay.emplace_back(store); });
    EXPECT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(stay, std::vector{nowhere()});
}

TEST_F(ProgramKey, is_elsewhere__by_the_socket_not_by_the_text) {
    const Choice choice{.store = "se:socket=/run//quoin/./se%2Esock"};
    EXPECT_FALSE(is_elsewhere(choice, {"se:socket=/run/quoin/se.sock", "a"}));
    EXPECT_TRUE(is_elsewhere(choice, {"se:socket=/run/quoin/spare.sock", "a"}));
    EXPECT_TRUE(is_elsewhere(choice, {}));
    EXPECT_FALSE(is_elsewhere({}, {}));
}

TEST_F(ProgramKey, place__no_key_file__refused) {
    EXPECT_EQ(place_of_key(folder_.path() / "none").error().code, Code::input_not_found);
    const auto file = folder_.path() / "x.key";
    ASSERT_TRUE(files::write_atomically(file, "not a PEM", 0600));
    EXPECT_EQ(place_of_key(file).error().code, Code::input_invalid);
    // A reference to nothing of ours.
    ASSERT_TRUE(files::write_atomically(
        file,
        "-----BEGIN QUOIN KEY REFERENCE-----\nMAUMA2FiYw==\n-----END QUOIN KEY REFERENCE-----\n",
        0600));
    EXPECT_EQ(place_of_key(file).error().code, Code::input_invalid);
}

}  // namespace
}  // namespace quoin::keys
