// Works of several threads in one write transaction: one durable commit for all that wait.
//
//   run(a) --leads--> [SAVEPOINT a ... SAVEPOINT b ... COMMIT] --> both callers return
//   run(b) --waits--/
//
// A work that fails is undone alone; a commit that fails, fails all. A work runs on the thread of
// any caller, so it must not wait for another caller; once, or, if a statement failed in the group,
// once more by itself. Errors: database.hpp. Threads: any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "host/store/database.hpp"

namespace quoin::store {

class GroupCommit {
public:
    using Work = std::function<Result<void>(soci::session&)>;

    // The database must outlive it.
    explicit GroupCommit(Database& database) : database_(database) {}

    // Returns when the work is committed, or undone.
    Result<void> run(const Work& work);

private:
    struct Item {
        const Work& work;
        Result<void> result = {};
        bool is_left = false;  // a statement failed: to be run alone
        bool done = false;
    };
    void commit(const std::deque<Item*>& group);

    Database& database_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Item*> waiting_;
    bool is_led_ = false;
};

}  // namespace quoin::store
