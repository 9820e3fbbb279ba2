// Approved mode and the tiers, each case in a process of its own: the mode is for good.
#include "host/tls/crypto_choice.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "host/approved_mode.hpp"
#include "host/crypto/approved.hpp"
#include "host/tls/settings.hpp"

namespace quoin::tls {
namespace {

// Exit status of `work` in a child: 0 if it says "".
template <class Work>
std::string in_child(Work work) {
    int ends[2];
    if (::pipe(ends) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string wrong = work();
        ::_exit(::write(ends[1], wrong.data(), wrong.size()) < 0 ? 1 : 0);
    }
    ::close(ends[1]);
    char text[512];
    const ssize_t got = ::read(ends[0], text, sizeof text);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return std::string(text, got > 0 ? static_cast<std::size_t>(got) : 0) +
           (status == 0 ? "" : fmt::format("status {}", status));
}

// "" or what was refused.
std::string parse(std::string_view text, Suite suite = Suite::hybrid) {
    const auto document = config::Document::parse(text, "a.toml");
    if (!document) return document.error().message;
    config::Section root = document->root();
    CryptoChoice choice;
    bind_crypto(root, choice);
    bool danger_x = false;
    root.flag("danger_x", danger_x);
    check_suite(root, choice, suite);
    const auto finished = document->finish();
    return finished ? "" : finished.error().message;
}

// First: a process reads the variable once, and children inherit what was read.
TEST(approved_mode, environment__on_by_anything_but_0) {
    for (const auto& [value, expected] :
         {std::pair{"", false}, {"0", false}, {"1", true}, {"yes", true}}) {
        EXPECT_EQ(in_child([&]() -> std::string {
                      ::setenv("QUOIN_FIPS_MODE", value, 1);
                      return approved_mode() == expected ? "" : "another mode";
                  }),
                  "")
            << value;
    }
}

TEST(crypto_choice, bind__each_rule__refused_at_its_key) {
    EXPECT_EQ(parse(""), "");
    EXPECT_EQ(parse("danger_x = true"), "");
    EXPECT_EQ(parse("danger_x = false\n[crypto]\napproved_mode = true"), "");
    EXPECT_NE(parse("danger_x = true\n[crypto]\napproved_mode = true").find("danger_x"),
              std::string::npos);
    EXPECT_NE(parse("danger_x = true\n[crypto]\ntier = \"maximum\"").find("danger_x"),
              std::string::npos);
    EXPECT_EQ(parse("[crypto]\napproved_mode = true", Suite::pure), "");
    EXPECT_NE(parse("[crypto]\napproved_mode = true", Suite::classical), "");
    EXPECT_NE(parse("[crypto]\nrequire_hybrid = true", Suite::pure), "");
    EXPECT_NE(parse("[crypto]\ntier = \"maximum\"", Suite::pure), "");
    EXPECT_NE(parse("[crypto]\ntier = \"best\""), "");
}

TEST(approved_mode, entered__only_the_list_counts) {
    EXPECT_EQ(
        in_child([]() -> std::string {
            using crypto::Algorithm, crypto::PrivateKey;
            const auto before = PrivateKey::generate(Algorithm::ed25519);
            if (!before) return before.error().message;
            apply({.approved_mode = true});
            if (std::string_view(std::getenv("QUOIN_FIPS_MODE")) != "1") return "children";
            if (PrivateKey::generate(Algorithm::ed25519)) return "makes Ed25519 alone";
            if (before->sign(bytes_of("x"))) return "signs with Ed25519 alone";
            for (const auto algorithm : {Algorithm::ml_dsa_65, Algorithm::ml_dsa_65_ed25519}) {
                const auto key = PrivateKey::generate(algorithm);
                if (!key) return key.error().message;
            }
            if (client_context(Suite::classical, {}, Server::quoind, nullptr)) {
                return "classical TLS";
            }
            if (std::string_view(cipher_suites()).contains("CHACHA")) return "ChaCha20";
            return "";
        }),
        "");
}

TEST(approved_mode, words__danger_refused__but_to_destroy_keys) {
    EXPECT_EQ(in_child([]() -> std::string {
                  char one[] = "--danger-allow-classical", two[] = "--danger-forever";
                  char* words[] = {one};
                  char* allowed[] = {two};
                  if (!check_words(words)) return "refused outside of it";
                  enter_approved_mode();
                  if (check_words(words)) return "taken";
                  return check_words(allowed) ? "" : "no key can be destroyed";
              }),
              "");
}

TEST(tier, maximum__keys_are_tested_and_work) {
    EXPECT_EQ(in_child([]() -> std::string {
                  apply({.approved_mode = true, .require_hybrid = true, .maximum = true});
                  const auto key =
                      crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_44_ed25519);
                  return key ? "" : key.error().message;
              }),
              "");
}

}  // namespace
}  // namespace quoin::tls
