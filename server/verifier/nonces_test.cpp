#include "server/verifier/nonces.hpp"

#include <gtest/gtest.h>

namespace quoin::verifier {
namespace {

constexpr std::int64_t start = 1'000'000;
constexpr std::int64_t timeout = 10'000;

struct Asked {
    Nonces nonces = *Nonces::make(start);
    NonceRecord record;

    attest::Nonce ask(std::int64_t at_ms) { return *nonces.issue("d1", record, at_ms); }
    NonceState state(const attest::Nonce& nonce, std::int64_t at_ms,
                     std::string_view device = "d1") const {
        return *nonces.classify(device, nonce, record, at_ms, timeout);
    }
};

TEST(nonces, classify__in_time__fresh_until_answered) {
    Asked asked;
    const auto nonce = asked.ask(start + 5);
    EXPECT_EQ(issued_ms_of(nonce), start + 5);
    EXPECT_EQ(asked.state(nonce, start + 5), NonceState::fresh);
    EXPECT_EQ(asked.state(nonce, start + 5 + timeout), NonceState::fresh);
    asked.record.answered(issued_ms_of(nonce));
    EXPECT_EQ(asked.state(nonce, start + 6), NonceState::replayed);
}

TEST(nonces, classify__past_its_timeout__late_not_replayed) {
    Asked asked;
    const auto nonce = asked.ask(start);
    EXPECT_EQ(asked.state(nonce, start + timeout + 1), NonceState::late);
    EXPECT_EQ(asked.state(nonce, start + 1000 * timeout), NonceState::late);
}

TEST(nonces, classify__older_than_an_answered_one__superseded) {
    Asked asked;
    const auto first = asked.ask(start);
    const auto second = asked.ask(start + 1);
    asked.record.answered(issued_ms_of(second));
    EXPECT_EQ(asked.state(first, start + 2), NonceState::superseded);
    EXPECT_EQ(asked.state(second, start + 2), NonceState::replayed);
}

TEST(nonces, classify__answered_long_ago__still_replayed) {
    Asked asked;
    const auto first = asked.ask(start);
    asked.record.answered(issued_ms_of(first));
    for (int i = 0; i < 100; ++i) asked.record.answered(issued_ms_of(asked.ask(start + 10 + i)));
    EXPECT_EQ(asked.state(first, start + 200), NonceState::replayed);
}

TEST(nonces, classify__of_another_device_or_one_bit_off__replayed) {
    Asked asked;
    constexpr std::int64_t later = start + 100'000;
    auto nonce = asked.ask(later + 1);
    EXPECT_EQ(asked.state(nonce, later + 2, "d2"), NonceState::replayed);
    for (std::size_t i = 8; i < nonce.size(); ++i) {
        nonce[i] ^= 1;
        EXPECT_EQ(asked.state(nonce, later + 2), NonceState::replayed) << i;
        nonce[i] ^= 1;
    }
    EXPECT_EQ(asked.state(attest::Nonce{0xff}, later + 2), NonceState::replayed);
}

TEST(nonces, classify__of_an_earlier_verifier_whose_clock_was_ahead__late_not_replayed) {
    Asked earlier;
    const auto old = earlier.ask(start + 30'000);
    Asked now;
    EXPECT_EQ(now.state(old, start + 1), NonceState::late);
}

TEST(nonces, classify__of_an_earlier_verifier__late_until_something_was_answered) {
    Asked earlier;
    const auto old = earlier.ask(start);
    Asked now;
    now.nonces = *Nonces::make(start + 5000);
    EXPECT_EQ(now.state(old, start + 5001), NonceState::late);
    now.record.answered(issued_ms_of(now.ask(start + 5002)));
    EXPECT_EQ(now.state(old, start + 5003), NonceState::superseded);
}

TEST(nonces, issue__twice_in_a_millisecond_or_back_in_time__still_different_and_growing) {
    Asked asked;
    const auto first = asked.ask(start + 5);
    const auto second = asked.ask(start + 5);
    const auto third = asked.ask(start);
    EXPECT_EQ(issued_ms_of(second), start + 6);
    EXPECT_EQ(issued_ms_of(third), start + 7);
    EXPECT_NE(first, second);
}

TEST(nonces, forget__what_was_asked_before__says_nothing_any_more) {
    Asked asked;
    const auto nonce = asked.ask(start);
    asked.record.forget();
    EXPECT_EQ(asked.state(nonce, start + 1), NonceState::superseded);
    EXPECT_EQ(asked.state(asked.ask(start + 2), start + 3), NonceState::fresh);
}

}  // namespace
}  // namespace quoin::verifier
