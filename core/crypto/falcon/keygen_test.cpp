// Keys that this project makes, and the arithmetic under them.
#include <gtest/gtest.h>

#include "core/crypto/falcon/fixture.hpp"
#include "core/crypto/falcon/keygen.hpp"

namespace quoin::core::falcon::fixture {
namespace {

template <class Set>
struct KeyPair {
    std::array<std::uint8_t, Set::public_key_size> public_key{};
    std::array<std::uint8_t, Set::private_key_size> private_key{};
    bool operator==(const KeyPair&) const = default;
};

template <class Set, class Backend>
KeyPair<Set> make_key(std::uint8_t first) {
    std::array<std::uint8_t, 48> bytes{};
    bytes[0] = first;
    const Seed seed{std::span(bytes)};
    static const auto workspace = std::make_unique<KeygenWorkspace<Set, Backend>>();
    KeyPair<Set> pair;
    EXPECT_TRUE((keygen<Set, Backend>(seed, pair.public_key, pair.private_key, *workspace)));
    return pair;
}

template <class TypeParam>
class falcon_keygen : public TypedTest<TypeParam> {};
// Avx2 has no key generation of its own.
using KeygenCases = testing::Types<Case<Set512, Portable>, Case<Set1024, Portable>,
                                   Case<Set512, Integer>, Case<Set1024, Integer>>;
TYPED_TEST_SUITE(falcon_keygen, KeygenCases);

TYPED_TEST(falcon_keygen, keys__signed_with__verify) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
    for (std::uint8_t i = 0; i < 3; ++i) {
        const KeyPair<Set> pair = make_key<Set, Backend>(i);
        EXPECT_EQ(pair, (make_key<Set, Portable>(i)));
        std::array<std::uint8_t, Set::public_key_size> public_key{};
        ASSERT_TRUE((public_key_of<Set, Backend>(pair.private_key, public_key, *workspace)));
        EXPECT_EQ(public_key, pair.public_key);
        std::array<std::uint8_t, Set::padded_signature_size> signature{};
        const std::array<std::uint8_t, randomness_size> randomness{};
        const Result<std::size_t> size = sign<Set, Backend>(pair.private_key, {}, randomness,
                                                            Format::padded, signature, *workspace);
        ASSERT_TRUE(size);
        EXPECT_TRUE((verify<Set, Portable>(ByteVector(public_key.begin(), public_key.end()), {},
                                           signature)));
    }
}

}  // namespace
}  // namespace quoin::core::falcon::fixture
