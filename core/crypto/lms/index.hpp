// One-time indices: what a signer must hold before it may sign.
//
// A one-time key that signs two messages gives the key away. So an index is a value that cannot be
// copied, is consumed by the signature, and comes only out of a Reservation; and a Reservation
// comes only out of a store that has made durable, before it returned, that these indices are gone.
//
//   store (a file, flash) ──reserve(count)──> Reservation ──take()──> OneTimeIndex ──> sign()
//
// Reserving in blocks costs one durable write a block; what a crash leaves of a block is lost,
// never given twice. Threads: one owner.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "core/base/result.hpp"

namespace quoin::core::lms {

class OneTimeIndex {
public:
    OneTimeIndex(const OneTimeIndex&) = delete;
    OneTimeIndex& operator=(const OneTimeIndex&) = delete;
    OneTimeIndex(OneTimeIndex&& other) noexcept
        : value_(other.value_), good_(std::exchange(other.good_, false)) {}
    OneTimeIndex& operator=(OneTimeIndex&&) = delete;
    ~OneTimeIndex() = default;

    // For the signer: the index, once. A second time is state_wrong.
    [[nodiscard]] Result<std::uint64_t> consume() {
        if (!std::exchange(good_, false)) return std::unexpected(Code::state_wrong);
        return value_;
    }

private:
    friend class Reservation;
    explicit OneTimeIndex(std::uint64_t value) : value_(value) {}
    std::uint64_t value_;
    bool good_ = true;
};

// A block of indices that belong to this process alone and to nobody after it.
class Reservation {
public:
    // For stores: [first, first + count) is durably given away, and was never before. Whoever calls
    // this without that breaks the key.
    static Reservation danger_already_durable(std::uint64_t first, std::uint64_t count) {
        return Reservation(first, count);
    }
    Reservation() = default;  // empty
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    Reservation(Reservation&& other) noexcept
        : next_(other.next_), left_(std::exchange(other.left_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
        next_ = other.next_;
        left_ = std::exchange(other.left_, 0);
        return *this;
    }
    ~Reservation() = default;

    std::uint64_t left() const { return left_; }

    // resource_full when the block is used up.
    [[nodiscard]] Result<OneTimeIndex> take() {
        if (left_ == 0) return std::unexpected(Code::resource_full);
        --left_;
        return OneTimeIndex(next_++);
    }

private:
    Reservation(std::uint64_t first, std::uint64_t count) : next_(first), left_(count) {}
    std::uint64_t next_ = 0;
    std::uint64_t left_ = 0;
};

// The durable side. reserve(count) gives up to `count` indices (fewer only if fewer are left), all
// never given before, also not before a crash; one holder at a time. None left: resource_full. A
// store that is damaged: integrity_mismatch, and no index. left() is how many it can still give.
template <class Store>
concept IndexStore = requires(Store& store, std::uint64_t count) {
    { *store.reserve(count) } -> std::convertible_to<Reservation>;
    { store.left() } -> std::same_as<std::uint64_t>;
};

}  // namespace quoin::core::lms
