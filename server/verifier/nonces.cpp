#include "server/verifier/nonces.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "core/base/constant_time.hpp"

namespace quoin::verifier {
namespace {

constexpr std::size_t head_size = 16;  // issued_ms, random
constexpr std::size_t tag_size = 16;
static_assert(head_size + tag_size == evidence::nonce_size);
constexpr std::int64_t clock_tolerance_ms = 60'000;

}  // namespace

std::int64_t issued_ms_of(Bytes nonce) {
    core::Reader reader(nonce);
    const auto issued = reader.take_unsigned<8>();
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(std::min(issued.value_or(0), limit));
}

void NonceRecord::answered(std::int64_t issued_ms) {
    latest_answered_ms_ = std::max(latest_answered_ms_, issued_ms);
    answered_.push_back(issued_ms);
    if (answered_.size() > max_answered) answered_.pop_front();
}

Result<Nonces> Nonces::make(std::int64_t now_ms) {
    core::Secret<KeyTag, 32> key;
    QUOIN_CHECK(crypto::random_bytes(key.expose_to_fill()));
    return Nonces(std::move(key), now_ms);
}

Result<attest::Nonce> Nonces::issue(std::string_view device, NonceRecord& record,
                                    std::int64_t now_ms) const {
    // Unique for each device, so that it names the nonce.
    const std::int64_t issued_ms = std::max(now_ms, record.last_issued_ms_ + 1);
    attest::Nonce nonce{};
    core::Writer writer(nonce);
    QUOIN_CHECK(lift(writer.put_unsigned<8>(static_cast<std::uint64_t>(issued_ms)), "nonce"));
    QUOIN_CHECK(crypto::random_bytes(std::span(nonce).subspan(8, 8)));
    QUOIN_TRY(const crypto::Sha3_512Digest digest, tag(device, std::span(nonce).first(head_size)));
    std::ranges::copy(std::span(digest).first(tag_size), nonce.begin() + head_size);
    record.last_issued_ms_ = issued_ms;
    return nonce;
}

Result<NonceState> Nonces::classify(std::string_view device, Bytes nonce, const NonceRecord& record,
                                    std::int64_t now_ms, std::int64_t timeout_ms) const {
    const std::int64_t issued_ms = issued_ms_of(nonce);
    QUOIN_TRY(const bool ours, is_ours(device, nonce));
    if (!ours) {
        // An earlier verifier's clock may have been ahead of ours: its devices are not to blame.
        if (issued_ms >= start_ms_ + clock_tolerance_ms) return NonceState::replayed;
        return record.latest_answered_ms_ != 0 ? NonceState::superseded : NonceState::late;
    }
    const auto& answered = record.answered_;
    if (std::ranges::contains(answered, issued_ms)) return NonceState::replayed;
    if (issued_ms <= record.latest_answered_ms_) {
        const bool may_be_forgotten =
            answered.size() == NonceRecord::max_answered && issued_ms < std::ranges::min(answered);
        return may_be_forgotten ? NonceState::replayed : NonceState::superseded;
    }
    return now_ms - issued_ms > timeout_ms ? NonceState::late : NonceState::fresh;
}

Result<bool> Nonces::is_ours(std::string_view device, Bytes nonce) const {
    if (nonce.size() != evidence::nonce_size) return false;
    QUOIN_TRY(const crypto::Sha3_512Digest digest, tag(device, nonce.first(head_size)));
    return core::ct::equal(nonce.subspan(head_size), std::span(digest).first(tag_size));
}

// SHA3 with the key in front is a sound MAC: a sponge has no length extension.
Result<crypto::Sha3_512Digest> Nonces::tag(std::string_view device, Bytes head) const {
    std::array<std::uint8_t, 32 + head_size + evidence::max_device_size> message{};
    core::Writer writer(message);
    QUOIN_CHECK(lift(writer.put(key_.expose()), "nonce"));
    QUOIN_CHECK(lift(writer.put(head), "nonce"));
    QUOIN_CHECK(lift(writer.put(bytes_of(device)), "nonce"));
    auto digest = crypto::sha3_512(writer.written());
    core::ct::wipe(message);
    return digest;
}

}  // namespace quoin::verifier
