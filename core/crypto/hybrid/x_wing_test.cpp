// Vectors: draft-connolly-cfrg-xwing-kem, appendix C (the same from -05 to -11): seed, randomness
// to encapsulate, shared secret; of the first, where public key and ciphertext begin and end.
#include "core/crypto/hybrid/x_wing.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "core/crypto/curve25519/x25519.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::hybrid::x_wing {
namespace {

using test::ByteVector;
using test::hex;
using test::random_bytes;
using test::unhex;

struct Example {
    const char *seed, *randomness, *shared;
};

constexpr Example examples[] = {
    {"7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
     "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2"
     "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
     "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384"},
    {"badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
     "17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef"
     "aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d",
     "f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150"},
    {"ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9",
     "22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619"
     "f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b",
     "953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f"},
};

struct Sent {
    std::array<std::uint8_t, public_key_size> key{};
    std::array<std::uint8_t, ciphertext_size> ciphertext{};
    std::array<std::uint8_t, shared_secret_size> shared{};
};

Seed seed_of(const ByteVector& bytes) { return Seed(bytes.data(), seed_size); }

template <class Backend>
class x_wing : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
    Sent send(const ByteVector& seed, const ByteVector& randomness) {
        Sent sent;
        public_key<Backend>(seed_of(seed), sent.key, workspace_);
        EXPECT_TRUE(encapsulate<Backend>(sent.key,
                                         std::span<const std::uint8_t, 64>(randomness.data(), 64),
                                         sent.ciphertext, sent.shared, workspace_));
        return sent;
    }
    // The secret, or empty.
    std::string receive(const ByteVector& seed, const Sent& sent) {
        std::array<std::uint8_t, shared_secret_size> shared{};
        shared.fill(1);
        const Result<void> result =
            decapsulate<Backend>(seed_of(seed), sent.ciphertext, shared, workspace_);
        EXPECT_TRUE(result || result.error() == Code::peer_malformed);
        EXPECT_TRUE(result || hex(shared) == std::string(64, '0'));
        // Nothing of the private keys is left in the workspace.
        EXPECT_EQ(hex(workspace_.x25519), std::string(64, '0'));
        EXPECT_EQ(hex(Bytes(workspace_.decapsulation_key).first(32)), std::string(64, '0'));
        return result ? hex(shared) : "";
    }

    Workspace<Backend> workspace_{};
};

using Backends = testing::Types<Portable
#if defined(__x86_64__)
                                ,
                                Avx2, Avx512
#endif
                                >;
TYPED_TEST_SUITE(x_wing, Backends);

TYPED_TEST(x_wing, encapsulate_and_decapsulate__vectors_of_the_draft__as_published) {
    for (const Example& example : examples) {
        const ByteVector seed = unhex(example.seed);
        const Sent sent = this->send(seed, unhex(example.randomness));
        EXPECT_EQ(hex(sent.shared), example.shared);
        EXPECT_EQ(this->receive(seed, sent), example.shared);
    }
    const Sent first = this->send(unhex(examples[0].seed), unhex(examples[0].randomness));
    EXPECT_EQ(hex(Bytes(first.key).first(16)), "e2236b35a8c24b39b10aa1323a96a919");
    EXPECT_EQ(hex(Bytes(first.key).last(16)), "23593d4ba32d9abac8cd049040ef6534");
    EXPECT_EQ(hex(Bytes(first.ciphertext).first(16)), "b83aa828d4d62b9a83ceffe1d3d3bb1e");
    EXPECT_EQ(hex(Bytes(first.ciphertext).last(16)), "b97e63e0e41d354274a079d3e6fb2e15");
}

// What is given away is known to the attacker, who must guess the rest: zeros here.
TYPED_TEST(x_wing, shared_secret__halves_given_away__only_both_give_the_secret) {
    std::mt19937_64 generator(1);
    const ByteVector seed = random_bytes(generator, seed_size);
    const Sent sent = this->send(seed, random_bytes(generator, randomness_size));
    std::array<std::uint8_t, 96> expanded{};
    keccak::Shake256<>::digest(expanded, Bytes(seed));
    const std::span<const std::uint8_t, 96> parts(expanded);
    const auto attackers = [&](bool has_ml_kem, bool has_x25519) {
        std::array<std::uint8_t, 32> ss_m{}, ss_x{}, shared{};
        if (has_ml_kem) {
            const auto w = std::make_unique<Workspace<Portable>>();
            ml_kem::generate<ml_kem::Set768>(w->encapsulation_key, w->decapsulation_key,
                                             parts.first<32>(), parts.subspan<32, 32>(), w->ml_kem);
            ml_kem::decapsulate<ml_kem::Set768>(
                ss_m,
                ml_kem::DecapsulationKey<ml_kem::Set768>::danger_unchecked(w->decapsulation_key),
                Ciphertext(sent.ciphertext).first<1088>(), w->ml_kem);
        }
        if (has_x25519) {
            EXPECT_TRUE(x25519::shared_secret(parts.last<32>(),
                                              Ciphertext(sent.ciphertext).last<32>(), ss_x));
        }
        keccak::Sha3_256<>::digest(shared, ss_m, ss_x, Bytes(sent.ciphertext).last(32),
                                   Bytes(sent.key).last(32), bytes_of("\\.//^\\"));
        return hex(shared);
    };
    EXPECT_NE(attackers(false, false), hex(sent.shared));
    EXPECT_NE(attackers(true, false), hex(sent.shared));
    EXPECT_NE(attackers(false, true), hex(sent.shared));
    EXPECT_EQ(attackers(true, true), hex(sent.shared));
}

TYPED_TEST(x_wing, decapsulate__either_half_damaged_or_another_key__another_secret) {
    std::mt19937_64 generator(2);
    const ByteVector seed = random_bytes(generator, seed_size);
    Sent sent = this->send(seed, random_bytes(generator, randomness_size));
    for (const std::size_t at : {std::size_t{0}, std::size_t{1087}, std::size_t{1088}}) {
        sent.ciphertext[at] ^= 1;
        EXPECT_NE(this->receive(seed, sent), hex(sent.shared)) << at;
        sent.ciphertext[at] ^= 1;
    }
    EXPECT_NE(this->receive(random_bytes(generator, seed_size), sent), hex(sent.shared));
    EXPECT_EQ(this->receive(seed, sent), hex(sent.shared));
}

TYPED_TEST(x_wing, encapsulate_and_decapsulate__malformed__peer_malformed_and_no_secret) {
    std::mt19937_64 generator(3);
    const ByteVector seed = random_bytes(generator, seed_size);
    Sent sent = this->send(seed, random_bytes(generator, randomness_size));
    const Sent good = sent;
    std::fill_n(sent.ciphertext.end() - 32, 32, std::uint8_t{0});
    EXPECT_EQ(this->receive(seed, sent), "");
    const std::array<std::uint8_t, 64> randomness{};
    const auto refused = [&] {
        sent.shared.fill(1);
        const Result<void> result = encapsulate<TypeParam>(sent.key, randomness, sent.ciphertext,
                                                           sent.shared, this->workspace_);
        return !result && result.error() == Code::peer_malformed &&
               hex(sent.shared) == std::string(64, '0');
    };
    std::fill_n(sent.key.end() - 32, 32, std::uint8_t{0});
    EXPECT_TRUE(refused());
    sent.key = good.key;
    EXPECT_FALSE(refused());
    sent.key[0] = 0xff;  // a coefficient above q
    sent.key[1] |= 0x0f;
    EXPECT_TRUE(refused());
}

}  // namespace
}  // namespace quoin::core::hybrid::x_wing
