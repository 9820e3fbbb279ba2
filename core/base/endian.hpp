// Words from and to bytes. Written out by a fold, not a loop: only so does g++ -O2 make one load or
// one store of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace quoin::core {

template <class Word>
constexpr Word load_little_endian(const std::uint8_t* bytes) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return static_cast<Word>(((static_cast<Word>(bytes[I]) << (8 * I)) | ...));
    }(std::make_index_sequence<sizeof(Word)>());
}

template <class Word>
constexpr void store_little_endian(std::uint8_t* bytes, Word word) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((bytes[I] = static_cast<std::uint8_t>(word >> (8 * I))), ...);
    }(std::make_index_sequence<sizeof(Word)>());
}

template <class Word>
constexpr void store_big_endian(std::uint8_t* bytes, Word word) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((bytes[I] = static_cast<std::uint8_t>(word >> (8 * (sizeof(Word) - 1 - I)))), ...);
    }(std::make_index_sequence<sizeof(Word)>());
}

}  // namespace quoin::core
