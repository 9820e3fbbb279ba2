#include "host/store/group_commit.hpp"

#include <optional>

namespace quoin::store {
namespace {

constexpr std::size_t most = 64;  // works in a transaction: bounds how long the first waits

// Within the transaction of the group. None: a statement failed.
std::optional<Result<void>> run_among_others(soci::session& session,
                                             const GroupCommit::Work& work) {
    session << "SAVEPOINT one_work";
    std::optional<Result<void>> result;
    try {
        result = work(session);
    } catch (const soci::soci_error&) {
        // What it means is told when it runs alone. Of a lost connection: what is next throws, too.
        result.reset();
    }
    if (!result || !*result) session << "ROLLBACK TO SAVEPOINT one_work";
    session << "RELEASE SAVEPOINT one_work";
    return result;
}

}  // namespace

void GroupCommit::commit(const std::deque<Item*>& group) {
    const auto committed = database_.transaction([&](soci::session& session) -> Result<void> {
        if (group.size() == 1) return group.front()->work(session);
        for (Item* const item : group) {
            auto result = run_among_others(session, item->work);
            item->is_left = !result;
            if (result) item->result = *std::move(result);
        }
        return {};
    });
    for (Item* const item : group) {
        if (!committed && item->result) item->result = std::unexpected(committed.error());
        if (committed && item->is_left) item->result = database_.transaction(item->work);
    }
}

Result<void> GroupCommit::run(const Work& work) {
    Item item{.work = work};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&item);
    while (!item.done) {
        if (is_led_) {
            changed_.wait(lock);
            continue;
        }
        is_led_ = true;
        std::deque<Item*> group;
        while (!waiting_.empty() && group.size() < most) {
            group.push_back(waiting_.front());
            waiting_.pop_front();
        }
        lock.unlock();
        commit(group);
        lock.lock();
        is_led_ = false;
        for (Item* const each : group) each->done = true;
        changed_.notify_all();
    }
    return std::move(item.result);
}

}  // namespace quoin::store
