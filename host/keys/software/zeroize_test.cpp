// Where is the private key? A child uses it; we, who can decrypt the files, know it and look for it
// in the child's memory and in the folder, before zeroize() and after.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "host/crypto/foreign_key.hpp"
#include "host/crypto/wipe_freed.hpp"
#include "host/descriptor.hpp"
#include "host/files/files.hpp"
#include "host/keys/software/key_file.hpp"
#include "host/keys/software/store.hpp"
#include "host/keys/test_folder.hpp"

namespace quoin::keys::software {
namespace {

// Before main(): OpenSSL has not allocated yet.
const bool wiping = crypto::wipe_freed_memory();

const crypto::Passphrase& passphrase() {
    static const crypto::Passphrase text(std::string(64, 'a'));
    return text;
}

// The process that uses the store; it does a step for each byte that it is sent.
class Child {
public:
    explicit Child(const std::function<bool(char step)>& work) {
        int to_child[2];
        int to_parent[2];
        EXPECT_EQ(::pipe2(to_child, O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(to_parent, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(to_child[1]);  // so that it ends with us
            char step = 0;
            while (::read(to_child[0], &step, 1) == 1) {
                const char answer = work(step) ? 'y' : 'n';
                if (::write(to_parent[1], &answer, 1) != 1) break;
            }
            ::_exit(0);
        }
        ::close(to_child[0]);
        ::close(to_parent[1]);
        commands_ = Descriptor(to_child[1]);
        answers_ = Descriptor(to_parent[0]);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        commands_ = Descriptor();
        ::waitpid(pid_, nullptr, 0);
    }
    bool does(char step) {
        char answer = 'n';
        return ::write(commands_.number(), &step, 1) == 1 &&
               ::read(answers_.number(), &answer, 1) == 1 && answer == 'y';
    }
    // How often the bytes are in its memory that can be written to.
    std::size_t count(Bytes wanted) const {
        std::ifstream maps(fmt::format("/proc/{}/maps", pid_));
        const Descriptor memory(::open(fmt::format("/proc/{}/mem", pid_).c_str(), O_RDONLY));
        EXPECT_TRUE(memory) << "cannot look into the child";
        std::size_t found = 0;
        for (std::string line; std::getline(maps, line);) {
            std::istringstream words(line);
            std::uint64_t from = 0;
            std::uint64_t to = 0;
            char dash = 0;
            std::string rights;
            words >> std::hex >> from >> dash >> to >> rights;
            if (!rights.starts_with("rw")) continue;
            ByteVector content(to - from);
            const ssize_t size =
                ::pread(memory.number(), content.data(), content.size(), static_cast<off_t>(from));
            if (size <= 0) continue;  // a guard page
            content.resize(static_cast<std::size_t>(size));
            for (auto at = content.begin();; ++at) {
                at = std::search(at, content.end(), wanted.begin(), wanted.end());
                if (at == content.end()) break;
                ++found;
            }
        }
        return found;
    }

private:
    pid_t pid_ = -1;
    Descriptor commands_;
    Descriptor answers_;
};

// By the format in store.hpp, without its code.
std::map<std::string, ByteVector> secrets_of(const std::filesystem::path& folder) {
    std::map<std::string, ByteVector> secrets;
    const auto pem = files::read(folder / "master.pem");
    EXPECT_TRUE(pem);
    const auto master =
        crypto::open_foreign_key("2.16.840.1.101.3.4.1.46", pem ? *pem : "", passphrase());
    EXPECT_TRUE(master);
    if (!master) return secrets;
    ByteVector key(box_key_size);
    core::hkdf::expand<core::sha2::Sha256>(Bytes(*master).first<32>(),
                                           bytes_of("quoin software store: keys"),
                                           std::span<std::uint8_t, 32>(key));
    secrets["master key"] = ByteVector(master->begin(), master->begin() + 32);
    secrets["key of keys"] = key;
    for (const char* name : {"curve", "lattice"}) {
        const auto text = files::read(folder / fmt::format("{}.key", name));
        EXPECT_TRUE(text);
        const auto opened = open_key(BoxKey(key.data(), key.size()), name, text ? *text : "");
        EXPECT_TRUE(opened);
        if (!opened) continue;
        ByteVector seed(32);
        std::size_t size = seed.size();
        if (opened->info.algorithm == "Ed25519") {
            EXPECT_EQ(EVP_PKEY_get_raw_private_key(opened->secret.native(), seed.data(), &size), 1);
        } else {
            EXPECT_EQ(EVP_PKEY_get_octet_string_param(opened->secret.native(),
                                                      OSSL_PKEY_PARAM_ML_DSA_SEED, seed.data(),
                                                      seed.size(), &size),
                      1);
        }
        secrets[name] = seed;
    }
    return secrets;
}

bool is_in_a_file(const std::filesystem::path& folder, Bytes wanted) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        const auto content = files::read(entry.path());
        if (content && !std::ranges::search(bytes_of(*content), wanted).empty()) return true;
    }
    return false;
}

TEST(Zeroize, memory_and_files__searched_for_every_key__nothing_after_it) {
    ASSERT_TRUE(wiping);
    const TestFolder folder;
    ASSERT_TRUE(create(folder.path(), passphrase(), false));
    std::unique_ptr<SecurityProvider> store;
    const ByteVector message(100, 7);
    Child child([&](char step) {
        switch (step) {
            case 'o':
                store = *open(folder.path(), passphrase());
                return store->generate("curve", "Ed25519", {}).has_value() &&
                       store->generate("lattice", "ML-DSA-65", {}).has_value();
            case 's':
                return store->sign("curve", message, {}).has_value() &&
                       store->sign("lattice", message, {}).has_value();
            case 'z':
                return store->zeroize().has_value();
            default:
                return !store->sign("curve", message, {}) && !store->sign("lattice", message, {});
        }
    });
    ASSERT_TRUE(child.does('o'));
    ASSERT_TRUE(child.does('s'));
    const auto secrets = secrets_of(folder.path());
    ASSERT_EQ(secrets.size(), 4U);
    for (const auto& [name, secret] : secrets) {
        EXPECT_FALSE(is_in_a_file(folder.path(), secret)) << name << " is on the disk in clear";
        if (name == "master key") {
            EXPECT_EQ(child.count(secret), 0U) << "the master key is not needed after open()";
        } else {
            EXPECT_GE(child.count(secret), 1U)
                << name << " is not found: the search proves nothing";
        }
    }
    ASSERT_TRUE(child.does('z'));
    for (const auto& [name, secret] : secrets) {
        EXPECT_EQ(child.count(secret), 0U) << name << " is still in memory";
        EXPECT_FALSE(is_in_a_file(folder.path(), secret)) << name;
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_TRUE(child.does('?')) << "a key was still of use";
}

}  // namespace
}  // namespace quoin::keys::software
