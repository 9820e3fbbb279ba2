// An unmodified program (openssl s_server) under the text of openssl_conf(): what it accepts.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::tls {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// `openssl s_server` on a port that the system chose, ended with the object.
class Server {
public:
    explicit Server(const fs::path& folder) {
        const std::string command = "cd " + folder.string() +
                                    " && OPENSSL_CONF=policy.cnf exec openssl s_server -www "
                                    "-accept 127.0.0.1:0 -cert leaf.pem "
                                    "-cert_chain issuing.pem -key key.pem -pass pass:secret 2>&1";
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return;
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        const char* arguments[] = {"sh", "-c", command.c_str(), nullptr};
        if (::posix_spawnp(&pid_, "sh", &actions, nullptr, const_cast<char**>(arguments),
                           environ) != 0) {
            pid_ = -1;
        }
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ::fdopen(ends[0], "r");
        read_port();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        if (pid_ > 0) {
            ::kill(pid_, SIGTERM);
            ::waitpid(pid_, nullptr, 0);
        }
        if (output_ != nullptr) std::fclose(output_);
    }
    std::string port() const { return port_; }

private:
    void read_port() {
        char line[256];
        while (output_ != nullptr && std::fgets(line, sizeof line, output_) != nullptr) {
            const std::string_view text(line);
            if (!text.starts_with("ACCEPT 127.0.0.1:")) continue;
            port_ = text.substr(17, text.find_last_not_of('\n') - 16);
            return;
        }
    }
    pid_t pid_ = -1;
    std::FILE* output_ = nullptr;
    std::string port_;
};

class OpensslConf : public testing::TestWithParam<Suite> {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "quoin-conf-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        const SuiteInfo& suite = info(GetParam());
        const auto pki = x509::test::make_pki(suite.root, suite.issuing);
        ASSERT_TRUE(pki);
        const auto server = make_leaf(*pki, {.profile = x509::Profile::server,
                                             .kind = x509::Kind::service,
                                             .id = "broker",
                                             .algorithm = suite.service,
                                             .names = {"127.0.0.1"}});
        ASSERT_TRUE(server);
        write("root.pem", pki->root.certificate.pem());
        write("issuing.pem", pki->issuing.certificate.pem());
        write("leaf.pem", server->certificate.pem());
        write("key.pem", server->key.to_encrypted_pem(crypto::Passphrase("secret")));
        write("policy.cnf", openssl_conf(GetParam()));
        server_.emplace(folder_);
        ASSERT_NE(server_->port(), "");
    }
    void TearDown() override {
        server_.reset();
        fs::remove_all(folder_);
    }
    void write(const char* name, const Result<std::string>& text) const {
        ASSERT_TRUE(text);
        ASSERT_TRUE(files::write_atomically(folder_ / name, *text, 0600));
    }
    bool connects(const std::string& options) const {
        const std::string command =
            "cd " + folder_.string() +
            " && OPENSSL_CONF=" + crypto::provider_file().replace_filename("openssl.cnf").string() +
            " openssl s_client -connect 127.0.0.1:" + server_->port() +
            " -CAfile root.pem -verify_return_error -verify_ip 127.0.0.1 " + options +
            " </dev/null >out.txt 2>&1";
        return std::system(command.c_str()) == 0;
    }
    std::string output() const { return files::read(folder_ / "out.txt").value_or(""); }
    std::string group() const { return "-groups " + std::string(info(GetParam()).groups); }

    fs::path folder_;
    std::optional<Server> server_;
};

TEST_P(OpensslConf, s_server__client_of_the_suite__connects_without_a_ticket) {
    EXPECT_TRUE(connects(group())) << output();
    const bool composite = GetParam() == Suite::hybrid;
    EXPECT_THAT(output(), HasSubstr(composite ? "ignature type: mldsa65_ed25519\n"
                                              : "ignature type: mldsa65\n"));
    EXPECT_THAT(output(), Not(HasSubstr("New Session Ticket")));
}

// A policy that cannot be kept is none that is left out.
TEST_P(OpensslConf, provider_missing__program_does_not_start) {
    std::string conf = openssl_conf(GetParam());
    const std::string provider = crypto::provider_file().string();
    conf.replace(conf.find(provider), provider.size(), "/nowhere/quoin.so");
    write("broken.cnf", conf);
    // A server that did start would end by itself, when its input does.
    const std::string command = "cd " + folder_.string() +
                                " && OPENSSL_CONF=broken.cnf timeout 20 openssl s_server -accept "
                                "127.0.0.1:0 -cert leaf.pem -key key.pem -pass pass:secret "
                                "</dev/null >out.txt 2>&1";
    EXPECT_NE(std::system(command.c_str()), 0);
    EXPECT_THAT(output(), Not(HasSubstr("ACCEPT"))) << output();
}

TEST_P(OpensslConf, s_server__anything_weaker__refused) {
    EXPECT_FALSE(connects("-groups X25519"));
    EXPECT_FALSE(connects("-groups secp256r1"));
    EXPECT_FALSE(connects("-groups X25519 -tls1_2"));
    EXPECT_FALSE(connects(group() + " -sigalgs ed25519:ecdsa_secp256r1_sha256"));
    EXPECT_FALSE(connects(group() + " -ciphersuites TLS_AES_128_GCM_SHA256"));
    EXPECT_TRUE(connects(group()));  // and it still serves
}

INSTANTIATE_TEST_SUITE_P(policy, OpensslConf, testing::Values(Suite::hybrid, Suite::pure),
                         [](const auto& given) {
                             return std::string(tls::info(given.param).name);
                         });

}  // namespace
}  // namespace quoin::tls
