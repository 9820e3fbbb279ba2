// For tests: what an operation leaves on the stack. It runs on a stack of its own, which is
// searched afterwards. Not under sanitizers, which have frames of their own.
//
//   test::DeadStack stack;
//   stack.run([&] { sign(key, message, signature); });
//   EXPECT_EQ(stack.places_of(key_bytes), 0U);
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/bytes.hpp"

namespace quoin::core::test {

// The bytes of a plain value, of coefficients for example.
template <class T>
Bytes bytes_in(const T& value) {
    return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

// A secret to look for: no two bytes in a row are equal.
template <std::size_t Size>
constexpr std::array<std::uint8_t, Size> pattern(std::uint8_t first) {
    std::array<std::uint8_t, Size> bytes{};
    for (std::size_t i = 0; i < Size; ++i) bytes[i] = static_cast<std::uint8_t>(first + 5 * i);
    return bytes;
}

class DeadStack {
public:
    void run(const std::function<void()>& operation) {
        std::ranges::fill(memory_, paint);
        getcontext(&inside_);
        inside_.uc_stack.ss_sp = memory_.data();
        inside_.uc_stack.ss_size = memory_.size();
        inside_.uc_link = &outside_;
        running = &operation;
        makecontext(&inside_, [] { (*running)(); }, 0);
        swapcontext(&outside_, &inside_);
    }

    // How many places hold `Window` bytes in a row of the secret, at whatever alignment. Runs of
    // one byte are no secret.
    template <std::size_t Window = 8>
    std::size_t places_of(Bytes secret) const {
        std::unordered_set<std::string_view> windows;
        for (std::size_t i = 0; i + Window <= secret.size(); ++i) {
            const std::string_view window = text(secret.subspan(i, Window));
            if (window.find_first_not_of(window[0]) != window.npos) windows.insert(window);
        }
        std::size_t places = 0;
        for (std::size_t i = 0; i + Window <= memory_.size(); ++i) {
            if (memory_[i] == paint && memory_[i + Window - 1] == paint) continue;
            places += windows.count(text(Bytes(memory_).subspan(i, Window)));
        }
        return places;
    }

private:
    static constexpr std::uint8_t paint = 0xa5;
    static inline const std::function<void()>* running = nullptr;

    static std::string_view text(Bytes bytes) {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    std::vector<std::uint8_t> memory_ = std::vector<std::uint8_t>(256 * 1024);
    ucontext_t inside_{}, outside_{};
};

// How many bytes of a workspace are not zero.
template <class Workspace>
std::size_t bytes_not_wiped(const Workspace& workspace) {
    const Bytes bytes = bytes_in(workspace);
    return bytes.size() - static_cast<std::size_t>(std::ranges::count(bytes, 0));
}

}  // namespace quoin::core::test
