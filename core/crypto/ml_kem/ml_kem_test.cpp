// ML-KEM against OpenSSL on random and damaged input, its input checks, and each backend the same.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/crypto/ml_kem/fixture.hpp"
#include "core/crypto/test_cpu.hpp"

namespace quoin::core::ml_kem {
namespace {

using fixture::Encapsulated;
using fixture::Ours;
using fixture::Pair;
using fixture::Theirs;
using test::ByteVector;

template <class S, class B>
struct Case {
    using Set = S;
    using Backend = B;
};

template <class C>
class ml_kem : public testing::Test {
protected:
    using Set = typename C::Set;
    using Backend = typename C::Backend;
    using Our = Ours<Set, Backend>;

    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor lacks the backend";
        }
    }
    ByteVector random(std::size_t size) { return test::random_bytes(generator_, size); }
    std::size_t below(std::size_t limit) { return generator_() % limit; }

    const std::uint32_t seed_ = std::random_device{}();
    const testing::ScopedTrace told_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
    std::mt19937_64 generator_{seed_};
};

using PortableCases =
    testing::Types<Case<Set512, Portable>, Case<Set768, Portable>, Case<Set1024, Portable>>;
using AllCases =
    testing::Types<Case<Set512, Portable>, Case<Set768, Portable>, Case<Set1024, Portable>,
                   Case<Set512, Avx2>, Case<Set768, Avx2>, Case<Set1024, Avx2>,
                   Case<Set512, Avx512>, Case<Set768, Avx512>, Case<Set1024, Avx512>>;
using Cases = std::conditional_t<avx2_is_built, AllCases, PortableCases>;
TYPED_TEST_SUITE(ml_kem, Cases);

// What ml_kem.hpp promises to those who plan memory.
static_assert(sizeof(Workspace<Set512>) == 3584);
static_assert(sizeof(Workspace<Set768>) == 4352);
static_assert(sizeof(Workspace<Set1024>) == 5120);
static_assert(sizeof(Workspace<Set512, Avx2>) == 8928);
static_assert(sizeof(Workspace<Set768, Avx2>) == 13024);
static_assert(sizeof(Workspace<Set1024, Avx2>) == 18144);

TYPED_TEST(ml_kem, generate__random_seeds__as_openssl) {
    for (int i = 0; i < 300; ++i) {
        const ByteVector d = this->random(32);
        const ByteVector z = this->random(32);
        const Pair ours = TestFixture::Our::generate(d, z);
        const Theirs<typename TestFixture::Set> theirs(d, z);
        ASSERT_EQ(ours.ek, theirs.ek());
        ASSERT_EQ(ours.dk, theirs.dk());
    }
}

TYPED_TEST(ml_kem, encapsulate__random_messages__as_openssl) {
    for (int i = 0; i < 30; ++i) {
        const Theirs<typename TestFixture::Set> theirs(this->random(32), this->random(32));
        for (int j = 0; j < 20; ++j) {
            const ByteVector m = this->random(32);
            ASSERT_EQ(TestFixture::Our::encapsulate(theirs.ek(), m), theirs.encapsulate(m));
        }
    }
}

// Each sound ciphertext, and that with one bit flipped, with one byte replaced, and a random one.
TYPED_TEST(ml_kem, decapsulate__sound_and_damaged__as_openssl) {
    for (int i = 0; i < 20; ++i) {
        const Theirs<typename TestFixture::Set> theirs(this->random(32), this->random(32));
        const ByteVector dk = theirs.dk();
        for (int j = 0; j < 10; ++j) {
            const Encapsulated sound = theirs.encapsulate(this->random(32));
            ASSERT_EQ(TestFixture::Our::decapsulate(dk, sound.ciphertext), sound.secret);
            ByteVector bit = sound.ciphertext;
            bit[this->below(bit.size())] ^= static_cast<std::uint8_t>(1U << this->below(8));
            ByteVector byte = sound.ciphertext;
            byte[this->below(byte.size())] += static_cast<std::uint8_t>(1 + this->below(255));
            for (const ByteVector& damaged : {bit, byte, this->random(bit.size())}) {
                const ByteVector secret = TestFixture::Our::decapsulate(dk, damaged);
                ASSERT_NE(secret, sound.secret);
                ASSERT_EQ(secret, theirs.decapsulate(damaged));
            }
        }
    }
}

TYPED_TEST(ml_kem, decapsulate__every_byte_damaged__rejects_implicitly) {
    const Theirs<typename TestFixture::Set> theirs(this->random(32), this->random(32));
    const ByteVector dk = theirs.dk();
    const Encapsulated sound = theirs.encapsulate(this->random(32));
    for (std::size_t i = 0; i < sound.ciphertext.size(); ++i) {
        ByteVector damaged = sound.ciphertext;
        damaged[i] ^= 0x80;
        ASSERT_EQ(TestFixture::Our::decapsulate(dk, damaged), theirs.decapsulate(damaged)) << i;
    }
}

TYPED_TEST(ml_kem, decapsulate__extreme_ciphertexts__as_openssl) {
    const Theirs<typename TestFixture::Set> theirs(this->random(32), this->random(32));
    for (const std::uint8_t fill : std::array<std::uint8_t, 4>{0x00, 0xff, 0x55, 0xaa}) {
        const ByteVector ciphertext(TestFixture::Set::ciphertext_size, fill);
        ASSERT_EQ(TestFixture::Our::decapsulate(theirs.dk(), ciphertext),
                  theirs.decapsulate(ciphertext));
    }
}

