#include "host/keys/tpm/swtpm_fixture.hpp"

#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "host/descriptor.hpp"
#include "host/keys/tpm/connection.hpp"

namespace quoin::keys::tpm {
namespace {

bool answers(const std::filesystem::path& path) {
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    std::copy_n(text.begin(), std::min(text.size(), sizeof address.sun_path - 1), address.sun_path);
    return ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address),
                     sizeof address) == 0;
}

}  // namespace

Swtpm::Swtpm() : socket_(folder_.path() / "tpm.sock") { start(); }
Swtpm::~Swtpm() { stop(); }

void Swtpm::start() {
    std::vector<std::string> words = {"swtpm",
                                      "socket",
                                      "--tpm2",
                                      "--tpmstate",
                                      "dir=" + folder_.path().string(),
                                      "--server",
                                      "type=unixio,path=" + socket_.string(),
                                      "--ctrl",
                                      "type=unixio,path=" + socket_.string() + ".ctrl",
                                      "--flags",
                                      "not-need-init,startup-clear",
                                      "--seccomp",
                                      "action=none",
                                      "--log",
                                      "file=" + (folder_.path() / "log").string()};
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ASSERT_EQ(::posix_spawnp(&pid_, "swtpm", nullptr, nullptr, argv.data(), environ), 0)
        << "swtpm cannot be started: apt install swtpm";
    const std::filesystem::path control = socket_.string() + ".ctrl";
    bool listens = false;
    for (int tries = 0; tries < 1000 && !listens; ++tries) {
        ASSERT_EQ(::waitpid(pid_, nullptr, WNOHANG), 0) << "swtpm ended at once";
        listens = answers(control) && answers(socket_);
        if (!listens) ::poll(nullptr, 0, 10);
    }
    ASSERT_TRUE(listens) << "swtpm does not listen";
}

void Swtpm::stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    std::error_code failure;  // they are not there if it removed them itself
    std::filesystem::remove(socket_, failure);
    std::filesystem::remove(socket_.string() + ".ctrl", failure);
}

void Swtpm::restart() {
    stop();
    start();
}

void Swtpm::extend(std::uint32_t pcr) const {
    const auto tpm = Connection::open(tcti());
    ASSERT_TRUE(tpm) << tpm.error().message;
    TPML_DIGEST_VALUES values{};
    values.count = 1;
    values.digests[0].hashAlg = TPM2_ALG_SHA256;
    values.digests[0].digest.sha256[0] = 1;
    ASSERT_EQ(Esys_PCR_Extend(tpm->esys(), ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &values),
              TSS2_RC_SUCCESS);
}

void Swtpm::clear_lockout() const {
    const auto tpm = Connection::open(tcti());
    ASSERT_TRUE(tpm) << tpm.error().message;
    ASSERT_EQ(Esys_DictionaryAttackLockReset(tpm->esys(), ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD,
                                             ESYS_TR_NONE, ESYS_TR_NONE),
              TSS2_RC_SUCCESS);
}

}  // namespace quoin::keys::tpm
