#include <openssl/crypto.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/doctor/checks.hpp"
#include "cli/supervise/account.hpp"
#include "cli/supervise/process.hpp"
#include "cli/supervise/programs.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/descriptor.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

// What `mosquitto -h` says first: "mosquitto version 2.0.21".
Result<std::string> mosquitto_version(const Programs& programs) {
    std::string log = "/tmp/quoin-doctor-XXXXXX";
    const Descriptor made(mkstemp(log.data()));
    auto process = launch({.name = "mosquitto",
                           .program = programs.mosquitto.number(),
                           .arguments = {"-h"},
                           .folder = "/",
                           .log = log});
    if (process) reap(*process);
    auto text = files::read(log);
    unlink(log.c_str());
    if (!process) return std::unexpected(process.error());
    if (!text) return text;
    return text->substr(0, text->find('\n'));
}

void check_programs(Findings& findings) {
    const auto programs = Programs::open(false);
    if (programs) {
        findings.push_back({Health::pass, "programs",
                            "quoind, quoin-agent, mosquitto, plugin, provider are here"});
    } else {
        findings.push_back({Health::fail, "programs", programs.error().message});
    }
    if (!programs) return;
    const auto mosquitto = mosquitto_version(*programs);
    if (mosquitto && mosquitto->contains("version 2.")) {
        findings.push_back({Health::pass, "broker version", *mosquitto});
    } else {
        findings.push_back({Health::fail, "broker version",
                            mosquitto ? fmt::format("found '{}', need Mosquitto 2", *mosquitto)
                                      : mosquitto.error().message});
    }
}

void check_openssl(Findings& findings) {
    const unsigned major = OPENSSL_version_major();
    const unsigned minor = OPENSSL_version_minor();
    const bool enough = major > 3 || (major == 3 && minor >= 5);
    findings.push_back({enough ? Health::pass : Health::fail, "OpenSSL",
                        fmt::format("{}{}", OpenSSL_version(OPENSSL_VERSION),
                                    enough ? "" : "; need 3.5 for ML-KEM and ML-DSA")});
    const auto provider = crypto::provider_is_loaded();
    findings.push_back({provider ? Health::pass : Health::fail, "OpenSSL provider",
                        provider ? crypto::provider_file().string() : provider.error().message});
    const auto sound = crypto::operational();
    findings.push_back({sound ? Health::pass : Health::fail, "self-tests",
                        sound ? crypto::module_line() : sound.error().message});
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
