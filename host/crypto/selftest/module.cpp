#include "host/crypto/selftest/module.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>

#include "host/approved_mode.hpp"
#include "host/crypto/entropy/source.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/fault.hpp"
#include "host/crypto/selftest/module_parts.hpp"
#include "host/crypto/selftest/table.hpp"

namespace quoin::crypto {
namespace {

using namespace selftest;

constexpr std::size_t max_tests = 64;

struct Module {
    std::atomic<ModuleState> state = ModuleState::untested;
    std::atomic<OSSL_LIB_CTX*> library = nullptr;
    std::atomic<bool> ends_process = false;
    std::atomic<std::size_t> tests = 0;
    std::atomic<std::int64_t> tested_at_ms = 0;
    std::atomic<double> start_ms = 0;
    std::mutex lock;  // of what follows
    std::string failed_test;
    std::array<std::string_view, max_tests> passed_first_use;
    std::size_t passed_first_use_count = 0;
};

// Never freed: static objects may ask while the program ends.
Module& module() {
    static auto& made = *std::make_unique<Module>().release();
    return made;
}

std::string sentence(std::string_view test) {
    return fmt::format(
        "cryptography is stopped: the self-test \"{}\" failed; see quoin crypto selftest", test);
}

[[noreturn]] void end_process(std::string_view test) {
    const std::string text = sentence(test) + "\n";
    // Nothing can be done about a closed standard error.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(exit_code(Code::integrity_mismatch));
}

Result<void> run(const SelfTest& test, OSSL_LIB_CTX* library) {
    if (!test.run(Trial(test.name, library))) return stop_module(test.name);
    count_passed();
    return {};
}

}  // namespace

namespace selftest {

bool Trial::gives(Bytes computed, Bytes known) const {
    return std::ranges::equal(computed, known) != is_broken(test_);
}

bool Trial::holds(bool computed) const { return computed != is_broken(test_); }

void count_passed() {
    ++module().tests;
    module().tested_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count();
}

bool is_stopped() noexcept {
    return module().state.load(std::memory_order_acquire) == ModuleState::failed;
}

std::string stopped_message() {
    const std::scoped_lock lock(module().lock);
    return sentence(module().failed_test);
}

Result<void> power_on(OSSL_LIB_CTX* library, bool has_quoin) {
    const auto start = std::chrono::steady_clock::now();
    module().library = library;
    for (const auto& tests : {symmetric_tests(), asymmetric_tests()}) {
        for (const SelfTest& test : tests) {
            const bool is_due =
                test.when == When::start || (test.when == When::start_with_quoin && has_quoin);
            if (is_due) QUOIN_CHECK(run(test, library));
        }
    }
    module().start_ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    ModuleState expected = ModuleState::untested;
    module().state.compare_exchange_strong(expected, ModuleState::operational);
    if (is_stopped()) return fail(Code::integrity_mismatch, "{}", stopped_message());
    return {};
}

Result<void> first_use(std::string_view name, OSSL_LIB_CTX* library) {
    {
        const std::scoped_lock lock(module().lock);
        if (std::ranges::contains(
                std::span(module().passed_first_use).first(module().passed_first_use_count),
                name)) {
            return {};
        }
    }
    const auto tests = asymmetric_tests();
    const auto found = std::ranges::find(tests, name, &SelfTest::name);
    if (found == tests.end()) return fail(Code::internal, "there is no self-test \"{}\"", name);
    QUOIN_CHECK(run(*found, library));
    const std::scoped_lock lock(module().lock);
    module().passed_first_use.at(module().passed_first_use_count++) = found->name;
    return {};
}

}  // namespace selftest

ModuleReport module_report() {
    Module& own = module();
    const std::scoped_lock lock(own.lock);
    return {.state = own.state,
            .failed_test = own.failed_test,
            .tests = own.tests,
            .tested_at_ms = own.tested_at_ms,
            .start_ms = own.start_ms};
}

std::string_view module_state_name(ModuleState state) {
    switch (state) {
        case ModuleState::untested:
            return "untested";
        case ModuleState::operational:
            return "operational";
        case ModuleState::failed:
            break;
    }
    return "failed";
}

std::string module_line() {
    const ModuleReport report = module_report();
    std::string line =
        fmt::format("crypto state={} mode={} tests={} start_ms={:.1f} entropy_samples={}",
                    module_state_name(report.state), approved_mode() ? "approved" : "standard",
                    report.tests, report.start_ms, entropy::samples_tested());
    if (!report.failed_test.empty()) line += fmt::format(" failed=\"{}\"", report.failed_test);
    return line;
}

Result<void> operational() {
    if (module().state.load(std::memory_order_acquire) == ModuleState::operational) return {};
    if (library() == nullptr) return fail(Code::internal, "OpenSSL: no library context");
    if (is_stopped()) return fail(Code::integrity_mismatch, "{}", stopped_message());
    return {};
}

std::unexpected<Error> stop_module(std::string_view test) {
    Module& own = module();
    {
        const std::scoped_lock lock(own.lock);
        if (own.failed_test.empty()) own.failed_test = test;
        own.state.store(ModuleState::failed, std::memory_order_release);
    }
    // No algorithm has this property: from now on nothing is found in the context.
    if (own.library != nullptr) EVP_set_default_properties(own.library, "quoin.stopped=yes");
    if (own.ends_process) end_process(test);
    return fail(Code::integrity_mismatch, "{}", stopped_message());
}

Result<void> before_signing(std::string_view algorithm) {
    QUOIN_CHECK(operational());
    // The others were tested at the start.
    if (!algorithm.starts_with("SLH-DSA-")) return {};
    return first_use(fmt::format("{} sign", algorithm), library());
}

void end_process_on_failure() { module().ends_process = true; }

}  // namespace quoin::crypto
