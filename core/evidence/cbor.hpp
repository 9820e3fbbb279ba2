// The subset of deterministic CBOR that evidence needs: unsigned and negative integers, byte
// strings, text strings, arrays, maps, tags; lengths definite and shortest.
//
// The reader refuses everything else (indefinite lengths, longer heads than needed, floats, simple
// values) with peer_malformed. It never recurses: the caller asks for each item by its type, so
// nesting is bounded by the caller's layout. Order and duplicates of map keys are the caller's: it
// reads the keys it expects in their one order.
//
// Source: RFC 8949, sections 3 and 4.2.1. Threads: plain values. Not constant time: all public
// data.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"

namespace quoin::evidence {

enum class Major : std::uint8_t { unsigned_, negative, bytes, text, array, map, tag };

class CborWriter {
public:
    explicit CborWriter(MutableBytes output) : writer_(output) {}

    core::Result<void> put_head(Major major, std::uint64_t value);
    core::Result<void> put_unsigned(std::uint64_t value) {
        return put_head(Major::unsigned_, value);
    }
    // Any integer; map keys and algorithm identifiers are negative.
    core::Result<void> put_integer(std::int64_t value);
    core::Result<void> put_bytes(Bytes bytes);
    core::Result<void> put_text(std::string_view text);
    Bytes written() const { return writer_.written(); }

private:
    core::Writer writer_;
};

class CborReader {
public:
    explicit CborReader(Bytes input) : reader_(input) {}

    // The argument of the next head, which must be of this major type.
    core::Result<std::uint64_t> take_head(Major major);
    core::Result<std::uint64_t> take_unsigned() { return take_head(Major::unsigned_); }
    // The next item must be this integer.
    core::Result<void> expect_integer(std::int64_t value);
    // The next head must be this one (an array of so many items, a tag with this number).
    core::Result<void> expect_head(Major major, std::uint64_t value);
    // At most `max_size` bytes, otherwise peer_oversize. The view points into the input.
    core::Result<Bytes> take_bytes(std::size_t max_size);
    core::Result<std::string_view> take_text(std::size_t max_size);
    core::Result<void> finish() const { return reader_.finish(); }

private:
    core::Result<Bytes> take_string(Major major, std::size_t max_size);

    core::Reader reader_;
};

}  // namespace quoin::evidence
