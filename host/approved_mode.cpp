#include "host/approved_mode.hpp"

#include <atomic>
#include <cstdlib>

namespace quoin {
namespace {

constexpr const char* variable = "QUOIN_FIPS_MODE";

bool at_start() {
    if constexpr (QUOIN_APPROVED_MODE != 0) return true;
    const char* const given = std::getenv(variable);
    const std::string_view value = given == nullptr ? "" : given;
    return !value.empty() && value != "0";
}

std::atomic<bool>& mode() {
    static std::atomic<bool> on = at_start();
    return on;
}

}  // namespace

bool approved_mode() { return mode().load(std::memory_order_relaxed); }

void enter_approved_mode() {
    mode() = true;
    ::setenv(variable, "1", 1);
}

Result<void> check_words(std::span<char* const> words) {
    if (!approved_mode()) return {};
    for (const std::string_view word : words) {
        if (word.starts_with("--danger-") && word != "--danger-forever") {
            return fail(Code::config_invalid, "{} is not allowed in approved mode", word);
        }
    }
    return {};
}

}  // namespace quoin
