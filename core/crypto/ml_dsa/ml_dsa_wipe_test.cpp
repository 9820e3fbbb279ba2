// What key generation and signing leave in the workspace and on the stack.
#include <gtest/gtest.h>

#include <memory>

#include "core/crypto/ml_dsa/sign_body.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"
#if defined(__x86_64__)
#include "core/crypto/ml_dsa/avx2.hpp"
#endif

namespace quoin::core::ml_dsa {
namespace {

using test::bytes_in;
using test::bytes_not_wiped;

// Eight coefficients in a row are no accident, be they as small as those of s.
constexpr std::size_t of_poly = 32;

template <class Set_, class Backend_>
struct Case {
    using Set = Set_;
    using Backend = Backend_;
};

template <class TypeParam>
class ml_dsa_wipe : public testing::Test {
protected:
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    using Layout = PrivateKeyLayout<Set>;

    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
        auto xi = test::pattern<32>(0x31);  // Seed wipes it
        const std::array<std::uint8_t, 2> dimensions{Set::k, Set::l};
        keccak::Shake256<>::digest(seeds, xi, dimensions);
        seed = std::make_unique<Seed>(std::span(xi));
        const auto workspace = std::make_unique<KeygenWorkspace<Set>>();
        keygen<Set>(*seed, public_key, private_key, *workspace);
    }

    // s1 and s2 as they are sampled.
    std::array<Poly, Set::l + Set::k> small_polys() const {
        std::array<Poly, Set::l + Set::k> s;
        for (std::size_t r = 0; r < s.size(); ++r) {
            EXPECT_TRUE((Coding<Set, Portable>::unpack_small(
                s[r], private_key.data() + Layout::s1 + r * Set::eta_poly_size)));
        }
        return s;
    }

    // Of the attempts that the message takes, and of those beyond.
    std::vector<Poly> masks(std::span<const std::uint8_t, 64> mask_seed) const {
        std::vector<Poly> y(64);
        for (std::size_t i = 0; i < y.size(); ++i) {
            mask<Set>(mask_seed, i,
                      [&](std::size_t at, std::int32_t value) { y[i].c[at] = value; });
        }
        return y;
    }

    test::DeadStack stack;
    std::unique_ptr<Seed> seed;
    std::array<std::uint8_t, 128> seeds{};  // rho, rho', K
    std::array<std::uint8_t, Set::public_key_size> public_key{};
    std::array<std::uint8_t, Set::private_key_size> private_key{};
    std::array<std::uint8_t, Set::signature_size> signature{};
    const Mu mu{{1, 2, 3}};
};

using Cases = testing::Types<Case<Set44, Portable>, Case<Set65, Portable>, Case<Set87, Portable>
#if defined(__x86_64__)
                             ,
                             Case<Set44, Avx2>, Case<Set65, Avx2>, Case<Set87, Avx2>,
                             Case<Set44, Avx512>, Case<Set65, Avx512>, Case<Set87, Avx512>
#endif
                             >;
TYPED_TEST_SUITE(ml_dsa_wipe, Cases);

TYPED_TEST(ml_dsa_wipe, keygen__done__nothing_secret_is_left) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    const auto workspace = std::make_unique<KeygenWorkspace<Set, Backend>>();
    this->stack.run([&] {
        keygen<Set, Backend>(*this->seed, this->public_key, this->private_key, *workspace);
    });
    EXPECT_EQ(bytes_not_wiped(workspace->secrets), 0U);
    EXPECT_EQ(this->stack.places_of(this->seed->expose()), 0U) << "xi";
    EXPECT_EQ(this->stack.places_of(Bytes(this->seeds).subspan(32)), 0U) << "rho', K";
    const auto s = this->small_polys();
    for (const Poly& poly : s) {
        EXPECT_EQ(this->stack.template places_of<of_poly>(bytes_in(poly)), 0U) << "s";
    }
}

template <class Set, class Backend>
void expect_no_key(const test::DeadStack& stack, const SigningKey<Set, Backend>& key) {
    EXPECT_EQ(stack.places_of(key.secrets.K), 0U) << "K";
    for (const Poly& poly : key.secrets.s1) {
        EXPECT_EQ(stack.places_of<of_poly>(bytes_in(poly)), 0U) << "s1, transformed";
    }
    for (const Poly& poly : key.secrets.s2) {
        EXPECT_EQ(stack.places_of<of_poly>(bytes_in(poly)), 0U) << "s2, transformed";
    }
    for (const Poly& poly : key.secrets.t0) {
        EXPECT_EQ(stack.places_of<of_poly>(bytes_in(poly)), 0U) << "t0, transformed";
    }
}

TYPED_TEST(ml_dsa_wipe, sign__done__nothing_secret_is_left) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
    bool signed_ = false;
    this->stack.run([&] {
        signed_ = sign_mu<Set, Backend>(this->private_key, this->mu, deterministic, this->signature,
                                        *workspace)
                      .has_value();
    });
    ASSERT_TRUE(signed_);
    EXPECT_EQ(bytes_not_wiped(workspace->key.secrets), 0U);
    EXPECT_EQ(bytes_not_wiped(workspace->scratch.secrets), 0U);

    const auto key = std::make_unique<SigningKey<Set, Backend>>();
    ASSERT_TRUE((load_key<Set, Backend>(*key, this->private_key)));
    expect_no_key(this->stack, *key);
    std::array<std::uint8_t, 64> mask_seed_{};
    mask_seed<Portable>(mask_seed_, key->secrets.K, deterministic, this->mu);
    EXPECT_EQ(this->stack.places_of(mask_seed_), 0U) << "rho''";
    const auto s = this->small_polys();
    for (const Poly& poly : s) {
        EXPECT_EQ(this->stack.template places_of<of_poly>(bytes_in(poly)), 0U) << "s";
    }
    for (const Poly& poly : this->masks(mask_seed_)) {
        EXPECT_EQ(this->stack.template places_of<of_poly>(bytes_in(poly)), 0U) << "y";
    }
}

TYPED_TEST(ml_dsa_wipe, sign_low_memory__done__nothing_secret_is_left) {
    using Set = TypeParam::Set;
    if constexpr (!std::is_same_v<typename TypeParam::Backend, Portable>) {
        return;  // there is one build of it
    }
    const auto workspace = std::make_unique<LowMemorySignWorkspace<Set>>();
    bool signed_ = false;
    this->stack.run([&] {
        signed_ = sign_mu_low_memory<Set>(this->private_key, this->mu, deterministic,
                                          this->signature, *workspace)
                      .has_value();
    });
    ASSERT_TRUE(signed_);
    EXPECT_EQ(bytes_not_wiped(*workspace), 0U);
    const Bytes K = Bytes(this->private_key).subspan(PrivateKeyLayout<Set>::K, 32);
    EXPECT_EQ(this->stack.places_of(K), 0U) << "K";
    std::array<std::uint8_t, 64> mask_seed_{};
    mask_seed<Portable>(mask_seed_, K.template first<32>(), deterministic, this->mu);
    EXPECT_EQ(this->stack.places_of(mask_seed_), 0U) << "rho''";
    for (const Poly& poly : this->masks(mask_seed_)) {
        EXPECT_EQ(this->stack.template places_of<of_poly>(bytes_in(poly)), 0U) << "y";
    }
}

}  // namespace
}  // namespace quoin::core::ml_dsa
