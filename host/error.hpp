// Errors of hosts: a code and a sentence that names the thing, what was wrong and what to do.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"

namespace quoin {

struct Error {
    Code code;
    std::string message;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using std::expected<T, Error>::expected;
    void value() const = delete;  // it throws: QUOIN_TRY, or operator* after a check
};

// return fail(Code::input_invalid, "{}: line {}: ...", file, line);
template <class... Args>
std::unexpected<Error> fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
    return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// Lifts an error of the core, naming what was being done.
template <class T>
Result<T> lift(core::Result<T> result, std::string_view doing);

// The one table of codes: a stable name ("peer_malformed"), HTTP status, exit code (1 or 2).
std::string_view code_name(Code code);
int http_status(Code code);
int exit_code(Code code);

template <class T>
Result<T> lift(core::Result<T> result, std::string_view doing) {
    if (result) {
        if constexpr (std::is_void_v<T>) {
            return {};
        } else {
            return *std::move(result);
        }
    }
    return fail(result.error(), "{}: {}", doing, code_name(result.error()));
}

}  // namespace quoin