// A decapsulation key is any bytes with the right hash: those of s may be 2^12 - 1, not below q.
TYPED_TEST(ml_kem, decapsulate__extreme_secret_vector__as_portable) {
    using Set = typename TestFixture::Set;
    Pair pair = TestFixture::Our::generate(this->random(32), this->random(32));
    const Encapsulated sound = TestFixture::Our::encapsulate(pair.ek, this->random(32));
    for (std::size_t i = 0; i < 384 * Set::k; ++i) pair.dk[i] = 0xff;
    for (const std::uint8_t fill : std::array<std::uint8_t, 4>{0x00, 0xff, 0x55, 0xaa}) {
        const ByteVector ciphertext(Set::ciphertext_size, fill);
        EXPECT_EQ(TestFixture::Our::decapsulate(pair.dk, ciphertext),
                  (Ours<Set, Portable>::decapsulate(pair.dk, ciphertext)));
    }
    EXPECT_EQ(TestFixture::Our::decapsulate(pair.dk, sound.ciphertext),
              (Ours<Set, Portable>::decapsulate(pair.dk, sound.ciphertext)));
}

// Sets number `index` of an encoded key.
void set_number(ByteVector& ek, std::size_t index, unsigned value) {
    std::uint8_t* at = ek.data() + index / 2 * 3;
    if (index % 2 == 0) {
        at[0] = static_cast<std::uint8_t>(value);
        at[1] = static_cast<std::uint8_t>((at[1] & 0xf0U) | value >> 8U);
    } else {
        at[1] = static_cast<std::uint8_t>((at[1] & 0x0fU) | (value & 15U) << 4U);
        at[2] = static_cast<std::uint8_t>(value >> 4U);
    }
}

TYPED_TEST(ml_kem, check_encapsulation_key__each_number_q_or_more__malformed) {
    using Set = typename TestFixture::Set;
    const auto check = [](const ByteVector& ek) {
        return EncapsulationKey<Set>::template check<typename TestFixture::Backend>(
            fixture::view<Set::encapsulation_key_size>(ek));
    };
    const Pair pair = TestFixture::Our::generate(this->random(32), this->random(32));
    ASSERT_TRUE(check(pair.ek));
    for (std::size_t i = 0; i < 256 * Set::k; ++i) {
        ByteVector ek = pair.ek;
        set_number(ek, i, 3328);
        ASSERT_TRUE(check(ek)) << i;
        for (const unsigned value : {3329U, 4095U}) {
            set_number(ek, i, value);
            ASSERT_FALSE(check(ek)) << i;
            ASSERT_EQ(check(ek).error(), Code::peer_malformed);
        }
        if (i % 97 == 0) {
            ASSERT_FALSE(Theirs<Set>(ek).accepted());
        }
    }
    EXPECT_FALSE(check(ByteVector(Set::encapsulation_key_size, 0xff)));
    // All zero is in range: that there is no such key is beyond the check of the standard.
    EXPECT_TRUE(check(ByteVector(Set::encapsulation_key_size)));
}

TYPED_TEST(ml_kem, check_decapsulation_key__each_byte_of_key_or_hash_changed__mismatch) {
    using Set = typename TestFixture::Set;
    const auto check = [](const ByteVector& dk) {
        return DecapsulationKey<Set>::template check<typename TestFixture::Backend>(
            fixture::view<Set::decapsulation_key_size>(dk));
    };
    const Pair pair = TestFixture::Our::generate(this->random(32), this->random(32));
    ASSERT_TRUE(check(pair.dk));
    for (std::size_t i = 384 * Set::k; i < Set::decapsulation_key_size - 32; ++i) {
        ByteVector dk = pair.dk;
        dk[i] ^= 1;
        ASSERT_FALSE(check(dk)) << i;
        ASSERT_EQ(check(dk).error(), Code::integrity_mismatch);
    }
}

TYPED_TEST(ml_kem, operations__done__workspace_is_zero) {
    using Set = typename TestFixture::Set;
    using Backend = typename TestFixture::Backend;
    const auto workspace = std::make_unique<Workspace<Set, Backend>>();
    const auto is_zero = [&] {
        const Bytes bytes(reinterpret_cast<const std::uint8_t*>(workspace.get()),
                          sizeof *workspace);
        return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
    };
    std::array<std::uint8_t, 32> random{1, 2, 3};
    std::array<std::uint8_t, Set::encapsulation_key_size> ek;
    std::array<std::uint8_t, Set::decapsulation_key_size> dk;
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext;
    std::array<std::uint8_t, 32> secret;
    generate<Set, Backend>(ek, dk, random, random, *workspace);
    EXPECT_TRUE(is_zero());
    encapsulate<Set, Backend>(secret, ciphertext, EncapsulationKey<Set>::danger_unchecked(ek),
                              random, *workspace);
    EXPECT_TRUE(is_zero());
    decapsulate<Set, Backend>(secret, DecapsulationKey<Set>::danger_unchecked(dk), ciphertext,
                              *workspace);
    EXPECT_TRUE(is_zero());
}

}  // namespace
}  // namespace quoin::core::ml_kem
