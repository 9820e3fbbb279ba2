// Small files, read whole and written whole: keys, certificates, lists.
//
// Errors name the path and the system's reason. Threads: free functions, no shared state.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

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

// Appends whole lines durably: `lines` ends in a newline. A last line that a crash cut short is
// removed first, so that what is in the file is always whole lines.
Result<void> append_lines(const std::filesystem::path& file, std::string_view lines, mode_t mode);

// Makes what was created, renamed or removed in a folder durable.
Result<void> sync_folder(const std::filesystem::path& folder);

// Makes a folder of mode 0700, and its parents; one that exists must not be writable by others.
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
    friend Result<Lock> lock_file(const std::filesystem::path& file);
    explicit Lock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};
using FolderLock = Lock;
// Does not wait: a folder that another process holds is resource_unavailable.
Result<Lock> lock_folder(const std::filesystem::path& folder);
// The same for an empty file that stands for something, made if it is not there. Never remove or
// rename it: who holds it would then hold nothing.
Result<Lock> lock_file(const std::filesystem::path& file);

}  // namespace quoin::files
