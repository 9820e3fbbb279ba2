// quoin-se: keeps keys, uses them for others, and never gives them out.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include "host/approved_mode.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/crypto/wipe_freed.hpp"
#include "host/files/files.hpp"
#include "secure_element/confine.hpp"
#include "secure_element/selftest.hpp"
#include "secure_element/server.hpp"

namespace {

using namespace quoin;
using namespace quoin::secure_element;

constexpr const char* teaching = R"(
A process of its own that makes, keeps and uses private keys. Others ask it over a socket;
there is no command that returns a key. Who may ask is decided by the uid that the kernel
names, what for by each key's policy.

Start it with a passphrase in a file (mode 600), under its own user (as root with --user, or by
systemd with User= and LimitMEMLOCK=infinity):

    quoin-se --home /var/lib/quoin/se --socket /run/quoin/se.sock --user quoin-se \
        --passphrase-file /etc/quoin/se.pass --allow-uid 1001

or with a key of 32 bytes that a launcher has unsealed with a TPM or a token:

    quoin-se --home /var/lib/quoin/se --seal-key-fd 3 3< <(unseal)

Keys: Ed25519, X25519, ML-KEM, ML-DSA, SLH-DSA (all twelve sets), the composites of ML-DSA and
Ed25519, AES-256-GCM. The key store is HOME/store, one sealed file; back it up as it is.
Its memory is locked and cannot be dumped; system calls that it does not need end it.
It logs to standard error. Protocol: docs/spec/secure_element.md.
)";

struct Options {
    std::filesystem::path home;
    std::filesystem::path socket;
    std::filesystem::path bus_socket;
    std::filesystem::path passphrase_file;
    int seal_key_fd = -1;
    std::vector<uid_t> allowed;
    std::vector<uid_t> administrators;
    std::string user;
    bool danger_unlocked_memory = false;
};

// "2026-11-22T10:00:00.123Z info listening socket=..."
void set_up_log() {
    auto log = spdlog::stderr_logger_mt("quoin-se");
    log->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    log->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(log));
}

quoin::Result<Unlock> read_seal_key(int descriptor) {
    const Descriptor pipe(descriptor);
    SecretBytes key(32);
    std::array<std::uint8_t, 33> got{};
    std::size_t size = 0;
    while (size < got.size()) {
        const ssize_t count = ::read(pipe.number(), got.data() + size, got.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            return fail(Code::resource_unavailable, "--seal-key-fd {}: {}", descriptor,
                        std::generic_category().message(errno));
        }
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    if (size == key.size()) std::ranges::copy_n(got.begin(), 32, key.expose_to_fill().begin());
    core::ct::wipe(got);
    if (size == key.size()) return Unlock(RawKey(std::move(key)));
    return fail(Code::input_invalid, "--seal-key-fd {}: 32 bytes must come, {} did", descriptor,
                size > 32 ? std::string("more") : std::to_string(size));
}

quoin::Result<Unlock> read_passphrase(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 0077U) != 0) {
        return fail(Code::config_invalid, "{}: others may read the passphrase; run: chmod 600 {}",
                    file.string(), file.string());
    }
    QUOIN_TRY(std::string text, files::read(file, 1024));
    const std::size_t size = text.ends_with('\n') ? text.size() - 1 : text.size();
    SecretBytes passphrase(size);
    std::ranges::copy_n(bytes_of(text).begin(), static_cast<std::ptrdiff_t>(size),
                        passphrase.expose_to_fill().begin());
    core::ct::wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    if (size >= 12) return Unlock(Passphrase{std::move(passphrase)});
    return fail(Code::config_invalid, "{}: a passphrase has at least 12 characters", file.string());
}

quoin::Result<std::unique_ptr<Element>> open_element(const Options& options, const Unlock& unlock,
                                                     std::set<uid_t> administrators) {
    QUOIN_TRY(Store::Opened opened, Store::open(options.home, unlock));
    const bool is_new = opened.is_new;
    QUOIN_TRY(auto element,
              Element::open(std::move(opened), {.administrators = std::move(administrators),
                                                .version = QUOIN_VERSION}));
    spdlog::info("{} home={} keys={} zeroized={}", is_new ? "key_store_made" : "key_store_opened",
                 options.home.string(), element->key_count(), element->zeroized());
    return element;
}

