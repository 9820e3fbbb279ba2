// A counter that only grows, in one file: which one-time indices of a key are given away. It is the
// durable store behind core/crypto/lms/index.hpp.
//
//   QUOIN_TRY(Counter counter, Counter::open(file, owner));
//   QUOIN_TRY(lms::Reservation block, counter.reserve(64));  // durable when it returns
//
// The file is text, written whole: temporary file, fsync, rename, fsync of the folder. So a crash
// leaves the old number or the new one, and the new one before anybody has an index of the block.
// What was reserved and not used is lost, never given twice.
//
//   quoin-counter 1
//   owner <whose it is: a word, such as the digest of a public key>
//   next <the first index that was never given>
//   limit <how many there are>
//   sha256 <of the lines above>
//
// Errors: another holder: resource_unavailable. A file that is damaged, or another owner's, or a
// link: integrity_mismatch, and no index ever again before a person has looked. So is, in
// reserve(), a file that is not as this object left it, and a lock that was removed. None left:
// resource_full. After a failed reserve() this object gives nothing more (state_wrong): open it
// again; so does the copy in a child made by fork().
//
// The folder is held open, not its name: moved while held, it is still this counter.
//
// NOT protected: whoever puts back an old copy of the file (a restored backup, a cloned disk, a
// rolled-back virtual machine) makes indices be given twice. The checksum finds damage, not that.
// Until issue 6 adds an anchor outside the disk, keep such files out of backups and images. Nor
// does it help to remove FILE.lock in the instant between reserve()'s check and its rename.
//
// Threads: one owner.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/crypto/lms/index.hpp"
#include "host/files/files.hpp"

namespace quoin::store {

class Counter {
public:
    // A new file, mode 0600; one that is there is input_conflict, and stays as it is. `owner`: one
    // word of at most 128 characters.
    static Result<void> create(const std::filesystem::path& file, std::string_view owner,
                               std::uint64_t limit);
    // Holds the file until destroyed, by a lock on FILE.lock.
    static Result<Counter> open(const std::filesystem::path& file, std::string_view owner);

    // What the file says now, without holding it.
    struct Seen {
        std::uint64_t next;
        std::uint64_t limit;
    };
    static Result<Seen> look(const std::filesystem::path& file, std::string_view owner);

    // Up to `count` (at least 1) indices: fewer only if fewer are left.
    Result<core::lms::Reservation> reserve(std::uint64_t count);

    // How many reserve() can still give.
    std::uint64_t left() const { return limit_ - next_; }
    std::uint64_t next() const { return next_; }
    std::uint64_t limit() const { return limit_; }

    // Not in a child made by fork(), which shares the lock: state_wrong. For holders of a block.
    Result<void> check_process() const;

private:
    Counter(files::HeldFolder folder, files::Lock lock, std::filesystem::path file,
            std::string owner)
        : folder_(std::move(folder)),
          lock_(std::move(lock)),
          file_(std::move(file)),
          owner_(std::move(owner)) {}
    // The lock and the file are what this object believes.
    Result<void> check_unchanged() const;

    files::HeldFolder folder_;
    files::Lock lock_;
    std::filesystem::path file_;
    std::string owner_;
    pid_t process_ = ::getpid();
    std::uint64_t next_ = 0;
    std::uint64_t limit_ = 0;
    bool broken_ = false;
};

}  // namespace quoin::store
