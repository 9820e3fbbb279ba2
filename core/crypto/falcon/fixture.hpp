// For tests: vectors of others, and buffers of run-time size.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/crypto/falcon/falcon.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_hex.hpp"

namespace quoin::core::falcon::fixture {

using test::ByteVector;

struct Vector {
    ByteVector public_key, private_key, message, signature;
};

// vectors/NAME.jsonl; none is a failure.
inline std::vector<Vector> read_vectors(const std::string& name) {
    std::ifstream file("core/crypto/falcon/vectors/" + name + ".jsonl");
    std::vector<Vector> vectors;
    for (std::string line; std::getline(file, line);) {
        const auto field = [&](const std::string& key) {  // "key":"hex digits"
            const std::size_t start = line.find('"' + key + "\":\"") + key.size() + 4;
            return test::unhex(line.substr(start, line.find('"', start) - start));
        };
        vectors.push_back({field("pk"), field("sk"), field("msg"), field("sig")});
    }
    EXPECT_FALSE(vectors.empty()) << name;
    return vectors;
}

template <class Set>
std::vector<Vector> vectors_of() {
    if constexpr (Set::n == 1024) return read_vectors("falcon1024");
    std::vector<Vector> vectors = read_vectors("falcon512");
    for (Vector& vector : read_vectors("falcon512_padded")) vectors.push_back(std::move(vector));
    return vectors;
}

template <class Set, class Backend>
Result<void> verify(const ByteVector& public_key, Bytes message, Bytes signature) {
    static const auto workspace = std::make_unique<VerifyWorkspace<Set>>();
    return falcon::verify<Set, Backend>(
        std::span(public_key).template first<Set::public_key_size>(), message, signature,
        *workspace);
}

template <class Set_, class Backend_>
struct Case {
    using Set = Set_;
    using Backend = Backend_;
};

using Cases = testing::Types<Case<Set512, Portable>, Case<Set1024, Portable>
#if defined(__x86_64__)
                             ,
                             Case<Set512, Avx2>, Case<Set1024, Avx2>
#endif
                             >;

using SignCases = testing::Types<Case<Set512, Portable>, Case<Set1024, Portable>,
                                 Case<Set512, Integer>, Case<Set1024, Integer>
#if defined(__x86_64__)
                                 ,
                                 Case<Set512, Avx2>, Case<Set1024, Avx2>
#endif
                                 >;

template <class TypeParam>
class TypedTest : public testing::Test {
protected:
    void SetUp() override {
        if (!test::runs_here<typename TypeParam::Backend>()) {
            GTEST_SKIP() << "NOT RUN: this processor has no such instructions";
        }
    }
};

}  // namespace quoin::core::falcon::fixture
