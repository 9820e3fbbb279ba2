// The file of an audit log, held by one process: what is at its end, and appending whole groups of
// lines, durably or not at all. Private to host/audit.
//
// Threads: one owner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/audit/event.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"

namespace quoin::audit {

// Who signs: a key and its name in checkpoints.
struct Signer {
    static Result<Signer> of(crypto::PrivateKey key);
    crypto::PrivateKey key;
    std::string key_id;
};

class File {
public:
    // As Log::open says.
    static Result<File> open(const std::filesystem::path& file, crypto::PrivateKey key,
                             std::span<const crypto::PublicKey> earlier_keys = {});
    File(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    File& operator=(File&&) = delete;
    ~File();

    std::uint64_t number() const { return tail_.number; }  // of the last event, 0: none
    std::uint64_t unsigned_events() const { return tail_.unsigned_events; }
    std::size_t removed_bytes() const { return removed_bytes_; }
    // Checkpoints are by this one from now on; those before, by an earlier one.
    void replace_signer(Signer signer) { signer_ = std::move(signer); }
    // Events found at the end of the file when it was opened: the newest ones, oldest first.
    std::vector<Event> take_recovered() { return std::move(recovered_); }

    struct Tail {
        std::uint64_t number = 0;
        crypto::Sha3_512Digest head{};
        std::uint64_t unsigned_events = 0;
        std::uint64_t unsigned_bytes = 0;
    };

    // Lines that are to be written together.
    class Group {
    public:
        Result<void> add(Event event);            // gives it the next number
        Result<void> sign(std::int64_t time_ms);  // adds a checkpoint over all before
        std::uint64_t unsigned_events() const { return tail_.unsigned_events; }
        // So much was written since the last signature that open() must not have to look further
        // back.
        bool is_signature_due() const;
        bool has_signed() const { return has_signed_; }

    private:
        friend class File;
        Group(const File& file, Tail tail) : file_(&file), tail_(tail) {}
        Result<void> put(Event event);

        const File* file_;
        Tail tail_;
        std::string bytes_;
        std::vector<Event> events_;
        bool has_signed_ = false;
    };
    Group begin() const { return Group(*this, tail_); }
    // Writes and syncs the group and returns its events. After an error the file is as it was
    // before.
    Result<std::vector<Event>> commit(Group group);

private:
    File(std::filesystem::path name, int descriptor, Signer signer)
        : name_(std::move(name)), descriptor_(descriptor), signer_(std::move(signer)) {}
    Result<void> lock();
    Result<void> recover();
    Result<std::string> read_end(bool& from_beginning);
    Result<void> check_lines(std::string_view lines, bool from_beginning);
    Result<void> check_whole() const;
    std::unexpected<Error> system_error(std::string_view doing) const;
    std::unexpected<Error> damaged(std::string_view reason) const;

    std::filesystem::path name_;
    int descriptor_;
    Signer signer_;
    std::vector<crypto::PublicKey> earlier_keys_;
    std::uint64_t size_ = 0;
    Tail tail_;
    std::size_t removed_bytes_ = 0;
    std::vector<Event> recovered_;
};

}  // namespace quoin::audit
