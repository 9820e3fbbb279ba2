#include "host/files/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/base/constant_time.hpp"

namespace quoin::files {
namespace {

namespace fs = std::filesystem;

// A part of a file. It may be of a passphrase, so nothing of it stays behind.
struct Piece {
    Piece() = default;
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;
    ~Piece() { core::ct::wipe({reinterpret_cast<std::uint8_t*>(bytes), sizeof bytes}); }
    char bytes[16U << 10U]{};
};

std::unexpected<Error> system_failure(const fs::path& file, std::string_view doing) {
    const int number = errno;
    const Code code = number == ENOENT ? Code::input_not_found : Code::resource_unavailable;
    return fail(code, "{}: cannot {}: {}", file.string(), doing,
                std::generic_category().message(number));
}

Result<void> write_all(int descriptor, std::string_view content, const fs::path& file) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return system_failure(file, "write");
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(descriptor) != 0) return system_failure(file, "write to the disk");
    return {};
}

fs::path folder_of(const fs::path& file) {
    return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// A whole, synced file under a temporary name beside `file`; the caller gives it its name.
Result<std::string> write_temporary(const fs::path& file, std::string_view content, mode_t mode) {
    std::string name = file.string() + ".XXXXXX";
    const Descriptor opened(::mkostemp(name.data(), O_CLOEXEC));
    if (!opened) return system_failure(file, "create");
    auto written = write_all(opened.number(), content, file);
    if (written && ::fchmod(opened.number(), mode) != 0) {
        written = system_failure(file, "set the mode");
    }
    if (!written) {
        ::unlink(name.c_str());
        return std::unexpected(written.error());
    }
    return name;
}

Result<std::string> read_all(int descriptor, const fs::path& file, std::size_t limit) {
    std::string content;
    Piece piece;
    for (;;) {
        const ssize_t got = ::read(descriptor, piece.bytes, sizeof piece.bytes);
        if (got < 0) {
            if (errno == EINTR) continue;
            return system_failure(file, "read");
        }
        if (got == 0) return content;
        content.append(piece.bytes, static_cast<std::size_t>(got));
        if (content.size() > limit) {
            return fail(Code::input_invalid, "{}: longer than the limit of {} bytes", file.string(),
                        limit);
        }
    }
}

// Where the last whole line ends.
Result<off_t> end_of_lines(int descriptor, const fs::path& file) {
    off_t end = ::lseek(descriptor, 0, SEEK_END);
    if (end < 0) return system_failure(file, "seek");
    while (end > 0) {
        char last = 0;
        if (::pread(descriptor, &last, 1, end - 1) != 1) return system_failure(file, "read");
        if (last == '\n') break;
        --end;
    }
    return end;
}

// The folders above `path` that are missing, durably.
Result<void> make_parents(const fs::path& path) {
    const fs::path folder = path.parent_path();
    std::error_code failure;
    if (folder.empty() || fs::exists(folder, failure)) return {};
    QUOIN_CHECK(make_parents(folder));
    if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
        return system_failure(folder, "create the folder");
    }
    return sync_folder(folder / "..");
}

}  // namespace

Result<void> sync_folder(const fs::path& folder) {
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::fsync(opened.number()) != 0) {
        return system_failure(folder, "write the folder to the disk");
    }
    return {};
}

Result<std::string> read(const fs::path& file, std::size_t limit) {
    const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return system_failure(file, "open");
    return read_all(opened.number(), file, limit);
}

Result<void> write_atomically(const fs::path& file, std::string_view content, mode_t mode) {
    QUOIN_TRY(const std::string temporary, write_temporary(file, content, mode));
    if (::rename(temporary.c_str(), file.c_str()) != 0) {
        auto failure = system_failure(file, "rename to");
        ::unlink(temporary.c_str());
        return failure;
    }
    return sync_folder(folder_of(file));
}

Result<void> create(const fs::path& file, std::string_view content, mode_t mode) {
    QUOIN_TRY(const std::string temporary, write_temporary(file, content, mode));
    // link() refuses a name that exists, rename() would replace it.
    const bool linked = ::link(temporary.c_str(), file.c_str()) == 0;
    const bool exists = !linked && errno == EEXIST;
    auto failure = system_failure(file, "create");
    ::unlink(temporary.c_str());
    if (exists) return fail(Code::input_conflict, "{}: is there already", file.string());
    if (!linked) return failure;
    return sync_folder(folder_of(file));
}

Result<void> check_create(const fs::path& file) {
    struct stat status{};
    if (::lstat(file.c_str(), &status) == 0) {
        return fail(Code::input_conflict, "{}: is there already", file.string());
    }
    QUOIN_TRY(const std::string temporary, write_temporary(file, "", 0600));
    // Not every file system has link().
    const std::string second = temporary.substr(0, temporary.size() - 1);
    const bool linked = ::link(temporary.c_str(), second.c_str()) == 0;
    auto failure = system_failure(file, "create");
    if (linked) ::unlink(second.c_str());
    ::unlink(temporary.c_str());
    if (!linked) return failure;
    return {};
}

