// Against Botan 3, whose HSS-LMS is another's work: each verifies the other's signatures, and both
// refuse the same damaged ones.
#include <botan/auto_rng.h>
#include <botan/hss_lms.h>
#include <botan/pubkey.h>
#include <gtest/gtest.h>

#include <random>

#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::lms {
namespace {

using test::random_bytes;

template <class F>
inline constexpr const char* botan_hash = "";
template <>
inline constexpr const char* botan_hash<Sha256M32> = "SHA-256";
template <>
inline constexpr const char* botan_hash<Sha256M24> = "Truncated(SHA-256,192)";
template <>
inline constexpr const char* botan_hash<ShakeM32> = "SHAKE-256(256)";
template <>
inline constexpr const char* botan_hash<ShakeM24> = "SHAKE-256(192)";

bool botan_verifies(Bytes key, Bytes message, Bytes signature) {
    // Botan throws at what it cannot parse.
    try {
        const Botan::HSS_LMS_PublicKey parsed(key);
        Botan::PK_Verifier verifier(parsed, "");
        return verifier.verify_message(message, signature);
    } catch (const Botan::Exception&) {
        return false;
    }
}

template <class Family>
bool we_verify(Bytes key, Bytes message, Bytes signature) {
    const bool portable = verify<Family>(key, message, signature).has_value();
    if constexpr (avx2_is_built) {
        const bool avx2 = verify<Family, Avx2>(key, message, signature).has_value();
        EXPECT_EQ(avx2, portable);
        if constexpr (!Family::is_shake) {
            if (test::runs_here<ShaNi>()) {
                const bool ni = verify<Family, ShaNi>(key, message, signature).has_value();
                EXPECT_EQ(ni, portable);
            }
        }
    }
    return portable;
}

template <class T>
class against_botan : public testing::Test {
protected:
    against_botan() { std::cout << "seed " << seed << '\n'; }

    // Both say yes to a good signature, and no to it when it, the message or the key is changed.
    void agree(const ByteVector& key, const ByteVector& message, const ByteVector& good) {
        EXPECT_TRUE(we_verify<T>(key, message, good));
        EXPECT_TRUE(botan_verifies(key, message, good));
        for (int i = 0; i < 12; ++i) {
            ByteVector changed_key = key;
            ByteVector changed_message = message;
            ByteVector changed = good;
            ByteVector& victim = i == 0 ? changed_key : i == 1 ? changed_message : changed;
            // Anywhere, and in the fields at the beginning.
            const std::size_t at = i < 6 ? generator() % victim.size() : generator() % 16;
            victim[at % victim.size()] ^= static_cast<std::uint8_t>(1U << (generator() % 8));
            EXPECT_FALSE(we_verify<T>(changed_key, changed_message, changed)) << i << " " << at;
            EXPECT_FALSE(botan_verifies(changed_key, changed_message, changed)) << i << " " << at;
        }
        for (const std::size_t size : {std::size_t{0}, std::size_t{3}, good.size() - 1}) {
            EXPECT_FALSE(we_verify<T>(key, message, Bytes(good).first(size)));
            EXPECT_FALSE(botan_verifies(key, message, Bytes(good).first(size)));
        }
    }

    const std::uint64_t seed = std::random_device{}();
    std::mt19937_64 generator{seed};
};
using Families = testing::Types<Sha256M32, Sha256M24, ShakeM32, ShakeM24>;
TYPED_TEST_SUITE(against_botan, Families);

TYPED_TEST(against_botan, their_signatures__good_and_damaged__same_answer) {
    Botan::AutoSeeded_RNG random;
    for (const char* levels : {",HW(5,8)", ",HW(5,4),HW(5,2)", ",HW(5,1),HW(5,8)"}) {
        Botan::HSS_LMS_PrivateKey theirs(random, std::string(botan_hash<TypeParam>) + levels);
        Botan::PK_Signer signer(theirs, random, "");
        const ByteVector key = theirs.public_key()->raw_public_key_bits();
        for (int i = 0; i < 10; ++i) {
            const ByteVector message = random_bytes(this->generator, 1 + this->generator() % 300);
            this->agree(key, message, signer.sign_message(message, random));
        }
    }
}

TYPED_TEST(against_botan, our_signatures__good_and_damaged__same_answer) {
    const std::vector<std::vector<Level>> keys{
        {{5, 4}}, {{5, 8}, {5, 4}}, {{5, 2}, {5, 1}, {5, 4}}};
    for (const auto& levels : keys) {
        TestKey<TypeParam> key(levels, random_bytes(this->generator, identifier_size),
                               random_bytes(this->generator, TypeParam::n));
        std::uint64_t index = 0;
        for (int i = 0; i < 10; ++i) {
            index += 1 + this->generator() % (levels.size() == 1 ? 3 : 40);
            const ByteVector message = random_bytes(this->generator, 1 + this->generator() % 300);
            this->agree(key.public_key, message, *key.sign(index, message));
        }
    }
}

}  // namespace
}  // namespace quoin::core::lms
