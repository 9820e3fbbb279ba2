#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>

#include "host/files/files.hpp"
#include "host/lms/key.hpp"

namespace {

ino_t number_of(int descriptor) {
    struct stat status{};
    ::fstat(descriptor, &status);
    return status.st_ino;
}

// What fsync() wrote of a folder, by its inode: the names that were in it.
std::map<ino_t, std::set<std::string>> synced;

}  // namespace

// The linker leads fsync() here (--wrap).
extern "C" {
int __real_fsync(int descriptor) noexcept;
int __wrap_fsync(int descriptor) noexcept {
    std::error_code failure;
    const auto path = std::filesystem::path("/proc/self/fd") / std::to_string(descriptor);
    for (const auto& entry : std::filesystem::directory_iterator(path, failure)) {
        synced[number_of(descriptor)].insert(entry.path().filename().string());
    }
    return __real_fsync(descriptor);
}
}

namespace quoin::lms {
namespace {

namespace fs = std::filesystem;

class key_folder : public testing::Test {
protected:
    key_folder() {
        std::string name = (fs::temp_directory_path() / "quoin-lms-XXXXXX").string();
        top = ::mkdtemp(name.data());
        folder = top / "key";
        message = top / "message";
        EXPECT_TRUE(files::create(message, "a message", 0600));
    }
    ~key_folder() override { fs::remove_all(top); }

    void make(const Shape& shape) {
        const auto made = generate(folder, shape, passphrase, false, "none", {});
        ASSERT_TRUE(made) << made.error().message;
    }

