// How the fields of the secure element's messages are written: big-endian, fixed width or with a
// length in front, by core::Reader and core::Writer. Nothing is optional, nothing may be left over.
//
//   u8 u32 u64          1, 4, 8 bytes
//   enumeration         1 byte, a known value
//   Name                1 byte of length, then 1..64 of [A-Za-z0-9_.-]; not "." or ".."
//   Sized<Max>          length in 1 byte (Max <= 255) or 4, then that many bytes
//   Many<T, Max>        count in 2 bytes, then the items
//   array, Secret       its bytes
//   a struct            what its fields() names, in that order
//
// Errors: peer_malformed (also: a length above its limit), resource_full when writing.
// Threads: plain values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/secret.hpp"

namespace quoin::keys::se {

using ByteVector = std::vector<std::uint8_t>;

bool is_name(std::string_view text);

struct Name {
    std::string text;
    bool operator==(const Name&) const = default;
};

// A view into the message that was read, or of what is to be written.
template <std::size_t Max>
struct Sized {
    Bytes bytes;
};

// The same, owned: what outlives the message.
template <std::size_t Max>
struct Owned {
    ByteVector bytes;
    bool operator==(const Owned&) const = default;
};

template <class T, std::size_t Max>
struct Many {
    std::vector<T> items;
    bool operator==(const Many&) const = default;
};

namespace codec {

using core::Reader;
using core::Writer;

template <class T>
concept Enumeration = std::is_enum_v<T>;
template <class T>
concept Struct = requires(T value) { value.fields(); };
template <class T>
concept Number = std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::uint16_t> ||
                 std::is_same_v<T, std::uint32_t> || std::is_same_v<T, std::uint64_t>;

template <std::size_t Max>
inline constexpr std::size_t width_of_length = Max <= 255 ? 1 : 4;

// One field, by its type. size() is what put() writes.
template <class T>
struct Field;

template <Number T>
struct Field<T> {
    static std::size_t size(T) { return sizeof(T); }
    static core::Result<void> put(Writer& to, T value) { return to.put_unsigned<sizeof(T)>(value); }
    static core::Result<void> take(Reader& from, T& value) {
        QUOIN_TRY(const std::uint64_t taken, from.take_unsigned<sizeof(T)>());
        value = static_cast<T>(taken);
        return {};
    }
};

template <Enumeration T>
struct Field<T> {
    static std::size_t size(T) { return 1; }
    static core::Result<void> put(Writer& to, T value) {
        return to.put_unsigned<1>(std::to_underlying(value));
    }
    static core::Result<void> take(Reader& from, T& value) {
        QUOIN_TRY(const std::uint64_t taken, from.take_unsigned<1>());
        value = static_cast<T>(taken);
        if (!is_known(value)) return std::unexpected(Code::peer_malformed);
        return {};
    }
};

template <std::size_t Size>
struct Field<std::array<std::uint8_t, Size>> {
    static std::size_t size(const std::array<std::uint8_t, Size>&) { return Size; }
    static core::Result<void> put(Writer& to, const std::array<std::uint8_t, Size>& value) {
        return to.put(value);
    }
    static core::Result<void> take(Reader& from, std::array<std::uint8_t, Size>& value) {
        QUOIN_TRY(const Bytes taken, from.take(Size));
        std::ranges::copy(taken, value.begin());
        return {};
    }
};

template <class Tag, std::size_t Size>
struct Field<core::Secret<Tag, Size>> {
    static std::size_t size(const core::Secret<Tag, Size>&) { return Size; }
    static core::Result<void> put(Writer& to, const core::Secret<Tag, Size>& value) {
        return to.put(value.expose());
    }
    static core::Result<void> take(Reader& from, core::Secret<Tag, Size>& value) {
        QUOIN_TRY(const Bytes taken, from.take(Size));
        std::ranges::copy(taken, value.expose_to_fill().begin());
        return {};
    }
};

template <std::size_t Max>
struct Field<Sized<Max>> {
    static std::size_t size(const Sized<Max>& value) {
        return width_of_length<Max> + value.bytes.size();
    }
    static core::Result<void> put(Writer& to, const Sized<Max>& value) {
        if (value.bytes.size() > Max) return std::unexpected(Code::resource_full);
        QUOIN_CHECK(to.put_unsigned<width_of_length<Max>>(value.bytes.size()));
        return to.put(value.bytes);
    }
    static core::Result<void> take(Reader& from, Sized<Max>& value) {
        QUOIN_TRY(const std::uint64_t length, from.take_unsigned<width_of_length<Max>>());
        if (length > Max) return std::unexpected(Code::peer_malformed);
        QUOIN_TRY(value.bytes, from.take(length));
        return {};
    }
};

template <std::size_t Max>
struct Field<Owned<Max>> {
    static std::size_t size(const Owned<Max>& value) {
        return Field<Sized<Max>>::size({value.bytes});
    }
    static core::Result<void> put(Writer& to, const Owned<Max>& value) {
        return Field<Sized<Max>>::put(to, {value.bytes});
    }
    static core::Result<void> take(Reader& from, Owned<Max>& value) {
        Sized<Max> view;
        QUOIN_CHECK(Field<Sized<Max>>::take(from, view));
        value.bytes.assign(view.bytes.begin(), view.bytes.end());
        return {};
    }
};

template <>
struct Field<Name> {
    static std::size_t size(const Name& value) { return 1 + value.text.size(); }
    static core::Result<void> put(Writer& to, const Name& value) {
        if (!is_name(value.text)) return std::unexpected(Code::input_invalid);
        return Field<Sized<64>>::put(to, {bytes_of(value.text)});
    }
    static core::Result<void> take(Reader& from, Name& value) {
        Sized<64> view;
        QUOIN_CHECK(Field<Sized<64>>::take(from, view));
        value.text = text_of(view.bytes);
        if (!is_name(value.text)) return std::unexpected(Code::peer_malformed);
        return {};
    }
};

template <class T, std::size_t Max>
struct Field<Many<T, Max>> {
    static std::size_t size(const Many<T, Max>& value) {
        std::size_t sum = 2;
        for (const T& item : value.items) sum += Field<T>::size(item);
        return sum;
    }
    static core::Result<void> put(Writer& to, const Many<T, Max>& value) {
        if (value.items.size() > Max) return std::unexpected(Code::resource_full);
        QUOIN_CHECK(to.put_unsigned<2>(value.items.size()));
        for (const T& item : value.items) QUOIN_CHECK(Field<T>::put(to, item));
        return {};
    }
    static core::Result<void> take(Reader& from, Many<T, Max>& value) {
        QUOIN_TRY(const std::uint64_t count, from.take_unsigned<2>());
        if (count > Max) return std::unexpected(Code::peer_malformed);
        value.items.clear();
        for (std::uint64_t i = 0; i < count; ++i) {
            QUOIN_CHECK(Field<T>::take(from, value.items.emplace_back()));
        }
        return {};
    }
};

template <Struct T>
struct Field<T> {
    static std::size_t size(const T& value) {
        return std::apply(
            [](const auto&... field) {
                return (std::size_t{0} + ... + Field<std::decay_t<decltype(field)>>::size(field));
            },
            value.fields());
    }
    static core::Result<void> put(Writer& to, const T& value) {
        return std::apply(
            [&to](const auto&... field) {
                core::Result<void> result;
                static_cast<void>(
                    ((result = Field<std::decay_t<decltype(field)>>::put(to, field)) && ...));
                return result;
            },
            value.fields());
    }
    static core::Result<void> take(Reader& from, T& value) {
        return std::apply(
            [&from](auto&... field) {
                core::Result<void> result;
                static_cast<void>(
                    ((result = Field<std::decay_t<decltype(field)>>::take(from, field)) && ...));
                return result;
            },
            value.fields());
    }
};

template <class T>
core::Result<void> put(Writer& to, const T& value) {
    return Field<T>::put(to, value);
}

// All of `input`, and nothing after it.
template <class T>
core::Result<T> read_whole(Bytes input) {
    Reader reader(input);
    T value;
    QUOIN_CHECK(Field<T>::take(reader, value));
    QUOIN_CHECK(reader.finish());
    return value;
}

}  // namespace codec
}  // namespace quoin::keys::se
