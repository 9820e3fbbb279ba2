#include "secure_element/store.hpp"

#include "secure_element/element_fixture.hpp"

namespace quoin::secure_element {
namespace {

Unlock passphrase(std::string text) {
    return Passphrase{
        SecretBytes(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()))};
}

class StoreTest : public testing::Test {
protected:
    StoreTest() {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-se-XXXXXX").string();
        folder = ::mkdtemp(name.data());
    }
    ~StoreTest() override { std::filesystem::remove_all(folder); }

    void fill(const Unlock& unlock) {
        auto opened = Store::open(folder, unlock, {.memory_kib = 64, .passes = 1, .lanes = 1});
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_TRUE(opened->is_new);
        StoredKey key;
        key.name.text = "key";
        key.material = SecretBytes(seed.size());
        std::ranges::copy(seed, key.material.expose_to_fill().begin());
        opened->contents.keys.items.push_back(std::move(key));
        ASSERT_TRUE(opened->store.save(opened->contents));
    }
    std::optional<Code> open_code(const Unlock& unlock) const {
        return code_of(Store::open(folder, unlock));
    }
    std::string file() const { return *files::read(folder / "store"); }

    std::filesystem::path folder;
    std::array<std::uint8_t, 32> seed{'s', 'e', 'e', 'd', ' ', 'i', 'n', ' ', 'c', 'l', 'e', 'a'};
};

TEST_F(StoreTest, open__right_key__what_was_saved_and_nothing_in_clear) {
    fill(ElementInProcess::unlock('k'));
    const auto opened = Store::open(folder, ElementInProcess::unlock('k'));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_FALSE(opened->is_new);
    ASSERT_EQ(opened->contents.keys.items.size(), 1U);
    EXPECT_TRUE(std::ranges::equal(opened->contents.keys.items[0].material.expose(), seed));
    EXPECT_EQ(opened->contents.generation, 1U);
    EXPECT_FALSE(file().contains(text_of(Bytes(seed).first(12))));
}

TEST_F(StoreTest, open__wrong_key_or_passphrase__unauthenticated) {
    fill(passphrase("a long passphrase"));
    EXPECT_TRUE(Store::open(folder, passphrase("a long passphrase")));
    EXPECT_EQ(open_code(passphrase("a long passphrasf")), Code::input_unauthenticated);
    EXPECT_EQ(open_code(ElementInProcess::unlock('k')), Code::input_unauthenticated);
}

TEST_F(StoreTest, open__any_byte_changed_or_cut__refused) {
    fill(ElementInProcess::unlock('k'));
    const std::string good = file();
    for (std::size_t i = 0; i < good.size(); i += i < 90 ? 1 : 7) {
        std::string changed = good;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        ASSERT_TRUE(files::write_atomically(folder / "store", changed, 0600));
        const auto code = open_code(ElementInProcess::unlock('k'));
        EXPECT_TRUE(code == Code::input_unauthenticated || code == Code::integrity_mismatch) << i;
        ASSERT_TRUE(files::write_atomically(folder / "store", good.substr(0, i), 0600));
        const auto cut = open_code(ElementInProcess::unlock('k'));
        EXPECT_TRUE(cut == Code::input_unauthenticated || cut == Code::integrity_mismatch) << i;
    }
    ASSERT_TRUE(files::write_atomically(folder / "store", good, 0600));
    EXPECT_TRUE(Store::open(folder, ElementInProcess::unlock('k')));
}

TEST_F(StoreTest, open__costs_that_nobody_wrote__refused_before_they_are_paid) {
    fill(passphrase("a long passphrase"));
    std::string changed = file();
    changed[5] = '\x7f';  // memory: 2 TiB
    ASSERT_TRUE(files::write_atomically(folder / "store", changed, 0600));
    EXPECT_EQ(open_code(passphrase("a long passphrase")), Code::integrity_mismatch);
}

TEST_F(StoreTest, open__held_by_another__unavailable) {
    const auto first = Store::open(folder, ElementInProcess::unlock('k'));
    ASSERT_TRUE(first);
    EXPECT_EQ(open_code(ElementInProcess::unlock('k')), Code::resource_unavailable);
}

TEST_F(StoreTest, save__twice_the_same__different_bytes) {
    fill(ElementInProcess::unlock('k'));
    const std::string first = file();
    auto opened = Store::open(folder, ElementInProcess::unlock('k'));
    ASSERT_TRUE(opened);
    opened->contents.generation -= 1;
    ASSERT_TRUE(opened->store.save(opened->contents));
    EXPECT_EQ(file().size(), first.size());
    EXPECT_NE(file().substr(80), first.substr(80));
}

TEST_F(StoreTest, save_and_shred__old_file__overwritten_with_zeros) {
    fill(ElementInProcess::unlock('k'));
    {
        // A second name keeps the old file's bytes within reach.
        auto opened = Store::open(folder, ElementInProcess::unlock('k'));
        ASSERT_TRUE(opened);
        std::filesystem::create_hard_link(folder / "store", folder / "old");
        opened->contents.keys.items.clear();
        ASSERT_TRUE(opened->store.save_and_shred(opened->contents));
    }
    const std::string old = *files::read(folder / "old");
    EXPECT_EQ(old, std::string(old.size(), '\0'));
    std::filesystem::remove(folder / "old");
    const auto again = Store::open(folder, ElementInProcess::unlock('k'));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_TRUE(again->contents.keys.items.empty());
}

}  // namespace
}  // namespace quoin::secure_element
