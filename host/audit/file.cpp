#include "host/audit/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "host/audit/verify.hpp"
#include "host/files/files.hpp"

namespace quoin::audit {
namespace {

// A signature at least so often, so that the last one is always in the part that open() reads.
constexpr std::uint64_t max_unsigned_bytes = 1024 * 1024;
constexpr std::uint64_t recovery_bytes = 2 * max_unsigned_bytes;

// errno is 0 when everything was written.
bool write_all(int descriptor, std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return true;
}

}  // namespace

std::unexpected<Error> File::system_error(std::string_view doing) const {
    const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return fail(full ? Code::resource_full : Code::resource_unavailable,
                "audit log {}: cannot {}: {}", name_.string(), doing, std::strerror(errno));
}

std::unexpected<Error> File::damaged(std::string_view reason) const {
    return fail(
        Code::integrity_mismatch,
        "audit log {}: {}. It was altered or damaged, and nothing is written behind that. Find how "
        "far it holds with: quoin audit verify --file {}. Then keep it as evidence under another "
        "name (mv) and start again: a new log begins",
        name_.string(), reason, name_.string());
}

Result<Signer> Signer::of(crypto::PrivateKey key) {
    QUOIN_TRY(const auto public_key, key.public_key());
    QUOIN_TRY(std::string id, audit::key_id(public_key));
    return Signer{.key = std::move(key), .key_id = std::move(id)};
}

Result<File> File::open(const std::filesystem::path& name, crypto::PrivateKey key,
                        std::span<const crypto::PublicKey> earlier_keys) {
    QUOIN_CHECK(files::make_private_folder(name.parent_path()));
    QUOIN_TRY(Signer signer, Signer::of(std::move(key)));
    const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    File file(name, descriptor, std::move(signer));
    if (descriptor < 0) return file.system_error("open it");
    file.earlier_keys_.assign(earlier_keys.begin(), earlier_keys.end());
    QUOIN_CHECK(file.lock());
    QUOIN_CHECK(files::sync_folder(name.parent_path()));
    QUOIN_CHECK(file.recover());
    return file;
}

File::File(File&& other) noexcept
    : name_(std::move(other.name_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      signer_(std::move(other.signer_)),
      earlier_keys_(std::move(other.earlier_keys_)),
      size_(other.size_),
      tail_(other.tail_),
      removed_bytes_(other.removed_bytes_),
      recovered_(std::move(other.recovered_)) {}

File::~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> File::lock() {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK) return system_error("lock it");
    return fail(Code::state_wrong, "audit log {}: another process writes it; end that one first",
                name_.string());
}

Result<std::string> File::read_end(bool& from_beginning) {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) return system_error("read it");
    size_ = static_cast<std::uint64_t>(status.st_size);
    const std::uint64_t start = size_ > recovery_bytes ? size_ - recovery_bytes : 0;
    std::string end(size_ - start, '\0');
    std::size_t filled = 0;
    while (filled < end.size()) {
        const ssize_t got = ::pread(descriptor_, end.data() + filled, end.size() - filled,
                                    static_cast<off_t>(start + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return system_error("read it");
        filled += static_cast<std::size_t>(got);
    }
    from_beginning = start == 0;
    return end;
}

Result<void> File::recover() {
    bool from_beginning = true;
    QUOIN_TRY(const std::string end, read_end(from_beginning));
    const auto last_newline = end.rfind('\n');
    const std::size_t whole = last_newline == std::string::npos ? 0 : last_newline + 1;
    if (whole == 0 && !from_beginning) return damaged("its end is no line");
    std::string_view lines = std::string_view(end).substr(0, whole);
    if (!from_beginning) lines.remove_prefix(lines.find('\n') + 1);
    if (!lines.empty()) QUOIN_CHECK(check_lines(lines, from_beginning));
    // Only now: a damaged log is not touched.
    removed_bytes_ = end.size() - whole;
    if (removed_bytes_ > 0) {
        size_ -= removed_bytes_;
        if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0)
            return system_error("cut its last line");
    }
    return {};
}

Result<void> File::check_lines(std::string_view lines, bool from_beginning) {
    QUOIN_TRY(const auto present, signer_.key.public_key());
    QUOIN_TRY(ChainChecker checker, ChainChecker::make(earlier_keys_, present));
    if (!from_beginning) checker.start_in_the_middle();
    std::uint64_t signed_end = 0;
    std::uint64_t position = 0;
    while (position < lines.size()) {
        const auto newline = lines.find('\n', position);
        auto event = checker.check(lines.substr(position, newline - position));
        if (!event) {
            return damaged(fmt::format("the line behind event {}: {}", checker.number(),
                                       event.error().message));
        }
        position = newline + 1;
        if (event->id == Id::audit_chain_checkpoint)
            signed_end = position;
        else
            recovered_.push_back(*std::move(event));
    }
    // The first line alone is what a crash at the very beginning may leave.
    if (checker.covered_number() == 0 && checker.number() != 1)
        return damaged("its end holds no signature");
    // Right behind a renewal; or an earlier key's long tail behind what the present key signed.
    if (!from_beginning && !checker.by_present_key()) QUOIN_CHECK(check_whole());
    tail_ = {.number = checker.number(),
             .head = checker.head(),
             .unsigned_events = checker.number() - checker.covered_number(),
             .unsigned_bytes = lines.size() - signed_end};
    return {};
}

Result<void> File::check_whole() const {
    QUOIN_TRY(const auto present, signer_.key.public_key());
    QUOIN_TRY(const Report report, verify(name_, earlier_keys_, present));
    if (!report.problem) return {};
    return damaged(fmt::format("line {}: {}", report.problem->line, report.problem->reason));
}

Result<void> File::Group::put(Event event) {
    event.number = tail_.number + 1;
    const std::string text = encode(Line{.event = event, .previous = tail_.head});
    if (text.size() > max_line_bytes)
        return fail(Code::internal, "audit event {} is too long", event.number);
    QUOIN_TRY(tail_.head, crypto::sha3_512(bytes_of(text)));
    tail_.number = event.number;
    bytes_ += text;
    bytes_ += '\n';
    tail_.unsigned_bytes += text.size() + 1;
    events_.push_back(std::move(event));
    return {};
}

Result<void> File::Group::add(Event event) {
    QUOIN_CHECK(put(std::move(event)));
    ++tail_.unsigned_events;
    return {};
}

Result<void> File::Group::sign(std::int64_t time_ms) {
    const std::string message = checkpoint_message(tail_.number + 1, time_ms, tail_.head);
    QUOIN_TRY(const auto signature,
              file_->signer_.key.sign(bytes_of(message), bytes_of(checkpoint_context)));
    QUOIN_CHECK(put(Event{.number = 0,
                          .time_ms = time_ms,
                          .id = Id::audit_chain_checkpoint,
                          .severity = row(Id::audit_chain_checkpoint).severity,
                          .subject = {},
                          .detail = checkpoint_detail(file_->signer_.key_id, signature)}));
    tail_.unsigned_events = 0;
    tail_.unsigned_bytes = 0;
    has_signed_ = true;
    return {};
}

bool File::Group::is_signature_due() const {
    return tail_.unsigned_bytes + max_line_bytes >= max_unsigned_bytes;
}

Result<std::vector<Event>> File::commit(Group group) {
    if (group.bytes_.empty()) return std::move(group.events_);
    if (!write_all(descriptor_, group.bytes_, size_) || ::fdatasync(descriptor_) != 0) {
        auto error = system_error("write it");
        // A part may have reached the disk: take it back. Should that fail too, the next group goes
        // to the same place, and what a crash leaves is a line cut short.
        if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) {
            error.error().message += fmt::format(" (nor cut it back: {})", std::strerror(errno));
        }
        return error;
    }
    size_ += group.bytes_.size();
    tail_ = group.tail_;
    return std::move(group.events_);
}

}  // namespace quoin::audit
