// A secret whose size is known at run time: not copyable, wiped when moved from and destroyed.
// For fixed sizes there is core/base/secret.hpp.
//
// Threads: one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/bytes.hpp"
#include "core/base/constant_time.hpp"

namespace quoin::keys {

class SecretBytes {
public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size)
        : bytes_(std::make_unique<std::uint8_t[]>(size)), size_(size) {}
    // Takes the bytes and wipes the source.
    explicit SecretBytes(MutableBytes source) : SecretBytes(source.size()) {
        std::ranges::copy(source, bytes_.get());
        core::ct::wipe(source);
    }
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;
    SecretBytes(SecretBytes&& other) noexcept
        : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
    SecretBytes& operator=(SecretBytes&& other) noexcept {
        if (this != &other) {
            wipe();
            bytes_ = std::move(other.bytes_);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    ~SecretBytes() { wipe(); }

    std::size_t size() const { return size_; }
    // The one exit. Whoever calls it answers for what happens to the bytes.
    Bytes expose() const { return {bytes_.get(), size_}; }
    // For the code that makes the secret.
    MutableBytes expose_to_fill() { return {bytes_.get(), size_}; }

private:
    void wipe() {
        if (bytes_) core::ct::wipe({bytes_.get(), size_});
    }

    std::unique_ptr<std::uint8_t[]> bytes_;
    std::size_t size_ = 0;
};

}  // namespace quoin::keys
