#include "server/pki/switching.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "host/files/files.hpp"
#include "server/config/settings.hpp"
#include "server/pki/issuing.hpp"
#include "server/pki/root.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using x509::Certificate;

constexpr const char* switching_name = ".switching";
constexpr std::string_view retired_prefix = ".retired-";
// In each folder that is to be exchanged until it is in its place.
constexpr const char* mark_name = ".next";
// pki/ last: with it the plant is of the new suite, or has the new issuing CA.
constexpr std::array folders{"services", "operator", "pki"};
constexpr std::array<std::pair<const char*, const char*>, 2> overlays{
    {{suite_overlay, "90-suite.toml"}, {ports_overlay, "91-ports.toml"}}};

// Of a rotation: its keys in a store belong to the root, as those in use do.
bool is_of_present_root(const fs::path& home, const fs::path& folder) {
    const auto present = files::read(home / "pki" / "root.crt");
    const auto its = files::read(folder / "pki" / "root.crt");
    return present && its && *present == *its;
}

// Folders that are not, or never became, the plant's; and of another hierarchy the keys in a store.
Result<void> remove_hierarchies(const fs::path& home, std::string_view prefix,
                                const KeyNotices& notices) {
    QUOIN_TRY(const auto found, entries(home, prefix));
    if (found.empty()) return {};
    QUOIN_TRY(const Settings settings, load_settings(home));
    for (const fs::path& folder : found) {
        bool is_done = true;
        if (!is_of_present_root(home, folder)) {
            QUOIN_TRY(is_done, remove_leftovers(settings.keys, folder, notices));
        }
        std::error_code failure;
        if (is_done) fs::remove_all(folder, failure);
        if (failure) {
            return fail(Code::resource_unavailable, "{}: cannot remove: {}", folder.string(),
                        failure.message());
        }
    }
    return {};
}

Result<void> settle_folders(const fs::path& home, const fs::path& switching,
                            const OnStep& on_step) {
    for (const auto& [from, to] : overlays) {
        if (!fs::exists(switching / from)) continue;
        QUOIN_CHECK(files::make_private_folder(home / "conf.d"));
        QUOIN_TRY(const std::string text, files::read(switching / from));
        QUOIN_CHECK(files::write_atomically(home / "conf.d" / to, text, 0600));
    }
    for (const char* folder : folders) {
        if (!fs::exists(switching / folder / mark_name)) continue;
        tell(on_step, fmt::format("put the new {} in its place", folder));
        QUOIN_CHECK(exchange(switching / folder, home / folder));
    }
    QUOIN_CHECK(copy_makers(switching, home));
    tell(on_step, "put what it replaces aside");
    for (const char* folder : folders) {
        std::error_code failure;
        fs::remove(home / folder / mark_name, failure);
        if (failure) {
            return fail(Code::resource_unavailable, "{}: {}", (home / folder).string(),
                        failure.message());
        }
    }
    QUOIN_TRY(const fs::path retired, new_name(home, retired_prefix));
    return move_durably(switching, retired);
}

}  // namespace

void tell(const OnStep& on_step, std::string_view step) {
    if (on_step) on_step(step);
}

Result<fs::path> new_name(const fs::path& home, std::string_view prefix) {
    QUOIN_TRY(const std::string suffix, crypto::random_hex(4));
    return home / fmt::format("{}{}", prefix, suffix);
}

// The entries of a folder that begin so; none if the folder is not there.
Result<std::vector<fs::path>> entries(const fs::path& folder, std::string_view prefix) {
    std::vector<fs::path> found;
    std::error_code failure;
    fs::directory_iterator entry(folder, failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        if (entry->path().filename().string().starts_with(prefix)) found.push_back(entry->path());
    }
    if (failure && failure != std::errc::no_such_file_or_directory) {
        return fail(Code::resource_unavailable, "{}: {}", folder.string(), failure.message());
    }
    return found;
}

Result<void> move_durably(const fs::path& from, const fs::path& to) {
    QUOIN_CHECK(move_folder(from, to));
    return files::sync_folder(to.parent_path());
}

Result<void> exchange(const fs::path& one, const fs::path& other) {
    if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0) {
        return files::sync_folder(other.parent_path());
    }
    return fail(Code::resource_unavailable, "cannot exchange {} and {}: {}", one.string(),
                other.string(), std::generic_category().message(errno));
}

Result<void> mark(const fs::path& folder) {
    return files::write_atomically(folder / mark_name, "", 0600);
}

// Of a manufacturer that was trusted since.
Result<void> copy_makers(const fs::path& from, const fs::path& to) {
    QUOIN_TRY(const auto makers, entries(from / "pki" / "makers", ""));
    for (const fs::path& maker : makers) {
        const fs::path copy = to / "pki" / "makers" / maker.filename();
        if (fs::exists(copy)) continue;
        QUOIN_TRY(const std::string text, files::read(maker));
        QUOIN_CHECK(files::write_atomically(copy, text, 0600));
    }
    return {};
}

Result<void> switch_to(const fs::path& staged, const fs::path& home, const OnStep& on_step) {
    QUOIN_CHECK(move_durably(staged, home / switching_name));
    QUOIN_TRY(const bool done, settle_locked(home, on_step));
    static_cast<void>(done);
    return {};
}

Result<bool> settle_locked(const fs::path& home, const OnStep& on_step) {
    const fs::path switching = home / switching_name;
    if (!fs::exists(switching)) return false;
    QUOIN_CHECK(settle_folders(home, switching, on_step));
    return true;
}

Result<bool> settle_home(const fs::path& home, const OnStep& on_step) {
    if (!fs::exists(home / switching_name)) return false;
    QUOIN_TRY(const files::Lock lock, files::lock_folder(home));
    return settle_locked(home, on_step);
}

Result<void> remove_staged(const fs::path& home, const KeyNotices& notices) {
    return remove_hierarchies(home, staging_prefix, notices);
}

Result<void> remove_retired(const fs::path& home, const KeyNotices& notices) {
    return remove_hierarchies(home, retired_prefix, notices);
}

bool is_settling(const fs::path& home) { return fs::exists(home / switching_name); }

}  // namespace quoin::server
