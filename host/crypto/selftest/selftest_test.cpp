// Each self-test is made to fail once, in a process of its own: the module names it and stops.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "host/crypto/crypto.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/fault.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/crypto/selftest/module_parts.hpp"
#include "host/crypto/selftest/pair.hpp"
#include "host/crypto/selftest/table.hpp"
#include "host/crypto/stream_digest.hpp"

namespace quoin::crypto {
namespace {

std::string& broken() {
    static std::string test;
    return test;
}

// Runs `work` in a child with this fault; "" if it held, else what did not.
template <class Work>
std::string with_fault(const std::string& test, Work work) {
    int ends[2];
    if (::pipe(ends) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
        broken() = test;
        const std::string wrong = work();
        const bool told = ::write(ends[1], wrong.data(), wrong.size()) >= 0;
        ::_exit(told ? 0 : 1);
    }
    ::close(ends[1]);
    std::string wrong;
    char piece[256];
    for (ssize_t got = 0; (got = ::read(ends[0], piece, sizeof piece)) > 0;) {
        wrong.append(piece, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) wrong += fmt::format("the child ended with status {}", status);
    return wrong;
}

// What must not work in a stopped module; "" if nothing does.
std::string what_still_works(const std::string& test) {
    std::string wrong;
    const auto refuses = [&](std::string_view what, const auto& result) {
        if (result) {
            wrong += fmt::format("{} works; ", what);
        } else if (!result.error().message.contains("\"" + test + "\"")) {
            wrong += fmt::format("{} says {}; ", what, result.error().message);
        }
    };
    std::array<std::uint8_t, 32> bytes{};
    refuses("operational", operational());
    refuses("sha256", sha256(bytes));
    refuses("sha3_512", sha3_512(bytes));
    refuses("a stream", Sha3_512Stream::begin());
    refuses("random_bytes", random_bytes(bytes));
    for (const AlgorithmInfo& row : algorithms()) {
        refuses(row.name, PrivateKey::generate(row.algorithm));
    }
    refuses("a public key", PublicKey::from_spki_der(bytes));
    for (const char* const name : {"SHA2-256", "SHA3-512"}) {
        EVP_MD* const found = EVP_MD_fetch(library(), name, nullptr);
        if (found != nullptr) wrong += fmt::format("{} is found; ", name);
    }
    if (EVP_PKEY_Q_keygen(library(), nullptr, "X25519") != nullptr) wrong += "X25519 is found; ";
    if (module_report().state != ModuleState::failed || module_report().failed_test != test) {
        wrong += fmt::format("the report names {}; ", module_report().failed_test);
    }
    return wrong;
}

// No test of this program may make the library context before the last of these: it is the
// process's, and children inherit it.
TEST(selftest, every_known_answer__made_wrong__stops_the_module) {
    for (const auto& tests : {selftest::symmetric_tests(), selftest::asymmetric_tests()}) {
        for (const selftest::SelfTest& test : tests) {
            const std::string name(test.name);
            EXPECT_EQ(with_fault(name,
                                 [&] {
                                     if (test.when == selftest::When::first_use) {
                                         static_cast<void>(selftest::first_use(name, library()));
                                     }
                                     return what_still_works(name);
                                 }),
                      "")
                << name;
        }
    }
}

TEST(selftest, every_pair__inconsistent__key_discarded_and_module_stopped) {
    for (const AlgorithmInfo& row : algorithms()) {
        const std::string name = fmt::format("pair of {}", row.name);
        EXPECT_EQ(with_fault(name,
                             [&] {
                                 return PrivateKey::generate(row.algorithm)
                                            ? "a key was made"
                                            : what_still_works(name);
                             }),
                  "")
            << name;
    }
}

TEST(selftest, a_key_that_was_there__module_stopped__neither_signs_nor_verifies) {
    EXPECT_EQ(with_fault("",
                         []() -> std::string {
                             const auto key = PrivateKey::generate(Algorithm::ml_dsa_65);
                             if (!key) return key.error().message;
                             const auto pair = key->public_key();
                             const auto signature = key->sign(bytes_of("x"));
                             if (!pair || !signature) return "no signature before";
                             static_cast<void>(stop_module("drill"));
                             if (key->sign(bytes_of("x"))) return "signs";
                             if (pair->verify(bytes_of("x"), *signature)) return "verifies";
                             if (key->public_key()) return "gives its public half";
                             return what_still_works("drill");
                         }),
              "");
}

TEST(selftest, a_program__a_test_fails__ends_with_the_sentence) {
    EXPECT_EXIT(
        {
            broken() = "SHA3-512";
            end_process_on_failure();
            static_cast<void>(operational());
        },
        testing::ExitedWithCode(exit_code(Code::integrity_mismatch)),
        "self-test \"SHA3-512\" failed");
}

// Last: this process's own context.
TEST(selftest_sound, nothing_made_wrong__all_are_passed) {
    const auto ready = operational();
    ASSERT_TRUE(ready) << ready.error().message;
    EXPECT_EQ(module_report().state, ModuleState::operational);
    EXPECT_GE(module_report().tests, 25U);
    std::printf("self-tests at the start: %.1f ms\n", module_report().start_ms);
    for (const AlgorithmInfo& row : algorithms()) {
        const auto key = PrivateKey::generate(row.algorithm);
        ASSERT_TRUE(key) << key.error().message;
    }
}

}  // namespace

namespace selftest {
bool is_broken(std::string_view test) { return test == broken(); }
}  // namespace selftest

}  // namespace quoin::crypto
