// Run under valgrind by ctest: marks secrets as undefined, so that memcheck reports every branch
// and index that depends on them.
// usage: constant_time_check equal | wipe | leak
// leak compares the usual, early-ending way: memcheck must report it, or this proves nothing.
#include <valgrind/memcheck.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "core/base/constant_time.hpp"
#include "core/base/secret.hpp"

namespace {

using quoin::core::ct::equal;

struct KeyTag;
using Key = quoin::core::Secret<KeyTag, 32>;

Key undefined_key(std::uint8_t fill) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(fill);
    Key key(bytes);
    VALGRIND_MAKE_MEM_UNDEFINED(key.expose_to_fill().data(), key.expose().size());
    return key;
}

// What is allowed to depend on the secret: the answer.
bool declassify(bool answer) {
    VALGRIND_MAKE_MEM_DEFINED(&answer, sizeof answer);
    return answer;
}

bool early_ending_equal(quoin::Bytes a, quoin::Bytes b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

}  // namespace

int main(int argument_count, char** arguments) {
    const std::string_view what = argument_count == 2 ? arguments[1] : "";
    if (RUNNING_ON_VALGRIND == 0) {
        std::fputs("constant_time_check: run me under valgrind\n", stderr);
        return 2;
    }
    Key a = undefined_key(1);
    const Key b = undefined_key(1);
    bool answer = false;
    if (what == "equal") {
        answer = declassify(equal(a.expose(), b.expose()));
    } else if (what == "wipe") {
        quoin::core::ct::wipe(a.expose_to_fill());
        answer = a.expose()[0] == 0;
    } else if (what == "leak") {
        answer = declassify(early_ending_equal(a.expose(), b.expose()));
    } else {
        std::fputs("unknown check\n", stderr);
        return 2;
    }
    return answer ? 0 : 1;
}
