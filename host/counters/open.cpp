// A store is made, opened, looked at, and adopted.
#include <algorithm>

#include "host/counters/store.hpp"

namespace quoin::counters {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t far_ahead = std::uint64_t{1} << 48U;
constexpr unsigned per_millisecond_bits = 16;

Result<files::HeldFolder> hold_folder_of(const fs::path& file) {
    return files::HeldFolder::open(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

std::string lock_of(const fs::path& file) { return file.filename().string() + ".lock"; }

std::string uri_of(const Anchor* anchor) { return anchor != nullptr ? anchor->uri() : "none"; }

std::unexpected<Error> refused(const fs::path& file, std::string_view what) {
    return fail(Code::integrity_mismatch,
                "{}: {}. Nothing is given out from it. The way out: quoin counters adopt {}",
                file.string(), what, file.string());
}

std::unexpected<Error> refused_for(Protocol::Refusal why, const fs::path& file,
                                   std::uint64_t generation, std::string_view anchor) {
    switch (why) {
        case Protocol::Refusal::file_is_old:
            return refused(file,
                           fmt::format("is an old copy (generation {}), put back after {} had gone "
                                       "on, or run elsewhere. Put back the newest file if you can",
                                       generation, anchor));
        case Protocol::Refusal::file_is_ahead:
            return refused(file, fmt::format("is of generation {}, which {} has not reached: it is "
                                             "another TPM or quoin-se, or that one was put back. "
                                             "Connect the right one if you can",
                                             generation, anchor));
        case Protocol::Refusal::counted_twice:
            return refused(file, fmt::format("somebody else counts with {}: a copy of this disk is "
                                             "running, and nothing is given out any more. Stop all "
                                             "but one",
                                             anchor));
        case Protocol::Refusal::none:
            break;
    }
    return fail(Code::internal, "{}: not refused", file.string());
}

Result<Content> read(const files::HeldFolder& folder, const fs::path& file) {
    QUOIN_TRY(const std::string text, folder.read(file.filename().string(), max_file_size));
    auto content = decode(text);
    if (!content) return refused(file, content.error().message);
    return content;
}

// Of this store and this anchor, which is not counted for it yet: a program that starts again and
// again must not wear it out.
Result<void> check(const Content& content, const fs::path& file, std::string_view name,
                   Anchor* anchor) {
    if (content.name != name) {
        return fail(Code::integrity_mismatch, "{}: is of {}, not of {}", file.string(),
                    content.name, name);
    }
    if (content.anchor != uri_of(anchor)) {
        return refused(file,
                       fmt::format("its anchor is {}, and not {}", content.anchor, uri_of(anchor)));
    }
    if (anchor == nullptr) return {};
    const auto claims = anchor->claims();
    if (!claims && claims.error().code == Code::input_not_found) {
        return refused(file, fmt::format("{} has no counters for it: it is another one, or was "
                                         "cleared",
                                         anchor->uri()));
    }
    if (!claims) return std::unexpected(claims.error());
    QUOIN_TRY(const std::uint64_t generation, anchor->generation());
    const auto why = Protocol::judge(content.generation, generation);
    if (why == Protocol::Refusal::none) return {};
    return refused_for(why, file, content.generation, anchor->uri());
}

// A file that is gone, when its anchor has counted for it.
Result<void> check_missing(const fs::path& file, Anchor* anchor) {
    if (anchor == nullptr) return {};
    const auto generation = anchor->generation();
    if (generation) {
        return refused(file, fmt::format("is gone, and {} has counted to {} for it", anchor->uri(),
                                         *generation));
    }
    if (generation.error().code != Code::input_not_found) {
        return std::unexpected(generation.error());
    }
    return {};
}

Result<Content> read_own(const files::HeldFolder& folder, const fs::path& file,
                         std::string_view name, Anchor* anchor) {
    auto content = read(folder, file);
    if (!content && content.error().code == Code::input_not_found) {
        QUOIN_CHECK(check_missing(file, anchor));
    }
    if (content) QUOIN_CHECK(check(*content, file, name, anchor));
    return content;
}

// The anchor's generation, which no copy of the file has, nor can reach without counting.
Result<std::uint64_t> pass_all(Anchor& anchor) {
    if (auto counted = anchor.generation(); !counted) {
        if (counted.error().code != Code::input_not_found) return counted;
        QUOIN_CHECK(anchor.create());
    }
    QUOIN_CHECK(anchor.claim());      // who runs with a copy ends
    QUOIN_CHECK(anchor.increment());  // a copy may be one ahead
    return anchor.increment();
}

void skip(Content& content, std::uint64_t now_ms, Adopted& done) {
    content.first = std::max(content.first + far_ahead, now_ms << per_millisecond_bits);
    for (const auto& [name, entry] : content.entries) {
        if (entry.kind == Kind::sequence) {
            content.first = std::max(content.first, entry.value + far_ahead);
        }
    }
    for (auto& [name, entry] : content.entries) {
        switch (entry.kind) {
            case Kind::sequence:
                entry.value = content.first;
                done.skipped.push_back(name);
                break;
            case Kind::scarce:
                entry.value = entry.limit;
                done.spent.push_back(name);
                break;
            case Kind::floor:
                done.behind.push_back(name);
                break;
        }
    }
}

}  // namespace

std::unexpected<Error> Store::refused() const {
    return refused_for(protocol_.refusal(), file_, content_.generation, content_.anchor);
}

Result<void> Store::create(const fs::path& file, std::string_view name, Anchor* anchor) {
    Content content;
    content.name = name;
    content.anchor = uri_of(anchor);
    if (!is_word(name, max_store_name_size) || content.anchor.contains('\n')) {
        return fail(Code::input_invalid, "the name of a store is a word of at most {} characters",
                    max_store_name_size);
    }
    QUOIN_CHECK(files::check_create(file));
    QUOIN_CHECK(check_missing(file, anchor));
    if (anchor != nullptr) {
        QUOIN_TRY(content.generation, anchor->create());
    }
    return files::create(file, encode(content), 0600);
}

Result<std::unique_ptr<Store>> Store::open(const fs::path& file, std::string_view name,
                                           std::unique_ptr<Anchor> anchor, Options options) {
    QUOIN_TRY(files::HeldFolder folder, hold_folder_of(file));
    // Before the lock, which would make a file beside nothing.
    if (!folder.read(file.filename().string(), max_file_size)) {
        QUOIN_CHECK(read_own(folder, file, name, anchor.get()));
    }
    QUOIN_TRY(files::Lock lock, folder.lock(lock_of(file)));
    QUOIN_TRY(Content content, read_own(folder, file, name, anchor.get()));
    Clock clock;
    if (options.clock) {
        clock = *options.clock;
    } else {
        QUOIN_TRY(clock, Clock::of_system());
    }
    std::unique_ptr<Store> store(new Store(std::move(folder), std::move(lock), file,
                                           std::move(anchor), std::move(options), std::move(clock),
                                           std::move(content)));
    store->protocol_.begin(store->content_.generation);
    QUOIN_CHECK(store->take_steps());
    return store;
}

Result<Content> Store::look(const fs::path& file) {
    QUOIN_TRY(const files::HeldFolder folder, hold_folder_of(file));
    return read(folder, file);
}

Result<void> Store::examine(const fs::path& file, std::string_view name, Anchor* anchor) {
    QUOIN_TRY(const files::HeldFolder folder, hold_folder_of(file));
    // Whoever holds it may write between our look at the one and at the other.
    auto content = read_own(folder, file, name, anchor);
    for (int again = 0; again < 2 && !content; ++again) {
        content = read_own(folder, file, name, anchor);
    }
    QUOIN_CHECK(content);
    return {};
}

Result<Adopted> Store::adopt(const fs::path& file, std::string_view name, Anchor* anchor,
                             std::uint64_t now_ms) {
    QUOIN_TRY(const files::HeldFolder folder, hold_folder_of(file));
    QUOIN_TRY(const files::Lock lock, folder.lock(lock_of(file)));
    const std::string file_name = file.filename().string();
    auto content = read(folder, file);
    if (!content && content.error().code != Code::input_not_found &&
        content.error().code != Code::integrity_mismatch) {
        return std::unexpected(content.error());
    }
    if (content && content->name != name) {
        return fail(Code::input_conflict, "{}: is of {}, not of {}", file.string(), content->name,
                    name);
    }
    if (const auto before = folder.read(file_name, max_file_size); before) {
        QUOIN_CHECK(folder.replace(file_name + ".before", *before, 0600));
    }
    Adopted done;
    done.had_file = content.has_value();
    Content next = content ? *std::move(content) : Content();
    next.name = name;
    next.anchor = uri_of(anchor);
    skip(next, now_ms, done);
    next.generation += 2;
    if (anchor != nullptr) {
        QUOIN_TRY(next.generation, pass_all(*anchor));
    }
    QUOIN_CHECK(folder.replace(file_name, encode(next), 0600));
    return done;
}

}  // namespace quoin::counters
