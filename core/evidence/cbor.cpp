#include "core/evidence/cbor.hpp"

namespace quoin::evidence {
namespace {

constexpr std::uint8_t one_byte = 24;  // additional information: the argument follows in 1 byte
constexpr std::uint8_t two_bytes = 25;
constexpr std::uint8_t four_bytes = 26;
constexpr std::uint8_t eight_bytes = 27;

core::Result<std::uint64_t> take_argument(core::Reader& reader, std::uint8_t additional) {
    // RFC 8949, section 4.2.1: "as short as possible" for every argument.
    std::uint64_t least = 0;
    std::uint64_t value = 0;
    if (additional < one_byte) {
        return std::uint64_t{additional};
    } else if (additional == one_byte) {
        QUOIN_TRY(value, reader.take_unsigned<1>());
        least = one_byte;
    } else if (additional == two_bytes) {
        QUOIN_TRY(value, reader.take_unsigned<2>());
        least = std::uint64_t{1} << 8U;
    } else if (additional == four_bytes) {
        QUOIN_TRY(value, reader.take_unsigned<4>());
        least = std::uint64_t{1} << 16U;
    } else if (additional == eight_bytes) {
        QUOIN_TRY(value, reader.take_unsigned<8>());
        least = std::uint64_t{1} << 32U;
    } else {
        return std::unexpected(Code::peer_malformed);  // 28..30 reserved, 31 indefinite
    }
    if (value < least) return std::unexpected(Code::peer_malformed);
    return value;
}

}  // namespace

core::Result<void> CborWriter::put_head(Major major, std::uint64_t value) {
    const auto type = static_cast<std::uint64_t>(major) << 5U;
    if (value < one_byte) return writer_.put_unsigned<1>(type | value);
    if (value <= 0xFF) return writer_.put_unsigned<2>(((type | one_byte) << 8U) | value);
    if (value <= 0xFFFF) return writer_.put_unsigned<3>(((type | two_bytes) << 16U) | value);
    if (value <= 0xFFFFFFFF) return writer_.put_unsigned<5>(((type | four_bytes) << 32U) | value);
    QUOIN_CHECK(writer_.put_unsigned<1>(type | eight_bytes));
    return writer_.put_unsigned<8>(value);
}

core::Result<void> CborWriter::put_integer(std::int64_t value) {
    if (value >= 0) return put_head(Major::unsigned_, static_cast<std::uint64_t>(value));
    return put_head(Major::negative, static_cast<std::uint64_t>(-(value + 1)));
}

core::Result<void> CborWriter::put_bytes(Bytes bytes) {
    QUOIN_CHECK(put_head(Major::bytes, bytes.size()));
    return writer_.put(bytes);
}

core::Result<void> CborWriter::put_text(std::string_view text) {
    QUOIN_CHECK(put_head(Major::text, text.size()));
    return writer_.put(bytes_of(text));
}

core::Result<std::uint64_t> CborReader::take_head(Major major) {
    QUOIN_TRY(const std::uint64_t initial, reader_.take_unsigned<1>());
    if (initial >> 5U != static_cast<std::uint64_t>(major)) {
        return std::unexpected(Code::peer_malformed);
    }
    return take_argument(reader_, static_cast<std::uint8_t>(initial & 0x1FU));
}

core::Result<void> CborReader::expect_integer(std::int64_t value) {
    if (value >= 0) return expect_head(Major::unsigned_, static_cast<std::uint64_t>(value));
    return expect_head(Major::negative, static_cast<std::uint64_t>(-(value + 1)));
}

core::Result<void> CborReader::expect_head(Major major, std::uint64_t value) {
    QUOIN_TRY(const std::uint64_t found, take_head(major));
    if (found != value) return std::unexpected(Code::peer_malformed);
    return {};
}

core::Result<Bytes> CborReader::take_string(Major major, std::size_t max_size) {
    QUOIN_TRY(const std::uint64_t size, take_head(major));
    if (size > max_size) return std::unexpected(Code::peer_oversize);
    return reader_.take(static_cast<std::size_t>(size));
}

core::Result<Bytes> CborReader::take_bytes(std::size_t max_size) {
    return take_string(Major::bytes, max_size);
}

core::Result<std::string_view> CborReader::take_text(std::size_t max_size) {
    QUOIN_TRY(const Bytes bytes, take_string(Major::text, max_size));
    return text_of(bytes);
}

}  // namespace quoin::evidence
