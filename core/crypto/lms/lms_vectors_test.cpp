// Signatures and keys made by others: RFC 8554, RFC 9858, and the reference code of its authors, by
// way of Botan's test data. The first lines of each file say which.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "core/crypto/lms/test_signer.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::lms {
namespace {

using test::unhex;
using Case = std::map<std::string, std::string>;

// The cases of a file: a case ends with the line named `last`.
std::vector<Case> read_cases(const std::string& path, const std::string& last) {
    std::ifstream file(path);
    std::vector<Case> cases;
    Case current;
    for (std::string line; std::getline(file, line);) {
        const std::size_t equals = line.find(" =");
        if (line.starts_with('#') || equals == std::string::npos) continue;
        const std::string name = line.substr(0, equals);
        current[name] = line.size() > equals + 3 ? line.substr(equals + 3) : "";
        if (name == last) {
            cases.push_back(current);
            current.clear();
        }
    }
    return cases;
}

// Runs `work` with the backends that this processor has.
template <class Family, class Work>
void with_backends(Work work) {
    work.template operator()<Family, Portable>();
    if constexpr (avx2_is_built) {
        if (test::runs_here<Avx2>()) work.template operator()<Family, Avx2>();
        if constexpr (!Family::is_shake) {
            if (test::runs_here<ShaNi>()) work.template operator()<Family, ShaNi>();
        }
    }
}

// The family of an LMS type code.
template <class Work>
void with_family(unsigned type, Work work) {
    if (type < 0x0a) {
        with_backends<Sha256M32>(work);
    } else if (type < 0x0f) {
        with_backends<Sha256M24>(work);
    } else if (type < 0x14) {
        with_backends<ShakeM32>(work);
    } else {
        with_backends<ShakeM24>(work);
    }
}

class vectors : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        if (!std::ifstream(GetParam() + "/hss_lms_verify.vec")) {
            GTEST_SKIP() << "NOT RUN: " << GetParam() << " is not there";
        }
    }
};

TEST_P(vectors, verify__signatures_of_others__good) {
    const auto cases = read_cases(GetParam() + "/hss_lms_verify.vec", "Signature");
    EXPECT_EQ(cases.size(), 5U);
    for (const Case& one : cases) {
        const ByteVector key = unhex(one.at("PublicKey"));
        const ByteVector message = unhex(one.at("Msg"));
        const ByteVector signature = unhex(one.at("Signature"));
        with_family(key.at(7), [&]<class Family, class Backend>() {
            EXPECT_TRUE((verify<Family, Backend>(key, message, signature)));
            ByteVector other = message;
            other.push_back(0);
            EXPECT_EQ((verify<Family, Backend>(key, other, signature)).error(),
                      Code::integrity_signature);
        });
    }
}

TEST_P(vectors, verify__damaged_signatures__refused) {
    const auto cases = read_cases(GetParam() + "/hss_lms_invalid.vec", "InvalidSignature");
    EXPECT_EQ(cases.size(), 4U);
    for (const Case& one : cases) {
        const ByteVector key = unhex(one.at("PublicKey"));
        const ByteVector message = unhex(one.at("Msg"));
        const ByteVector signature = unhex(one.at("InvalidSignature"));
        with_family(key.at(7), [&]<class Family, class Backend>() {
            const auto verified = verify<Family, Backend>(key, message, signature);
            EXPECT_FALSE(verified) << one.at("PublicKey");
        });
    }
}

TEST_P(vectors, sign__seed_and_index_of_rfc_8554__same_signature) {
    const auto cases = read_cases(GetParam() + "/lms.vec", "HashSig");
    EXPECT_EQ(cases.size(), 3U);
    for (const Case& one : cases) {
        const ByteVector tree_key = unhex(one.at("PublicKey"));
        const auto level = level_of<Sha256M32>(tree_key.at(3), tree_key.at(7));
        ASSERT_TRUE(level);
        with_backends<Sha256M32>([&]<class Family, class Backend>() {
            TestKey<Family, Backend> key({*level}, Bytes(tree_key).subspan(8, 16),
                                         unhex(one.at("Seed")));
            EXPECT_EQ(ByteVector(key.public_key.begin() + 4, key.public_key.end()), tree_key);
            const auto signature = key.sign(std::stoul(one.at("q")), unhex(one.at("Msg")));
            ASSERT_TRUE(signature);
            const auto digest = sha2::Sha256::of(Bytes(*signature).subspan(4));
            EXPECT_EQ(ByteVector(digest.begin(), digest.end()), unhex(one.at("HashSig")));
        });
    }
}

// PrivateKey: u32str(L) || u64str(index) || L times (type, otstype) || SEED || I.
TEST_P(vectors, sign__private_keys_of_the_reference_code__same_signature) {
    const auto cases = read_cases(GetParam() + "/hss_lms_sig.vec", "Signature");
    EXPECT_EQ(cases.size(), 2U);
    for (const Case& one : cases) {
        const ByteVector secret = unhex(one.at("PrivateKey"));
        with_family(secret.at(15), [&]<class Family, class Backend>() {
            Reader reader(secret);
            const std::uint64_t count = *reader.take_unsigned<4>();
            const std::uint64_t index = *reader.take_unsigned<8>();
            std::vector<Level> levels;
            for (std::uint64_t i = 0; i < count; ++i) {
                const std::uint64_t type = *reader.take_unsigned<4>();
                levels.push_back(*level_of<Family>(type, *reader.take_unsigned<4>()));
            }
            const Bytes seed = *reader.take(Family::n);
            TestKey<Family, Backend> key(levels, *reader.take(identifier_size), seed);
            ASSERT_TRUE(reader.finish());
            const ByteVector message = unhex(one.at("Msg"));
            const auto signature = key.sign(index, message);
            ASSERT_TRUE(signature);
            EXPECT_TRUE(*signature == unhex(one.at("Signature")));
            EXPECT_TRUE((verify<Family, Backend>(key.public_key, message, *signature)));
        });
    }
}

INSTANTIATE_TEST_SUITE_P(here, vectors, testing::Values("core/crypto/lms/vectors"));
INSTANTIATE_TEST_SUITE_P(all_in_shared, vectors, testing::Values("../shared/vectors"));

}  // namespace
}  // namespace quoin::core::lms
