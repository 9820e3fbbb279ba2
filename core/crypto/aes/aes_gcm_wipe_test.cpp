// What AES-GCM leaves of the key, and of what follows from it, on the stack and in the key object.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <memory>

#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core::aes_gcm {
namespace {

template <class Set_, class Backend_>
struct Case {
    using Set = Set_;
    using Backend = Backend_;
};

template <class Case>
class aes_gcm_wipe : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<typename Case::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
};

using Cases =
    testing::Types<Case<Set128, Portable>, Case<Set256, Portable>
#if defined(__x86_64__)
                   ,
                   Case<Set128, AesNi>, Case<Set256, AesNi>, Case<Set128, Vaes>, Case<Set256, Vaes>
#endif
                   >;
TYPED_TEST_SUITE(aes_gcm_wipe, Cases);

// H and the first blocks of the key stream, by OpenSSL.
template <std::size_t Size>
std::array<std::uint8_t, 64> key_stream(const std::array<std::uint8_t, Size>& key) {
    std::array<std::uint8_t, 64> blocks{};  // 0^128, IV | 1, IV | 2, IV | 3 for an IV of zeros
    for (std::uint8_t i = 0; i < 4; ++i) blocks[16 * i + 15] = i;
    EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
    int size = 0;
    EXPECT_EQ(EVP_EncryptInit_ex2(context, Size == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(),
                                  key.data(), nullptr, nullptr),
              1);
    EXPECT_EQ(EVP_EncryptUpdate(context, blocks.data(), &size, blocks.data(), 64), 1);
    EVP_CIPHER_CTX_free(context);
    return blocks;
}

TYPED_TEST(aes_gcm_wipe, key_made_used_destroyed__nothing_secret_is_left) {
    using K = Key<typename TypeParam::Set, typename TypeParam::Backend>;
    const auto bytes = test::pattern<TypeParam::Set::key_size>(0x07);
    std::array<std::uint8_t, 40> plaintext{}, ciphertext{};
    for (std::size_t i = 0; i < 40; ++i) plaintext[i] = static_cast<std::uint8_t>(90 + 3 * i);
    const std::array<std::uint8_t, iv_size> iv{};
    std::array<std::uint8_t, tag_size> tag{};
    std::array<std::uint8_t, 40> opened{};
    struct alignas(64) Memory {
        std::array<std::uint8_t, sizeof(K)> bytes;
    };
    const auto memory = std::make_unique<Memory>();
    bool worked = false;
    test::DeadStack stack;
    stack.run([&] {
        K* const key = new (memory->bytes.data()) K(bytes);
        worked = key->seal(iv, {}, plaintext, ciphertext, tag).has_value() &&
                 key->open(iv, {}, ciphertext, tag, opened).has_value();
        key->~K();
    });
    ASSERT_TRUE(worked);
    EXPECT_EQ(test::bytes_not_wiped(*memory), 0U);
    EXPECT_EQ(stack.places_of(bytes), 0U) << "key";
    EXPECT_EQ(stack.places_of(plaintext), 0U) << "plaintext";
    EXPECT_EQ(stack.places_of(key_stream(bytes)), 0U) << "H, key stream";
}

}  // namespace
}  // namespace quoin::core::aes_gcm
