// Samples on their way to those who follow them live: a bounded queue for each subscriber.
//
// A subscriber that is too slow loses its subscription, never the server its memory.
// Threads: publish from any; a subscription has one reader.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/bus/bus.hpp"

namespace quoin::server {

class Subscription {
public:
    static constexpr std::size_t max_waiting = 10'000;  // samples; about 3 MB

    Subscription(std::string device, std::string stream)
        : device_(std::move(device)), stream_(std::move(stream)) {}

    // Samples that came, after waiting up to `wait` for the first; nullopt: it was too slow, the
    // end.
    std::optional<std::vector<SampleStored>> take(std::chrono::milliseconds wait);
    void offer(const SampleStored& sample);

private:
    const std::string device_, stream_;  // empty: any
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<SampleStored> waiting_;
    bool lost_ = false;
};

class Followers {
public:
    explicit Followers(Bus& bus);
    // Ends when the last reference goes.
    std::shared_ptr<Subscription> subscribe(std::string device, std::string stream);

private:
    void publish(const SamplesStored& stored);
    std::mutex mutex_;
    std::vector<std::weak_ptr<Subscription>> subscriptions_;
};

}  // namespace quoin::server
