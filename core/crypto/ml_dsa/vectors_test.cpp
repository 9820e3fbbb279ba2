// Signatures and keys made by others: vectors/README.md says by whom.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <fstream>
#include <map>

#include "core/crypto/ml_dsa/fixture.hpp"
#include "core/crypto/ml_dsa/typed_fixture.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_drbg.hpp"

namespace quoin::core::ml_dsa::fixture {
namespace {

using test::unhex;

ByteVector sha3_256(const ByteVector& bytes) {
    ByteVector digest(32);
    EVP_Q_digest(nullptr, "SHA3-256", nullptr, bytes.data(), bytes.size(), digest.data(), nullptr);
    return digest;
}

// Calls check(fields so far) at each line that sets `last`.
template <class Check>
void for_each_vector(const std::string& path, const std::string& last, Check check) {
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    std::map<std::string, std::string> fields;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) fields["title"] = line;
        const std::size_t equals = line.find(" = ");
        if (line.starts_with('#') || equals == std::string::npos) continue;
        fields[line.substr(0, equals)] = line.substr(equals + 3);
        if (line.starts_with(last + " = ")) check(fields);
    }
}

template <class Set, class Backend>
int run_deterministic(const std::string& path) {
    int count = 0;
    for_each_vector(path, "HashSig", [&](std::map<std::string, std::string>& fields) {
        const ByteVector xi = test::Drbg(unhex(fields["Seed"])).take(32);
        const KeyPair<Set> pair = Ours<Set, Backend>::keygen(xi);
        EXPECT_EQ(sha3_256(pair.public_key), unhex(fields["HashPk"]));
        EXPECT_EQ(sha3_256(xi), unhex(fields["HashSk"]));  // Botan's private key is the seed
        const ByteVector message = unhex(fields["Msg"]);
        const ByteVector signature =
            Ours<Set, Backend>::sign(pair.private_key, message, {}, no_randomness);
        EXPECT_EQ(sha3_256(signature), unhex(fields["HashSig"]));
        EXPECT_TRUE((Ours<Set, Backend>::verify(pair.public_key, message, {}, signature)));
        ++count;
    });
    return count;
}

template <class Set>
constexpr const char* vector_mode = std::is_same_v<Set, Set44>   ? "ML-DSA-4x4"
                                    : std::is_same_v<Set, Set65> ? "ML-DSA-6x5"
                                                                 : "ML-DSA-8x7";

struct Counts {
    int valid = 0;
    int invalid = 0;
    int wrong_size = 0;  // cannot be asked for: sizes are types
};

template <class Set, class Backend>
Counts run_verify(const std::string& path) {
    Counts counts;
    for_each_vector(path, "Valid", [&](std::map<std::string, std::string>& fields) {
        if (fields["Mode"] != vector_mode<Set>) return;
        const ByteVector signature = unhex(fields["Signature"]);
        const ByteVector public_key = unhex(fields["Key"]);
        const bool valid = fields["Valid"] == "1";
        if (signature.size() != Set::signature_size || public_key.size() != Set::public_key_size) {
            EXPECT_FALSE(valid);
            ++counts.wrong_size;
            return;
        }
        const bool verified =
            Ours<Set, Backend>::verify(public_key, unhex(fields["Msg"]), {}, signature);
        EXPECT_EQ(verified, valid) << fields["title"];
        ++(valid ? counts.valid : counts.invalid);
    });
    return counts;
}

template <class Parameters>
class ml_dsa_vectors : public testing::Test {
    void SetUp() override {
        if (!test::runs_here<typename Parameters::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor lacks the backend";
        }
    }
};
TYPED_TEST_SUITE(ml_dsa_vectors, AllParameters);

TYPED_TEST(ml_dsa_vectors, verify__the_few_in_this_folder__as_they_say) {
    using P = TypeParam;
    const Counts counts = run_verify<typename P::Set, typename P::Backend>(
        "core/crypto/ml_dsa/vectors/ml_dsa_verify.vec");
    const bool set44 = std::is_same_v<typename P::Set, Set44>;  // has each rule of the hint
    EXPECT_EQ(counts.valid, set44 ? 2 : 1);
    EXPECT_EQ(counts.invalid, set44 ? 6 : 2);
    EXPECT_EQ(counts.wrong_size, 1);
}

TYPED_TEST(ml_dsa_vectors, verify__all_in_shared__as_they_say) {
    using P = TypeParam;
    const std::string path = "../shared/vectors/ml_dsa_verify.vec";
    if (!std::ifstream(path)) GTEST_SKIP() << "NOT RUN: " << path << " is not there";
    const Counts counts = run_verify<typename P::Set, typename P::Backend>(path);
    EXPECT_GT(counts.valid, 50);
    EXPECT_GT(counts.invalid, 10);
    EXPECT_GT(counts.wrong_size, 0);
}

template <class Set>
constexpr const char* deterministic_file =
    std::is_same_v<Set, Set44> ? "ml-dsa-4x4_Deterministic.vec" : "ml-dsa-6x5_Deterministic.vec";

TYPED_TEST(ml_dsa_vectors, keygen_and_sign__the_few_in_this_folder__same_hashes) {
    using Set = typename TypeParam::Set;
    if (std::is_same_v<Set, Set87>) GTEST_SKIP() << "nobody published signatures of ML-DSA-87";
    const int count = run_deterministic<Set, typename TypeParam::Backend>(
        std::string("core/crypto/ml_dsa/vectors/") + deterministic_file<Set>);
    EXPECT_EQ(count, 3);
}

TYPED_TEST(ml_dsa_vectors, keygen_and_sign__all_in_shared__same_hashes) {
    using Set = typename TypeParam::Set;
    if (std::is_same_v<Set, Set87>) GTEST_SKIP() << "nobody published signatures of ML-DSA-87";
    const std::string path = std::string("../shared/vectors/") + deterministic_file<Set>;
    if (!std::ifstream(path)) GTEST_SKIP() << "NOT RUN: " << path << " is not there";
    EXPECT_EQ((run_deterministic<Set, typename TypeParam::Backend>(path)), 24);
}

}  // namespace
}  // namespace quoin::core::ml_dsa::fixture
