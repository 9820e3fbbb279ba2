// What key generation and signing leave on the stack: SK.seed, SK.prf, and the secret beginnings of
// the chains that sign on the lowest layer and stand in the top tree.
#include <gtest/gtest.h>

#include <vector>

#include "core/crypto/slh_dsa/message.hpp"
#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "core/crypto/slh_dsa/wots.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_stack.hpp"

namespace quoin::core::slh_dsa {
namespace {

using Set = Shake_128f;

template <class Backend>
class slh_dsa_wipe : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
        keygen<Set>(seeds, key);
    }

    // SK.seed, SK.prf, PK.seed.
    std::span<const std::uint8_t, Set::n> part(std::size_t i) const {
        return std::span<const std::uint8_t, Set::n>(seeds.data() + i * Set::n, Set::n);
    }

    // PRF (Algorithm 5, line 3) for the chains of key pair `leaf` of the tree.
    void expect_no_chain_beginnings(std::uint32_t layer, std::uint64_t tree,
                                    std::uint32_t leaf) const {
        const Seed<Set, Portable> pk_seed(part(2));
        Lanes<Set, Portable, Set::n> prf(pk_seed);
        Address address;
        address.set_layer(layer);
        address.set_tree(tree);
        address.set_type(AddressType::wots_prf);
        address.set_key_pair(leaf);
        for (std::uint32_t i = 0; i < Set::len; ++i) {
            address.set_chain(i);
            prf.set(0, address, part(0));
            prf.step();
            EXPECT_EQ(stack.places_of(prf.value(0)), 0U) << "chain " << i;
        }
    }
    void expect_no_seeds() const {
        EXPECT_EQ(stack.places_of(part(0)), 0U) << "SK.seed";
        EXPECT_EQ(stack.places_of(part(1)), 0U) << "SK.prf";
    }

    test::DeadStack stack;
    const std::array<std::uint8_t, 3 * Set::n> seeds = test::pattern<3 * Set::n>(0x31);
    std::array<std::uint8_t, Set::private_key_size> key{};
};

using Backends = testing::Types<Portable
#if defined(__x86_64__)
                                ,
                                Avx2
#endif
                                >;
TYPED_TEST_SUITE(slh_dsa_wipe, Backends);

TYPED_TEST(slh_dsa_wipe, keygen__done__nothing_secret_is_left) {
    this->stack.run([&] { keygen<Set, TypeParam>(this->seeds, this->key); });
    this->expect_no_seeds();
    for (std::uint32_t leaf = 0; leaf < 8; ++leaf) {
        this->expect_no_chain_beginnings(Set::d - 1, 0, leaf);
    }
}

TYPED_TEST(slh_dsa_wipe, sign__done__nothing_secret_is_left) {
    std::vector<std::uint8_t> signature(Set::signature_size);
    const std::span<std::uint8_t, Set::signature_size> out(signature.data(), Set::signature_size);
    bool signed_ = false;
    this->stack.run([&] {
        signed_ =
            sign_deterministic<Set, TypeParam>(this->key, bytes_of("message"), {}, out).has_value();
    });
    ASSERT_TRUE(signed_);
    this->expect_no_seeds();
    const Selection<Set> selection(hash_message<Set, Portable>(
        out.first<Set::n>(), std::span(this->key).template last<Set::public_key_size>(),
        {{}, bytes_of("message")}));
    for (std::uint32_t leaf = 0; leaf < 8; ++leaf) {
        this->expect_no_chain_beginnings(Set::d - 1, 0, leaf);
    }
    this->expect_no_chain_beginnings(0, selection.tree, selection.leaf);
}

}  // namespace
}  // namespace quoin::core::slh_dsa
