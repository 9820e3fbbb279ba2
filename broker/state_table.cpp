#include "broker/state_table.hpp"

namespace quoin::broker {

void StateTable::open(const feed::Nonce& nonce) {
    phase_ = Phase::greeting;
    nonce_ = nonce;
    issuer_.reset();
    next_.clear();
    next_lines_ = 0;
    next_seq_.reset();
    last_id_.clear();
    entries_ = {};
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
    QUOIN_TRY(issuer_, issuer_key_(hello.issuer));
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
    if (!device.revoked.empty() || device.state == feed::revoked_state) {
        return fail(Code::peer_forbidden,
                    "feed: device: {}: is revoked without a statement of the issuing CA",
                    device.id);
    }
    seq_ = device.seq;
    refresh(now);
    DeviceState& known = devices_[device.id];
    // One that was said before the revocation, and is late; or a lie.
    const bool overtaken =
        device.epoch < known.epoch || (known.has_ended && device.epoch == known.epoch);
    if (overtaken) return Change::device;
    known.epoch = device.epoch;
    known.grant = device.grant;
    known.state = std::move(device.state);
    known.reason = std::move(device.reason);
    known.has_ended = false;
    return Change::device;
}

Result<StateTable::Change> StateTable::take(const feed::Revocation& revocation, Now now) {
    if (phase_ != Phase::live) return fail(Code::peer_malformed, "feed: revocation: out of turn");
    if (revocation.seq != seq_ + 1) {
        return fail(Code::peer_malformed, "feed: revocation: seq is {} after {}", revocation.seq,
                    seq_);
    }
    QUOIN_CHECK(issuer_->verify(revocation.statement, revocation.signature));
    QUOIN_TRY(const feed::Statement statement, feed::decode_statement(revocation.statement));
    QUOIN_CHECK(check_statement(statement));
    QUOIN_TRY(last_statement_, crypto::sha3_512(revocation.statement));
    revocation_ = statement.number;
    seq_ = revocation.seq;
    refresh(now);
    ended_.clear();
    for (const feed::Ending& ending : statement.devices) end(ending, statement);
    return Change::revocation;
}

Result<void> StateTable::check_statement(const feed::Statement& statement) const {
    if (statement.site != site_) {
        return fail(Code::peer_forbidden, "feed: revocation: is of the site {}", statement.site);
    }
    if (statement.number <= revocation_) {
        return fail(Code::peer_replayed, "feed: revocation: number {} comes again after {}",
                    statement.number, revocation_);
    }
    if (statement.number != revocation_ + 1 || statement.previous != last_statement_) {
        return fail(Code::peer_malformed, "feed: revocation: number {} does not follow {}",
                    statement.number, revocation_);
    }
    return {};
}

void StateTable::end(const feed::Ending& ending, const feed::Statement& statement) {
    ended_.push_back(ending.device);
    DeviceState& known = devices_[ending.device];
    known.revoked.insert(ending.serials.begin(), ending.serials.end());
    if (feed::is_service(ending.device) || ending.epoch < known.epoch) return;
    known.epoch = ending.epoch;
    known.grant = feed::Grant::none;
    known.state = feed::revoked_state;
    known.reason = x509::reason_name(statement.reason);
    if (!statement.note.empty()) known.reason += ": " + statement.note;
    known.has_ended = true;
}

Result<StateTable::Change> StateTable::stage(feed::Device device) {
    const bool known_epoch = next_hello_.epoch == epoch_;
    const bool in_order =
        next_seq_ ? device.seq == *next_seq_ + 1 : device.seq > (known_epoch ? seq_ : 0);
    if (!in_order) {
        return fail(Code::peer_malformed, "feed: device: seq is {} after {} in a snapshot",
                    device.seq, next_seq_ ? *next_seq_ : seq_);
    }
    const bool has_ended = device.state == feed::revoked_state;
    const feed::Grant grant = has_ended ? feed::Grant::none : device.grant;
    const auto [known, is_new] = next_.try_emplace(
        device.id,
        DeviceState{
            .epoch = device.epoch, .grant = grant, .state = device.state, .reason = device.reason});
    DeviceState& staged = known->second;
    // One that goes on says the same, but for the serials.
    const bool goes_on = !device.revoked.empty() && device.id == last_id_ &&
                         device.epoch == staged.epoch && grant == staged.grant &&
                         device.state == staged.state;
    if (next_seq_ && device.id <= last_id_ && !goes_on) {
        return fail(Code::peer_malformed, "feed: device: {} comes after {} in a snapshot",
                    device.id, last_id_);
    }
    QUOIN_CHECK(entries_.add(device.id, device.epoch, has_ended, device.revoked));
    next_seq_ = device.seq;
    last_id_ = std::move(device.id);
    ++next_lines_;
    staged.has_ended = has_ended;
    staged.revoked.insert(device.revoked.begin(), device.revoked.end());
    return Change::none;
}

// The head is what the issuing CA says now, of all that is revoked: it was signed for our nonce.
Result<feed::Head> StateTable::check_head(const feed::SnapshotEnd& end) {
    QUOIN_CHECK(issuer_->verify(end.head, end.signature));
    QUOIN_TRY(const feed::Head head, feed::decode_head(end.head));
    if (head.site != site_ || head.nonce != nonce_) {
        return fail(Code::peer_replayed,
                    "feed: snapshot_end: its head is of another site or connection");
    }
    if (head.number < revocation_ || (head.number == revocation_ && head.last != last_statement_)) {
        return fail(Code::peer_replayed,
                    "feed: snapshot_end: it knows {} revocations, and {} others are known here: "
                    "was the database of quoind set back?",
                    head.number, revocation_);
    }
    QUOIN_TRY(const crypto::Sha3_512Digest entries, entries_.finish());
    if (head.entries != entries) {
        return fail(Code::integrity_mismatch,
                    "feed: snapshot_end: the revoked devices are not those of its head");
    }
    return head;
}

Result<StateTable::Change> StateTable::take(const feed::SnapshotEnd& end, Now now) {
    if (phase_ != Phase::snapshot) {
        return fail(Code::peer_malformed, "feed: snapshot_end: out of turn");
    }
    if (end.count != next_lines_) {
        return fail(Code::peer_malformed, "feed: snapshot_end: count is {}, {} came", end.count,
                    next_lines_);
    }
    const bool known_epoch = next_hello_.epoch == epoch_;
    const bool in_order = next_seq_ ? end.seq == *next_seq_ : end.seq >= (known_epoch ? seq_ : 0);
    if (!in_order) {
        return fail(Code::peer_malformed,
                    "feed: snapshot_end: seq is {}, not that of the last device", end.seq);
    }
    QUOIN_TRY(const feed::Head head, check_head(end));
    revocation_ = head.number;
    last_statement_ = head.last;
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
