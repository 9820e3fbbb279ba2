#include <openssl/crypto.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

#include "cli/doctor/checks.hpp"
#include "cli/supervise/account.hpp"
#include "cli/supervise/descriptor.hpp"
#include "cli/supervise/programs.hpp"

namespace quoin::cli {
namespace {

struct PipeCloser {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
};

// "mosquitto version 2.0.21"
std::string mosquitto_version() {
    const std::unique_ptr<std::FILE, PipeCloser> pipe(
        popen("PATH=\"$PATH:/usr/sbin\" mosquitto -h 2>/dev/null", "r"));
    std::array<char, 128> line{};
    if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "";
    std::string text = line.data();
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

void check_programs(Findings& findings) {
    if (const auto programs = Programs::open(false); programs) {
        findings.push_back(
            {Health::pass, "programs", "quoind, quoin-agent, mosquitto, plugin are here"});
    } else {
        findings.push_back({Health::fail, "programs", programs.error().message});
    }
    const std::string mosquitto = mosquitto_version();
    if (mosquitto.contains("version 2.")) {
        findings.push_back({Health::pass, "broker version", mosquitto});
    } else {
        findings.push_back(
            {Health::fail, "broker version",
             fmt::format("found '{}', need Mosquitto 2: apt install mosquitto", mosquitto)});
    }
}

void check_openssl(Findings& findings) {
    const unsigned major = OPENSSL_version_major();
    const unsigned minor = OPENSSL_version_minor();
    const bool enough = major > 3 || (major == 3 && minor >= 5);
    findings.push_back({enough ? Health::pass : Health::fail, "OpenSSL",
                        fmt::format("{}{}", OpenSSL_version(OPENSSL_VERSION),
                                    enough ? "" : "; need 3.5 for ML-KEM and ML-DSA")});
}

void check_kernel(Findings& findings) {
    const Descriptor own(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
    findings.push_back(
        own ? Finding{Health::pass, "kernel", "process handles (pidfd) work"}
            : Finding{Health::fail, "kernel", "no pidfd_open: need Linux 5.3 or later"});
}

void check_account(Findings& findings) {
    const auto account = plant_account();
    if (!account) {
        findings.push_back({Health::fail, "user", account.error().message});
    } else {
        findings.push_back(
            {Health::pass, "user",
             account->change
                 ? fmt::format("root gives way to '{}' (uid {})", account->name, account->uid)
                 : fmt::format("the plant runs as uid {}", account->uid)});
    }
}

void check_clock(Findings& findings) {
    timex state{};
    const bool synchronised = adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    findings.push_back(
        synchronised
            ? Finding{Health::pass, "clock", "synchronised"}
            : Finding{
                  Health::warn, "clock",
                  "not known to be synchronised: certificates, CRLs and challenges depend on it; "
                  "run chrony or systemd-timesyncd"});
}

}  // namespace

void check_machine(Findings& findings) {
    check_programs(findings);
    check_openssl(findings);
    check_kernel(findings);
    check_account(findings);
    check_clock(findings);
}

}  // namespace quoin::cli
