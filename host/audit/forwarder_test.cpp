// Against a real rsyslog with its OpenSSL driver.
#include "host/audit/forwarder.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <set>
#include <thread>

#include "host/audit/syslog.hpp"
#include "host/audit/test_log.hpp"
#include "host/x509/test_pki.hpp"

extern char** environ;

namespace quoin::audit {
namespace {

using namespace std::chrono_literals;
using crypto::Algorithm;
using testing::HasSubstr;

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 20s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        ::poll(nullptr, 0, 10);  // between two looks at another process's file
    }
    return true;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(probe, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(probe);
    return ntohs(address.sin_port);
}

bool is_listening(std::uint16_t port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port);
    const bool there =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return there;
}

class Rsyslog {
public:
    Rsyslog(const std::filesystem::path& folder, const x509::test::Pki& pki, Algorithm algorithm)
        : folder_(folder / "rsyslog"), port_(free_port()) {
        std::filesystem::create_directory(folder_);
        auto leaf = x509::test::make_leaf(pki, {.profile = x509::Profile::server,
                                                .kind = x509::Kind::service,
                                                .id = "siem",
                                                .algorithm = algorithm,
                                                .names = {"localhost", "127.0.0.1"}});
        if (!leaf) throw std::runtime_error(leaf.error().message);
        test::write_file(folder_ / "ca.pem", *pki.root.certificate.pem());
        test::write_file(folder_ / "cert.pem",
                         *leaf->certificate.pem() + *pki.issuing.certificate.pem());
        test::write_file(folder_ / "key.pem", *leaf->key.danger_to_clear_pem());
        test::write_file(folder_ / "rsyslog.conf", configuration());
    }
    ~Rsyslog() { stop(SIGKILL); }

    void start() {
        std::string program = "rsyslogd";
        std::string foreground = "-n";
        std::string configuration = "-f" + (folder_ / "rsyslog.conf").string();
        std::string pid = "-i" + (folder_ / "pid").string();
        std::array<char*, 5> arguments{program.data(), foreground.data(), configuration.data(),
                                       pid.data(), nullptr};
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        const std::string log = (folder_ / "own.log").string();
        posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                         0600);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        ASSERT_EQ(::posix_spawn(&process_, "/usr/sbin/rsyslogd", &actions, nullptr,
                                arguments.data(), environ),
                  0);
        posix_spawn_file_actions_destroy(&actions);
        ASSERT_TRUE(eventually([&] { return is_listening(port_); }))
            << test::read_file(folder_ / "own.log");
    }
    void stop(int signal) {
        if (process_ == 0) return;
        ::kill(process_, signal);
        ::waitpid(process_, nullptr, 0);
        process_ = 0;
        std::filesystem::remove(folder_ / "pid");
    }
    std::vector<std::string> messages() const {
        return test::lines_of(test::read_file(folder_ / "received"));
    }
    // The numbers of the events, as they came.
    std::vector<std::uint64_t> numbers() const {
        std::vector<std::uint64_t> out;
        for (const std::string& message : messages()) {
            const auto at = message.find("number=\"");
            if (at != std::string::npos) out.push_back(std::stoull(message.substr(at + 8)));
        }
        return out;
    }
    std::uint16_t port() const { return port_; }
    std::string own_log() const { return test::read_file(folder_ / "own.log"); }

private:
    std::string configuration() const {
        const std::string folder = folder_.string();
        return fmt::format(
            R"(global(workDirectory="{0}" maxMessageSize="16k" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{0}/ca.pem" defaultNetstreamDriverCertFile="{0}/cert.pem"
  defaultNetstreamDriverKeyFile="{0}/key.pem")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\n")
input(type="imtcp" address="127.0.0.1" port="{1}" ruleset="siem")
ruleset(name="siem") {{ action(type="omfile" file="{0}/received" template="raw" flushOnTXEnd="on") }}
)",
            folder, port_);
    }

    std::filesystem::path folder_;
    std::uint16_t port_;
    pid_t process_ = 0;
};

