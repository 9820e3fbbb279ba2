// Byte views, and readers and writers that must end fully consumed or filled.
//
// Threads: plain values, no shared state. Not constant time in lengths; contents never branch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.hpp"

namespace quoin {

// A view of bytes. Never owns; the caller keeps what it points to alive.
using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// The bytes of a text, without a terminator.
inline Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace core {

// Reads big-endian values from a view. Every read past the end is peer_malformed and moves nothing.
class Reader {
public:
    explicit Reader(Bytes input) : rest_(input) {}

    Result<Bytes> take(std::size_t size) {
        if (size > rest_.size()) return std::unexpected(Code::peer_malformed);
        const Bytes taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }

    // Unsigned, big-endian, `Size` bytes (1..8).
    template <std::size_t Size>
    Result<std::uint64_t> take_unsigned() {
        static_assert(Size >= 1 && Size <= 8);
        QUOIN_TRY(const Bytes taken, take(Size));
        std::uint64_t value = 0;
        for (const std::uint8_t byte : taken) value = (value << 8U) | byte;
        return value;
    }

    std::size_t remaining() const { return rest_.size(); }

    // The end of a parse: anything left over is peer_malformed.
    Result<void> finish() const {
        if (!rest_.empty()) return std::unexpected(Code::peer_malformed);
        return {};
    }

private:
    Bytes rest_;
};

// Writes big-endian values into a caller's buffer. A write that does not fit is resource_full and
// writes nothing.
class Writer {
public:
    explicit Writer(MutableBytes output) : output_(output) {}

    Result<void> put(Bytes bytes) {
        if (bytes.size() > output_.size() - used_) return std::unexpected(Code::resource_full);
        for (const std::uint8_t byte : bytes) output_[used_++] = byte;
        return {};
    }

    template <std::size_t Size>
    Result<void> put_unsigned(std::uint64_t value) {
        static_assert(Size >= 1 && Size <= 8);
        if (Size > output_.size() - used_) return std::unexpected(Code::resource_full);
        for (std::size_t i = Size; i > 0; --i) {
            output_[used_++] = static_cast<std::uint8_t>(value >> (8U * (i - 1)));
        }
        return {};
    }

    Bytes written() const { return output_.first(used_); }

    // The end of a fixed layout: a buffer that is not full is an internal error.
    Result<void> finish() const {
        if (used_ != output_.size()) return std::unexpected(Code::internal);
        return {};
    }

private:
    MutableBytes output_;
    std::size_t used_ = 0;
};

}  // namespace core
}  // namespace quoin
