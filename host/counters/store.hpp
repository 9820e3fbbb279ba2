// Values that must never come back, of one program: one file, and an anchor outside the disk that
// notices when an old copy of the file is put back (anchor.hpp, protocol.hpp).
//
//   QUOIN_CHECK(Store::create(file, "quoind", anchor.get()));                     // once
//   QUOIN_TRY(auto store, Store::open(file, "quoind", std::move(anchor)));
//   QUOIN_TRY(Sequence numbers, store->sequence("verdicts"));
//   QUOIN_TRY(auto number, numbers.next());                  // never waits for the disk
//   QUOIN_TRY(Block block, store->reserve("index", 64));     // durable when it returns
//   QUOIN_CHECK(store->advance("revocations", 17));          // never lower again
//   QUOIN_CHECK(store->note("audit", number, hash));         // so, with the next write
//
// | kind | for | after a crash |
// |---|---|---|
// | sequence | numbers of verdicts, nonces, messages | goes on behind what was reserved |
// | scarce | one-time keys, pads: exactly what is asked for, up to a limit | the block asked for is
// lost | | floor | revocations, policy, epochs, boot index, audit head with its hash | as advanced
// |
//
// A sequence is reserved in blocks of 64, 128, 256, ...: the next one in the background when half
// of the last is used. So n values take log2(n/64) writes, and a crash loses no more values than
// were used. One write serves everything that waits for one. What is noted is written with
// whatever is written next, at the latest after Options::note_after, and at the end.
//
// open() begins a generation in which nothing is handed out, and counts as given what was reserved.
// It refuses (integrity_mismatch) a file that is older or newer than the anchor, one without its
// anchor, an anchor without its file, and a damaged file; the message says which. The way out is
// adopt(), a person's act.
//
// Errors: a write that fails (disk full, read-only, TPM gone) is that error, and nothing is given
// out; what is durable already still is, and the next call tries again. An anchor that somebody
// else has counted is integrity_mismatch for good: nothing is given out any more. Another holder:
// resource_unavailable. None left: resource_full. In a child made by fork(): state_wrong.
//
// NOT protected: whoever may write the file can write numbers that fit the anchor; it is no secret
// and not signed. Nor do two machines with anchor `none` know of each other.
//
// The folder is held open, not its name: moved while held, it is still this store. Threads: any.
#pragma once

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "host/counters/anchor.hpp"
#include "host/counters/content.hpp"
#include "host/counters/protocol.hpp"
#include "host/files/files.hpp"

namespace quoin::counters {

struct Clock {
    std::function<std::uint64_t()> wall_ms;      // since 1970
    std::function<std::uint64_t()> boottime_ms;  // CLOCK_BOOTTIME
    std::string boot;                            // names this boot
    static Result<Clock> of_system();
};

struct Options {
    std::chrono::milliseconds note_after = std::chrono::hours(1);
    std::optional<Clock> clock = {};  // default: the system's
};

// [first, first + count)
struct Block {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

struct Floor {
    std::uint64_t value = 0;
    std::vector<std::uint8_t> digest;
};

struct Now {
    std::uint64_t ms = 0;    // since 1970: the wall clock, or the floor if that is later
    bool is_behind = false;  // the wall clock is before the floor
};

// For doctor, readyz and metrics.
struct Status {
    std::string name;
    std::string anchor;
    Strength strength = Strength::none;
    std::uint64_t generation = 0;
    std::size_t counters = 0;
    std::uint64_t writes = 0;  // by this process, each counted by the anchor
    std::string problem;       // of the last write; empty: none
};

// What a person's adopt() has done.
struct Adopted {
    bool had_file = false;
    std::vector<std::string> skipped;  // sequences: far ahead of whatever was given
    std::vector<std::string> spent;    // scarce: used up, make new keys or pads
    std::vector<std::string> behind;   // floors: may be older than the truth; ask who knows it
};

class Store;

// A sequence, found once. Lives no longer than its store. Threads: any.
class Sequence {
public:
    // Waits for the disk only when a whole block is used before the next is durable.
    Result<std::uint64_t> next();

private:
    friend class Store;
    Sequence(Store& store, Entry& entry) : store_(&store), entry_(&entry) {}
    Store* store_;
    Entry* entry_;
};

class Store {
public:
    // A new, empty store, mode 0600, and its anchor's counters. `anchor`: none is null.
    // input_conflict: the file is there; integrity_mismatch: the anchor counts for it already.
    static Result<void> create(const std::filesystem::path& file, std::string_view name,
                               Anchor* anchor);
    // Holds it until destroyed, by a lock on FILE.lock.
    static Result<std::unique_ptr<Store>> open(const std::filesystem::path& file,
                                               std::string_view name,
                                               std::unique_ptr<Anchor> anchor,
                                               Options options = {});
    // What the file says, without holding it.
    static Result<Content> look(const std::filesystem::path& file);
    // Whether open() would refuse, and why, without counting anything.
    static Result<void> examine(const std::filesystem::path& file, std::string_view name,
                                Anchor* anchor);
    // After a person has said that no other copy of the file will ever be used: makes the file (or
    // an empty one in its place) the store again, with `anchor`, which is counted on beyond every
    // copy. What it held before is in FILE.before. `now_ms`: sequences skip to now_ms * 65536, or
    // 2^48 ahead, whichever is more.
    static Result<Adopted> adopt(const std::filesystem::path& file, std::string_view name,
                                 Anchor* anchor, std::uint64_t now_ms);

    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    ~Store();