    fs::path top, folder, message;
    const crypto::Passphrase passphrase{"open sesame"};
    const Shape small{Hash::sha256, {{5, 8}}};
};

TEST_F(key_folder, sign__every_hash_and_two_levels__verifies_and_counts) {
    for (const Hash hash : {Hash::sha256, Hash::sha256_192, Hash::shake256, Hash::shake256_192}) {
        make({hash, {{5, 4}, {5, 4}}});
        auto key = SigningKey::open(folder, passphrase, 2);
        ASSERT_TRUE(key) << key.error().message;
        const auto signature = key->sign(bytes_of("a message"));
        ASSERT_TRUE(signature) << signature.error().message;
        EXPECT_EQ(signature->size(), signature_size({hash, {{5, 4}, {5, 4}}}));
        const auto public_key = load_public_key(folder);
        ASSERT_TRUE(public_key) << public_key.error().message;
        EXPECT_TRUE(verify_file(*public_key, message, *signature));
        ByteVector bad = *signature;
        bad[100] ^= 1;
        EXPECT_EQ(verify_file(*public_key, message, bad).error().code, Code::integrity_signature);
        EXPECT_EQ(key->left(), 1023U);
        EXPECT_EQ(look_at(folder)->left, 1022U) << "a block of two is reserved";
        fs::remove_all(folder);
    }
}

TEST_F(key_folder, sign__last_index_used__resource_full) {
    make(small);
    auto key = SigningKey::open(folder, passphrase, 31);
    ASSERT_TRUE(key);
    for (int i = 0; i < 32; ++i) ASSERT_TRUE(key->sign({})) << i;
    EXPECT_EQ(key->sign({}).error().code, Code::resource_full);
    EXPECT_EQ(key->left(), 0U);
    EXPECT_TRUE(runs_low(0, 32));
    EXPECT_FALSE(runs_low(32, 32));
}

// The child's block is the parent's.
TEST_F(key_folder, sign__in_a_forked_child__state_wrong) {
    make(small);
    auto key = SigningKey::open(folder, passphrase, 8);
    ASSERT_TRUE(key);
    ASSERT_TRUE(key->sign({}));
    const pid_t child = ::fork();
    if (child == 0) {
        const auto signature = key->sign({});
        ::_exit(!signature && signature.error().code == Code::state_wrong ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(key->sign({}));
}

TEST_F(key_folder, open__held_by_another__resource_unavailable) {
    make(small);
    const auto key = SigningKey::open(folder, passphrase, 1);
    ASSERT_TRUE(key);
    EXPECT_EQ(SigningKey::open(folder, passphrase, 1).error().code, Code::resource_unavailable);
    EXPECT_EQ(look_at(folder)->left, 32U);
}

TEST_F(key_folder, open__wrong_passphrase_or_clear_key__refused) {
    make(small);
    EXPECT_EQ(SigningKey::open(folder, crypto::Passphrase("other"), 1).error().code,
              Code::input_invalid);
    const std::string sealed = *files::read(folder / "private.key");
    EXPECT_TRUE(sealed.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

TEST_F(key_folder, open__nodes_damaged__integrity_mismatch_until_removed) {
    make(small);
    std::string nodes = *files::read(folder / "nodes");
    const std::string good = nodes;
    nodes[70] = static_cast<char>(nodes[70] ^ 1);
    ASSERT_TRUE(files::write_atomically(folder / "nodes", nodes, 0600));
    EXPECT_EQ(SigningKey::open(folder, passphrase, 1).error().code, Code::integrity_mismatch);
    fs::remove(folder / "nodes");
    ASSERT_TRUE(SigningKey::open(folder, passphrase, 1));
    EXPECT_TRUE(*files::read(folder / "nodes") == good);
}

TEST_F(key_folder, open__counter_of_another_key_or_gone__refused) {
    make(small);
    fs::rename(folder, top / "other");
    make(small);
    fs::copy_file(top / "other/counters", folder / "counters",
                  fs::copy_options::overwrite_existing);
    EXPECT_EQ(SigningKey::open(folder, passphrase, 1).error().code, Code::integrity_mismatch);
    fs::remove(folder / "counters");
    EXPECT_EQ(SigningKey::open(folder, passphrase, 1).error().code, Code::input_not_found);
    ASSERT_TRUE(files::create(folder / "index", "quoin-counter 1\n", 0600));  // of earlier releases
    EXPECT_EQ(SigningKey::open(folder, passphrase, 1).error().code, Code::input_unsupported);
    EXPECT_EQ(look_at(folder).error().code, Code::input_unsupported);
}

TEST_F(key_folder, generate__folder_is_there_or_no_such_parameters__refused) {
    make(small);
    EXPECT_EQ(generate(folder, small, passphrase, false, "none", {}).error().code,
              Code::input_conflict);
    EXPECT_EQ(
        generate(top / "new", {Hash::sha256, {{6, 8}}}, passphrase, false, "none", {}).error().code,
        Code::input_invalid);
    EXPECT_EQ(generate(top / "new", {Hash::sha256, {}}, passphrase, false, "none", {}).error().code,
              Code::input_invalid);
    EXPECT_FALSE(fs::exists(top / "new"));
}

// A power cut now takes nothing away: the name of each new folder is on the disk, as are the files.
TEST_F(key_folder, generate__done__every_name_is_on_the_disk) {
    const auto is_synced = [](const fs::path& path) {
        struct stat status{};
        EXPECT_EQ(::stat(path.parent_path().c_str(), &status), 0);
        return synced[status.st_ino].contains(path.filename().string());
    };
    folder = top / "new" / "folders" / "key";
    make(small);
    for (const char* name : {"private.key", "public.pem", "nodes", "counters"}) {
        EXPECT_TRUE(is_synced(folder / name)) << name;
    }
    EXPECT_TRUE(is_synced(folder));
    EXPECT_TRUE(is_synced(folder.parent_path()));
    EXPECT_TRUE(is_synced(folder.parent_path().parent_path()));

    folder = top / "made by hand";
    fs::create_directory(folder);
    make(small);
    EXPECT_TRUE(is_synced(folder));
}

TEST(public_key, file__not_of_lms__refused) {
    EXPECT_EQ(shape_of_public_key({}).error().code, Code::peer_malformed);
    const ByteVector zeros(60);
    EXPECT_EQ(shape_of_public_key(zeros).error().code, Code::peer_malformed);
    EXPECT_EQ(load_public_key("core/crypto/lms/README.md").error().code, Code::input_invalid);
}

}  // namespace
}  // namespace quoin::lms
