// Keys and hashes of signatures made by others: see vectors/README.md.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <string_view>

#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/known_answers/vectors/slh_dsa_sha2.hpp"
#include "core/crypto/known_answers/vectors/slh_dsa_shake.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/slh_dsa/fixture.hpp"
#include "core/crypto/test_drbg.hpp"

namespace quoin::core::slh_dsa {
namespace {

template <class Set>
ByteVector hash_of(Bytes signature) {
    ByteVector digest(32);
    if constexpr (Set::is_shake) {
        keccak::Sha3_256<>::digest(std::span(digest).template first<32>(), signature);
    } else {
        const auto whole = sha2::Sha256::of(signature);
        digest.assign(whole.begin(), whole.end());
    }
    return digest;
}

template <class Set, class Backend>
void check_verify(Bytes key, Bytes message, Bytes signature) {
    if constexpr (test::is_built<Backend>) {
        if (!test::runs_here<Backend>()) {
            std::cout << "NOT RUN: this processor has no instructions of one of the backends\n";
            return;
        }
        EXPECT_TRUE((verify_bytes<Set, Backend>(key, message, {}, signature)));
    }
}

template <class Set, class Backend>
void check_signing(std::map<std::string, ByteVector>& fields) {
    if constexpr (test::is_built<Backend>) {
        if (!test::runs_here<Backend>()) {
            std::cout << "NOT RUN: this processor has no instructions of one of the backends\n";
            return;
        }
        test::Drbg drbg(fields["seed"]);
        const ByteVector seeds = drbg.take(3 * Set::n);
        ByteVector key(Set::private_key_size);
        const auto key_span = std::span(key).template first<Set::private_key_size>();
        keygen<Set, Backend>(std::span(seeds).template first<3 * Set::n>(), key_span);
        EXPECT_EQ(key, fields["sk"]);

        ByteVector signature(Set::signature_size);
        const auto out = std::span(signature).template first<Set::signature_size>();
        ASSERT_TRUE((sign_deterministic<Set, Backend>(key_span, fields["msg"], {}, out)));
        EXPECT_EQ(hash_of<Set>(signature), fields["HashSigDet"]);
        const ByteVector randomness = drbg.take(Set::n);
        ASSERT_TRUE((sign<Set, Backend>(key_span, fields["msg"], {},
                                        std::span(randomness).template first<Set::n>(), out)));
        EXPECT_EQ(hash_of<Set>(signature), fields["HashSigRand"]);
    }
}

namespace known {
using namespace known_answers::slh_dsa_sha2_vectors;
using namespace known_answers::slh_dsa_shake_vectors;
const std::map<std::string_view, Bytes> signatures = {
    {"SLH-DSA-SHA2-128s", signature_sha2_128s},   {"SLH-DSA-SHA2-128f", signature_sha2_128f},
    {"SLH-DSA-SHA2-192s", signature_sha2_192s},   {"SLH-DSA-SHA2-192f", signature_sha2_192f},
    {"SLH-DSA-SHA2-256s", signature_sha2_256s},   {"SLH-DSA-SHA2-256f", signature_sha2_256f},
    {"SLH-DSA-SHAKE-128s", signature_shake_128s}, {"SLH-DSA-SHAKE-128f", signature_shake_128f},
    {"SLH-DSA-SHAKE-192s", signature_shake_192s}, {"SLH-DSA-SHAKE-192f", signature_shake_192f},
    {"SLH-DSA-SHAKE-256s", signature_shake_256s}, {"SLH-DSA-SHAKE-256f", signature_shake_256f},
};
}  // namespace known

// The known answers were made by OpenSSL; the hash says that they are the vectors' signatures.
template <class Set>
bool check(const std::string& set, std::map<std::string, ByteVector>& fields) {
    if (set != name_of<Set>) return false;
    const Bytes signature = known::signatures.at(set);
    EXPECT_EQ(hash_of<Set>(signature), fields["HashSigDet"]) << set;
    check_verify<Set, Portable>(fields["pk"], fields["msg"], signature);
    check_verify<Set, Avx2>(fields["pk"], fields["msg"], signature);
    if constexpr (!Set::is_shake) {
        check_verify<Set, ShaNi>(fields["pk"], fields["msg"], signature);
    }
    if constexpr (std::is_same_v<Set, Shake_128s> || std::is_same_v<Set, Shake_128f>) {
        check_signing<Set, Portable>(fields);
        check_signing<Set, Avx2>(fields);
    }
    return true;
}

template <class... Sets>
bool check_any(const std::string& set, std::map<std::string, ByteVector>& fields) {
    return (check<Sets>(set, fields) || ...);
}

constexpr const char* path = "core/crypto/slh_dsa/vectors/slh_dsa.vec";

TEST(vectors, slh_dsa__all_twelve_sets__same_keys_and_signatures) {
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    int cases = 0;
    std::string set;
    std::map<std::string, ByteVector> fields;
    for (std::string line; std::getline(file, line);) {
        const std::size_t equals = line.find(" = ");
        if (line.starts_with('#') || equals == std::string::npos) continue;
        const std::string name = line.substr(0, equals);
        const std::string value = line.substr(equals + 3);
        if (name == "SphincsParameterSet") {
            set = value;
        } else {
            fields[name] = test::unhex(value);
        }
        if (name != "HashSigRand") continue;
        ++cases;
        EXPECT_TRUE(
            (check_any<Sha2_128s, Sha2_128f, Sha2_192s, Sha2_192f, Sha2_256s, Sha2_256f, Shake_128s,
                       Shake_128f, Shake_192s, Shake_192f, Shake_256s, Shake_256f>(set, fields)))
            << set;
    }
    EXPECT_EQ(cases, 12);
}

// The file here is whole: with the shared one, nothing more is to be run.
TEST(vectors, slh_dsa__file_in_shared__is_the_one_run_here) {
    const std::string shared = "../shared/vectors/slh_dsa.vec";
    std::ifstream theirs(shared);
    if (!theirs) GTEST_SKIP() << "NOT RUN: " << shared << " is not there";
    std::ifstream ours(path);
    const std::string our_text{std::istreambuf_iterator<char>(ours), {}};
    const std::string their_text{std::istreambuf_iterator<char>(theirs), {}};
    EXPECT_TRUE(our_text == their_text);
}

}  // namespace
}  // namespace quoin::core::slh_dsa