Result<void> append_lines(const fs::path& file, std::string_view lines, mode_t mode) {
    const Descriptor opened(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode));
    if (!opened) return system_failure(file, "open");
    QUOIN_TRY(const off_t end, end_of_lines(opened.number(), file));
    if (::ftruncate(opened.number(), end) != 0) return system_failure(file, "cut");
    if (::lseek(opened.number(), end, SEEK_SET) != end) return system_failure(file, "seek");
    QUOIN_CHECK(write_all(opened.number(), lines, file));
    return sync_folder(folder_of(file));
}

Result<void> make_private_folder(const fs::path& folder) {
    if (!folder.has_filename() && folder.has_relative_path()) {  // a slash at the end
        return make_private_folder(folder.parent_path());
    }
    QUOIN_CHECK(make_parents(folder));
    if (::mkdir(folder.c_str(), 0700) == 0) return sync_folder(folder / "..");
    if (errno != EEXIST) return system_failure(folder, "create the folder");
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) return system_failure(folder, "read");
    if (!S_ISDIR(status.st_mode)) {
        return fail(Code::input_conflict, "{}: is there, and is not a folder", folder.string());
    }
    if ((status.st_mode & 0022U) != 0) {
        return fail(Code::config_invalid, "{}: others may write here; run: chmod 700 {}",
                    folder.string(), folder.string());
    }
    return {};
}

Lock::Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Lock::~Lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Lock> lock_folder(const fs::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return system_failure(folder, "open");
    Lock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return system_failure(folder, "lock");
        return fail(Code::resource_unavailable, "{}: another process works here", folder.string());
    }
    return lock;
}

Result<HeldFolder> HeldFolder::open(const fs::path& folder) {
    Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return system_failure(folder, "open");
    return HeldFolder(folder, std::move(opened));
}

Result<std::string> HeldFolder::read(const std::string& name, std::size_t limit) const {
    const fs::path file = folder_ / name;
    // Without O_NONBLOCK a pipe of that name would wait for its writer.
    const Descriptor opened(
        ::openat(opened_.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!opened && errno == ELOOP) {
        return fail(Code::integrity_mismatch, "{}: is a symbolic link", file.string());
    }
    if (!opened) return system_failure(file, "open");
    struct stat status{};
    if (::fstat(opened.number(), &status) != 0) return system_failure(file, "read");
    if (!S_ISREG(status.st_mode) || status.st_nlink > 1) {
        return fail(Code::integrity_mismatch, "{}: is no plain file, or has a second name",
                    file.string());
    }
    return read_all(opened.number(), file, limit);
}

Result<Descriptor> HeldFolder::open_to_overwrite(const std::string& name) const {
    Descriptor opened(
        ::openat(opened_.number(), name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!opened) return system_failure(folder_ / name, "open");
    return opened;
}

Result<void> HeldFolder::replace(const std::string& name, std::string_view content,
                                 mode_t mode) const {
    const fs::path file = folder_ / name;
    const std::string temporary = name + ".new";
    if (::unlinkat(opened_.number(), temporary.c_str(), 0) != 0 && errno != ENOENT) {
        return system_failure(file, "remove what a crash left beside it");
    }
    const Descriptor opened(::openat(opened_.number(), temporary.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!opened) return system_failure(file, "create");
    QUOIN_CHECK(write_all(opened.number(), content, file));
    if (::renameat(opened_.number(), temporary.c_str(), opened_.number(), name.c_str()) != 0) {
        return system_failure(file, "rename to");
    }
    if (::fsync(opened_.number()) != 0) return system_failure(file, "write the folder to the disk");
    return {};
}

Result<Lock> HeldFolder::lock(const std::string& name) const {
    const fs::path file = folder_ / name;
    const int descriptor =
        ::openat(opened_.number(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) return system_failure(file, "open");
    Lock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return system_failure(file, "lock");
        return fail(Code::resource_unavailable, "{}: another process holds it", file.string());
    }
    return lock;
}

Result<void> HeldFolder::check(const std::string& name, const Lock& lock) const {
    struct stat held{};
    struct stat named{};
    const bool same = ::fstat(lock.descriptor_, &held) == 0 &&
                      ::fstatat(opened_.number(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                      held.st_dev == named.st_dev && held.st_ino == named.st_ino;
    if (same) return {};
    return fail(Code::integrity_mismatch, "{}: was removed or replaced while it was held",
                (folder_ / name).string());
}

}  // namespace quoin::files
