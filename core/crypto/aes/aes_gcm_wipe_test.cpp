// What AES-GCM leaves of the key, and of what follows from it, on the stack and in the key object.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <memory>

#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/aes/bitsliced.hpp"
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

using Words32 = Bitsliced<std::uint32_t>;
using Words64 = Bitsliced<std::uint64_t>;
using Cases =
    testing::Types<Case<Set128, Words32>, Case<Set256, Words32>, Case<Set128, Words64>,
                   Case<Set256, Words64>
#if defined(__x86_64__)
                   ,
                   Case<Set128, AesNi>, Case<Set256, AesNi>, Case<Set128, Vaes>, Case<Set256, Vaes>
#endif
                   >;
TYPED_TEST_SUITE(aes_gcm_wipe, Cases);

using Stream = std::array<std::uint8_t, 16 * 6>;

// H and the first blocks of the key stream, by OpenSSL.
template <std::size_t Size>
Stream key_stream(const std::array<std::uint8_t, Size>& key) {
    Stream blocks{};  // 0^128, IV | 1, IV | 2, ... for an IV of zeros
    for (std::uint8_t i = 0; i < 6; ++i) blocks[16 * i + 15] = i;
    EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
    int size = 0;
    EXPECT_EQ(EVP_EncryptInit_ex2(context, Size == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(),
                                  key.data(), nullptr, nullptr),
              1);
    EXPECT_EQ(EVP_EncryptUpdate(context, blocks.data(), &size, blocks.data(), sizeof blocks), 1);
    EVP_CIPHER_CTX_free(context);
    return blocks;
}

// The blocks from `first` on as bitsliced.hpp has them in its words, and the slices of them.
template <class Word>
Slices<Word> in_words(const Stream& stream, std::size_t first) {
    Slices<Word> q{};
    for (std::size_t b = 0; b < sizeof(Word) / 2; ++b) {
        for (std::size_t c = 0; c < 4; ++c) {
            const Word column =
                load_little_endian<std::uint32_t>(&stream[16 * (first + b) + 4 * c]);
            q[2 * c + b % 2] |= column << (32 * (b / 2) % (8 * sizeof(Word)));
        }
    }
    return q;
}

// What SubBytes makes first of the slices that it gets: its names.
template <class Word>
Slices<Word> top_layer(const Slices<Word>& q) {
    const Word t1 = q[7] ^ q[4], t5 = q[3] ^ q[1], t6 = t1 ^ t5;
    return {t1, q[7] ^ q[2], q[7] ^ q[1], q[4] ^ q[2], t5, t6, q[6] ^ q[5], q[0] ^ t6};
}

// How many of these words lie somewhere.
template <class Word>
std::size_t words_found(const test::DeadStack& stack, const Slices<Word>& words) {
    return static_cast<std::size_t>(std::ranges::count_if(words, [&](const Word& word) {
        return stack.places_of<sizeof(Word)>(test::bytes_in(word)) != 0;
    }));
}

// The last round of the cipher backwards from the key stream: any of its states gives the key
// stream away, as the last round key follows from any two.
template <class Word, class RoundKeys>
void expect_no_slices(const test::DeadStack& stack, const Stream& stream,
                      const RoundKeys& round_keys) {
    for (std::size_t first = 0; first + sizeof(Word) / 2 <= 6; ++first) {
        SCOPED_TRACE(first);
        Slices<Word> q = in_words<Word>(stream, first);
        EXPECT_EQ(words_found(stack, q), 0U) << "key stream";
        transpose(q);
        EXPECT_EQ(words_found(stack, q), 0U) << "key stream in slices";
        add_round_key(q, round_keys.back());
        EXPECT_EQ(words_found(stack, q), 0U) << "before the last round key";
    }
    // The states of the last round of each call: for H, J0 and the blocks of the text.
    for (const std::uint32_t counter : {0U, 1U, 2U}) {
        SCOPED_TRACE(counter);
        Stream blocks{};
        for (std::uint8_t i = 0; i < 6; ++i) {
            blocks[16 * i + 15] = static_cast<std::uint8_t>(counter + i);
        }
        Slices<Word> q = in_words<Word>(blocks, 0);
        transpose(q);
        add_round_key(q, round_keys[0]);
        for (std::size_t round = 1; round + 1 < round_keys.size(); ++round) {
            sub_bytes(q);
            shift_rows(q);
            mix_columns(q);
            add_round_key(q, round_keys[round]);
        }
        EXPECT_EQ(words_found(stack, q), 0U) << "before the last SubBytes";
        EXPECT_EQ(words_found(stack, top_layer(q)), 0U) << "within the last SubBytes";
        sub_bytes(q);
        EXPECT_EQ(words_found(stack, q), 0U) << "after the last SubBytes";
    }
    for (const Slices<Word>& key : round_keys) {
        EXPECT_EQ(words_found(stack, key), 0U) << "round key";
    }
}

template <class Engine>
struct WordOf {};
template <class Word_>
struct WordOf<Bitsliced<Word_>> {
    using Word = Word_;
};

TYPED_TEST(aes_gcm_wipe, key_made_used_destroyed__nothing_secret_is_left) {
    using Backend = TypeParam::Backend;
    using K = Key<typename TypeParam::Set, Backend>;
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
    Stream reversed = key_stream(bytes);  // GHASH has numbers
    for (std::size_t i = 0; i < sizeof reversed; i += 16) {
        std::reverse(reversed.begin() + i, reversed.begin() + i + 16);
    }
    K* key = nullptr;
    bool worked = false;
    test::DeadStack stack;
    const std::pair<const char*, std::function<void()>> operations[] = {
        {"key made", [&] { key = new (memory->bytes.data()) K(bytes); }},
        {"sealed", [&] { worked = key->seal(iv, {}, plaintext, ciphertext, tag).has_value(); }},
        {"opened", [&] { worked &= key->open(iv, {}, ciphertext, tag, opened).has_value(); }},
        {"destroyed", [&] { key->~K(); }},
    };
    Memory keys{};
    for (const auto& [name, operation] : operations) {
        SCOPED_TRACE(name);
        stack.run(operation);
        if (key != nullptr && keys.bytes == Memory{}.bytes) keys = *memory;
        EXPECT_EQ(stack.places_of(bytes), 0U) << "key";
        EXPECT_EQ(stack.places_of(plaintext), 0U) << "plaintext";
        EXPECT_EQ(stack.places_of(key_stream(bytes)), 0U) << "H, key stream";
        EXPECT_EQ(stack.places_of(reversed), 0U) << "H, key stream as numbers";
        if constexpr (requires { typename WordOf<Backend>::Word; }) {
            using Word = WordOf<Backend>::Word;
            std::array<Slices<Word>, TypeParam::Set::rounds + 1> round_keys;
            std::memcpy(&round_keys, keys.bytes.data(), sizeof round_keys);
            expect_no_slices<Word>(stack, key_stream(bytes), round_keys);
        }
    }
    ASSERT_TRUE(worked);
    EXPECT_EQ(test::bytes_not_wiped(*memory), 0U);
}

}  // namespace
}  // namespace quoin::core::aes_gcm
