// How a store becomes durable: one writer at a time, who writes for all that wait.
#include "host/counters/store.hpp"

namespace quoin::counters {

using Step = Protocol::Step;

// Until everything that was asked for up to now is durable. An error is of a write that would have
// made it so.
Result<void> Store::commit(Lock& lock) {
    const std::uint64_t wanted = ++change_;
    const std::uint64_t failures = failures_;
    for (;;) {
        if (refused_) return std::unexpected(*refused_);
        if (durable_change_ >= wanted) return {};
        if (failures_ != failures) return fail(Code::resource_unavailable, "{}", problem_);
        if (writing_) {
            changed_->wait(lock);
            continue;
        }
        writing_ = true;
        lock.unlock();
        auto written = write_generation();
        lock.lock();
        writing_ = false;
        if (written) {
            publish();
        } else {
            ++failures_;
            problem_ = written.error().message;
            if (protocol_.next() == Step::refused) refused_ = written.error();
        }
        changed_->notify_all();
        if (!written) return written;
    }
}

// After a failure two generations: in the first nothing is handed out (protocol.hpp).
Result<void> Store::write_generation() {
    do {
        protocol_.change();
        QUOIN_CHECK(take_steps());
    } while (!protocol_.is_serving());
    return {};
}

Result<void> Store::take_steps() {
    while (protocol_.next() != Step::ready) {
        if (protocol_.next() == Step::refused) return refused();
        if (auto taken = take_step(); !taken) {
            protocol_.failed();
            return taken;
        }
    }
    return {};
}

Result<void> Store::take_step() {
    switch (protocol_.next()) {
        case Step::claim: {
            QUOIN_TRY(const std::uint64_t claim, anchor_->claim());
            protocol_.claimed(claim);
            break;
        }
        case Step::look: {
            QUOIN_TRY(const std::uint64_t claims, anchor_->claims());
            QUOIN_TRY(const std::uint64_t generation, anchor_->generation());
            protocol_.seen(claims, generation);
            break;
        }
        case Step::write:
            QUOIN_CHECK(write_file());
            protocol_.written();
            break;
        case Step::increment: {
            QUOIN_TRY(const std::uint64_t generation, anchor_->increment());
            protocol_.incremented(generation);
            break;
        }
        case Step::confirm: {
            QUOIN_TRY(const std::uint64_t claims, anchor_->claims());
            protocol_.confirmed(claims);
            break;
        }
        case Step::idle:
        case Step::ready:
        case Step::refused:
            return fail(Code::internal, "{}: nothing to do", file_.string());
    }
    return {};
}

Result<void> Store::write_file() {
    std::string text;
    {
        const std::scoped_lock lock(mutex_);
        keep_time();
        content_.generation = protocol_.target();
        text = lines_of(content_);
        written_change_ = change_;
        written_.clear();
        for (Entry* const entry : pending_) written_.emplace_back(entry, entry->value);
        ++writes_;
    }
    text = with_checksum(std::move(text));
    const std::string name = file_.filename().string();
    QUOIN_CHECK(folder_.check(name + ".lock", lock_));
    QUOIN_CHECK(folder_.replace(name, text, 0600));
    return folder_.check(name + ".lock", lock_);  // nobody else came in meanwhile
}

void Store::publish() {
    durable_change_ = written_change_;
    for (const auto& [entry, value] : written_) entry->durable = value;
    std::erase_if(pending_, [](const Entry* entry) { return entry->durable == entry->value; });
    problem_.clear();
    noted_.reset();
    for (const Entry* const entry : pending_) {
        if (entry->kind == Kind::floor) noted_ = std::chrono::steady_clock::now();
    }
}

}  // namespace quoin::counters
