// Vectors made by others (vectors/README.md): the few in this folder, and all of ../shared/vectors.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "core/crypto/keccak/keccak.hpp"
#include "core/crypto/ml_kem/fixture.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_drbg.hpp"

namespace quoin::core::ml_kem {
namespace {

using fixture::Encapsulated;
using fixture::Ours;
using fixture::Pair;
using test::ByteVector;

using Fields = std::map<std::string, ByteVector>;

// Gives run(set name, fields) each block of a file; returns how many there were, -1 without a file.
template <class Run>
int for_each_block(const std::string& path, Run run) {
    std::ifstream file(path);
    if (!file) return -1;
    std::string section;
    Fields fields;
    int blocks = 0;
    const auto end_block = [&] {
        if (fields.empty()) return;
        run(section, fields);
        fields.clear();
        ++blocks;
    };
    for (std::string line; std::getline(file, line);) {
        const std::size_t equals = line.find(" = ");
        if (equals == std::string::npos) {
            end_block();
            if (line.starts_with('[')) section = line.substr(1, line.size() - 2);
            continue;
        }
        fields[line.substr(0, equals)] = test::unhex(line.substr(equals + 3));
    }
    end_block();
    return blocks;
}

ByteVector short_hash(const ByteVector& bytes, std::size_t size) {
    ByteVector output(size);
    keccak::Shake256<>::digest(output, bytes);
    return output;
}

template <class Set, class Backend>
void run_kat(const Fields& fields) {
    using Our = Ours<Set, Backend>;
    test::Drbg drbg(fields.at("Seed"));
    const ByteVector z = drbg.take(32);
    const ByteVector d = drbg.take(32);
    const Pair pair = Our::generate(d, z);
    EXPECT_EQ(short_hash(pair.ek, 16), fields.at("PK"));
    // SK and DK are hashes of the 64-byte seed, Botan's private key, and say nothing of ours.
    const Encapsulated encapsulated = Our::encapsulate(pair.ek, drbg.take(32));
    EXPECT_EQ(short_hash(encapsulated.ciphertext, 16), fields.at("CT"));
    EXPECT_EQ(encapsulated.secret, fields.at("SS"));
    EXPECT_EQ(Our::decapsulate(pair.dk, encapsulated.ciphertext), fields.at("SS"));
    EXPECT_EQ(Our::decapsulate(pair.dk, fields.at("CT_N")), fields.at("SS_N"));
}

template <class Set, class Backend>
void run_keygen(const Fields& fields) {
    const Pair pair = Ours<Set, Backend>::generate(fields.at("D"), fields.at("Z"));
    EXPECT_EQ(short_hash(pair.ek, 16), fields.at("EK"));
}

template <class Set, class Backend>
void run_encapsulation(const Fields& fields) {
    const Encapsulated encapsulated =
        Ours<Set, Backend>::encapsulate(fields.at("EK"), fields.at("M"));
    EXPECT_EQ(short_hash(encapsulated.ciphertext, 16), fields.at("C"));
    EXPECT_EQ(encapsulated.secret, fields.at("K"));
}

struct Kat {
    template <class Set, class Backend>
    static void run(const Fields& fields) {
        run_kat<Set, Backend>(fields);
    }
};
struct Keygen {
    template <class Set, class Backend>
    static void run(const Fields& fields) {
        run_keygen<Set, Backend>(fields);
    }
};
struct Encapsulation {
    template <class Set, class Backend>
    static void run(const Fields& fields) {
        run_encapsulation<Set, Backend>(fields);
    }
};

template <class What, class Backend>
int run_file(const std::string& path) {
    return for_each_block(path, [](const std::string& section, const Fields& fields) {
        if (section == "ML-KEM-512") return What::template run<Set512, Backend>(fields);
        if (section == "ML-KEM-768") return What::template run<Set768, Backend>(fields);
        if (section == "ML-KEM-1024") return What::template run<Set1024, Backend>(fields);
        FAIL() << section;
    });
}

template <class Backend>
class vectors : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor lacks the backend";
        }
    }
};

using Backends = std::conditional_t<avx2_is_built, testing::Types<Portable, Avx2, Avx512>,
                                    testing::Types<Portable>>;
TYPED_TEST_SUITE(vectors, Backends);

TYPED_TEST(vectors, ml_kem__the_few_in_this_folder__pass) {
    const std::string folder = "core/crypto/ml_kem/vectors/";
    EXPECT_EQ((run_file<Kat, TypeParam>(folder + "ml_kem.vec")), 3);
    EXPECT_EQ((run_file<Keygen, TypeParam>(folder + "ml_kem_acvp_keygen.vec")), 6);
    EXPECT_EQ((run_file<Encapsulation, TypeParam>(folder + "ml_kem_acvp_encap.vec")), 3);
}

TYPED_TEST(vectors, ml_kem__all_in_shared__pass) {
    const std::string folder = "../shared/vectors/";
    if (!std::ifstream(folder + "ml_kem.vec")) {
        GTEST_SKIP() << "NOT RUN: " << folder << " is not there";
    }
    EXPECT_EQ((run_file<Kat, TypeParam>(folder + "ml_kem.vec")), 75);
    EXPECT_EQ((run_file<Keygen, TypeParam>(folder + "ml_kem_acvp_keygen.vec")), 75);
    EXPECT_EQ((run_file<Encapsulation, TypeParam>(folder + "ml_kem_acvp_encap.vec")), 75);
}

}  // namespace
}  // namespace quoin::core::ml_kem
