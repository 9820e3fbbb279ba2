// What X25519MLKEM768 and X-Wing leave in the workspace and on the stack.
#include <gtest/gtest.h>

#include <memory>

#include "core/crypto/hybrid/tls_group.hpp"
#include "core/crypto/hybrid/x_wing.hpp"
#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core::hybrid {
namespace {

using test::bytes_not_wiped;
using test::pattern;

template <class Backend>
class hybrid_wipe : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
    test::DeadStack stack;
};

using Backends = testing::Types<Portable
#if defined(__x86_64__)
                                ,
                                Avx2, Avx512
#endif
                                >;
TYPED_TEST_SUITE(hybrid_wipe, Backends);

TYPED_TEST(hybrid_wipe, tls_group__both_sides__nothing_secret_is_left) {
    const auto clients = pattern<tls_group::client_randomness_size>(0x11);
    const auto servers = pattern<tls_group::server_randomness_size>(0x92);
    std::array<std::uint8_t, tls_group::client_share_size> client_share{};
    std::array<std::uint8_t, tls_group::server_share_size> server_share{};
    std::array<std::uint8_t, tls_group::secret_size> secret{};
    const auto workspace = std::make_unique<tls_group::Workspace<TypeParam>>();
    tls_group::ClientKey key;
    bool worked = false;
    this->stack.run([&] { tls_group::start<TypeParam>(key, client_share, clients, *workspace); });
    EXPECT_EQ(this->stack.places_of(clients), 0U) << "d, z, X25519";
    this->stack.run([&] {
        worked =
            tls_group::answer<TypeParam>(client_share, server_share, secret, servers, *workspace)
                .has_value();
    });
    ASSERT_TRUE(worked);
    EXPECT_EQ(this->stack.places_of(servers), 0U) << "m, X25519";
    EXPECT_EQ(this->stack.places_of(secret), 0U) << "secret";
    this->stack.run([&] {
        worked = tls_group::finish<TypeParam>(key, server_share, secret, *workspace).has_value();
    });
    ASSERT_TRUE(worked);
    EXPECT_EQ(this->stack.places_of(key.x25519), 0U) << "X25519";
    EXPECT_EQ(this->stack.places_of(Bytes(key.ml_kem).first(1152)), 0U) << "s";
    EXPECT_EQ(this->stack.places_of(secret), 0U) << "secret";
    EXPECT_EQ(bytes_not_wiped(*workspace), 0U);
}

TYPED_TEST(hybrid_wipe, x_wing__all_operations__nothing_secret_is_left) {
    const auto seed = pattern<x_wing::seed_size>(0x11);
    const auto randomness = pattern<x_wing::randomness_size>(0x92);
    std::array<std::uint8_t, x_wing::public_key_size> public_key{};
    std::array<std::uint8_t, x_wing::ciphertext_size> ciphertext{};
    std::array<std::uint8_t, 32> shared{};
    std::array<std::uint8_t, 96> expanded{};
    keccak::Shake256<>::digest(expanded, seed);
    const auto workspace = std::make_unique<x_wing::Workspace<TypeParam>>();
    const auto expect_nothing = [&] {
        EXPECT_EQ(this->stack.places_of(seed), 0U) << "seed";
        EXPECT_EQ(this->stack.places_of(expanded), 0U) << "d, z, X25519";
        EXPECT_EQ(this->stack.places_of(randomness), 0U) << "m, X25519";
        EXPECT_EQ(this->stack.places_of(shared), 0U) << "shared secret";
        EXPECT_EQ(bytes_not_wiped(workspace->ml_kem), 0U);
        EXPECT_EQ(bytes_not_wiped(workspace->decapsulation_key), 0U);
        EXPECT_EQ(bytes_not_wiped(workspace->x25519), 0U);
    };
    this->stack.run([&] { x_wing::public_key<TypeParam>(seed, public_key, *workspace); });
    expect_nothing();
    bool worked = false;
    this->stack.run([&] {
        worked =
            x_wing::encapsulate<TypeParam>(public_key, randomness, ciphertext, shared, *workspace)
                .has_value();
    });
    ASSERT_TRUE(worked);
    expect_nothing();
    this->stack.run([&] {
        worked = x_wing::decapsulate<TypeParam>(seed, ciphertext, shared, *workspace).has_value();
    });
    ASSERT_TRUE(worked);
    expect_nothing();
}

}  // namespace
}  // namespace quoin::core::hybrid