    // Made if it is not there. Its first block is durable when this returns.
    Result<Sequence> sequence(std::string_view name);
    // The same, with one write for all.
    Result<std::vector<Sequence>> sequences(std::span<const std::string> names);

    // input_conflict if it is there.
    Result<void> add_scarce(std::string_view name, std::uint64_t limit);
    // Up to `count` (at least 1): fewer only if fewer are left.
    Result<Block> reserve(std::string_view name, std::uint64_t count);
    // How many reserve() can still give.
    Result<std::uint64_t> left(std::string_view name) const;

    // input_conflict: lower than it is, or the same with another digest. The same again writes
    // nothing. At most max_digest_size bytes.
    Result<void> advance(std::string_view name, std::uint64_t value, Bytes digest = {});
    Result<void> note(std::string_view name, std::uint64_t value, Bytes digest = {});
    std::optional<Floor> floor(std::string_view name) const;

    // The floor rises by this, which is signed evidence of the time that the caller has verified,
    // and by the time that passes in a boot; never by the wall clock, so that a jump of it forward
    // poisons nothing. Noted.
    Result<void> raise_time(std::uint64_t ms);
    Now now() const;

    Status status() const;
    // Not in a child made by fork(): state_wrong. For holders of a block.
    Result<void> check_process() const;

private:
    friend class Sequence;
    using Lock = std::unique_lock<std::mutex>;

    Store(files::HeldFolder folder, files::Lock lock, std::filesystem::path file,
          std::unique_ptr<Anchor> anchor, Options options, Clock clock, Content content);

    Result<std::uint64_t> next(Entry& entry);
    Result<Entry*> entry(std::string_view name, Kind kind);
    Result<void> reserve_more(Entry& entry, std::string_view name);
    Result<Entry*> raise(std::string_view name, std::uint64_t value, Bytes digest);
    Result<void> commit(Lock& lock);
    Result<void> write_generation();
    Result<void> take_steps();
    Result<void> take_step();
    Result<void> write_file();
    void publish();
    std::unexpected<Error> refused() const;
    std::uint64_t floor_ms() const;
    void keep_time();
    void note_something();
    void start_helper();
    void help(const std::stop_token& stop);

    const files::HeldFolder folder_;
    const files::Lock lock_;
    const std::filesystem::path file_;
    const std::unique_ptr<Anchor> anchor_;
    const Options options_;
    const Clock clock_;
    const pid_t process_ = ::getpid();

    // Of the one who writes (writing_), without mutex_.
    Protocol protocol_;
    std::uint64_t written_change_ = 0;
    std::vector<std::pair<Entry*, std::uint64_t>> written_;  // what is durable if this is

    mutable std::mutex mutex_;  // the rest
    // Not destroyed in a child, where it would wait for a thread that is not there.
    std::unique_ptr<std::condition_variable_any> changed_ =
        std::make_unique<std::condition_variable_any>();
    Content content_;
    std::vector<Entry*> pending_;       // whose value is not durable
    std::uint64_t change_ = 0;          // counts what was asked for
    std::uint64_t durable_change_ = 0;  // up to here it is durable
    bool writing_ = false;
    bool due_ = false;  // the helper is to write
    std::optional<std::chrono::steady_clock::time_point> noted_;
    std::optional<Error> refused_;
    std::uint64_t failures_ = 0;
    std::uint64_t writes_ = 0;
    std::string problem_;
    std::unique_ptr<std::jthread> helper_;
};

}  // namespace quoin::counters
