// Vectors: IETF LAMPS (vectors/README.md). The four rows are made here.
#include "core/crypto/hybrid/composite_loaded.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::hybrid {
namespace {

using test::ByteVector;

template <class Composite_, class Backend_>
struct Case {
    using Composite = Composite_;
    using Backend = Backend_;
};

ByteVector from_base64(const std::string& text) {
    ByteVector bytes(text.size());
    const int size =
        EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size()));
    EXPECT_GT(size, 0);
    bytes.resize(static_cast<std::size_t>(size) -
                 static_cast<std::size_t>(std::ranges::count(text, '=')));
    return bytes;
}

ByteVector joined(std::initializer_list<Bytes> parts) {
    ByteVector all;
    for (const Bytes part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

// Whoever holds both private keys.
template <class Composite>
class Signer {
public:
    using Set = Composite::Set;

    explicit Signer(std::uint8_t seed) {
        const ByteVector bytes(32, seed);
        ed25519_ = std::make_unique<ed25519::PrivateKey<>>(
            std::span<const std::uint8_t, 32>(bytes.data(), 32));
        std::array<std::uint8_t, 32> xi{};
        xi.fill(seed);
        const auto workspace = std::make_unique<ml_dsa::KeygenWorkspace<Set>>();
        ml_dsa::keygen<Set>(ml_dsa::Seed(std::span(xi)), ml_dsa_public_, ml_dsa_private_,
                            *workspace);
    }

    ByteVector public_key() const { return joined({ml_dsa_public_, ed25519_->public_key()}); }

    static ByteVector signed_part(const ByteVector& message, const ByteVector& context) {
        const ByteVector size = {static_cast<std::uint8_t>(context.size())};
        return joined({bytes_of("CompositeAlgorithmSignatures2025"), bytes_of(Composite::label),
                       size, context, sha2::Sha512::of(message)});
    }
    ByteVector ml_dsa_half(const ByteVector& signed_part,
                           Bytes label = bytes_of(Composite::label)) const {
        ByteVector signature(Set::signature_size);
        const auto workspace = std::make_unique<ml_dsa::SignWorkspace<Set>>();
        EXPECT_TRUE(ml_dsa::sign<Set>(
            ml_dsa_private_, signed_part, *ml_dsa::Context::of(label), ml_dsa::deterministic,
            std::span<std::uint8_t, Set::signature_size>(signature.data(), Set::signature_size),
            *workspace));
        return signature;
    }
    ByteVector ed25519_half(const ByteVector& signed_part) const {
        ByteVector signature(64);
        ed25519_->sign(signed_part, std::span<std::uint8_t, 64>(signature.data(), 64));
        return signature;
    }

private:
    std::array<std::uint8_t, Set::public_key_size> ml_dsa_public_{};
    std::array<std::uint8_t, Set::private_key_size> ml_dsa_private_{};
    std::unique_ptr<ed25519::PrivateKey<>> ed25519_;
};

template <class C>
class composite : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<typename C::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
    using Composite = C::Composite;

    static Result<void> verify(const ByteVector& key, const ByteVector& message,
                               const ByteVector& context, const ByteVector& signature) {
        const auto workspace = std::make_unique<
            ml_dsa::VerifyWorkspace<typename Composite::Set, typename C::Backend>>();
        EXPECT_EQ(key.size(), Composite::public_key_size);
        EXPECT_EQ(signature.size(), Composite::signature_size);
        return hybrid::verify<Composite, typename C::Backend>(
            CompositePublicKey<Composite>(key.data(), Composite::public_key_size), message,
            *ml_dsa::Context::of(context),
            CompositeSignature<Composite>(signature.data(), Composite::signature_size), *workspace);
    }

    struct Made {
        ByteVector public_key, signature;
    };
    // With the loaded key, deterministic unless `randomness` is given.
    static Made make(const ByteVector& private_key, const ByteVector& message,
                     const ByteVector& context,
                     ml_dsa::Randomness randomness = ml_dsa::deterministic) {
        using B = C::Backend;
        const auto key = std::make_unique<CompositePrivateKey<Composite, B>>();
        const auto workspace = std::make_unique<CompositeLoadWorkspace<Composite, B>>();
        EXPECT_EQ(private_key.size(), 64U);
        EXPECT_TRUE(
            key->load(std::span<const std::uint8_t, 64>(private_key.data(), 64), *workspace));
        EXPECT_TRUE(std::ranges::all_of(workspace->expanded, [](auto byte) { return byte == 0; }));
        const auto scratch = std::make_unique<ml_dsa::SignScratch<typename Composite::Set, B>>();
        ByteVector signature(Composite::signature_size, 0xaa);
        EXPECT_TRUE(key->sign(message, *ml_dsa::Context::of(context), randomness,
                              std::span<std::uint8_t, Composite::signature_size>(
                                  signature.data(), Composite::signature_size),
                              *scratch));
        return {{key->public_key().begin(), key->public_key().end()}, signature};
    }

    static void run_vectors(const std::string& path) {
        const auto file = nlohmann::json::parse(std::ifstream(path));
        const ByteVector message = from_base64(file["m"]), context = from_base64(file["ctx"]);
        const std::string name = "id-" + std::string(Composite::label.substr(8));
        int checked = 0;
        for (const auto& vector : file["tests"]) {
            if (vector["tcId"] != name) continue;
            const ByteVector key = from_base64(vector["pk"]);
            const ByteVector plain = from_base64(vector["s"]);
            const ByteVector with_context = from_base64(vector["sWithContext"]);
            EXPECT_TRUE(verify(key, message, {}, plain));
            EXPECT_TRUE(verify(key, message, context, with_context));
            EXPECT_FALSE(verify(key, message, context, plain));
            EXPECT_FALSE(verify(key, message, {}, with_context));
            EXPECT_FALSE(verify(key, {}, {}, plain));
            const Made made = make(from_base64(vector["sk"]), message, context);
            EXPECT_EQ(made.public_key, key);
            EXPECT_TRUE(verify(key, message, context, made.signature));
            // Ed25519's half is deterministic; the published ML-DSA half is hedged.
            EXPECT_TRUE(std::ranges::equal(std::span(made.signature).last(64),
                                           std::span(with_context).last(64)));
            ++checked;
        }
        EXPECT_EQ(checked, 1) << name;
    }
};

using Cases = testing::Types<Case<MlDsa44Ed25519, Portable>, Case<MlDsa65Ed25519, Portable>
#if defined(__x86_64__)
                             ,
                             Case<MlDsa44Ed25519, Avx2>, Case<MlDsa65Ed25519, Avx2>,
                             Case<MlDsa44Ed25519, Avx512>, Case<MlDsa65Ed25519, Avx512>
#endif
                             >;
TYPED_TEST_SUITE(composite, Cases);

TYPED_TEST(composite, verify__vectors_of_lamps__as_published) {
    this->run_vectors("core/crypto/hybrid/vectors/composite_mldsa_ed25519.json");
}

TYPED_TEST(composite, verify__all_in_shared__as_published) {
    const std::string path = "../shared/vectors/composite_mldsa_ed25519.json";
    if (!std::ifstream(path)) GTEST_SKIP() << "NOT RUN: " << path << " is not there";
    this->run_vectors(path);
}

// The attacker holds what was given away, and has a key pair of their own for the rest.
TYPED_TEST(composite, verify__halves_given_away__only_both_halves_pass) {
    using S = Signer<typename TypeParam::Composite>;
    const S owner(1), attacker(2);
    const ByteVector message = {1, 2, 3}, context = {4};
    const ByteVector part = S::signed_part(message, context);
    const auto verifies = [&](const S& ml_dsa, const S& ed25519) {
        return this->verify(owner.public_key(), message, context,
                            joined({ml_dsa.ml_dsa_half(part), ed25519.ed25519_half(part)}));
    };
    EXPECT_TRUE(verifies(owner, owner));  // both sound
    // ML-DSA broken, Ed25519 to be forged; the other way round; neither.
    EXPECT_EQ(verifies(owner, attacker).error(), Code::integrity_signature);
    EXPECT_EQ(verifies(attacker, owner).error(), Code::integrity_signature);
    EXPECT_EQ(verifies(attacker, attacker).error(), Code::integrity_signature);
}

TYPED_TEST(composite, verify__halves_of_two_messages_or_plain_halves__integrity_signature) {
    using S = Signer<typename TypeParam::Composite>;
    const S owner(3);
    const ByteVector message = {1}, other = {2};
    const ByteVector part = S::signed_part(message, {}), other_part = S::signed_part(other, {});
    const auto verifies = [&](const ByteVector& ml_dsa, const ByteVector& ed25519) {
        return this->verify(owner.public_key(), message, {}, joined({ml_dsa, ed25519}));
    };
    EXPECT_TRUE(verifies(owner.ml_dsa_half(part), owner.ed25519_half(part)));
    EXPECT_FALSE(verifies(owner.ml_dsa_half(other_part), owner.ed25519_half(part)));
    EXPECT_FALSE(verifies(owner.ml_dsa_half(part), owner.ed25519_half(other_part)));
    // Signatures that the same keys make alone are none of the composite.
    EXPECT_FALSE(verifies(owner.ml_dsa_half(message, {}), owner.ed25519_half(message)));
    EXPECT_FALSE(verifies(owner.ml_dsa_half(part, {}), owner.ed25519_half(part)));
    EXPECT_FALSE(
        verifies(ByteVector(TypeParam::Composite::Set::signature_size), owner.ed25519_half(part)));
    EXPECT_FALSE(verifies(owner.ml_dsa_half(part), ByteVector(64)));
}

// Only Ed25519 can say peer_malformed: it is asked even where ML-DSA has refused.
TYPED_TEST(composite, verify__malformed_ed25519_key__peer_malformed_whatever_ml_dsa_says) {
    using S = Signer<typename TypeParam::Composite>;
    const S owner(5), attacker(6);
    const ByteVector message = {1}, part = S::signed_part(message, {});
    ByteVector key = owner.public_key();
    std::fill_n(key.end() - 32, 32, std::uint8_t{0xff});  // y above p
    for (const S* const ml_dsa : {&owner, &attacker}) {
        const ByteVector signature = joined({ml_dsa->ml_dsa_half(part), owner.ed25519_half(part)});
        EXPECT_EQ(this->verify(key, message, {}, signature).error(), Code::peer_malformed);
    }
}

TYPED_TEST(composite, verify__any_byte_damaged__refused) {
    using S = Signer<typename TypeParam::Composite>;
    const S owner(4);
    const ByteVector message = {1}, part = S::signed_part(message, {});
    ByteVector key = owner.public_key();
    ByteVector signature = joined({owner.ml_dsa_half(part), owner.ed25519_half(part)});
    ASSERT_TRUE(this->verify(key, message, {}, signature));
    for (ByteVector* const bytes : {&key, &signature}) {
        for (std::size_t i = 0; i < bytes->size(); i += i + 70 < bytes->size() ? 61 : 1) {
            (*bytes)[i] ^= 4;
            ASSERT_FALSE(this->verify(key, message, {}, signature)) << "byte " << i;
            (*bytes)[i] ^= 4;
        }
    }
    const ByteVector longest(255, 7);
    EXPECT_FALSE(this->verify(key, message, longest, signature));
}

// The Signer above joins the halves by hand.
TYPED_TEST(composite, sign__deterministic__the_halves_made_apart) {
    using S = Signer<typename TypeParam::Composite>;
    const S owner(7);
    const ByteVector message = {9}, context = {1, 2}, part = S::signed_part(message, context);
    const auto made = this->make(ByteVector(64, 7), message, context);
    EXPECT_EQ(made.public_key, owner.public_key());
    EXPECT_EQ(made.signature, joined({owner.ml_dsa_half(part), owner.ed25519_half(part)}));
}

TYPED_TEST(composite, sign__hedged__another_ml_dsa_half_that_verifies) {
    std::array<std::uint8_t, 32> randomness{};
    randomness.fill(5);
    const auto plain = this->make(ByteVector(64, 8), {1}, {});
    const auto hedged = this->make(ByteVector(64, 8), {1}, {}, randomness);
    EXPECT_NE(plain.signature, hedged.signature);
    EXPECT_TRUE(std::ranges::equal(std::span(plain.signature).last(64),
                                   std::span(hedged.signature).last(64)));
    EXPECT_TRUE(this->verify(plain.public_key, {1}, {}, hedged.signature));
}

TYPED_TEST(composite, sign__never_loaded__state_wrong_and_zeros) {
    using C = TypeParam::Composite;
    const auto key = std::make_unique<CompositePrivateKey<C, typename TypeParam::Backend>>();
    const auto scratch =
        std::make_unique<ml_dsa::SignScratch<typename C::Set, typename TypeParam::Backend>>();
    std::array<std::uint8_t, C::signature_size> signature{};
    signature.fill(1);
    EXPECT_EQ(key->sign({}, {}, ml_dsa::deterministic, signature, *scratch).error(),
              Code::state_wrong);
    EXPECT_EQ(signature, decltype(signature){});
}

TYPED_TEST(composite, loaded_public_key__sound_and_damaged__as_verify) {
    using C = TypeParam::Composite;
    const auto made = this->make(ByteVector(64, 9), {1}, {2});
    const auto key = std::make_unique<CompositeLoadedPublicKey<C, typename TypeParam::Backend>>();
    const auto scratch = std::make_unique<ml_dsa::VerifyScratch<typename C::Set>>();
    ByteVector signature = made.signature;
    const auto verify = [&](const ByteVector& message, const ByteVector& context) {
        return key->verify(message, *ml_dsa::Context::of(context),
                           CompositeSignature<C>(signature.data(), C::signature_size), *scratch);
    };
    EXPECT_FALSE(verify({1}, {2}));  // not loaded yet
    key->load(CompositePublicKey<C>(made.public_key.data(), C::public_key_size));
    EXPECT_TRUE(verify({1}, {2}));
    EXPECT_EQ(verify({1}, {}).error(), Code::integrity_signature);
    EXPECT_EQ(verify({2}, {2}).error(), Code::integrity_signature);
    for (const std::size_t at :
         {std::size_t{0}, C::signature_size - 65, C::signature_size - 64, C::signature_size - 1}) {
        signature[at] ^= 1;
        EXPECT_EQ(verify({1}, {2}).error(), Code::integrity_signature) << "byte " << at;
        signature[at] ^= 1;
    }
    std::ranges::rotate(signature, signature.end() - 64);  // the halves swapped
    EXPECT_EQ(verify({1}, {2}).error(), Code::integrity_signature);
}

// A label of the other set, and none: a signature does not pass from one algorithm to another.
TYPED_TEST(composite, verify__other_label__integrity_signature) {
    using S = Signer<typename TypeParam::Composite>;
    const S owner(10);
    const ByteVector message = {1}, part = S::signed_part(message, {});
    const std::string_view other = TypeParam::Composite::label == MlDsa44Ed25519::label
                                       ? MlDsa65Ed25519::label
                                       : MlDsa44Ed25519::label;
    ByteVector moved = part;  // the label inside M'
    std::ranges::copy(bytes_of(other), moved.begin() + 32);
    EXPECT_EQ(
        this->verify(owner.public_key(), message, {},
                     joined({owner.ml_dsa_half(part, bytes_of(other)), owner.ed25519_half(part)}))
            .error(),
        Code::integrity_signature);
    EXPECT_EQ(this->verify(owner.public_key(), message, {},
                           joined({owner.ml_dsa_half(moved), owner.ed25519_half(moved)}))
                  .error(),
              Code::integrity_signature);
}

}  // namespace
}  // namespace quoin::core::hybrid
