#include "host/crypto/measure/measure.hpp"

#include <gtest/gtest.h>

#include <set>

#include "host/crypto/measure/kinds.hpp"
#include "host/crypto/measure/selftest.hpp"
#include "host/crypto/processor.hpp"
#include "host/crypto/selftest/core.hpp"

namespace quoin::crypto::measure {
namespace {

TEST(self_test, every_backend__known_answers__all_right) {
    std::set<std::string> backends;
    std::size_t told = 0;
    const auto results = self_test([&](std::size_t done, std::size_t total) {
        EXPECT_EQ(done, told++);
        EXPECT_LT(done, total);
    });
    for (const SelfTest& result : results) {
        EXPECT_TRUE(result.passed) << result.operation << ", " << result.backend;
        backends.insert(result.backend);
    }
    EXPECT_EQ(told, results.size());
    EXPECT_GT(results.size(), 50U);
    EXPECT_TRUE(backends.contains("portable"));
    EXPECT_EQ(backends.contains("avx2"), processor().avx2);
    EXPECT_EQ(backends.contains("avx512"), processor().avx512);
    EXPECT_EQ(backends.contains("sha-ni"), processor().sha_ni);
    EXPECT_EQ(backends.contains("aes-ni"), processor().aes_ni);
    EXPECT_EQ(backends.contains("vaes"), processor().vaes);
    for (const std::string& missing : missing_backends()) {
        std::cout << "NOT RUN: this processor has no " << missing << '\n';
        EXPECT_FALSE(backends.contains(missing));
    }
}

// The canary of the self-tests.
TEST(self_test, passes__wrong_in_any_place__false) {
    using core::known_answers::Memory, core::known_answers::Operation;
    const auto right = [](const Memory&, unsigned) { return true; };
    const auto wrong = [](const Memory&, unsigned) { return false; };
    const auto wrong_later = [](const Memory&, unsigned round) { return round != 3; };
    EXPECT_TRUE(selftest::passes({"right", right, right, 4}, {}));
    EXPECT_TRUE(selftest::passes({"without a check", right}, {}));
    EXPECT_FALSE(selftest::passes({"wrong", wrong}, {}));
    EXPECT_FALSE(selftest::passes({"wrong answer", right, wrong}, {}));
    EXPECT_FALSE(selftest::passes({"wrong in the last round", wrong_later, right, 4}, {}));
    EXPECT_FALSE(selftest::passes({"wrong answer in the last round", right, wrong_later, 4}, {}));
}

TEST(self_test, slh_dsa__all_twelve_sets_verified__two_signed) {
    std::set<std::string> operations;
    for (const SelfTest& result : self_test({})) {
        if (result.backend == "portable") operations.insert(result.operation);
    }
    for (const std::string hash : {"SHA2", "SHAKE"}) {
        for (const std::string size : {"128s", "128f", "192s", "192f", "256s", "256f"}) {
            const std::string set = "SLH-DSA-" + hash + '-' + size;
            EXPECT_TRUE(operations.contains(set + " verify")) << set;
            EXPECT_EQ(operations.contains(set + " sign"),
                      hash == "SHAKE" && size.starts_with("128"))
                << set;
        }
    }
}

// Both sides once; OpenSSL's refuses what does not fit together by ending the program.
TEST(comparisons, each_once__both_sides__run) {
    std::set<std::string> names;
    for (const Comparison& comparison : comparisons()) {
        EXPECT_TRUE(names.insert(comparison.operation).second) << comparison.operation << " twice";
        comparison.ours();
        if (comparison.openssl) comparison.openssl();
    }
    EXPECT_TRUE(names.contains("ML-DSA-65 sign"));
    EXPECT_TRUE(names.contains("ML-KEM-768 decaps"));
    EXPECT_TRUE(names.contains("X25519MLKEM768 server"));
}

TEST(must_work, refused__ends_the_program) {
    must_work(true, "nothing");
    EXPECT_DEATH(must_work(false, "nothing"), "");
}

TEST(run, a_comparison__divides_by_its_calls) {
    const Comparison thousand{"nothing", [] {}, [] {}, 1000};
    const auto outcome = run(thousand, {.rounds = 3, .round_us = 100});
    EXPECT_LT(outcome.ours_us, 1);
    EXPECT_GT(outcome.ratio, 0);
}

}  // namespace
}  // namespace quoin::crypto::measure