// While it is root: locks its memory, as that limit is not in the way, and reads what opens the
// store, which may be root's alone. Then it becomes the user.
quoin::Result<Unlock> confine(const Options& options) {
    if (options.danger_unlocked_memory) {
        spdlog::warn("memory_not_locked keys may reach a swap disk (--danger-unlocked-memory)");
    } else {
        QUOIN_CHECK(lock_memory());
    }
    QUOIN_CHECK(forbid_inspection());
    QUOIN_TRY(Unlock unlock, options.seal_key_fd >= 0 ? read_seal_key(options.seal_key_fd)
                                                      : read_passphrase(options.passphrase_file));
    QUOIN_CHECK(files::make_private_folder(options.home));
    if (!options.user.empty()) QUOIN_CHECK(become(options.user, options.home));
    QUOIN_CHECK(forbid_inspection());  // again: another user made it inspectable
    return unlock;
}

quoin::Result<void> run(const Options& options) {
    // Verifies quotes. First, before anything else of OpenSSL, and while files may be opened: it
    // reads our provider, too, which it does not need.
    QUOIN_CHECK(crypto::operational());
    if (options.danger_unlocked_memory && approved_mode()) {
        return fail(Code::config_invalid,
                    "--danger-unlocked-memory is not allowed in approved mode");
    }
    QUOIN_CHECK(self_test());
    spdlog::info("{}", crypto::module_line());
    QUOIN_TRY(const Unlock unlock, confine(options));
    std::set<uid_t> administrators(options.administrators.begin(), options.administrators.end());
    administrators.insert(::geteuid());
    std::set<uid_t> allowed = administrators;
    allowed.insert(options.allowed.begin(), options.allowed.end());
    QUOIN_TRY(const auto element, open_element(options, unlock, std::move(administrators)));
    const auto socket = options.socket.empty() ? options.home / "se.sock" : options.socket;
    QUOIN_TRY(
        const auto server,
        Server::listen(*element, {.socket = socket,
                                  .bus_socket = options.bus_socket,
                                  .allowed = std::move(allowed),
                                  .threads = std::max(4U, std::thread::hardware_concurrency())}));
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);  // before any other thread is there
    server->start();
    element->pool().start();
    QUOIN_CHECK(filter_system_calls());
    server->release();
    spdlog::info("listening socket={} bus_socket={}", socket.string(), options.bus_socket.string());
    int received = 0;
    sigwait(&ending, &received);
    server->stop();
    element->pool().stop();
    ::unlink(socket.c_str());
    if (!options.bus_socket.empty()) ::unlink(options.bus_socket.c_str());
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    crypto::begin_process();
    Options options;
    CLI::App app("quoin-se: the secure element as a process");
    app.footer(teaching);
    app.add_option("--home", options.home, "folder of the key store; made with mode 700")
        ->required();
    app.add_option("--socket", options.socket,
                   "where to listen; default: HOME/se.sock, which only its own user reaches");
    app.add_option("--bus-socket", options.bus_socket,
                   "a second socket, with the framing of an I2C or SPI bus (emulated)");
    auto* const unlock = app.add_option_group("what opens the key store");
    unlock->add_option("--passphrase-file", options.passphrase_file,
                       "file of mode 600 with a passphrase of 12 characters or more");
    unlock
        ->add_option("--seal-key-fd", options.seal_key_fd,
                     "descriptor of a pipe from which 32 bytes come, then its end")
        ->check(CLI::NonNegativeNumber);
    unlock->require_option(1);
    app.add_option("--allow-uid", options.allowed, "who may use it, beside its own user");
    app.add_option("--admin-uid", options.administrators,
                   "who may also remove any key and zeroize, beside its own user");
    app.add_option("--user", options.user,
                   "started as root: lock the memory, then become this user");
    app.add_flag("--danger-unlocked-memory", options.danger_unlocked_memory,
                 "run where memory cannot be locked; keys may reach a swap disk");
    app.set_version_flag("--version", QUOIN_VERSION);
    CLI11_PARSE(app, argc, argv);
    set_up_log();
    std::signal(SIGPIPE, SIG_IGN);
    const auto result = run(options);
    if (!result) {
        spdlog::error("failed code={} error=\"{}\"", quoin::code_name(result.error().code),
                      result.error().message);
        return quoin::exit_code(result.error().code);
    }
    spdlog::info("stopped");
    return 0;
}
