#include "broker/state_table.hpp"

#include <algorithm>

namespace quoin::broker {

bool DeviceState::is_revoked(std::string_view serial) const {
    return std::ranges::find(revoked, serial) != revoked.end();
}

void StateTable::open() {
    phase_ = Phase::greeting;
    next_.clear();
    next_seq_.reset();
}

Result<StateTable::Change> StateTable::apply(feed::ToPlugin message, Now now) {
    auto change = std::visit([&](auto& item) { return take(std::move(item), now); }, message);
    if (!change) {
        phase_ = Phase::closed;
        next_.clear();
    }
    return change;
}

Result<StateTable::Change> StateTable::take(feed::Hello hello, Now) {
    if (phase_ != Phase::greeting) return fail(Code::peer_malformed, "feed: hello: out of turn");
    if (hello.site != site_) {
        return fail(Code::peer_forbidden, "feed: hello: site is {}, this broker serves {}",
                    hello.site, site_);
    }
    if (hello.lifetime_ms > max_lifetime_ms) {
        return fail(Code::peer_malformed, "feed: hello: lifetime_ms is {}, at most {} are allowed",
                    hello.lifetime_ms, max_lifetime_ms);
    }
    if (hello.epoch < epoch_) {
        return fail(Code::peer_replayed,
                    "feed: hello: epoch is {}, {} was seen: is an old quoind back?", hello.epoch,
                    epoch_);
    }
    next_hello_ = std::move(hello);
    phase_ = Phase::snapshot;
    return Change::none;
}

Result<StateTable::Change> StateTable::take(feed::Device device, Now now) {
    if (phase_ == Phase::snapshot) return stage(std::move(device));
    if (phase_ != Phase::live) return fail(Code::peer_malformed, "feed: device: out of turn");
    if (device.seq != seq_ + 1) {
        return fail(Code::peer_malformed, "feed: device: seq is {} after {}", device.seq, seq_);
    }
    seq_ = device.seq;
    devices_.insert_or_assign(std::move(device.id),
                              DeviceState{device.grant, std::move(device.state),
                                          std::move(device.reason), std::move(device.revoked)});
    refresh(now);
    return Change::device;
}

Result<StateTable::Change> StateTable::stage(feed::Device device) {
    const bool known_epoch = next_hello_.epoch == epoch_;
    const bool in_order =
        next_seq_ ? device.seq == *next_seq_ + 1 : device.seq > (known_epoch ? seq_ : 0);
    if (!in_order) {
        return fail(Code::peer_malformed, "feed: device: seq is {} after {} in a snapshot",
                    device.seq, next_seq_ ? *next_seq_ : seq_);
    }
    next_seq_ = device.seq;
    const bool inserted =
        next_
            .try_emplace(std::move(device.id), device.grant, std::move(device.state),
                         std::move(device.reason), std::move(device.revoked))
            .second;
    if (!inserted) return fail(Code::peer_malformed, "feed: device: id is twice in a snapshot");
    return Change::none;
}

Result<StateTable::Change> StateTable::take(feed::SnapshotEnd end, Now now) {
    if (phase_ != Phase::snapshot) {
        return fail(Code::peer_malformed, "feed: snapshot_end: out of turn");
    }
    if (end.count != next_.size()) {
        return fail(Code::peer_malformed, "feed: snapshot_end: count is {}, {} came", end.count,
                    next_.size());
    }
    const bool known_epoch = next_hello_.epoch == epoch_;
    const bool in_order = next_seq_ ? end.seq == *next_seq_ : end.seq >= (known_epoch ? seq_ : 0);
    if (!in_order) {
        return fail(Code::peer_malformed,
                    "feed: snapshot_end: seq is {}, not that of the last device", end.seq);
    }
    devices_ = std::exchange(next_, {});
    epoch_ = next_hello_.epoch;
    seq_ = end.seq;
    lifetime_ms_ = next_hello_.lifetime_ms;
    phase_ = Phase::live;
    refresh(now);
    return Change::everything;
}

Result<StateTable::Change> StateTable::take(feed::Heartbeat beat, Now now) {
    if (phase_ != Phase::live) return fail(Code::peer_malformed, "feed: heartbeat: out of turn");
    if (beat.seq != seq_) {
        return fail(Code::peer_malformed, "feed: heartbeat: seq is {}, the last device was {}",
                    beat.seq, seq_);
    }
    refresh(now);
    return Change::none;
}

const DeviceState* StateTable::find(std::string_view device) const {
    const auto found = devices_.find(device);
    return found == devices_.end() ? nullptr : &found->second;
}

feed::Grant StateTable::grant(std::string_view device, Now now) const {
    if (!is_fresh(now)) return feed::Grant::none;
    const DeviceState* state = find(device);
    return state == nullptr ? feed::Grant::none : state->grant;
}

}  // namespace quoin::broker
