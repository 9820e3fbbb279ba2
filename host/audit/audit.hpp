// The audit log of a process: numbered events in a chained, signed file.
//
// append() puts an event into a bounded queue; a writer thread numbers it, writes it and syncs the
// file, every group of waiting events with one write and one fdatasync. What listeners see is on
// the disk. A crash may lose the events of the last milliseconds: those still in the queue (flush()
// waits for them), never one that a listener saw. The file is signed (ML-DSA-65) every
// `checkpoint_events`, after `checkpoint_after`, at once with a critical event, and when it is
// closed. What is behind the last signature is chained, but who can write the file can alter it.
//
// Errors: a file that cannot be written leaves the events in the queue, and health() tells; when
// the queue is full, further events are dropped and counted, and audit.events.lost says how many.
// An id repeated for one subject beyond a burst is counted, not written, and
// audit.events.suppressed says how many: a peer cannot fill the disk.
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/audit/catalogue.hpp"
#include "host/audit/event.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"

namespace quoin::audit {

struct LogOptions {
    std::filesystem::path file;  // HOME/audit/audit.jsonl; its folder is made, mode 0700
    std::uint64_t checkpoint_events = 256;
    std::chrono::milliseconds checkpoint_after{60'000};
    std::size_t queue_events = 8192;                   // waiting to be written
    std::size_t recent_events = 4096;                  // kept in memory for events_after
    std::uint64_t burst = 50;                          // events of one id and subject at once …
    std::chrono::milliseconds refill{1000};            // … and one more in this time
    std::vector<crypto::PublicKey> earlier_keys = {};  // that signed it before: signers.hpp
};

class Log {
public:
    // Checks the end of the file, back to the last checkpoint and its signature, and locks it: one
    // holder (state_wrong). A last line cut short by a crash is removed, and audit.log.repaired
    // says so. A broken chain, or a checkpoint of another key, is integrity_mismatch: nothing is
    // changed, and the message names the way out.
    static Result<std::unique_ptr<Log>> open(LogOptions options, crypto::PrivateKey key);
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    // Writes what waits, signs and closes.
    ~Log();

    // Signs from the next checkpoint on. The certificate of the key before must be kept
    // (signers.hpp), or what it signed is not believed.
    Result<void> replace_key(crypto::PrivateKey key);

    // Quick: never waits for the disk. `subject` is a device id; anything that is none is put into
    // the detail instead, as what it is: unchecked text.
    void append(Id id, std::string_view subject, const Detail& detail = {});
    // Waits until everything appended before is on the disk. resource_timeout after 10 s.
    Result<void> flush();

    // Recent events with a number above `number`, oldest first, without checkpoints. Older ones
    // than the memory holds are only in the file.
    std::vector<Event> events_after(std::uint64_t number, std::size_t limit) const;
    // The same; waits up to `wait` for the first one. Empty: none came, or the log is closing.
    std::vector<Event> wait_after(std::uint64_t number, std::size_t limit,
                                  std::chrono::milliseconds wait) const;
    std::uint64_t last_number() const;  // 0: none yet

    // How often each id was appended since the start, for /metrics. In the order of the catalogue.
    std::vector<std::pair<std::string_view, std::uint64_t>> counts() const;
    // The last error of writing, until writing works again.
    Result<void> health() const;

private:
    struct State;
    explicit Log(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace quoin::audit
