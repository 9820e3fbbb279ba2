#include "host/counters/store.hpp"

#include <algorithm>
#include <ctime>

namespace quoin::counters {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t first_block = 64;
constexpr std::uint64_t largest_block = std::uint64_t{1} << 40U;
constexpr std::chrono::seconds retry_after{1};

std::uint64_t milliseconds(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
}

// The text without its newline.
Result<std::string> boot_name() {
    QUOIN_TRY(std::string text, files::read("/proc/sys/kernel/random/boot_id"));
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

Result<Clock> Clock::of_system() {
    QUOIN_TRY(std::string boot, boot_name());
    return Clock{[] { return milliseconds(CLOCK_REALTIME); },
                 [] { return milliseconds(CLOCK_BOOTTIME); }, std::move(boot)};
}

Store::Store(files::HeldFolder folder, files::Lock lock, fs::path file,
             std::unique_ptr<Anchor> anchor, Options options, Clock clock, Content content)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      file_(std::move(file)),
      anchor_(std::move(anchor)),
      options_(std::move(options)),
      clock_(std::move(clock)),
      protocol_(anchor_ != nullptr),
      content_(std::move(content)) {
    for (auto& [name, entry] : content_.entries) entry.block = first_block;
    if (content_.time.boot != clock_.boot) {  // how long it was off, nobody knows
        content_.time.boot = clock_.boot;
        content_.time.boottime_ms = clock_.boottime_ms();
    }
}

Store::~Store() {
    if (::getpid() != process_) {
        static_cast<void>(helper_.release());  // it does not run in this child: not to be joined
        static_cast<void>(changed_.release());
        return;
    }
    helper_.reset();
    Lock lock(mutex_);
    if (noted_) static_cast<void>(commit(lock));  // best effort: what is noted may be lost
}

Result<void> Store::check_process() const {
    if (::getpid() == process_) return {};
    return fail(Code::state_wrong, "{}: belongs to the process that opened it", file_.string());
}

Result<std::uint64_t> Sequence::next() { return store_->next(*entry_); }

Result<std::uint64_t> Store::next(Entry& entry) {
    QUOIN_CHECK(check_process());
    Lock lock(mutex_);
    if (refused_) return std::unexpected(*refused_);
    while (entry.next == entry.durable) {
        if (entry.value == entry.durable) QUOIN_CHECK(reserve_more(entry, "a sequence"));
        QUOIN_CHECK(commit(lock));
    }
    const std::uint64_t value = entry.next++;
    // The last block was half of the next one.
    if (entry.value == entry.durable && entry.durable - entry.next <= entry.block / 4 &&
        reserve_more(entry, "a sequence")) {
        due_ = true;
        changed_->notify_all();
    }
    return value;
}

Result<Entry*> Store::entry(std::string_view name, Kind kind) {
    auto found = content_.entries.find(name);
    if (found == content_.entries.end()) {
        if (kind == Kind::scarce) {
            return fail(Code::input_not_found, "{}: has no counter {}", file_.string(), name);
        }
        if (!is_word(name, max_name_size)) {
            return fail(Code::input_invalid,
                        "the name of a counter is one word of at most {} "
                        "characters",
                        max_name_size);
        }
        const std::uint64_t first = kind == Kind::sequence ? content_.first : 0;
        found = content_.entries
                    .emplace(name, Entry{.kind = kind,
                                         .value = first,
                                         .next = first,
                                         .durable = first,
                                         .block = first_block})
                    .first;
    }
    if (found->second.kind != kind) {
        return fail(Code::input_conflict, "{}: counter {} is of another kind", file_.string(),
                    name);
    }
    return &found->second;
}

Result<void> Store::reserve_more(Entry& entry, std::string_view name) {
    const std::uint64_t size = std::min(entry.block, entry.limit - entry.value);
    if (size == 0) {
        return fail(Code::resource_full, "{}: all values of {} are given away", file_.string(),
                    name);
    }
    entry.value += size;
    entry.block = std::min(entry.block * 2, largest_block);
    pending_.push_back(&entry);
    return {};
}

Result<std::vector<Sequence>> Store::sequences(std::span<const std::string> names) {
    QUOIN_CHECK(check_process());
    std::vector<Sequence> found;
    Lock lock(mutex_);
    start_helper();
    bool is_new = false;
    for (const std::string& name : names) {
        QUOIN_TRY(Entry* const entry, this->entry(name, Kind::sequence));
        if (entry->next == entry->durable && entry->value == entry->durable) {
            QUOIN_CHECK(reserve_more(*entry, name));
            is_new = true;
        }
        found.push_back(Sequence(*this, *entry));
    }
    if (is_new) QUOIN_CHECK(commit(lock));
    return found;
}

Result<Sequence> Store::sequence(std::string_view name) {
    const std::string names[] = {std::string(name)};
    QUOIN_TRY(const auto found, sequences(names));
    return found.front();
}

Result<void> Store::add_scarce(std::string_view name, std::uint64_t limit) {
    QUOIN_CHECK(check_process());
    Lock lock(mutex_);
    if (content_.entries.contains(name)) {
        return fail(Code::input_conflict, "{}: has a counter {} already", file_.string(), name);
    }
    if (!is_word(name, max_name_size)) {
        return fail(Code::input_invalid, "the name of a counter is one word");
    }
    content_.entries.emplace(name, Entry{.kind = Kind::scarce, .limit = limit});
    return commit(lock);
}

Result<Block> Store::reserve(std::string_view name, std::uint64_t count) {
    QUOIN_CHECK(check_process());
    Lock lock(mutex_);
    QUOIN_TRY(Entry* const entry, this->entry(name, Kind::scarce));
    if (entry->value == entry->limit) {
        return fail(Code::resource_full, "{}: all {} values of {} are given away", file_.string(),
                    entry->limit, name);
    }
    const std::uint64_t size =
        std::min(std::max<std::uint64_t>(count, 1), entry->limit - entry->value);
    const Block block{entry->value, size};
    entry->value += size;
    const auto done = commit(lock);
    if (done) return block;
    // Nobody has it: it is there for the next, unless another block is behind it.
    if (entry->value == block.first + size) entry->value = block.first;
    return std::unexpected(done.error());
}

Result<std::uint64_t> Store::left(std::string_view name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = content_.entries.find(name);
    if (found == content_.entries.end() || found->second.kind != Kind::scarce) {
        return fail(Code::input_not_found, "{}: has no counter {}", file_.string(), name);
    }
    return found->second.limit - found->second.value;
}

Result<Entry*> Store::raise(std::string_view name, std::uint64_t value, Bytes digest) {
    if (digest.size() > max_digest_size) {
        return fail(Code::input_invalid, "a digest has at most {} bytes", max_digest_size);
    }
    const bool is_new = !content_.entries.contains(name);
    QUOIN_TRY(Entry* const entry, this->entry(name, Kind::floor));
    const auto known = content_.digests.find(name);
    const Bytes before = known == content_.digests.end() ? Bytes() : Bytes(known->second);
    if (value < entry->value ||
        (value == entry->value && !is_new && !std::ranges::equal(digest, before))) {
        return fail(Code::input_conflict, "{}: {} is at {} already, and never goes back to {}",
                    file_.string(), name, entry->value, value);
    }
    if (value == entry->value && !is_new) return entry;
    entry->value = value;
    if (digest.empty()) {
        content_.digests.erase(std::string(name));
    } else {
        content_.digests[std::string(name)].assign(digest.begin(), digest.end());
    }
    if (is_new) entry->durable = value == 0 ? 1 : 0;  // not equal: it is not in the file yet
    pending_.push_back(entry);
    return entry;
}

Result<void> Store::advance(std::string_view name, std::uint64_t value, Bytes digest) {
    QUOIN_CHECK(check_process());
    Lock lock(mutex_);
    QUOIN_TRY(const Entry* const entry, raise(name, value, digest));
    if (entry->durable == entry->value) return {};
    return commit(lock);
}

Result<void> Store::note(std::string_view name, std::uint64_t value, Bytes digest) {
    QUOIN_CHECK(check_process());
    const Lock lock(mutex_);
    QUOIN_TRY(const Entry* const entry, raise(name, value, digest));
    if (entry->durable != entry->value) note_something();
    return {};
}

std::optional<Floor> Store::floor(std::string_view name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = content_.entries.find(name);
    if (found == content_.entries.end() || found->second.kind != Kind::floor) return {};
    Floor floor{found->second.value, {}};
    if (const auto digest = content_.digests.find(name); digest != content_.digests.end()) {
        floor.digest = digest->second;
    }
    return floor;
}

// In this boot, whose time passes also while the machine sleeps.
std::uint64_t Store::floor_ms() const {
    const std::uint64_t boottime_ms = clock_.boottime_ms();
    const KnownTime& known = content_.time;
    return known.floor_ms + (std::max(boottime_ms, known.boottime_ms) - known.boottime_ms);
}

void Store::keep_time() {
    content_.time.floor_ms = floor_ms();
    content_.time.boottime_ms = clock_.boottime_ms();
}

Result<void> Store::raise_time(std::uint64_t ms) {
    QUOIN_CHECK(check_process());
    const Lock lock(mutex_);
    keep_time();
    if (ms <= content_.time.floor_ms) return {};
    content_.time.floor_ms = ms;
    note_something();
    return {};
}

Now Store::now() const {
    const std::uint64_t wall_ms = clock_.wall_ms();
    const std::scoped_lock lock(mutex_);
    const std::uint64_t floor = floor_ms();
    return {std::max(wall_ms, floor), wall_ms < floor};
}

Status Store::status() const {
    const std::scoped_lock lock(mutex_);
    return {content_.name,
            content_.anchor,
            anchor_ ? anchor_->strength() : Strength::none,
            content_.generation,
            content_.entries.size(),
            writes_,
            refused_ ? refused_->message : problem_};
}

void Store::note_something() {
    if (!noted_) noted_ = std::chrono::steady_clock::now();
    start_helper();
    changed_->notify_all();
}

void Store::start_helper() {
    if (helper_) return;
    helper_ = std::make_unique<std::jthread>([this](const std::stop_token& stop) { help(stop); });
}

void Store::help(const std::stop_token& stop) {
    Lock lock(mutex_);
    while (!stop.stop_requested() && !refused_) {
        const auto has_work = [&] { return due_ || refused_; };
        if (noted_) {
            changed_->wait_until(lock, stop, *noted_ + options_.note_after, has_work);
        } else {
            changed_->wait(lock, stop, [&] { return has_work() || noted_; });
        }
        const bool is_late =
            noted_ && std::chrono::steady_clock::now() >= *noted_ + options_.note_after;
        if (stop.stop_requested() || !(due_ || is_late)) continue;
        due_ = false;
        if (commit(lock)) continue;
        changed_->wait_for(lock, stop, retry_after, [&] { return refused_.has_value(); });
        due_ = true;
    }
}

}  // namespace quoin::counters
