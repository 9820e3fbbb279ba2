// Small files, read whole and written whole: keys, certificates, lists.
//
// Errors name the path and the system's reason. Threads: free functions, no shared state.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "host/descriptor.hpp"
#include "host/error.hpp"

namespace quoin::files {

inline constexpr std::size_t max_small_file_size = 4U << 20U;

// A missing file is input_not_found; one longer than `limit` bytes is input_invalid.
Result<std::string> read(const std::filesystem::path& file,
                         std::size_t limit = max_small_file_size);

// A reader sees the old content or the new one, never a part, also after a power cut: temporary
// file beside it, fsync, rename, fsync of the folder.
Result<void> write_atomically(const std::filesystem::path& file, std::string_view content,
                              mode_t mode);

// The same for a file that must not be there yet: input_conflict, and the file as it was, if it is.
Result<void> create(const std::filesystem::path& file, std::string_view content, mode_t mode);

// Whether create() can: tries all of it under names that it takes away again. Nothing is reserved.
Result<void> check_create(const std::filesystem::path& file);

// Appends whole lines durably: `lines` ends in a newline. A last line that a crash cut short is
// removed first, so that what is in the file is always whole lines.
Result<void> append_lines(const std::filesystem::path& file, std::string_view lines, mode_t mode);

// Makes what was created, renamed or removed in a folder durable.
Result<void> sync_folder(const std::filesystem::path& folder);

// Makes a folder of mode 0700, and its parents, durably; one that exists must not be writable by
// others.
Result<void> make_private_folder(const std::filesystem::path& folder);

// Held by one process at a time; given back when it is destroyed, or when the process ends. A child
// made by fork() shares it.
class Lock {
public:
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    Lock(Lock&& other) noexcept;
    Lock& operator=(Lock&&) = delete;
    ~Lock();

private:
    friend Result<Lock> lock_folder(const std::filesystem::path& folder);
    friend class HeldFolder;
    explicit Lock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};
// Does not wait: a folder that another process holds is resource_unavailable.
Result<Lock> lock_folder(const std::filesystem::path& folder);

// A folder held open: the names in it mean the same files after the folder was moved, another was
// put in its place, or the process changed its directory. Symbolic links in it are not followed.
class HeldFolder {
public:
    static Result<HeldFolder> open(const std::filesystem::path& folder);

    // As read(). What is no plain file with this one name (a link of either kind) is
    // integrity_mismatch.
    Result<std::string> read(const std::string& name, std::size_t limit) const;
    // The file itself, to be overwritten where it is, under whatever other names.
    Result<Descriptor> open_to_overwrite(const std::string& name) const;
    // As write_atomically(), by way of NAME.new. One writer at a time, kept by a lock.
    Result<void> replace(const std::string& name, std::string_view content, mode_t mode) const;
    // An empty file that stands for something, made if it is not there. Does not wait: one that is
    // held is resource_unavailable.
    Result<Lock> lock(const std::string& name) const;
    // integrity_mismatch if `name` is not the file that `lock` holds: it was removed or replaced.
    Result<void> check(const std::string& name, const Lock& lock) const;

private:
    HeldFolder(std::filesystem::path folder, Descriptor opened)
        : folder_(std::move(folder)), opened_(std::move(opened)) {}
    std::filesystem::path folder_;  // for messages
    Descriptor opened_;
};

}  // namespace quoin::files
