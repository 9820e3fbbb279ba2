// The measuring itself; memcpy, memmove, memset, memcmp: core/runtime's in images without a C
// library, else that library's.
#include <cstddef>

#include "tests/core/image.hpp"
#include "tests/core/platform.hpp"

namespace quoin::tests {
namespace {

using core::known_answers::same;

constexpr std::size_t size = 80;
constexpr std::size_t widest = 40;
std::array<std::uint8_t, size> bytes, expected;

// What the compiler cannot see through: it would answer itself.
template <class T>
T opaque(T value) {
    asm volatile("" : "+r"(value) : : "memory");
    return value;
}

void number() {
    for (std::size_t i = 0; i < size; ++i) expected[i] = bytes[i] = static_cast<std::uint8_t>(i);
}

// Every distance of -20 to 20 bytes, every alignment, every length to 40; what is beside stays.
template <bool May_overlap>
bool moves(const Memory&, unsigned) {
    for (std::size_t to = 0; to < widest; ++to) {
        for (std::size_t length = 0; length < widest; ++length) {
            const std::size_t from = May_overlap ? 20 : to < 20 ? 60 : 0;
            if (!May_overlap && (to + length > 60 || from + length > size)) continue;
            if (!May_overlap && from == 0 && length > to) continue;
            number();
            for (std::size_t i = 0; i < length; ++i) {
                expected[to + i] = static_cast<std::uint8_t>(from + i);
            }
            if (May_overlap) {
                __builtin_memmove(opaque(&bytes[to]), opaque(&bytes[from]), opaque(length));
            } else {
                __builtin_memcpy(opaque(&bytes[to]), opaque(&bytes[from]), opaque(length));
            }
            if (!same(bytes, expected)) return false;
        }
    }
    return true;
}

bool sets(const Memory&, unsigned) {
    for (std::size_t from = 0; from < widest; ++from) {
        for (std::size_t length = 0; length < widest; ++length) {
            number();
            for (std::size_t i = 0; i < length; ++i) expected[from + i] = 0xA7;
            __builtin_memset(opaque(&bytes[from]), opaque(0x5A7), opaque(length));
            if (!same(bytes, expected)) return false;
        }
    }
    return true;
}

bool compares(const Memory&, unsigned) {
    number();
    if (__builtin_memcmp(opaque(bytes.data()), opaque(expected.data()), opaque(size)) != 0) {
        return false;
    }
    bytes[size - 1] = 0xFF;  // unsigned: the greater one
    return __builtin_memcmp(opaque(bytes.data()), opaque(expected.data()), opaque(size)) > 0 &&
           __builtin_memcmp(opaque(expected.data()), opaque(bytes.data()), opaque(size)) < 0 &&
           __builtin_memcmp(opaque(expected.data()), opaque(bytes.data()), opaque(size - 1)) == 0;
}

bool measures(const Memory&, unsigned) {
    return __builtin_strlen(opaque("")) == 0 && __builtin_strlen(opaque("Quoin")) == 5;
}

constexpr std::array operations = {
    Operation{"counting to 1,000,000 instructions",
              [](const Memory&, unsigned) { return platform::instructions_are_counted(); }},
    Operation{"memcpy", moves<false>},
    Operation{"memmove", moves<true>},
    Operation{"memset", sets},
    Operation{"memcmp", compares},
    Operation{"strlen", measures},
};

}  // namespace

Operations machine() { return operations; }

}  // namespace quoin::tests
