// Signing with the keys of others, and that all builds make the same signatures.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/crypto/falcon/fixture.hpp"
#include "core/crypto/falcon/sampler.hpp"

namespace quoin::core::falcon::fixture {
namespace {

template <class Set>
PrivateKey<Set> private_key_of(const Vector& vector) {
    return std::span(vector.private_key).template first<Set::private_key_size>();
}

std::array<std::uint8_t, randomness_size> randomness_of(std::uint8_t first) {
    std::array<std::uint8_t, randomness_size> randomness{};
    randomness[0] = first;
    return randomness;
}

template <class Set, class Backend>
ByteVector sign(PrivateKey<Set> key, Bytes message, std::uint8_t random, Format format) {
    static const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
    ByteVector signature(Set::padded_signature_size);
    const auto randomness = randomness_of(random);
    const Result<std::size_t> size = falcon::sign<Set, Backend>(
        key, message, randomness, format,
        std::span(signature).template first<Set::padded_signature_size>(), *workspace);
    signature.resize(size ? *size : 0);
    return signature;
}

template <class TypeParam>
class falcon_sign : public TypedTest<TypeParam> {
protected:
    const std::vector<Vector> vectors = vectors_of<typename TypeParam::Set>();
};
TYPED_TEST_SUITE(falcon_sign, SignCases);

TYPED_TEST(falcon_sign, public_key_of__keys_of_others__as_theirs) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
    for (const Vector& v : this->vectors) {
        ByteVector public_key(Set::public_key_size);
        ASSERT_TRUE((public_key_of<Set, Backend>(
            private_key_of<Set>(v), std::span(public_key).template first<Set::public_key_size>(),
            *workspace)));
        EXPECT_EQ(public_key, v.public_key);
    }
}

TYPED_TEST(falcon_sign, sign__keys_of_others__verifies) {
    using Set = TypeParam::Set;
    for (const Vector& v : this->vectors) {
        for (std::uint8_t i = 0; i < 4; ++i) {
            const Format format = i % 2 == 0 ? Format::compressed : Format::padded;
            const ByteVector signature = sign<Set, typename TypeParam::Backend>(
                private_key_of<Set>(v), v.message, i, format);
            EXPECT_EQ(format == Format::padded, signature.size() == Set::padded_signature_size);
            EXPECT_TRUE((verify<Set, Portable>(v.public_key, v.message, signature)));
            EXPECT_EQ(signature,
                      (sign<Set, Portable>(private_key_of<Set>(v), v.message, i, format)));
        }
    }
}

TYPED_TEST(falcon_sign, loaded_key__same_randomness__same_signature) {
    using Set = TypeParam::Set;
    using Backend = TypeParam::Backend;
    const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
    const auto scratch = std::make_unique<SignScratch<Set, Backend>>();
    const auto key = std::make_unique<LoadedPrivateKey<Set, Backend>>();
    const Vector& v = this->vectors.front();
    std::array<std::uint8_t, Set::padded_signature_size> signature{};
    const auto sign_loaded = [&](std::uint8_t random) {
        return key->sign(v.message, randomness_of(random), Format::compressed, signature, *scratch);
    };
    EXPECT_EQ(sign_loaded(0).error(), Code::state_wrong);
    ASSERT_TRUE(key->load(private_key_of<Set>(v), *workspace));
    for (std::uint8_t i = 0; i < 4; ++i) {
        const Result<std::size_t> size = sign_loaded(i);
        ASSERT_TRUE(size);
        EXPECT_EQ(
            ByteVector(signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(*size)),
            (sign<Set, Portable>(private_key_of<Set>(v), v.message, i, Format::compressed)));
    }
}

TYPED_TEST(falcon_sign, private_key__malformed__refused) {
    using Set = TypeParam::Set;
    const auto refused = [](const ByteVector& bytes) {
        return sign<Set, typename TypeParam::Backend>(
                   std::span(bytes).template first<Set::private_key_size>(), {}, 0,
                   Format::compressed)
            .empty();
    };
    const ByteVector& key = this->vectors.front().private_key;
    EXPECT_FALSE(refused(key));
    ByteVector other = key;
    other[0] ^= 1;
    EXPECT_TRUE(refused(other)) << "header";
    other = key;
    other[1] = 0x80;  // the least value of any width
    EXPECT_TRUE(refused(other)) << "f";
    other = key;
    other.back() = 0x80;
    EXPECT_TRUE(refused(other)) << "F";
    other = key;
    std::fill(other.begin() + 1, other.end(), 0);
    EXPECT_TRUE(refused(other)) << "f without an inverse";
    other = key;
    other[1] ^= 4;  // another f: G is not small
    EXPECT_TRUE(refused(other)) << "G";
}

// The operations of both policies on numbers as Falcon has them: exponents of both signs, equal
// and cancelling magnitudes, zeros.
TEST(falcon_emulated, operations__random_numbers__as_hardware) {
    std::mt19937_64 generator(11);
    const auto random_bits = [&](unsigned spread) {
        const std::uint64_t exponent = 1023 - spread + generator() % (2 * spread + 1);
        return (generator() & 0x800fffffffffffff) | exponent << 52U;
    };
    const auto check = [](std::uint64_t a_bits, std::uint64_t b_bits) {
        const auto a = Hardware::from_bits(a_bits), b = Hardware::from_bits(b_bits);
        const auto c = Emulated::from_bits(a_bits), d = Emulated::from_bits(b_bits);
        ASSERT_EQ((a + b).bits(), (c + d).bits()) << a_bits << ' ' << b_bits;
        ASSERT_EQ((a - b).bits(), (c - d).bits()) << a_bits << ' ' << b_bits;
        ASSERT_EQ((a * b).bits(), (c * d).bits()) << a_bits << ' ' << b_bits;
        if (b_bits << 1U != 0) {
            ASSERT_EQ((a / b).bits(), (c / d).bits()) << a_bits << ' ' << b_bits;
        }
        ASSERT_EQ(a.half().bits(), c.half().bits());
        ASSERT_EQ((a * a).square_root().bits(), (c * c).square_root().bits());
        ASSERT_EQ((-a).bits(), (-c).bits());
        const auto value = std::bit_cast<double>(a_bits);
        if (std::abs(value) < 0x1p50) {
            ASSERT_EQ(a.floor(), c.floor()) << value;
            ASSERT_EQ(a.round(), c.round()) << value;
            ASSERT_EQ(a.truncate(), c.truncate()) << value;
        }
    };
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t a = random_bits(i % 64 + 1), b = random_bits(i % 64 + 1);
        check(a, b);
        check(a, a);
        check(a, a ^ (std::uint64_t{1} << 63U));
        check(a, a ^ (generator() % 4));
        check(a, 0);
        check(0, std::uint64_t{1} << 63U);
        check(std::uint64_t{1} << 63U, std::uint64_t{1} << 63U);
        // Ties, and one beside them.
        const auto tie = std::bit_cast<std::uint64_t>(
            static_cast<double>(static_cast<std::int64_t>(generator() % 4096) - 2048) + 0.5);
        check(tie, b);
        check(tie + 1, b);
        check(tie - 1, b);
        const auto integer = static_cast<std::int64_t>(generator()) >> (i % 64);
        ASSERT_EQ(Hardware::from_integer(integer).bits(), Emulated::from_integer(integer).bits());
    }
}