class ForwarderTest : public test::LogTest {
protected:
    static const x509::test::Pki& pki(Algorithm algorithm) {
        static std::map<Algorithm, x509::test::Pki> made;
        auto found = made.find(algorithm);
        if (found == made.end()) {
            auto fresh = x509::test::make_pki(algorithm, algorithm, "siem");
            if (!fresh) throw std::runtime_error(fresh.error().message);
            found = made.emplace(algorithm, *std::move(fresh)).first;
        }
        return found->second;
    }
    LogOptions fast() const {
        auto given = options();
        given.burst = 1'000'000;
        given.queue_events = 100'000;
        return given;
    }
    ForwarderOptions to(const Rsyslog& siem) const {
        ForwarderOptions given;
        given.host = "127.0.0.1";
        given.port = siem.port();
        given.file = file_;
        given.cursor = folder_ / "audit" / "siem.cursor";
        given.confirm_after = 300ms;
        given.first_backoff = 20ms;
        given.last_backoff = 200ms;
        return given;
    }
    std::unique_ptr<Forwarder> forward(const ForwarderOptions& given, Log& log,
                                       Algorithm algorithm = Algorithm::ml_dsa_65,
                                       bool classical = false) const {
        auto context =
            siem_context(tls::Suite::hybrid, classical, pki(algorithm).anchors(), nullptr);
        EXPECT_TRUE(context) << (context ? "" : context.error().message);
        auto started = Forwarder::start(given, *std::move(context), log);
        EXPECT_TRUE(started) << (started ? "" : started.error().message);
        return started ? *std::move(started) : nullptr;
    }
    static void append(Log& log, int count) {
        for (int i = 0; i < count; ++i) log.append(Id::api_action_done, "", {{"i", i}});
        EXPECT_TRUE(log.flush());
    }
    static std::vector<std::uint64_t> up_to(std::uint64_t last) {
        std::vector<std::uint64_t> all;
        for (std::uint64_t i = 1; i <= last; ++i) all.push_back(i);
        return all;
    }
    // In the order in which each came first.
    static std::vector<std::uint64_t> without_repeats(const std::vector<std::uint64_t>& numbers) {
        std::vector<std::uint64_t> out;
        std::set<std::uint64_t> seen;
        for (const auto number : numbers) {
            if (seen.insert(number).second) out.push_back(number);
        }
        return out;
    }
};

TEST_F(ForwarderTest, forward__real_rsyslog__every_event_once_in_order) {
    Rsyslog siem(folder_, pki(Algorithm::ml_dsa_65), Algorithm::ml_dsa_65);
    siem.start();
    const auto log = open(fast());
    const auto forwarder = forward(to(siem), *log);
    append(*log, 3000);
    ASSERT_TRUE(eventually([&] { return forwarder->status().confirmed_number >= 3000; }))
        << forwarder->status().error << siem.own_log();
    ASSERT_TRUE(eventually([&] { return siem.numbers().size() >= log->last_number(); }));
    EXPECT_EQ(siem.numbers(), up_to(siem.numbers().size()));
    // What arrived is what export prints.
    std::vector<std::string> wanted;
    ASSERT_TRUE(each_line(file_, [&](const Line& line) -> Result<void> {
        wanted.push_back(to_syslog(line, host_name()));
        return {};
    }));
    auto got = siem.messages();
    wanted.resize(std::min(wanted.size(), got.size()));
    got.resize(wanted.size());
    EXPECT_EQ(got, wanted);
    EXPECT_TRUE(forwarder->status().is_connected);
}

TEST_F(ForwarderTest, forward__siem_away_and_back__nothing_lost_nothing_twice) {
    Rsyslog siem(folder_, pki(Algorithm::ml_dsa_65), Algorithm::ml_dsa_65);
    const auto log = open(fast());
    const auto forwarder = forward(to(siem), *log);
    append(*log, 100);  // before it is there
    ASSERT_TRUE(eventually([&] { return !forwarder->status().error.empty(); }));
    siem.start();
    ASSERT_TRUE(eventually([&] { return forwarder->status().backlog == 0; }))
        << forwarder->status().error;
    siem.stop(SIGKILL);
    append(*log, 100);  // while it is away
    ASSERT_TRUE(eventually([&] { return !forwarder->status().is_connected; }));
    EXPECT_GE(forwarder->status().backlog, 100U);
    siem.start();
    ASSERT_TRUE(eventually([&] { return forwarder->status().backlog == 0; }));
    ASSERT_TRUE(eventually([&] { return siem.numbers().size() >= log->last_number(); }));
    EXPECT_EQ(siem.numbers(), up_to(log->last_number()));
    EXPECT_EQ(forwarder->status().lost, 0U);
}

TEST_F(ForwarderTest, forward__rsyslog_killed_in_the_stream__nothing_lost_order_kept) {
    Rsyslog siem(folder_, pki(Algorithm::ml_dsa_65), Algorithm::ml_dsa_65);
    siem.start();
    const auto log = open(fast());
    const auto forwarder = forward(to(siem), *log);
    std::atomic<bool> done = false;
    std::thread writer([&] {
        for (int i = 0; i < 200; ++i) {
            append(*log, 20);
            log->wait_after(UINT64_MAX, 1, 5ms);
        }
        done = true;
    });
    for (int round = 0; round < 5; ++round) {
        const auto before = siem.numbers().size();
        EXPECT_TRUE(eventually([&] { return siem.numbers().size() > before + 100; }));
        siem.stop(SIGKILL);
        siem.start();
    }
    writer.join();
    EXPECT_TRUE(done);
    ASSERT_TRUE(eventually([&] { return forwarder->status().backlog == 0; }))
        << forwarder->status().error;
    ASSERT_TRUE(
        eventually([&] { return without_repeats(siem.numbers()).size() >= log->last_number(); }));
    // A line that rsyslog was killed in may be cut; it is sent again.
    EXPECT_EQ(without_repeats(siem.numbers()), up_to(log->last_number()));
}

