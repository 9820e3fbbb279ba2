#include "secure_element/pool.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace quoin::secure_element {
namespace {

Result<std::unique_ptr<Key>> make_key(Algorithm algorithm) {
    QUOIN_TRY(const SecretBytes material, make_material(algorithm));
    QUOIN_TRY(auto key, load_key(algorithm, material.expose()));
    QUOIN_CHECK(check_new_pair(*key, algorithm));
    return key;
}

}  // namespace

void Pool::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        running_.count_down();
        fill(stop);
    });
    running_.wait();
}

void Pool::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

Pool::Shelf* Pool::shelf_to_fill() {
    auto* const shelf = std::ranges::find_if(
        shelves_, [](const Shelf& candidate) { return candidate.keys.size() < pool_size; });
    return shelf == shelves_.end() ? nullptr : shelf;
}

void Pool::fill(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        Shelf* const shelf = shelf_to_fill();
        if (shelf == nullptr) {
            changed_.notify_all();
            changed_.wait(lock, stop, [this] { return shelf_to_fill() != nullptr; });
            continue;
        }
        const Algorithm algorithm = shelf->algorithm;
        lock.unlock();
        auto key = make_key(algorithm);
        lock.lock();
        if (!key) {  // take() makes its own then, and its caller hears why it cannot
            spdlog::error("pool stopped error=\"{}\"", key.error().message);
            return;
        }
        shelf->keys.push_back(*std::move(key));
    }
}

Result<std::unique_ptr<Key>> Pool::take(Algorithm algorithm) {
    {
        const std::scoped_lock lock(mutex_);
        auto* const shelf = std::ranges::find(shelves_, algorithm, &Shelf::algorithm);
        if (shelf == shelves_.end()) {
            return fail(Code::input_unsupported,
                        "{} is not for ephemeral keys: X25519 and ML-KEM are",
                        keys::se::info(algorithm).name);
        }
        if (!shelf->keys.empty()) {
            auto key = std::move(shelf->keys.front());
            shelf->keys.pop_front();
            changed_.notify_all();
            return key;
        }
    }
    return make_key(algorithm);
}

void Pool::wait_until_full() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return shelf_to_fill() == nullptr; });
}

std::size_t Pool::ready() const {
    const std::scoped_lock lock(mutex_);
    std::size_t sum = 0;
    for (const Shelf& shelf : shelves_) sum += shelf.keys.size();
    return sum;
}

}  // namespace quoin::secure_element
