#include "cli/supervise/account.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "host/crypto/library.hpp"
#include "host/descriptor.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* plant_user = "quoin";
constexpr const char* element_user = "quoin-se";

std::string first_line(const char* file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    return line;
}

// True when there is nobody else to be: one mapped uid, or supplementary groups cannot be dropped.
bool is_confined_root() {
    std::ifstream stream("/proc/self/uid_map");
    std::uint64_t inside = 0;
    std::uint64_t outside = 0;
    std::uint64_t count = 0;
    std::uint64_t mapped = 0;
    while (stream >> inside >> outside >> count) mapped += count;
    return mapped == 1 || first_line("/proc/self/setgroups") == "deny";
}

Result<Account> find_user(const char* name, std::string_view purpose) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer{};
    const int failure = getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        return fail(Code::config_missing,
                    "quoin was started as root and runs {} as the user '{}', which does not "
                    "exist{}{}: make it with `useradd --system --no-create-home --shell "
                    "/usr/sbin/nologin {}`, or start quoin as an ordinary user",
                    purpose, name, failure != 0 ? ": " : "",
                    failure != 0 ? std::strerror(failure) : "", name);
    }
    return Account{.uid = entry.pw_uid, .gid = entry.pw_gid, .name = name, .change = true};
}

Result<void> own(const fs::path& path, const Account& account) {
    if (lchown(path.c_str(), account.uid, account.gid) != 0) {
        return fail(Code::resource_unavailable, "cannot give {} to the user {}: {}", path.string(),
                    account.name, std::strerror(errno));
    }
    return {};
}

// Only below a folder that nobody but root could write to, so that no link was planted in it.
Result<void> give_tree(const fs::path& home, const Account& account) {
    std::error_code failure;
    fs::recursive_directory_iterator walk(home, failure);
    while (!failure && walk != fs::recursive_directory_iterator()) {
        QUOIN_CHECK(own(walk->path(), account));
        walk.increment(failure);
    }
    if (failure) {
        return fail(Code::resource_unavailable, "cannot read {}: {}", home.string(),
                    failure.message());
    }
    return own(home, account);
}

// Its owner could put a link in its place: only the folder itself is touched.
Result<void> make_private(const fs::path& home) {
    const Descriptor folder(open(home.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder && fchmod(folder.number(), 0700) == 0) return {};
    return fail(Code::resource_unavailable, "cannot make {} private (0700): {}", home.string(),
                std::strerror(errno));
}

Result<void> check_reachable(const Account& account, const fs::path& home) {
    for (fs::path folder = home.parent_path(); folder.has_relative_path();
         folder = folder.parent_path()) {
        struct stat status{};
        if (stat(folder.c_str(), &status) != 0) {
            return fail(Code::input_not_found, "{}: {}", folder.string(), std::strerror(errno));
        }
        const mode_t bit = status.st_uid == account.uid   ? S_IXUSR
                           : status.st_gid == account.gid ? S_IXGRP
                                                          : S_IXOTH;
        if ((status.st_mode & bit) == 0) {
            return fail(
                Code::input_invalid,
                "--home {}: the user {} cannot enter {}; choose a folder it can reach, such "
                "as /var/lib/quoin or one in /tmp",
                home.string(), account.name, folder.string());
        }
    }
    return {};
}

}  // namespace

Result<Account> plant_account() {
    const uid_t uid = geteuid();
    if (uid == 0 && !is_confined_root()) return find_user(plant_user, "the plant");
    return Account{.uid = uid, .gid = getegid(), .name = uid == 0 ? "root" : "", .change = false};
}

Result<Account> element_account(const Account& plant) {
    if (!plant.change) return plant;
    return find_user(element_user, "secure elements");
}

Result<Account> owner_of(const fs::path& home) {
    Account account{.uid = geteuid(), .gid = getegid()};
    struct stat status{};
    if (account.uid != 0 || lstat(home.c_str(), &status) != 0 || status.st_uid == 0) return account;
    if (!S_ISDIR(status.st_mode)) {
        return fail(Code::input_invalid, "--home {} is not a folder", home.string());
    }
    return Account{.uid = status.st_uid,
                   .gid = status.st_gid,
                   .name = fmt::format("with uid {}", status.st_uid),
                   .change = true};
}

Result<void> prepare_home(const Account& account, const fs::path& home) {
    if (!home.is_absolute()) {
        return fail(Code::internal, "prepare_home needs an absolute path, got {}", home.string());
    }
    std::error_code failure;
    fs::create_directories(home.parent_path(), failure);
    if (account.change) QUOIN_CHECK(check_reachable(account, home));  // before anything is made
    const bool made = mkdir(home.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) {
        return fail(Code::resource_unavailable, "cannot make --home {}: {}", home.string(),
                    std::strerror(errno));
    }
    struct stat status{};
    if (lstat(home.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return fail(Code::input_invalid, "--home {} is not a folder", home.string());
    }
    if (account.change) {
        if (status.st_uid == 0 && (made || fs::is_empty(home, failure))) {
            QUOIN_CHECK(own(home, account));
        } else if (status.st_uid == 0 && (status.st_mode & 0077) == 0 &&
                   fs::exists(home / "pki/root.crt", failure)) {
            QUOIN_CHECK(give_tree(home, account));
        }
        if (lstat(home.c_str(), &status) != 0) {
            return fail(Code::resource_unavailable, "{}: {}", home.string(), std::strerror(errno));
        }
    }
    if (status.st_uid != account.uid) {
        return fail(Code::input_invalid,
                    "--home {} belongs to uid {}, not to the user that runs the plant (uid {}): "
                    "choose another folder, or start quoin as its owner",
                    home.string(), status.st_uid, account.uid);
    }
    return make_private(home);
}

Result<void> become(const Account& account) {
    // While we may still read it, wherever it lies; who needs it will say that it is missing.
    static_cast<void>(crypto::provider_is_loaded());
    if (account.change) {
        if (setgroups(0, nullptr) != 0 || setresgid(account.gid, account.gid, account.gid) != 0 ||
            setresuid(account.uid, account.uid, account.uid) != 0) {
            return fail(Code::resource_unavailable, "cannot become the user {}: {}", account.name,
                        std::strerror(errno));
        }
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail(Code::resource_unavailable, "prctl(PR_SET_NO_NEW_PRIVS): {}",
                    std::strerror(errno));
    }
    // A change of uid makes the process undumpable, and then its own /proc/self/fd is root's: the
    // broker's key and plugin are reached through it.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
        return fail(Code::resource_unavailable, "prctl(PR_SET_DUMPABLE): {}", std::strerror(errno));
    }
    // Dumpable, but no core: it would hold keys.
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        return fail(Code::resource_unavailable, "setrlimit(RLIMIT_CORE): {}", std::strerror(errno));
    }
    umask(0077);
    return {};
}

}  // namespace quoin::cli
