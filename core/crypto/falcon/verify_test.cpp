// What is accepted, and that nothing beside it is.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/crypto/falcon/coding.hpp"
#include "core/crypto/falcon/fixture.hpp"
#include "core/crypto/falcon/hash_to_point.hpp"

namespace quoin::core::falcon::fixture {
namespace {

template <class TypeParam>
class falcon_verify : public TypedTest<TypeParam> {
protected:
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;

    const std::vector<Vector> vectors = vectors_of<Set>();
    const Vector& vector = vectors.front();

    static Code refusal(const ByteVector& public_key, Bytes message, Bytes signature) {
        const Result<void> result = verify<Set, Backend>(public_key, message, signature);
        return result ? Code{} : result.error();
    }
    Code refusal_of(const ByteVector& signature) const {
        return refusal(vector.public_key, vector.message, signature);
    }
};
TYPED_TEST_SUITE(falcon_verify, Cases);

constexpr Code bad = Code::integrity_signature;

TYPED_TEST(falcon_verify, vectors__all__accepted) {
    for (const Vector& v : this->vectors) {
        EXPECT_EQ(this->refusal(v.public_key, v.message, v.signature), Code{});
        LoadedPublicKey<typename TypeParam::Set, typename TypeParam::Backend> key;
        VerifyWorkspace<typename TypeParam::Set> workspace;
        EXPECT_EQ(key.verify(v.message, v.signature, workspace).error(), Code::state_wrong);
        ASSERT_TRUE(
            key.load(std::span(v.public_key).template first<TypeParam::Set::public_key_size>()));
        EXPECT_TRUE(key.verify(v.message, v.signature, workspace));
        ByteVector other = v.message;
        other.push_back(0);
        EXPECT_EQ(key.verify(other, v.signature, workspace).error(), bad);
    }
}

TYPED_TEST(falcon_verify, signature__any_bit_flipped__refused) {
    for (const Vector& v : {this->vectors.front(), this->vectors.back()}) {  // compressed, padded
        ByteVector signature = v.signature;
        for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
            signature[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
            ASSERT_EQ(this->refusal(v.public_key, v.message, signature), bad) << bit;
            signature[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        }
    }
}

TYPED_TEST(falcon_verify, message__any_bit_flipped__refused) {
    const Vector& v = this->vectors[3 % this->vectors.size()];
    ByteVector message = v.message;
    message.resize(std::max<std::size_t>(message.size(), 1));
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
        message[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        ASSERT_EQ(this->refusal(v.public_key, message, v.signature), bad) << bit;
        message[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TYPED_TEST(falcon_verify, key__any_bit_flipped__refused) {
    ByteVector key = this->vector.public_key;
    for (std::size_t bit = 0; bit < 8 * key.size(); ++bit) {
        key[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        ASSERT_NE(this->refusal(key, this->vector.message, this->vector.signature), Code{}) << bit;
        key[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TYPED_TEST(falcon_verify, length__any_other__refused) {
    using Set = TypeParam::Set;
    for (std::size_t size = 0; size < this->vector.signature.size() + 20; ++size) {
        ByteVector signature = this->vector.signature;
        signature.resize(size);
        // The padded length is another encoding of the same signature.
        const Code expected =
            size == this->vector.signature.size() || size == Set::padded_signature_size ? Code{}
                                                                                        : bad;
        EXPECT_EQ(this->refusal_of(signature), expected) << size;
    }
}

TYPED_TEST(falcon_verify, padding__not_zero__refused) {
    using Set = TypeParam::Set;
    ByteVector signature = this->vector.signature;
    signature.resize(Set::padded_signature_size);
    for (std::size_t i = this->vector.signature.size(); i < signature.size(); ++i) {
        signature[i] = 1;
        EXPECT_EQ(this->refusal_of(signature), bad) << i;
        signature[i] = 0;
    }
}

TYPED_TEST(falcon_verify, header__any_other__refused) {
    for (unsigned header = 0; header < 256; ++header) {
        ByteVector signature = this->vector.signature;
        if (signature[0] == header) continue;
        signature[0] = static_cast<std::uint8_t>(header);
        EXPECT_EQ(this->refusal_of(signature), bad) << header;
        ByteVector key = this->vector.public_key;
        if (key[0] == header) continue;
        key[0] = static_cast<std::uint8_t>(header);
        EXPECT_EQ(this->refusal(key, this->vector.message, this->vector.signature),
                  Code::peer_malformed);
    }
}

TYPED_TEST(falcon_verify, key__coefficient_q_or_more__refused) {
    using Set = TypeParam::Set;
    for (const std::uint32_t value : {12289U, 12290U, 16383U}) {
        for (const std::size_t place : {std::size_t{0}, Set::n / 2, Set::n - 1}) {
            ByteVector key = this->vector.public_key;
            Poly<Set> h;
            ASSERT_TRUE(decode_public_key(
                h, std::span(std::as_const(key)).template first<Set::public_key_size>()));
            pack_fields<14>(std::span(key).subspan(1), [&](std::size_t i) {
                return i == place ? value
                                  : static_cast<std::uint32_t>(h.c[i] + (h.c[i] < 0 ? q : 0));
            });
            EXPECT_EQ(this->refusal(key, this->vector.message, this->vector.signature),
                      Code::peer_malformed);
        }
    }
}

TYPED_TEST(falcon_verify, keys__zero_and_largest__refuse) {
    using Set = TypeParam::Set;
    for (const std::uint32_t value : {0U, 12288U}) {
        ByteVector key(Set::public_key_size, Set::public_key_header);
        pack_fields<14>(std::span(key).subspan(1), [&](std::size_t) { return value; });
        EXPECT_EQ(this->refusal(key, this->vector.message, this->vector.signature), bad);
    }
}

// salt 0, and s2 as said: its coefficient i is coded as written by code(i), bits as text.
template <class Set, class Code>
ByteVector signature_of_bits(Code code) {
    ByteVector signature(1 + salt_size, 0);
    signature[0] = Set::signature_header;
    std::string bits;
    for (std::size_t i = 0; i < Set::n; ++i) bits += code(i);
    bits.resize((bits.size() + 7) / 8 * 8, '0');
    for (std::size_t i = 0; i < bits.size(); i += 8) {
        signature.push_back(static_cast<std::uint8_t>(std::stoi(bits.substr(i, 8), nullptr, 2)));
    }
    return signature;
}

// The public key c - s1 of the signature s2 = 1, where s1 has this squared norm.
template <class Set>
ByteVector key_for_norm(std::uint64_t norm, Bytes message) {
    keccak::Shake256<> xof;
    Poly<Set> c;
    xof.absorb(ByteVector(salt_size)).absorb(message);
    hash_to_point(c, xof);
    ByteVector key(Set::public_key_size, Set::public_key_header);
    pack_fields<14>(std::span(key).subspan(1), [&](std::size_t i) {
        const auto s1 = std::min<std::uint64_t>(
            static_cast<std::uint64_t>(std::sqrt(static_cast<double>(norm))), 600);
        norm -= s1 * s1;
        return static_cast<std::uint32_t>((c.c[i] - static_cast<std::int64_t>(s1) + 2 * q) % q);
    });
    EXPECT_EQ(norm, 0U);
    return key;
}

const std::string zero = "000000001";
const std::string one = "000000011";

TYPED_TEST(falcon_verify, norm__bound_and_one_more__accepted_and_refused) {
    using Set = TypeParam::Set;
    const ByteVector message{1, 2, 3};
    const ByteVector signature =
        signature_of_bits<Set>([](std::size_t i) { return i == 0 ? one : zero; });
    const std::uint64_t bound = Set::beta_squared - 1;  // s2 has 1
    EXPECT_EQ(this->refusal(key_for_norm<Set>(bound, message), message, signature), Code{});
    EXPECT_EQ(this->refusal(key_for_norm<Set>(bound + 1, message), message, signature), bad);
}

TYPED_TEST(falcon_verify, compression__not_canonical__refused) {
    using Set = TypeParam::Set;
    const ByteVector message{1, 2, 3};
    const ByteVector key = key_for_norm<Set>(1000000, message);
    const auto refusal_with = [&](const std::string& last) {
        return this->refusal(key, message, signature_of_bits<Set>([&](std::size_t i) {
                                 return i == 0 ? one : i + 1 == Set::n ? last : zero;
                             }));
    };
    EXPECT_EQ(refusal_with(zero), Code{});
    EXPECT_EQ(refusal_with("100000001"), bad) << "minus zero";
    EXPECT_EQ(refusal_with(zero + "1"), bad) << "a bit after the last coefficient";
    EXPECT_EQ(refusal_with(zero + "0000000000"), bad) << "a byte after the last coefficient";
    EXPECT_EQ(refusal_with("0"), bad) << "no end of the last coefficient";
    EXPECT_EQ(refusal_with("01111111" + std::string(16, '0') + "1"), bad) << "2048 or more";
}

TEST(falcon_decompress, largest__2047__read) {
    const std::string largest = "11111111" + std::string(15, '0') + "1";
    const std::string too_large = "10000000" + std::string(16, '0') + "1";
    for (const auto& [code, good] : {std::pair{largest, true}, std::pair{too_large, false}}) {
        const ByteVector signature = signature_of_bits<Set512>([&](std::size_t) { return code; });
        Poly<Set512> s2;
        EXPECT_EQ(decompress(s2, Bytes(signature).subspan(1 + salt_size), false), good);
        EXPECT_TRUE(!good || s2.c[511] == -2047);
    }
}

}  // namespace
}  // namespace quoin::core::falcon::fixture
