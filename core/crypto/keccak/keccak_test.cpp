// Keccak against the answers of NIST and against OpenSSL, each backend, in pieces and four at once.
#include "core/crypto/keccak/keccak.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <random>
#include <string>
#include <vector>

#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::keccak {
namespace {

using test::hex;
using Buffer = test::ByteVector;

Buffer openssl(const char* name, const Buffer& message, std::size_t size) {
    Buffer output(size);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_MD* hash = EVP_MD_fetch(nullptr, name, nullptr);
    EXPECT_EQ(EVP_DigestInit_ex2(context, hash, nullptr), 1);
    EXPECT_EQ(EVP_DigestUpdate(context, message.data(), message.size()), 1);
    if (std::string(name).starts_with("SHAKE")) {
        EXPECT_EQ(EVP_DigestFinalXOF(context, output.data(), size), 1);
    } else {
        EXPECT_EQ(EVP_DigestFinal_ex(context, output.data(), nullptr), 1);
    }
    EVP_MD_free(hash);
    EVP_MD_CTX_free(context);
    return output;
}

class Random {
public:
    Random() : seed_(std::random_device{}()), engine_(seed_) {}

    std::size_t below(std::size_t limit) { return engine_() % limit; }
    Buffer bytes(std::size_t size) { return test::random_bytes(engine_, size); }
    std::string seed() const { return "seed " + std::to_string(seed_); }

private:
    std::uint32_t seed_;
    std::mt19937_64 engine_;
};

template <class Backend>
class keccak : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor lacks the backend";
        }
    }
};

using Backends = std::conditional_t<avx2_is_built, testing::Types<Portable, Interleaved, Avx2>,
                                    testing::Types<Portable, Interleaved>>;
TYPED_TEST_SUITE(keccak, Backends);

template <class Hash>
Buffer one_shot(const Buffer& message) {
    Buffer output(Hash::size);
    Hash::digest(std::span<std::uint8_t, Hash::size>(output), message);
    return output;
}

template <class Xof>
Buffer in_pieces(const Buffer& message, std::size_t size, Random& random) {
    Xof xof;
    for (std::size_t done = 0; done < message.size();) {
        const std::size_t piece = std::min(random.below(300), message.size() - done);
        xof.absorb(Bytes(message).subspan(done, piece));
        done += piece;
    }
    Buffer output(size);
    for (std::size_t done = 0; done < size;) {
        const std::size_t piece = std::min(random.below(300), size - done);
        xof.squeeze(MutableBytes(output).subspan(done, piece));
        done += piece;
    }
    return output;
}

// The examples of NIST for the empty message (csrc.nist.gov, "Examples with intermediate values").
TYPED_TEST(keccak, digest__empty_message__as_nist_says) {
    EXPECT_EQ(hex(one_shot<Sha3_256<TypeParam>>({})),
              "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    EXPECT_EQ(hex(one_shot<Sha3_512<TypeParam>>({})),
              "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
              "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26");
    Buffer output(32);
    Shake128<TypeParam>::digest(output);
    EXPECT_EQ(hex(output), "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
    Shake256<TypeParam>::digest(output);
    EXPECT_EQ(hex(output), "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
}

TYPED_TEST(keccak, digest__every_length_to_600__as_openssl) {
    Random random;
    for (std::size_t size = 0; size < 600; ++size) {
        const Buffer message = random.bytes(size);
        ASSERT_EQ(one_shot<Sha3_224<TypeParam>>(message), openssl("SHA3-224", message, 28));
        ASSERT_EQ(one_shot<Sha3_256<TypeParam>>(message), openssl("SHA3-256", message, 32));
        ASSERT_EQ(one_shot<Sha3_384<TypeParam>>(message), openssl("SHA3-384", message, 48));
        ASSERT_EQ(one_shot<Sha3_512<TypeParam>>(message), openssl("SHA3-512", message, 64));
    }
}

TYPED_TEST(keccak, shake__random_pieces_in_and_out__as_openssl) {
    Random random;
    for (int i = 0; i < 500; ++i) {
        const Buffer message = random.bytes(random.below(1000));
        const std::size_t size = random.below(1000);
        ASSERT_EQ(in_pieces<Shake128<TypeParam>>(message, size, random),
                  openssl("SHAKE128", message, size))
            << random.seed();
        ASSERT_EQ(in_pieces<Shake256<TypeParam>>(message, size, random),
                  openssl("SHAKE256", message, size))
            << random.seed();
    }
}

TYPED_TEST(keccak, shake__copied_after_a_prefix__both_go_on_alike) {
    Random random;
    const Buffer prefix = random.bytes(200);
    const Buffer rest = random.bytes(100);
    Shake256<TypeParam> first;
    first.absorb(prefix);
    Shake256<TypeParam> second = first;
    Buffer a(300);
    Buffer b(300);
    first.absorb(rest).squeeze(a);
    second.absorb(rest).squeeze(b);
    EXPECT_EQ(a, b);
}

TYPED_TEST(keccak, absorb__after_squeeze__traps) {
    Shake128<TypeParam> xof;
    Buffer output(1);
    xof.squeeze(output);
    EXPECT_DEATH(xof.absorb(output), "");
}

template <class Backend>
class keccak_four : public keccak<Backend> {};

using FourBackends = std::conditional_t<avx2_is_built, testing::Types<Portable, Avx2, Avx512>,
                                        testing::Types<Portable>>;
TYPED_TEST_SUITE(keccak_four, FourBackends);

template <class Four, class One>
void compare_four_with_one(Random& random) {
    std::array<Buffer, 4> messages;
    std::array<Buffer, 4> outputs;
    Four four;
    const std::size_t pieces = random.below(4);
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        const std::size_t size = random.below(400);
        std::array<Bytes, 4> views;
        std::array<Buffer, 4> parts;
        for (std::size_t way = 0; way < 4; ++way) {
            parts[way] = random.bytes(size);
            views[way] = parts[way];
            messages[way].insert(messages[way].end(), parts[way].begin(), parts[way].end());
        }
        four.absorb(views);
    }
    const std::size_t total = random.below(1000);
    const std::size_t first = random.below(total + 1);
    for (Buffer& output : outputs) output.resize(total);
    std::array<MutableBytes, 4> heads;
    std::array<MutableBytes, 4> tails;
    for (std::size_t way = 0; way < 4; ++way) {
        heads[way] = MutableBytes(outputs[way]).first(first);
        tails[way] = MutableBytes(outputs[way]).subspan(first);
    }
    four.squeeze(heads);
    four.squeeze(tails);
    for (std::size_t way = 0; way < 4; ++way) {
        Buffer expected(total);
        One::digest(expected, messages[way]);
        ASSERT_EQ(outputs[way], expected) << random.seed() << ", way " << way;
    }
}

TYPED_TEST(keccak_four, squeeze__random_pieces__as_one_by_one) {
    Random random;
    for (int i = 0; i < 500; ++i) {
        compare_four_with_one<Shake128x4<TypeParam>, Shake128<>>(random);
        compare_four_with_one<Shake256x4<TypeParam>, Shake256<>>(random);
    }
}

TYPED_TEST(keccak_four, absorb__unequal_lengths__traps) {
    Shake128x4<TypeParam> four;
    const Buffer one(1);
    const Buffer two(2);
    EXPECT_DEATH(four.absorb({one, one, two, one}), "");
}

}  // namespace
}  // namespace quoin::core::keccak
