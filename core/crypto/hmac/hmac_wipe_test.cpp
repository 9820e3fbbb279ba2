// What HMAC and HKDF leave of keys on the stack and in their objects.
#include <gtest/gtest.h>

#include <memory>

#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/hmac/sha3.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/sha2/test_schedule.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core {
namespace {

using KeyBytes = std::array<std::uint8_t, 32>;

template <class Hash>
class hmac_wipe : public testing::Test {
protected:
    // As it is, and as HMAC pads it.
    void expect_no_key() const {
        for (const int pad : {0x00, 0x36, 0x5c}) {
            KeyBytes padded = key;
            for (std::uint8_t& byte : padded) byte ^= static_cast<std::uint8_t>(pad);
            EXPECT_EQ(stack.places_of(padded), 0U) << "key ^ " << pad;
            // As 32-bit and 64-bit words of SHA-2.
            for (const std::size_t word : {4U, 8U}) {
                KeyBytes swapped = padded;
                for (auto at = swapped.begin(); at != swapped.end(); at += word) {
                    std::reverse(at, at + word);
                }
                EXPECT_EQ(stack.places_of(swapped), 0U) << "words of key ^ " << pad;
            }
        }
    }

    template <class Functions, std::size_t Rounds>
    void expect_no_schedule() const {
        for (const int pad : {0x36, 0x5c}) {
            std::array<std::uint8_t, 16 * sizeof(typename Functions::Word)> block{};
            std::ranges::copy(key, block.begin());
            for (std::uint8_t& byte : block) byte ^= static_cast<std::uint8_t>(pad);
            const auto w = sha2::schedule_of<Functions, Rounds>(block);
            EXPECT_EQ(stack.places_of(test::bytes_in(w)), 0U) << "schedule of key ^ " << pad;
        }
    }

    const KeyBytes key = test::pattern<32>(0x31);
    test::DeadStack stack;
};

using Hashes = testing::Types<sha2::Sha256, sha2::Sha384, sha2::Sha512, hmac::Sha3<32>
#if defined(__x86_64__)
                              ,
                              sha2::Hash<sha2::Set256, ShaNi>
#endif
                              >;
TYPED_TEST_SUITE(hmac_wipe, Hashes);

template <class Hash>
bool runs_here() {
    return !std::is_same_v<Hash, sha2::Hash<sha2::Set256, ShaNi>> || test::has_sha();
}

TYPED_TEST(hmac_wipe, mac__done__no_key_is_left) {
    if (!runs_here<TypeParam>()) GTEST_SKIP() << "NOT RUN: no SHA instructions";
    const KeyBytes message{1, 2, 3};
    std::array<std::uint8_t, TypeParam::digest_size> tag{};
    this->stack.run([&] {
        const hmac::Key<TypeParam> key(this->key);
        hmac::Mac mac(key);
        mac.update(message);
        mac.finish(tag);
    });
    this->expect_no_key();
    if constexpr (TypeParam::block_size == 64) {
        this->template expect_no_schedule<sha2::Functions256, 64>();
    } else if constexpr (TypeParam::block_size == 128) {
        this->template expect_no_schedule<sha2::Functions512, 80>();
    }
}

TYPED_TEST(hmac_wipe, mac__message_is_secret__no_message_is_left) {
    if (!runs_here<TypeParam>()) GTEST_SKIP() << "NOT RUN: no SHA instructions";
    std::array<std::uint8_t, TypeParam::digest_size> prk{};
    this->stack.run([&] { hkdf::extract<TypeParam>({}, this->key, prk); });
    EXPECT_EQ(this->stack.places_of(this->key), 0U) << "input key material";
    EXPECT_EQ(this->stack.places_of(prk), 0U) << "PRK";
}

TYPED_TEST(hmac_wipe, hkdf_expand__done__no_output_is_left) {
    if (!runs_here<TypeParam>()) GTEST_SKIP() << "NOT RUN: no SHA instructions";
    std::array<std::uint8_t, TypeParam::digest_size> prk{};
    std::ranges::copy(this->key, prk.begin());
    std::array<std::uint8_t, 100> output{};
    this->stack.run([&] { hkdf::expand<TypeParam, 100>(prk, {}, output); });
    this->expect_no_key();
    EXPECT_EQ(this->stack.places_of(output), 0U) << "output";
}

}  // namespace
}  // namespace quoin::core
