// A real mosquitto with TLS for tests, on a free port of the loopback. Not a part of the product.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/tls/policy.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::net::test {

inline std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(socket);
    return ntohs(address.sin_port);
}

inline bool port_answers(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool good = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return good;
}

// A folder of its own, removed at the end.
class TempFolder {
public:
    TempFolder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "quoin-test-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

// The chain ML-DSA-65+Ed25519 twice, then the broker: the hybrid suite; clients need a certificate.
class Mosquitto {
public:
    // `extra`: more lines of mosquitto.conf. `names`: what the broker's certificate names.
    explicit Mosquitto(const x509::test::Pki& pki,
                       const std::string& extra = "allow_anonymous true\n",
                       std::vector<std::string> names = {"127.0.0.1", "localhost"})
        : port_(free_port()) {
        const auto leaf =
            x509::test::make_leaf(pki, {.profile = x509::Profile::server,
                                        .kind = x509::Kind::service,
                                        .id = "broker",
                                        .algorithm = crypto::Algorithm::ml_dsa_65_ed25519,
                                        .names = std::move(names)});
        EXPECT_TRUE(leaf);
        write("broker.crt", *leaf->certificate.pem() + *pki.issuing.certificate.pem());
        write("broker.key", *leaf->key.danger_to_clear_pem());
        write("ca.crt", *pki.root.certificate.pem() + *pki.issuing.certificate.pem());
        write("openssl.cnf", tls::openssl_conf(tls::Suite::hybrid));
        const std::string at = folder_.path().string() + "/";
        write("mosquitto.conf",
              "listener " + std::to_string(port_) + " 127.0.0.1\ncafile " + at +
                  "ca.crt\ncertfile " + at + "broker.crt\nkeyfile " + at +
                  "broker.key\nrequire_certificate true\n" +
                  "set_tcp_nodelay true\nmax_inflight_messages 1000\nmax_queued_messages 100000\n" +
                  "user root\n" + extra);
        start();
    }
    Mosquitto(const Mosquitto&) = delete;
    Mosquitto& operator=(const Mosquitto&) = delete;
    ~Mosquitto() { kill(); }

    std::uint16_t port() const { return port_; }
    const std::filesystem::path& folder() const { return folder_.path(); }

    void start() {
        const std::string conf = (folder_.path() / "mosquitto.conf").string();
        const std::string openssl = "OPENSSL_CONF=" + (folder_.path() / "openssl.cnf").string();
        const std::string log = (folder_.path() / "log").string();
        std::vector<std::string> words{"mosquitto", "-c", conf};
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        std::vector<std::string> settings{openssl, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
        std::vector<char*> environment;
        for (std::string& setting : settings) environment.push_back(setting.data());
        environment.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                         0600);
        posix_spawn_file_actions_adddup2(&actions, 2, 1);
        ASSERT_EQ(::posix_spawn(&process_, "/usr/sbin/mosquitto", &actions, nullptr, argv.data(),
                                environment.data()),
                  0);
        posix_spawn_file_actions_destroy(&actions);
        for (int i = 0; i < 200 && !port_answers(port_); ++i) {
            // tidy: allow(banned-call) because mosquitto does not tell when it listens.
            std::this_thread::sleep_for(std::chrono::milliseconds(25));
        }
        ASSERT_TRUE(port_answers(port_)) << "mosquitto does not listen; its log is " << log;
    }
    void kill() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }

private:
    void write(const std::string& name, const std::string& content) const {
        std::ofstream(folder_.path() / name) << content;
        std::filesystem::permissions(
            folder_.path() / name,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }

    TempFolder folder_;
    std::uint16_t port_;
    pid_t process_ = -1;
};

// What other threads report, and waiting for it.
class Board {
public:
    template <class Change>
    void change(Change&& change_it) {
        const std::lock_guard lock(mutex_);
        change_it();
        changed_.notify_all();
    }
    template <class Condition>
    [[nodiscard]] bool wait(Condition&& condition,
                            std::chrono::seconds most = std::chrono::seconds(20)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, most, std::forward<Condition>(condition));
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace quoin::net::test
