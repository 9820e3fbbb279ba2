// A secret of fixed size: not copyable, wiped when moved from and when destroyed.
//
// There is no operator== and no way to print it: compare with ct::equal, read through expose().
// Threads: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/constant_time.hpp"

namespace quoin::core {

// `Tag` names the role, so that one secret cannot be passed where another is meant.
template <class Tag, std::size_t Size>
class Secret {
public:
    Secret() = default;
    // Takes the bytes and wipes the source.
    explicit Secret(std::span<std::uint8_t, Size> source) {
        for (std::size_t i = 0; i < Size; ++i) bytes_[i] = source[i];
        ct::wipe(source);
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { ct::wipe(other.bytes_); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            ct::wipe(other.bytes_);
        }
        return *this;
    }
    ~Secret() { ct::wipe(bytes_); }

    // The one exit. Whoever calls it answers for what happens to the bytes.
    std::span<const std::uint8_t, Size> expose() const { return bytes_; }
    // For the code that makes the secret (a generator, a key derivation).
    std::span<std::uint8_t, Size> expose_to_fill() { return bytes_; }

private:
    std::array<std::uint8_t, Size> bytes_{};
};

}  // namespace quoin::core