TEST_F(ForwarderTest, forward__own_process_restarted__goes_on_behind_its_cursor) {
    Rsyslog siem(folder_, pki(Algorithm::ml_dsa_65), Algorithm::ml_dsa_65);
    siem.start();
    for (int i = 0; i < 3; ++i) {
        const auto log = open(fast());
        const auto forwarder = forward(to(siem), *log);
        append(*log, 50);
        ASSERT_TRUE(eventually([&] { return siem.numbers().size() >= log->last_number(); }));
    }
    const auto numbers = siem.numbers();
    EXPECT_EQ(numbers, up_to(numbers.size()));
}

TEST_F(ForwarderTest, forward__backlog_too_long__oldest_left_out_and_said_so) {
    Rsyslog siem(folder_, pki(Algorithm::ml_dsa_65), Algorithm::ml_dsa_65);
    const auto log = open(fast());
    append(*log, 500);
    auto given = to(siem);
    given.max_backlog = 100;
    const auto forwarder = forward(given, *log);
    ASSERT_TRUE(eventually([&] { return forwarder->status().lost >= 400; }));
    siem.start();
    ASSERT_TRUE(eventually([&] { return forwarder->status().backlog == 0; }));
    ASSERT_TRUE(eventually(
        [&] { return !siem.numbers().empty() && siem.numbers().back() == log->last_number(); }));
    const auto numbers = siem.numbers();
    EXPECT_GE(numbers.front(), 400U);
    EXPECT_EQ(numbers.back() - numbers.front() + 1, numbers.size());
    EXPECT_THAT(test::read_file(file_), HasSubstr("audit.siem.lost"));
}

TEST_F(ForwarderTest, forward__log_begun_anew__sent_from_its_beginning) {
    Rsyslog siem(folder_, pki(Algorithm::ml_dsa_65), Algorithm::ml_dsa_65);
    siem.start();
    {
        const auto log = open(fast());
        const auto forwarder = forward(to(siem), *log);
        append(*log, 50);
        ASSERT_TRUE(eventually([&] { return forwarder->status().backlog == 0; }));
    }
    std::filesystem::rename(file_, folder_ / "old.jsonl");
    const auto before = siem.numbers().size();
    const auto log = open(fast());
    const auto forwarder = forward(to(siem), *log);
    append(*log, 5);
    ASSERT_TRUE(eventually([&] { return siem.numbers().size() >= before + log->last_number(); }));
    auto numbers = siem.numbers();
    numbers.erase(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(before));
    EXPECT_EQ(numbers, up_to(log->last_number()));
}

TEST_F(ForwarderTest, forward__siem_of_another_authority__refused) {
    Rsyslog siem(folder_, pki(Algorithm::ml_dsa_44), Algorithm::ml_dsa_65);
    siem.start();
    const auto log = open(fast());
    const auto forwarder = forward(to(siem), *log);
    ASSERT_TRUE(eventually([&] { return !forwarder->status().error.empty(); }));
    EXPECT_THAT(forwarder->status().error, HasSubstr("unable to get local issuer certificate"));
    EXPECT_FALSE(forwarder->status().is_connected);
    EXPECT_TRUE(siem.numbers().empty());
}

TEST_F(ForwarderTest, forward__classical_siem__only_when_asked_for) {
    Rsyslog siem(folder_, pki(Algorithm::ecdsa_p256), Algorithm::ecdsa_p256);
    siem.start();
    const auto log = open(fast());
    {
        const auto forwarder = forward(to(siem), *log, Algorithm::ecdsa_p256);
        ASSERT_TRUE(eventually([&] { return !forwarder->status().error.empty(); }));
    }
    const auto forwarder = forward(to(siem), *log, Algorithm::ecdsa_p256, true);
    append(*log, 10);
    EXPECT_TRUE(eventually([&] { return forwarder->status().backlog == 0; }))
        << forwarder->status().error;
}

TEST_F(ForwarderTest, start__unreadable_cursor__config_invalid) {
    const auto log = open(fast());
    ForwarderOptions given;
    given.host = "127.0.0.1";
    given.file = file_;
    given.cursor = folder_ / "audit" / "siem.cursor";
    for (const char* text : {"", "{}", "[1,2]", "{\"number\":-1,\"offset\":0}", "{\"number\":1}"}) {
        test::write_file(given.cursor, text);
        auto context =
            siem_context(tls::Suite::hybrid, false, pki(Algorithm::ml_dsa_65).anchors(), nullptr);
        const auto started = Forwarder::start(given, *std::move(context), *log);
        ASSERT_FALSE(started) << text;
        EXPECT_EQ(started.error().code, Code::config_invalid);
        EXPECT_THAT(started.error().message, HasSubstr("siem.cursor"));
    }
}

}  // namespace
}  // namespace quoin::audit