// The bytes of a vector in place of random ones.
template <class Backend_>
struct GivenBytes {
    using Backend = Backend_;

    ByteVector bytes;
    std::size_t used = 0;

    const std::uint8_t* take(std::size_t size) {
        used += size;
        EXPECT_LE(used, bytes.size());
        return bytes.data() + (used <= bytes.size() ? used - size : 0);
    }
};

template <class Real, class Backend = Portable>
void check_sampler_z() {
    std::ifstream file("core/crypto/falcon/vectors/sampler_z.txt");
    std::string bytes;
    double mu = 0, sigma = 0, sigma_min = 0;
    std::int64_t z = 0;
    int count = 0;
    while (file >> mu >> sigma >> sigma_min >> bytes >> z) {
        GivenBytes<Backend> source{test::unhex(bytes)};
        const auto real = [](double value) {
            return Real::from_bits(std::bit_cast<std::uint64_t>(value));
        };
        EXPECT_EQ(sampler_z(source, real(mu), real(1.0) / real(sigma), real(sigma_min)), z) << mu;
        EXPECT_EQ(source.used, source.bytes.size());
        ++count;
    }
    EXPECT_EQ(count, 16);
}
TEST(falcon_sampler_z, vectors__hardware__as_given) { check_sampler_z<Hardware>(); }
#if defined(__x86_64__)
TEST(falcon_sampler_z, vectors__avx2__as_given) {
    if (!test::runs_here<Avx2>()) GTEST_SKIP() << "NOT RUN: this processor has no AVX2";
    check_sampler_z<Hardware, Avx2>();
}
// Beside and at each entry of the table.
TEST(falcon_base_sampler, table__entries_and_neighbours__as_portable) {
    if (!test::runs_here<Avx2>()) GTEST_SKIP() << "NOT RUN: this processor has no AVX2";
    for (std::size_t i = 0; i < rcdt.size(); ++i) {
        for (int offset = -1; offset <= 1; ++offset) {
            const std::uint64_t low = rcdt[i].low + static_cast<std::uint64_t>(offset);
            std::array<std::uint8_t, 9> bytes{static_cast<std::uint8_t>(rcdt[i].high)};
            store_big_endian(bytes.data() + 1, low);
            const std::int32_t z0 = base_sampler<Portable>(bytes.data());
            EXPECT_EQ(z0, static_cast<std::int32_t>(i) + (offset < 0 ? 1 : 0));
            EXPECT_EQ(base_sampler<Avx2>(bytes.data()), z0);
        }
    }
}
#endif
TEST(falcon_sampler_z, vectors__emulated__as_given) { check_sampler_z<Emulated>(); }

}  // namespace
}  // namespace quoin::core::falcon::fixture
