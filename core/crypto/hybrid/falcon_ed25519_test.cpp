// Falcon-512 AND Ed25519: the four rows, and what else must be refused.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/crypto/hybrid/falcon_ed25519.hpp"
#include "core/crypto/hybrid/falcon_ed25519_message.hpp"

namespace quoin::core::hybrid {
namespace {

using Set = falcon::Set512;

class falcon_ed25519 : public testing::Test {
protected:
    struct Pair {
        std::array<std::uint8_t, FalconEd25519::public_key_size> public_key{};
        std::array<std::uint8_t, FalconEd25519::private_key_size> private_key{};
    };
    using Signed = std::array<std::uint8_t, FalconEd25519::signature_size>;

    static Pair make_pair(std::uint8_t fill) {
        std::array<std::uint8_t, 80> bytes{};
        bytes.fill(fill);
        const auto workspace = std::make_unique<falcon::KeygenWorkspace<Set>>();
        Pair pair;
        EXPECT_TRUE(falcon_ed25519_keygen<Portable>(FalconEd25519Seed(bytes), pair.public_key,
                                                    pair.private_key, *workspace));
        return pair;
    }
    static Signed sign(const Pair& pair, Bytes message) {
        const auto workspace = std::make_unique<falcon::SignWorkspace<Set, Portable>>();
        Signed signature{};
        EXPECT_TRUE(falcon_ed25519_sign<Portable>(
            pair.private_key, message, std::array<std::uint8_t, 48>{}, signature, *workspace));
        return signature;
    }
    static Code refusal(const Pair& pair, Bytes message, const Signed& signature) {
        falcon::VerifyWorkspace<Set> workspace;
        const Result<void> result =
            falcon_ed25519_verify(pair.public_key, message, signature, workspace);
        return result ? Code{} : result.error();
    }

    const Pair pair = make_pair(1), attacker = make_pair(2);
    const std::vector<std::uint8_t> message{1, 2, 3}, other{1, 2, 4};
};

constexpr Code bad = Code::integrity_signature;

// Who is given a half signs `other` with it; the other half is the attacker's, or the old one.
TEST_F(falcon_ed25519, halves__given_away__only_both_forge) {
    const Signed old = sign(pair, message);
    const Signed full = sign(pair, other);
    const auto forged = [&](bool has_falcon, bool has_ed25519, const Signed& rest) {
        Signed forgery = rest;
        if (has_falcon) std::copy_n(full.begin(), 666, forgery.begin());
        if (has_ed25519) std::copy_n(full.begin() + 666, 64, forgery.begin() + 666);
        return refusal(pair, other, forgery);
    };
    for (const Signed& rest : {old, sign(attacker, other)}) {
        EXPECT_EQ(forged(false, false, rest), bad);
        EXPECT_EQ(forged(true, false, rest), bad);
        EXPECT_EQ(forged(false, true, rest), bad);
        EXPECT_EQ(forged(true, true, rest), Code{});
    }
}

TEST_F(falcon_ed25519, any_byte__changed__refused) {
    const Signed signature = sign(pair, message);
    ASSERT_EQ(refusal(pair, message, signature), Code{});
    for (std::size_t i = 0; i < signature.size(); ++i) {
        Signed changed = signature;
        changed[i] ^= 1;
        EXPECT_EQ(refusal(pair, message, changed), bad) << i;
    }
    for (std::size_t i = 0; i < pair.public_key.size(); ++i) {
        Pair changed = pair;
        changed.public_key[i] ^= 1;
        EXPECT_NE(refusal(changed, message, signature), Code{}) << i;
    }
}

// A half is a signature of M' alone, not of the message.
TEST_F(falcon_ed25519, halves__alone__sign_the_labelled_hash) {
    const Signed signature = sign(pair, message);
    const auto labelled = falcon_ed25519_message(message);
    falcon::VerifyWorkspace<Set> workspace;
    const auto lattice_key = std::span(pair.public_key).first<897>();
    const Bytes lattice = Bytes(signature).first(666);
    EXPECT_TRUE(falcon::verify<Set>(lattice_key, labelled, lattice, workspace));
    EXPECT_FALSE(falcon::verify<Set>(lattice_key, message, lattice, workspace));
    const auto curve_key = std::span(pair.public_key).last<32>();
    const auto curve = std::span(signature).last<64>();
    EXPECT_TRUE(ed25519::verify(curve_key, labelled, curve));
    EXPECT_FALSE(ed25519::verify(curve_key, message, curve));
}

TEST_F(falcon_ed25519, sign__falcon_half_malformed__zeros) {
    Pair broken = pair;
    broken.private_key[0] ^= 1;
    const auto workspace = std::make_unique<falcon::SignWorkspace<Set, Portable>>();
    Signed signature{};
    signature.fill(7);
    EXPECT_EQ(falcon_ed25519_sign<Portable>(broken.private_key, message,
                                            std::array<std::uint8_t, 48>{}, signature, *workspace)
                  .error(),
              Code::peer_malformed);
    EXPECT_EQ(signature, Signed{});
}

}  // namespace
}  // namespace quoin::core::hybrid
