#include "host/keys/se/framing.hpp"

#include "core/base/constant_time.hpp"

namespace quoin::keys::se {

void WipedBytes::clear() {
    core::ct::wipe(bytes_);
    bytes_ = {};
}

void WipedBytes::assign(ByteVector bytes) {
    core::ct::wipe(bytes_);
    bytes_ = std::move(bytes);
}

void WipedBytes::resize_empty(std::size_t size) { assign(ByteVector(size)); }

void Framing::next_message() {
    message_.clear();
    has_message_ = false;
}

void Framing::sent(std::size_t count) {
    sent_ += count;
    if (sent_ < output_.size()) return;
    output_.clear();
    sent_ = 0;
}

core::Result<std::size_t> LengthFraming::feed(Bytes input) {
    if (has_message_) return 0;
    std::size_t used = 0;
    while (taken_ < head_.size() && used < input.size()) head_[taken_++] = input[used++];
    if (taken_ < head_.size()) return used;
    if (taken_ == head_.size() && message_.size() == 0) {
        core::Reader reader(head_);
        const std::uint64_t length = *reader.take_unsigned<4>();
        if (length > limit_) return std::unexpected(Code::peer_oversize);
        if (length == 0) return std::unexpected(Code::peer_malformed);
        message_.resize_empty(length);
    }
    const std::size_t at = taken_ - head_.size();
    const std::size_t count = std::min(input.size() - used, message_.size() - at);
    std::ranges::copy(input.subspan(used, count), message_.bytes().subspan(at).begin());
    taken_ += count;
    if (taken_ == head_.size() + message_.size()) {
        has_message_ = true;
        taken_ = 0;
    }
    return used + count;
}

core::Result<void> LengthFraming::send(Bytes message) {
    if (message.size() > limit_) return std::unexpected(Code::resource_full);
    if (output_.size() != 0) return std::unexpected(Code::state_wrong);
    output_.resize_empty(head_.size() + message.size());
    core::Writer writer(output_.bytes());
    QUOIN_CHECK(writer.put_unsigned<4>(message.size()));
    return writer.put(message);
}

}  // namespace quoin::keys::se
