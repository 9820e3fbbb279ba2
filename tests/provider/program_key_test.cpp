// Keys of our own programs in real processes of quoin-se: one that is configured, and a spare.
#include "host/keys/program_key.hpp"

#include <gtest/gtest.h>

#include "host/files/files.hpp"
#include "secure_element/process_fixture.hpp"

namespace quoin::keys {
namespace {

using secure_element::must;
constexpr auto algorithm = crypto::Algorithm::ml_dsa_44;

class ProgramKeys : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(first_.start()) << first_.log();
        ASSERT_TRUE(spare_.start()) << spare_.log();
        choice_ = {.store = uri(first_), .fallbacks = {uri(spare_)}};
    }
    static std::string uri(const secure_element::ElementProcess& element) {
        return fmt::format("se:socket={}", element.socket.string());
    }
    crypto::PrivateKey make() {
        return must(make_program_key(choice_, "a-", algorithm,
                                     [this](std::string_view, std::string_view to, const Error&) {
                                         fallbacks_.emplace_back(to);
                                     }));
    }
    void remove_others(const crypto::PrivateKey& kept) {
        const crypto::PublicKey key = must(kept.public_key());
        must(remove_other_program_keys(
            choice_, "a-", &key,
            [this](std::string_view store, const Error&) { unreached_.emplace_back(store); }));
    }
    KeyPlace place_of(const crypto::PrivateKey& key) {
        const auto file = folder_.path() / "key";
        must(files::write_atomically(file, must(key.to_encrypted_pem(crypto::Passphrase("x"))),
                                     0600));
        return must(place_of_key(file));
    }
    static std::size_t count(const secure_element::ElementProcess& element) {
        return must(element.client()->list()).size();
    }

    secure_element::ElementProcess first_;
    secure_element::ElementProcess spare_;
    secure_element::TestFolder folder_;
    Choice choice_;
    std::vector<std::string> fallbacks_;
    std::vector<std::string> unreached_;
};

TEST_F(ProgramKeys, place__of_a_reference__store_and_residence) {
    const auto key = make();
    EXPECT_TRUE(key.is_in_store());
    const KeyPlace place = place_of(key);
    EXPECT_EQ(place.store, uri(first_));
    EXPECT_TRUE(place.name.starts_with("a-"));
    EXPECT_EQ(*residence_of(place), Residence::separate_process);
    EXPECT_TRUE(
        load_program_key({.production = true}, folder_.path() / "key", crypto::Passphrase("x")));
    first_.stop();
    EXPECT_EQ(residence_of(place).error().code, Code::resource_unavailable);
}

TEST_F(ProgramKeys, residence__another_key_or_none_of_that_name__said) {
    const auto key = make();
    const KeyPlace place = place_of(key);
    const crypto::PublicKey certified = must(key.public_key());
    EXPECT_EQ(must(residence_of(place, certified)), Residence::separate_process);
    const crypto::PublicKey other = must(make().public_key());
    EXPECT_EQ(residence_of(place, other).error().code, Code::integrity_mismatch);
    remove_others(make());
    const auto gone = residence_of(place, certified);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, Code::input_not_found);
    EXPECT_NE(gone.error().message.find(place.name), std::string::npos) << gone.error().message;
    EXPECT_EQ(must(residence_of(place)), Residence::separate_process) << "the store is there";
}

TEST_F(ProgramKeys, fallback__new_key_kept_and_old_one_removed_when_its_store_is_back) {
    const auto old = make();
    first_.stop();
    const auto fresh = make();
    EXPECT_EQ(fallbacks_, std::vector{uri(spare_)});
    EXPECT_EQ(place_of(fresh).store, uri(spare_));
    remove_others(fresh);
    EXPECT_EQ(unreached_, std::vector{uri(first_)}) << "the old key stays, and that is told";
    EXPECT_EQ(count(spare_), 1U);

    ASSERT_TRUE(first_.start()) << first_.log();
    EXPECT_EQ(count(first_), 1U);
    remove_others(fresh);
    EXPECT_EQ(count(first_), 0U);
    EXPECT_EQ(count(spare_), 1U) << "the key in use";
    // Back to the first: the spare's goes.
    const auto back = make();
    remove_others(back);
    EXPECT_EQ(count(first_), 1U);
    EXPECT_EQ(count(spare_), 0U);
    EXPECT_EQ(fallbacks_.size(), 1U);
}

TEST_F(ProgramKeys, zeroized_store__no_fallback) {
    must(first_.client()->zeroize());
    const auto made =
        make_program_key(choice_, "a-", algorithm, [](auto...) { FAIL() << "fell back"; });
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::input_not_found) << made.error().message;
    EXPECT_EQ(count(spare_), 0U);
}

}  // namespace
}  // namespace quoin::keys
