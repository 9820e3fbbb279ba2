#include "host/keys/open.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "host/files/files.hpp"
#include "host/keys/sealed_key.hpp"
#include "host/keys/test_folder.hpp"

namespace quoin::keys {
namespace {

class Open : public testing::Test {
protected:
    std::string software(const std::string& name) const {
        return fmt::format("software:{}", (folder_.path() / name).string());
    }
    struct Told {
        std::string from;
        std::string to;
        Code why;
    };
    OnFallback teller() {
        return [this](std::string_view from, std::string_view to, const Error& why) {
            told_.push_back({std::string(from), std::string(to), why.code});
        };
    }
    TestFolder folder_;
    std::vector<Told> told_;
};

TEST_F(Open, open_store__no_such_scheme_or_option__input_invalid) {
    for (const char* uri :
         {"floppy:a", "software:", "software:/x;pin=/y", "software:/x;unlock=/a;passphrase=/b"}) {
        const auto opened = open_store(uri);
        ASSERT_FALSE(opened) << uri;
        EXPECT_EQ(opened.error().code, Code::input_invalid) << opened.error().message;
        EXPECT_FALSE(create_store(uri));
    }
}

TEST_F(Open, open_store__nothing_there__not_found_and_not_made) {
    ASSERT_TRUE(files::write_atomically(folder_.path() / "unlock.key", std::string(64, 'a'), 0600));
    EXPECT_EQ(open_store(software("a")).error().code, Code::input_not_found);
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "a"));
    ASSERT_TRUE(create_store(software("a")));
    EXPECT_EQ(create_store(software("a")).error().code, Code::input_conflict);
    EXPECT_TRUE(open_store(software("a")));
}

TEST_F(Open, sealed_key__made_opened_damaged__same_key_or_refused) {
    const auto file = folder_.path() / "se.sealed";
    const auto store = create_store(software("a"));
    ASSERT_TRUE(store);
    EXPECT_EQ(open_sealed_key(**store, file).error().code, Code::input_not_found);
    ASSERT_TRUE(make_sealed_key(**store, file));
    EXPECT_EQ(make_sealed_key(**store, file).error().code, Code::input_conflict);
    const auto one = open_sealed_key(**store, file);
    const auto two = open_sealed_key(**store, file);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->size(), sealed_key_size);
    EXPECT_TRUE(std::ranges::equal(one->expose(), two->expose()));
    const auto other = create_store(software("b"));
    ASSERT_TRUE(other);
    EXPECT_EQ(open_sealed_key(**other, file).error().code, Code::integrity_mismatch);
    const auto short_blob = (*store)->seal(ByteVector(31));
    ASSERT_TRUE(short_blob);
    ASSERT_TRUE(files::write_atomically(file, text_of(*short_blob), 0600));
    EXPECT_EQ(open_sealed_key(**store, file).error().code, Code::integrity_mismatch);
}

TEST_F(Open, choice__production_profile__refuses_software_keys_unless_danger) {
    ASSERT_TRUE(create_store(software("a")));
    Choice choice{.store = software("a"), .fallbacks = {}, .production = true};
    const auto refused = open_store(choice, teller());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::config_invalid);
    EXPECT_NE(refused.error().message.find("danger_software_keys"), std::string::npos);
    choice.danger_software_keys = true;
    EXPECT_TRUE(open_store(choice, teller()));
}

TEST_F(Open, choice__wrong_passphrase__never_falls_through) {
    ASSERT_TRUE(create_store(software("a")));
    ASSERT_TRUE(create_store(software("b") + ";unlock=" + (folder_.path() / "b.key").string()));
    ASSERT_TRUE(files::write_atomically(folder_.path() / "unlock.key", std::string(64, '0'), 0600));
    const auto opened = open_store(
        Choice{.store = software("a"),
               .fallbacks = {software("b") + ";unlock=" + (folder_.path() / "b.key").string()}},
        teller());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::input_unauthenticated);
    EXPECT_TRUE(told_.empty());
}

TEST_F(Open, choice__first_not_reached__next_one_and_said_why) {
    ASSERT_TRUE(create_store(software("a")));
    const std::string tpm =
        fmt::format("tpm:tcti=swtpm:path={0}/none.sock;dir={0}/tpm", folder_.path().string());
    EXPECT_EQ(open_store(Choice{.store = tpm, .fallbacks = {}}, teller()).error().code,
              Code::resource_unavailable)
        << "no fallback is configured";
    EXPECT_TRUE(told_.empty());
    const auto opened = open_store(Choice{.store = tpm, .fallbacks = {software("a")}}, teller());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ((*opened)->describe().kind, "software");
    ASSERT_EQ(told_.size(), 1U);
    EXPECT_EQ(told_[0].from, tpm);
    EXPECT_EQ(told_[0].to, software("a"));
    EXPECT_EQ(told_[0].why, Code::resource_unavailable);
    EXPECT_EQ(
        open_store(Choice{.store = tpm, .fallbacks = {software("a")}, .production = true}, teller())
            .error()
            .code,
        Code::config_invalid)
        << "a fallback is no way around the production profile";
}

}  // namespace
}  // namespace quoin::keys
