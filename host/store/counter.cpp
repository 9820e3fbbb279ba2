#include "host/store/counter.hpp"

#include <algorithm>
#include <charconv>

#include "core/crypto/sha2/sha2.hpp"

namespace quoin::store {
namespace {

namespace fs = std::filesystem;
using core::lms::Reservation;

constexpr std::size_t max_file_size = 1024;  // bytes
constexpr std::size_t max_owner_size = 128;  // characters

struct State {
    std::string owner;
    std::uint64_t next = 0;
    std::uint64_t limit = 0;
};

std::string to_text(const State& state) {
    std::string text = fmt::format("quoin-counter 1\nowner {}\nnext {}\nlimit {}\n", state.owner,
                                   state.next, state.limit);
    text += "sha256 ";
    for (const std::uint8_t byte : core::sha2::Sha256::of(bytes_of(text))) {
        text += fmt::format("{:02x}", byte);
    }
    return text + '\n';
}

// The value of the line "NAME VALUE" at the front of `text`, which moves behind it.
std::string_view take_line(std::string_view& text, std::string_view name) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !text.starts_with(name) || text[name.size()] != ' ') {
        return {};
    }
    const std::string_view value = text.substr(name.size() + 1, end - name.size() - 1);
    text.remove_prefix(end + 1);
    return value;
}

bool to_number(std::string_view text, std::uint64_t& value) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc() && end == text.data() + text.size();
}

// Sound only if writing it again gives the same bytes: there is one way to write a state.
bool parse(std::string_view text, State& state) {
    std::string_view rest = text;
    if (take_line(rest, "quoin-counter") != "1") return false;
    state.owner = take_line(rest, "owner");
    if (!to_number(take_line(rest, "next"), state.next)) return false;
    if (!to_number(take_line(rest, "limit"), state.limit)) return false;
    return state.next <= state.limit && to_text(state) == text;
}

bool is_word(std::string_view owner) {
    return !owner.empty() && owner.size() <= max_owner_size &&
           std::ranges::all_of(owner, [](char c) { return c > ' ' && c < 0x7f; });
}

Result<files::HeldFolder> hold_folder_of(const fs::path& file) {
    return files::HeldFolder::open(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

std::string lock_of(const fs::path& file) { return file.filename().string() + ".lock"; }

Result<State> read_state(const files::HeldFolder& folder, const fs::path& file,
                         std::string_view owner) {
    QUOIN_TRY(const std::string text, folder.read(file.filename().string(), max_file_size));
    State state;
    if (!parse(text, state)) {
        return fail(Code::integrity_mismatch,
                    "{}: the counter is damaged; do not repair it or put back a copy: an index "
                    "used twice gives the key away. Make a new key",
                    file.string());
    }
    if (state.owner != owner) {
        return fail(Code::integrity_mismatch, "{}: is the counter of another key ({})",
                    file.string(), state.owner);
    }
    return state;
}

}  // namespace

Result<void> Counter::create(const fs::path& file, std::string_view owner, std::uint64_t limit) {
    if (!is_word(owner)) {
        return fail(Code::input_invalid, "{}: the owner of a counter is one word", file.string());
    }
    return files::create(file, to_text({std::string(owner), 0, limit}), 0600);
}

Result<Counter> Counter::open(const fs::path& file, std::string_view owner) {
    QUOIN_TRY(files::HeldFolder folder, hold_folder_of(file));
    // Before the lock, which would make a file beside nothing.
    QUOIN_CHECK(folder.read(file.filename().string(), max_file_size));
    QUOIN_TRY(files::Lock lock, folder.lock(lock_of(file)));
    QUOIN_TRY(State state, read_state(folder, file, owner));
    Counter counter(std::move(folder), std::move(lock), file, std::move(state.owner));
    counter.next_ = state.next;
    counter.limit_ = state.limit;
    return counter;
}

Result<Counter::Seen> Counter::look(const fs::path& file, std::string_view owner) {
    QUOIN_TRY(const files::HeldFolder folder, hold_folder_of(file));
    QUOIN_TRY(const State state, read_state(folder, file, owner));
    return Seen{state.next, state.limit};
}

Result<void> Counter::check_process() const {
    if (::getpid() == process_) return {};
    return fail(Code::state_wrong, "{}: belongs to the process that opened it", file_.string());
}

Result<void> Counter::check_unchanged() const {
    QUOIN_CHECK(folder_.check(lock_of(file_), lock_));
    QUOIN_TRY(const State state, read_state(folder_, file_, owner_));
    if (state.next == next_ && state.limit == limit_) return {};
    return fail(Code::integrity_mismatch,
                "{}: was changed while it was held: an index used twice gives the key away. Make "
                "a new key",
                file_.string());
}

Result<Reservation> Counter::reserve(std::uint64_t count) {
    QUOIN_CHECK(check_process());
    if (broken_) {
        return fail(Code::state_wrong, "{}: a reservation failed; open the counter again",
                    file_.string());
    }
    if (left() == 0) {
        return fail(Code::resource_full, "{}: all {} indices are given away; make a new key",
                    file_.string(), limit_);
    }
    const std::uint64_t first = next_;
    const std::uint64_t size = std::min(std::max<std::uint64_t>(count, 1), left());
    broken_ = true;  // until it is known what the disk holds
    QUOIN_CHECK(check_unchanged());
    QUOIN_CHECK(
        folder_.replace(file_.filename().string(), to_text({owner_, first + size, limit_}), 0600));
    QUOIN_CHECK(folder_.check(lock_of(file_), lock_));  // nobody else came in meanwhile
    broken_ = false;
    next_ = first + size;
    return Reservation::danger_already_durable(first, size);
}

}  // namespace quoin::store
