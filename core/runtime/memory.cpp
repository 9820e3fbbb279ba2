// The functions that a freestanding compiler calls on its own: C23, 7.26 (string.h). strlen is what
// clang makes of a std::string_view of a literal.
//
// Linked into images without a C library only (boards, boot loaders). Word by word where both ends
// are aligned alike: copies of keys and polynomials are, and a Cortex-M4 does them four times
// faster.
#include <cstddef>
#include <cstdint>

namespace {

// May alias everything, as memory does.
using Word [[gnu::may_alias]] = std::size_t;

constexpr std::size_t word_size = sizeof(Word);

bool aligned(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) % word_size == 0;
}

bool aligned_alike(const void* a, const void* b) {
    return (reinterpret_cast<std::uintptr_t>(a) ^ reinterpret_cast<std::uintptr_t>(b)) %
               word_size ==
           0;
}

void copy_up(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
    if (size >= 2 * word_size && aligned_alike(to, from)) {
        for (; !aligned(to); --size) *to++ = *from++;
        for (; size >= word_size; size -= word_size) {
            *reinterpret_cast<Word*>(to) = *reinterpret_cast<const Word*>(from);
            to += word_size;
            from += word_size;
        }
    }
    for (; size > 0; --size) *to++ = *from++;
}

void copy_down(std::uint8_t* to, const std::uint8_t* from, std::size_t size) {
    for (; size > 0; --size) to[size - 1] = from[size - 1];
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) noexcept;
void* memmove(void* to, const void* from, std::size_t size) noexcept;
void* memset(void* to, int value, std::size_t size) noexcept;
int memcmp(const void* a, const void* b, std::size_t size) noexcept;
std::size_t strlen(const char* text) noexcept;

void* memcpy(void* to, const void* from, std::size_t size) noexcept {
    copy_up(static_cast<std::uint8_t*>(to), static_cast<const std::uint8_t*>(from), size);
    return to;
}

void* memmove(void* to, const void* from, std::size_t size) noexcept {
    auto* const target = static_cast<std::uint8_t*>(to);
    const auto* const source = static_cast<const std::uint8_t*>(from);
    const auto distance =
        reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
    if (distance >= size) {  // below `from` too: the difference wraps
        copy_up(target, source, size);
    } else {
        copy_down(target, source, size);
    }
    return to;
}

void* memset(void* to, int value, std::size_t size) noexcept {
    auto* byte = static_cast<std::uint8_t*>(to);
    const auto fill = static_cast<std::uint8_t>(value);
    if (size >= 2 * word_size) {
        for (; !aligned(byte); --size) *byte++ = fill;
        const Word word = static_cast<Word>(-1) / 0xFF * fill;
        for (; size >= word_size; size -= word_size) {
            *reinterpret_cast<Word*>(byte) = word;
            byte += word_size;
        }
    }
    for (; size > 0; --size) *byte++ = fill;
    return to;
}

// Not constant time: secrets are compared with ct::equal.
int memcmp(const void* a, const void* b, std::size_t size) noexcept {
    const auto* const left = static_cast<const std::uint8_t*>(a);
    const auto* const right = static_cast<const std::uint8_t*>(b);
    for (std::size_t i = 0; i < size; ++i) {
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

std::size_t strlen(const char* text) noexcept {
    std::size_t size = 0;
    while (text[size] != 0) ++size;
    return size;
}

}  // extern "C"
