#include "host/integrity/integrity.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "host/approved_mode.hpp"
#include "host/crypto/library.hpp"
#include "host/files/files.hpp"

namespace quoin::integrity {
namespace fs = std::filesystem;
namespace {

class Integrity : public testing::Test {
protected:
    Integrity() {
        ::setenv("QUOIN_INTEGRITY_KEY", (home_ / "pinned").c_str(), 1);
        for (const char* const name : {"program", "plugin.so", "quoin.toml"}) {
            write(home_ / name, std::string("content of ") + name);
            files_.push_back(home_ / name);
        }
    }
    ~Integrity() override {
        std::error_code ignored;
        fs::remove_all(home_, ignored);
    }

    static fs::path folder() {
        std::string name = (fs::temp_directory_path() / "integrity-XXXXXX").string();
        return ::mkdtemp(name.data());
    }
    static void write(const fs::path& file, std::string_view text) {
        ASSERT_TRUE(files::write_atomically(file, text, 0644));
    }
    void pin(const crypto::PrivateKey& key) const {
        const auto half = key.public_key();
        ASSERT_TRUE(half);
        const auto der = half->spki_der();
        ASSERT_TRUE(der);
        write(home_ / "pinned", crypto::to_hex(*der) + "\n");
    }
    void sign_all() {
        const auto manifest = Manifest::measure(files_);
        ASSERT_TRUE(manifest) << manifest.error().message;
        const auto done = sign(home_, *manifest, key_);
        ASSERT_TRUE(done) << done.error().message;
        pin(key_);
    }
    // "" or what check_start() says, in approved mode.
    std::string started(std::vector<fs::path> files = {}) const {
        int ends[2];
        if (::pipe(ends) != 0) return "no pipe";
        const pid_t child = ::fork();
        if (child == 0) {
            enter_approved_mode();
            const auto done = check_start(home_, files);
            const std::string said = done ? "" : done.error().message;
            ::_exit(::write(ends[1], said.data(), said.size()) < 0 ? 1 : 0);
        }
        ::close(ends[1]);
        std::array<char, 1024> text{};
        const ssize_t got = ::read(ends[0], text.data(), text.size());
        ::close(ends[0]);
        ::waitpid(child, nullptr, 0);
        return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    }

    fs::path home_ = folder();
    std::vector<fs::path> files_;
    crypto::PrivateKey key_ = *crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65);
};

TEST_F(Integrity, start__outside_of_approved_mode__asks_for_nothing) {
    EXPECT_TRUE(check_start(home_, files_));
}

TEST_F(Integrity, start__everything_listed__passes) {
    files_.emplace_back("/proc/self/exe");
    files_.push_back(crypto::provider_file());
    sign_all();
    EXPECT_EQ(started({home_ / "quoin.toml"}), "");
}

TEST_F(Integrity, start__own_image_not_listed__refused) {
    files_.push_back(crypto::provider_file());
    sign_all();
    EXPECT_NE(started().find("integrity_test: is not in the integrity manifest"), std::string::npos)
        << started();
}

TEST_F(Integrity, start__a_configuration_that_is_not_listed__refused) {
    files_.emplace_back("/proc/self/exe");
    files_.push_back(crypto::provider_file());
    sign_all();
    write(home_ / "other.toml", "danger = true");
    EXPECT_NE(started({home_ / "other.toml"}).find("other.toml"), std::string::npos);
}

TEST_F(Integrity, each_file__one_byte_changed__refused_by_name) {
    sign_all();
    for (const fs::path& file : files_) {
        const auto content = files::read(file);
        ASSERT_TRUE(content);
        for (const std::size_t at : {std::size_t{0}, content->size() - 1}) {
            std::string changed = *content;
            changed[at] ^= 1;
            write(file, changed);
            EXPECT_NE(started().find(file.string() + ": is not what"), std::string::npos);
        }
        write(file, *content + "x");
        EXPECT_NE(started().find(file.string() + ": is not what"), std::string::npos);
        write(file, *content);
    }
    fs::remove(files_.front());
    EXPECT_NE(started().find(files_.front().string()), std::string::npos);
}

TEST_F(Integrity, manifest__another_key_or_changed_or_absent__refused) {
    EXPECT_NE(started().find("public key"), std::string::npos);
    sign_all();
    pin(*crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65));
    EXPECT_NE(started().find("is not signed by the key"), std::string::npos);
    pin(key_);
    auto text = files::read(home_ / "integrity/manifest");
    ASSERT_TRUE(text);
    (*text)[text->size() - 2] ^= 1;
    write(home_ / "integrity/manifest", *text);
    EXPECT_NE(started().find("is not signed by the key"), std::string::npos);
    fs::remove(home_ / "integrity/manifest");
    EXPECT_NE(started().find("needs a signed manifest"), std::string::npos);
    pin(*crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_44));
    EXPECT_NE(started().find("no key of ML-DSA-65"), std::string::npos);
}

TEST(manifest, parse__what_sign_would_not_write__refused) {
    const std::string digest(128, 'a');
    const std::string head = "quoin-integrity 1\n";
    EXPECT_TRUE(Manifest::parse(head + digest + "  /a\n" + digest + "  /b\n"));
    for (const std::string& text :
         {std::string(), head, head + digest + "  /a", head + digest + "  a\n",
          head + digest + " /a\n", head + digest + "  /b\n" + digest + "  /a\n",
          head + digest + "  /a\n" + digest + "  /a\n", "quoin-integrity 2\n" + digest + "  /a\n",
          head + std::string(128, 'g') + "  /a\n", head + "\n"}) {
        EXPECT_FALSE(Manifest::parse(text)) << text;
    }
}

}  // namespace
}  // namespace quoin::integrity
