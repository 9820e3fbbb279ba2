#include "host/keys/software/store.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "host/files/files.hpp"
#include "host/keys/conformance.hpp"
#include "host/keys/test_folder.hpp"

namespace quoin::keys {
namespace {

class SoftwareFixture final : public StoreFixture {
public:
    Result<std::unique_ptr<SecurityProvider>> create() override {
        QUOIN_CHECK(software::create(folder(), passphrase_, false));
        return open();
    }
    Result<std::unique_ptr<SecurityProvider>> open() override {
        return software::open(folder(), passphrase_);
    }

private:
    std::filesystem::path folder() const { return folder_.path() / "store"; }
    TestFolder folder_;
    crypto::Passphrase passphrase_{std::string(64, 'a')};
};

INSTANTIATE_TEST_SUITE_P(software, Conformance, testing::Values([] {
                             return std::unique_ptr<StoreFixture>(
                                 std::make_unique<SoftwareFixture>());
                         }));

class SoftwareStore : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(software::create(folder_.path(), passphrase_, false));
        store_ = *software::open(folder_.path(), passphrase_);
        ASSERT_TRUE(store_->generate("a", "Ed25519", {}));
    }
    std::filesystem::path file() const { return folder_.path() / "a.key"; }
    void write(const std::filesystem::path& to, const std::string& content) {
        ASSERT_TRUE(files::write_atomically(to, content, 0600));
    }
    TestFolder folder_;
    crypto::Passphrase passphrase_{std::string(64, 'a')};
    std::unique_ptr<SecurityProvider> store_;
};

// What a crash leaves of a file that was being written.
TEST_F(SoftwareStore, files__left_over__are_no_keys_and_go_with_the_store) {
    const std::vector<std::filesystem::path> left{folder_.path() / "b.key.x7Zq0k",
                                                  folder_.path() / "master.pem.x7Zq0k"};
    for (const auto& path : left) write(path, "half of");
    write(folder_.path() / "notes.txt", "somebody else's");
    const auto keys = store_->list();
    ASSERT_TRUE(keys) << keys.error().message;
    EXPECT_EQ(keys->size(), 1U);
    ASSERT_TRUE(store_->zeroize());
    for (const auto& path : left) EXPECT_FALSE(std::filesystem::exists(path)) << path;
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / "notes.txt"));
}

TEST_F(SoftwareStore, open__wrong_passphrase_or_damaged_master__unauthenticated) {
    EXPECT_EQ(software::open(folder_.path(), crypto::Passphrase("b")).error().code,
              Code::input_unauthenticated);
    const auto master = folder_.path() / "master.pem";
    const auto content = files::read(master);
    ASSERT_TRUE(content);
    for (std::size_t i = 0; i < content->size(); i += 7) {
        std::string changed = *content;
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        write(master, changed);
        const auto opened = software::open(folder_.path(), passphrase_);
        if (!opened) {
            EXPECT_EQ(opened.error().code, Code::input_unauthenticated);
            continue;
        }
        // Line ends and labels that PEM does not look at; the key never changes.
        EXPECT_TRUE((*opened)->sign("a", {}, {})) << "opened to another key at byte " << i;
    }
}

TEST_F(SoftwareStore, load__any_byte_of_a_key_file_changed__integrity_mismatch) {
    const auto content = files::read(file());
    ASSERT_TRUE(content);
    for (std::size_t i = 0; i < content->size(); ++i) {
        std::string changed = *content;
        changed[i] = static_cast<char>(changed[i] ^ 0x02);
        write(file(), changed);
        EXPECT_EQ(code_of(store_->sign("a", {}, {})), Code::integrity_mismatch) << "byte " << i;
        write(file(), content->substr(0, i));
        EXPECT_EQ(code_of(store_->sign("a", {}, {})), Code::integrity_mismatch) << "cut at " << i;
    }
    write(file(), *content + "\n");
    EXPECT_EQ(code_of(store_->sign("a", {}, {})), Code::integrity_mismatch);
    write(file(), *content);
    EXPECT_TRUE(store_->sign("a", {}, {}));
}

TEST_F(SoftwareStore, load__file_of_another_key_or_store__integrity_mismatch) {
    ASSERT_TRUE(store_->generate("b", "Ed25519", {}));
    std::filesystem::copy_file(file(), folder_.path() / "b.key",
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(code_of(store_->public_key("b")), Code::integrity_mismatch);
    EXPECT_EQ(code_of(store_->list()), Code::integrity_mismatch);
    const TestFolder other;
    ASSERT_TRUE(software::create(other.path(), passphrase_, false));
    std::filesystem::copy_file(file(), other.path() / "a.key");
    EXPECT_EQ(code_of((*software::open(other.path(), passphrase_))->public_key("a")),
              Code::integrity_mismatch);
}

TEST_F(SoftwareStore, load__link_in_place_of_a_key__integrity_mismatch) {
    std::filesystem::rename(file(), folder_.path() / "elsewhere");
    std::filesystem::create_symlink(folder_.path() / "elsewhere", file());
    EXPECT_EQ(code_of(store_->sign("a", {}, {})), Code::integrity_mismatch);
}

TEST_F(SoftwareStore, removed__by_another_process__state_wrong) {
    std::filesystem::remove(folder_.path() / "master.pem");
    EXPECT_EQ(code_of(store_->sign("a", {}, {})), Code::state_wrong);
    EXPECT_EQ(code_of(store_->seal(ByteVector(32))), Code::state_wrong);
}

TEST_F(SoftwareStore, files__mode__nobody_else_reads_them) {
    for (const char* name : {"a.key", "master.pem"}) {
        const auto mode = std::filesystem::status(folder_.path() / name).permissions();
        EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
}

}  // namespace
}  // namespace quoin::keys
