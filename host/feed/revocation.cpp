#include "host/feed/revocation.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/evidence/cbor.hpp"
#include "host/x509/identity.hpp"

namespace quoin::feed {
namespace {

using crypto::ByteVector;
using crypto::Sha3_512Digest;
using evidence::CborReader;
using evidence::CborWriter;
using evidence::Major;

constexpr std::string_view statement_tag = "quoin-revocation-v1";
constexpr std::string_view head_tag = "quoin-revocation-head-v1";
constexpr std::string_view doing = "revocation";
constexpr std::size_t portion_bytes = max_statement_bytes - 2048;  // without what precedes the list
constexpr std::size_t portion_serials = 500;                       // of one device

Result<std::vector<ByteVector>> bytes_of_serials(const std::vector<std::string>& serials) {
    std::vector<ByteVector> list;
    list.reserve(serials.size());
    for (const std::string& serial : serials) {
        QUOIN_TRY(ByteVector bytes, crypto::from_hex(serial));
        if (bytes.empty() || bytes.size() > max_serial_bytes) {
            return fail(Code::input_invalid, "revocation: \"{}\" is no serial number", serial);
        }
        list.push_back(std::move(bytes));
    }
    std::ranges::sort(list);
    return list;
}

core::Result<void> put_serials(CborWriter& writer, const std::vector<ByteVector>& serials) {
    QUOIN_CHECK(writer.put_head(Major::array, serials.size()));
    for (const ByteVector& serial : serials) QUOIN_CHECK(writer.put_bytes(serial));
    return {};
}

core::Result<void> put_ending(CborWriter& writer, const Ending& ending,
                              const std::vector<ByteVector>& serials) {
    QUOIN_CHECK(writer.put_head(Major::array, 3));
    QUOIN_CHECK(writer.put_text(ending.device));
    QUOIN_CHECK(writer.put_unsigned(ending.epoch));
    return put_serials(writer, serials);
}

core::Result<void> put_front(CborWriter& writer, const Statement& statement) {
    QUOIN_CHECK(writer.put_head(Major::array, 9));
    QUOIN_CHECK(writer.put_text(statement_tag));
    QUOIN_CHECK(writer.put_text(statement.site));
    QUOIN_CHECK(writer.put_unsigned(statement.number));
    QUOIN_CHECK(writer.put_unsigned(static_cast<std::uint64_t>(statement.at_ms)));
    QUOIN_CHECK(writer.put_unsigned(std::to_underlying(statement.reason)));
    QUOIN_CHECK(writer.put_text(statement.note));
    QUOIN_CHECK(writer.put_text(statement.actor));
    QUOIN_CHECK(writer.put_bytes(statement.previous));
    return writer.put_head(Major::array, statement.devices.size());
}

// The array's head and the tag, by which no signature of another kind can be taken for this one.
core::Result<void> take_tag(CborReader& reader, std::uint64_t items, std::string_view tag) {
    QUOIN_CHECK(reader.expect_head(Major::array, items));
    QUOIN_TRY(const std::string_view found, reader.take_text(tag.size()));
    if (found != tag) return std::unexpected(Code::peer_malformed);
    return {};
}

core::Result<std::string> take_id(CborReader& reader) {
    QUOIN_TRY(const std::string_view id, reader.take_text(128));
    if (!x509::is_valid_id(id)) return std::unexpected(Code::peer_malformed);
    return std::string(id);
}

template <std::size_t Size>
core::Result<std::array<std::uint8_t, Size>> take_fixed(CborReader& reader) {
    QUOIN_TRY(const Bytes bytes, reader.take_bytes(Size));
    if (bytes.size() != Size) return std::unexpected(Code::peer_malformed);
    std::array<std::uint8_t, Size> fixed{};
    std::ranges::copy(bytes, fixed.begin());
    return fixed;
}

core::Result<std::vector<std::string>> take_serials(CborReader& reader) {
    QUOIN_TRY(const std::uint64_t count, reader.take_head(Major::array));
    if (count > max_statement_bytes) return std::unexpected(Code::peer_malformed);
    std::vector<std::string> serials;
    std::string_view before;
    for (std::uint64_t i = 0; i < count; ++i) {
        QUOIN_TRY(const Bytes serial, reader.take_bytes(max_serial_bytes));
        const std::string_view text = text_of(serial);
        if (text.empty() || text <= before) return std::unexpected(Code::peer_malformed);
        before = text;
        serials.push_back(crypto::to_hex(serial));
    }
    return serials;
}

core::Result<std::vector<Ending>> take_endings(CborReader& reader) {
    QUOIN_TRY(const std::uint64_t count, reader.take_head(Major::array));
    if (count == 0 || count > max_statement_bytes) return std::unexpected(Code::peer_malformed);
    std::vector<Ending> devices;
    for (std::uint64_t i = 0; i < count; ++i) {
        QUOIN_CHECK(reader.expect_head(Major::array, 3));
        QUOIN_TRY(std::string device, take_id(reader));
        if (!devices.empty() && device <= devices.back().device) {
            return std::unexpected(Code::peer_malformed);
        }
        QUOIN_TRY(const std::uint64_t epoch, reader.take_unsigned());
        QUOIN_TRY(std::vector<std::string> serials, take_serials(reader));
        devices.push_back(
            {.device = std::move(device), .epoch = epoch, .serials = std::move(serials)});
    }
    return devices;
}

core::Result<Statement> take_statement(CborReader& reader) {
    Statement statement;
    QUOIN_CHECK(take_tag(reader, 9, statement_tag));
    QUOIN_TRY(statement.site, take_id(reader));
    QUOIN_TRY(statement.number, reader.take_unsigned());
    QUOIN_TRY(const std::uint64_t at_ms, reader.take_unsigned());
    if (statement.number == 0 || !std::in_range<std::int64_t>(at_ms)) {
        return std::unexpected(Code::peer_malformed);
    }
    statement.at_ms = static_cast<std::int64_t>(at_ms);
    QUOIN_TRY(const std::uint64_t number, reader.take_unsigned());
    const auto reason = x509::reason_by_number(number);
    if (!reason) return std::unexpected(Code::peer_malformed);
    statement.reason = *reason;
    QUOIN_TRY(statement.note, reader.take_text(max_note_bytes));
    QUOIN_TRY(statement.actor, reader.take_text(max_actor_bytes));
    QUOIN_TRY(statement.previous, take_fixed<std::tuple_size_v<Sha3_512Digest>>(reader));
    QUOIN_TRY(statement.devices, take_endings(reader));
    QUOIN_CHECK(reader.finish());
    return statement;
}

core::Result<Head> take_head(CborReader& reader) {
    Head head;
    QUOIN_CHECK(take_tag(reader, 6, head_tag));
    QUOIN_TRY(head.site, take_id(reader));
    QUOIN_TRY(head.number, reader.take_unsigned());
    QUOIN_TRY(head.last, take_fixed<std::tuple_size_v<Sha3_512Digest>>(reader));
    QUOIN_TRY(head.nonce, take_fixed<nonce_bytes>(reader));
    QUOIN_TRY(head.entries, take_fixed<std::tuple_size_v<Sha3_512Digest>>(reader));
    QUOIN_CHECK(reader.finish());
    return head;
}

core::Result<void> put_whole_head(CborWriter& writer, const Head& head) {
    QUOIN_CHECK(writer.put_head(Major::array, 6));
    QUOIN_CHECK(writer.put_text(head_tag));
    QUOIN_CHECK(writer.put_text(head.site));
    QUOIN_CHECK(writer.put_unsigned(head.number));
    QUOIN_CHECK(writer.put_bytes(head.last));
    QUOIN_CHECK(writer.put_bytes(head.nonce));
    return writer.put_bytes(head.entries);
}

}  // namespace

Result<ByteVector> encode_statement(Statement statement) {
    std::ranges::sort(statement.devices, {}, &Ending::device);
    ByteVector buffer(max_statement_bytes);
    CborWriter writer(buffer);
    QUOIN_CHECK(lift(put_front(writer, statement), doing));
    for (const Ending& ending : statement.devices) {
        QUOIN_TRY(const std::vector<ByteVector> serials, bytes_of_serials(ending.serials));
        QUOIN_CHECK(lift(put_ending(writer, ending, serials), doing));
    }
    buffer.resize(writer.written().size());
    return buffer;
}

Result<Statement> decode_statement(Bytes bytes) {
    if (bytes.size() > max_statement_bytes) {
        return fail(Code::peer_oversize, "revocation: a statement of {} bytes", bytes.size());
    }
    CborReader reader(bytes);
    return lift(take_statement(reader), "revocation: statement");
}

Result<ByteVector> encode_head(const Head& head) {
    ByteVector buffer(max_head_bytes);
    CborWriter writer(buffer);
    QUOIN_CHECK(lift(put_whole_head(writer, head), doing));
    buffer.resize(writer.written().size());
    return buffer;
}

Result<Head> decode_head(Bytes bytes) {
    CborReader reader(bytes);
    return lift(take_head(reader), "revocation: head");
}

std::vector<Ending> take_portion(std::vector<Ending>& devices) {
    std::vector<Ending> portion;
    std::size_t size = 0;
    auto next = devices.begin();
    for (; next != devices.end(); ++next) {
        const std::size_t serials = std::min(next->serials.size(), portion_serials);
        size += next->device.size() + 16 + serials * (max_serial_bytes + 1);
        if (!portion.empty() && size > portion_bytes) break;
        if (serials < next->serials.size()) {
            const auto rest = std::prev(next->serials.end(), static_cast<std::ptrdiff_t>(serials));
            portion.push_back({next->device, next->epoch, {rest, next->serials.end()}});
            next->serials.erase(rest, next->serials.end());
            break;
        }
        portion.push_back(std::move(*next));
    }
    devices.erase(devices.begin(), next);
    return portion;
}

Result<void> EntriesDigest::begin() {
    if (stream_) return {};
    QUOIN_TRY(crypto::Sha3_512Stream stream, crypto::Sha3_512Stream::begin());
    stream_.emplace(std::move(stream));
    return {};
}

Result<void> EntriesDigest::add(std::string_view device, std::uint64_t epoch, bool ended,
                                std::vector<std::string> serials) {
    if (!ended && serials.empty()) return {};
    QUOIN_CHECK(begin());
    QUOIN_TRY(const std::vector<ByteVector> sorted, bytes_of_serials(serials));
    ByteVector buffer(device.size() + 32 + sorted.size() * (max_serial_bytes + 1));
    CborWriter writer(buffer);
    const auto put = [&]() -> core::Result<void> {
        QUOIN_CHECK(writer.put_head(Major::array, 4));
        QUOIN_CHECK(writer.put_text(device));
        QUOIN_CHECK(writer.put_unsigned(epoch));
        QUOIN_CHECK(writer.put_unsigned(ended ? 1 : 0));
        return put_serials(writer, sorted);
    };
    QUOIN_CHECK(lift(put(), doing));
    return stream_->add(writer.written());
}

Result<Sha3_512Digest> EntriesDigest::finish() {
    QUOIN_CHECK(begin());
    return std::exchange(stream_, std::nullopt)->finish();
}

}  // namespace quoin::feed
