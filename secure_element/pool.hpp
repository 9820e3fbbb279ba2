// Ephemeral key pairs, made in advance by a thread of their own: X25519 and ML-KEM.
//
// Threads: any may take. One that finds none makes its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <latch>
#include <mutex>
#include <thread>

#include "secure_element/key.hpp"

namespace quoin::secure_element {

inline constexpr std::size_t pool_size = 16;  // of each algorithm

class Pool {
public:
    Pool() = default;
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() { stop(); }

    // Starts the thread, once. It is there when this returns.
    void start();
    void stop();

    // input_unsupported: not an algorithm for ephemeral keys.
    Result<std::unique_ptr<Key>> take(Algorithm algorithm);
    // How many are ready, of all algorithms. For tests: waits until all are.
    void wait_until_full();
    std::size_t ready() const;

private:
    struct Shelf {
        Algorithm algorithm;
        std::deque<std::unique_ptr<Key>> keys;
    };
    void fill(const std::stop_token& stop);
    Shelf* shelf_to_fill();

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::array<Shelf, 4> shelves_{Shelf{Algorithm::x25519, {}}, Shelf{Algorithm::ml_kem_512, {}},
                                  Shelf{Algorithm::ml_kem_768, {}},
                                  Shelf{Algorithm::ml_kem_1024, {}}};
    std::latch running_{1};  // the thread is there
    std::jthread thread_;
};

}  // namespace quoin::secure_element
