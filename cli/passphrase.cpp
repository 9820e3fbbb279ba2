#include "cli/passphrase.hpp"

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>

#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

constexpr std::size_t max_size = 1024;  // bytes

// Echo off, for as long as it lives.
class Silence {
public:
    Silence() : ok_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ok_ = ok_ && ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence() {
        if (ok_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    bool ok() const { return ok_; }

private:
    termios before_{};
    bool ok_;
};

Result<crypto::Passphrase> ask(std::string_view prompt) {
    fmt::print(stderr, "{}: ", prompt);
    std::string line;
    line.reserve(max_size);  // and none in memory that a growing string gives back
    {
        const Silence silence;
        if (!silence.ok()) {
            return fail(Code::resource_unavailable, "the terminal cannot be kept from echoing");
        }
        for (int c = std::getchar(); c != EOF && c != '\n' && line.size() < max_size;
             c = std::getchar()) {
            line += static_cast<char>(c);
        }
    }
    fmt::print(stderr, "\n");
    return crypto::Passphrase(std::move(line));
}

Result<crypto::Passphrase> from_file(const std::string& file) {
    struct stat status{};
    const bool shared = ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                        (status.st_mode & 0077U) != 0;
    if (shared) {
        return fail(Code::config_invalid, "{}: others may read the passphrase; run: chmod 600 {}",
                    file, file);
    }
    QUOIN_TRY(std::string text, files::read(file, max_size));
    if (text.ends_with('\n')) text.pop_back();
    if (text.contains('\n')) return fail(Code::input_invalid, "{}: has more than one line", file);
    return crypto::Passphrase(std::move(text));
}

Result<void> need_terminal(std::string_view option, std::string_view what) {
    if (::isatty(STDIN_FILENO) != 1) {
        return fail(Code::config_missing,
                    "there is no terminal to ask for the {}: put it into a file of mode 0600 and "
                    "give {} FILE",
                    what, option);
    }
    std::setvbuf(stdin, nullptr, _IONBF, 0);  // no copy in a buffer of the library's
    return {};
}

}  // namespace

Result<crypto::Passphrase> read_passphrase(const std::string& file, std::string_view option,
                                           std::string_view what) {
    if (!file.empty()) return from_file(file);
    QUOIN_CHECK(need_terminal(option, what));
    QUOIN_TRY(crypto::Passphrase first, ask(fmt::format("New {}", what)));
    QUOIN_TRY(const crypto::Passphrase second, ask("Once more"));
    if (first.expose() != second.expose()) {
        return fail(Code::input_invalid, "the two entries differ; nothing was done");
    }
    return first;
}

Result<crypto::Passphrase> existing_passphrase(const std::string& file, std::string_view option,
                                               std::string_view what) {
    if (!file.empty()) return from_file(file);
    QUOIN_CHECK(need_terminal(option, what));
    return ask(what);
}

}  // namespace quoin::cli
