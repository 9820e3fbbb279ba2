#include "server/api/followers.hpp"

#include <iterator>

namespace quoin::server {

std::optional<std::vector<SampleStored>> Subscription::take(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, wait, [this] { return lost_ || !waiting_.empty(); });
    if (lost_) return std::nullopt;
    std::vector<SampleStored> taken(std::make_move_iterator(waiting_.begin()),
                                    std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    return taken;
}

void Subscription::offer(const SampleStored& sample) {
    if (!device_.empty() && sample.device != device_) return;
    if (!stream_.empty() && sample.stream != stream_) return;
    {
        const std::lock_guard lock(mutex_);
        if (lost_) return;
        if (waiting_.size() == max_waiting) {
            lost_ = true;
            waiting_.clear();
        } else {
            waiting_.push_back(sample);
        }
    }
    came_.notify_one();
}

Followers::Followers(Bus& bus) {
    bus.samples_stored.listen([this](const SamplesStored& stored) { publish(stored); });
}

std::shared_ptr<Subscription> Followers::subscribe(std::string device, std::string stream) {
    auto subscription = std::make_shared<Subscription>(std::move(device), std::move(stream));
    const std::lock_guard lock(mutex_);
    subscriptions_.push_back(subscription);
    return subscription;
}

void Followers::publish(const SamplesStored& stored) {
    const std::lock_guard lock(mutex_);
    std::erase_if(subscriptions_, [&](const std::weak_ptr<Subscription>& each) {
        const std::shared_ptr<Subscription> subscription = each.lock();
        if (!subscription) return true;
        for (const SampleStored& sample : stored.samples) subscription->offer(sample);
        return false;
    });
}

}  // namespace quoin::server
