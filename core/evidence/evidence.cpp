#include "core/evidence/evidence.hpp"

#include "core/evidence/cbor.hpp"

namespace quoin::evidence {
namespace {

// Claim keys in the order of their encodings (RFC 8949, section 4.2.1). All are required, no other
// is allowed. The first block is registered (RFC 8392, RFC 9711), the second is private use.
constexpr std::int64_t key_subject = 2;
constexpr std::int64_t key_issued_at = 6;
constexpr std::int64_t key_nonce = 10;
constexpr std::int64_t key_profile = 265;
constexpr std::int64_t key_boot_count = 267;
constexpr std::int64_t key_software_version = 271;
constexpr std::int64_t key_ldevid = -65537;
constexpr std::int64_t key_class = -65538;
constexpr std::int64_t key_level = -65539;
constexpr std::int64_t key_measurements = -65540;
constexpr std::uint64_t claim_count = 10;

constexpr std::uint64_t tag_cose_sign1 = 18;                  // RFC 9052, section 2
constexpr std::int64_t header_algorithm = 1;                  // RFC 9052, section 3.1
constexpr std::int64_t header_quote = -65541;                 // private use
constexpr std::string_view signature_context = "Signature1";  // RFC 9052, section 4.4
// {1: -65537}, as bytes: it is inside a byte string.
constexpr std::uint8_t protected_header[] = {0xA1, 0x01, 0x3A, 0x00, 0x01, 0x00, 0x00};

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_text_of(std::string_view text, std::size_t max_size, std::string_view others) {
    if (text.empty() || text.size() > max_size) return false;
    for (const char c : text) {
        if (!is_alphanumeric(c) && others.find(c) == std::string_view::npos) return false;
    }
    return true;
}

bool is_class(std::string_view text) {
    if (!is_text_of(text, max_class_size, "_-")) return false;
    for (const char c : text) {
        if (c >= 'A' && c <= 'Z') return false;
    }
    return true;
}

bool is_device(std::string_view text) { return is_text_of(text, max_device_size, "_.-"); }
bool is_release(std::string_view text) { return is_text_of(text, max_release_size, "_.+-"); }
bool is_name(std::string_view text) { return is_text_of(text, max_name_size, "_.:/-"); }

// The order of two names' encodings: the head holds the length, so the shorter is first.
bool is_before(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return a.size() < b.size();
    return a < b;
}

bool is_valid(const Claims& claims) {
    return is_device(claims.device) && is_release(claims.release) &&
           is_class(claims.device_class) && claims.nonce.size() == nonce_size &&
           claims.ldevid_sha3_512.size() == digest_size && claims.boot_counter <= max_counter &&
           claims.issued_s <= max_counter && claims.level <= Level::tpm_quoted &&
           !claims.measurements.empty() && claims.measurements.size() <= max_measurements;
}

// The next measurement after `last` in the order of the encoding; null: none.
const Measurement* next_after(std::span<const Measurement> all, const Measurement* last) {
    const Measurement* next = nullptr;
    for (const Measurement& one : all) {
        if (last != nullptr && !is_before(last->name, one.name)) continue;
        if (next == nullptr || is_before(one.name, next->name)) next = &one;
    }
    return next;
}

core::Result<void> put_measurements(std::span<const Measurement> all, CborWriter& writer) {
    QUOIN_CHECK(writer.put_head(Major::map, all.size()));
    const Measurement* last = nullptr;
    for (std::size_t i = 0; i < all.size(); ++i) {
        last = next_after(all, last);
        // None is left although the count is not reached: a name was there twice.
        if (last == nullptr) return std::unexpected(Code::input_invalid);
        if (!is_name(last->name) || last->digest.size() != digest_size) {
            return std::unexpected(Code::input_invalid);
        }
        QUOIN_CHECK(writer.put_text(last->name));
        QUOIN_CHECK(writer.put_bytes(last->digest));
    }
    return {};
}

core::Result<Bytes> take_exactly(CborReader& reader, std::size_t size) {
    QUOIN_TRY(const Bytes bytes, reader.take_bytes(size));
    if (bytes.size() != size) return std::unexpected(Code::peer_malformed);
    return bytes;
}

core::Result<std::span<const Measurement>> take_measurements(CborReader& reader,
                                                             MeasurementStorage& storage) {
    QUOIN_TRY(const std::uint64_t count, reader.take_head(Major::map));
    if (count > max_measurements) return std::unexpected(Code::peer_oversize);
    const auto all = std::span(storage.slots).first(static_cast<std::size_t>(count));
    std::string_view last;
    for (Measurement& one : all) {
        QUOIN_TRY(one.name, reader.take_text(max_name_size));
        QUOIN_TRY(one.digest, take_exactly(reader, digest_size));
        if (!is_name(one.name) || !is_before(last, one.name)) {
            return std::unexpected(Code::peer_malformed);
        }
        last = one.name;
    }
    return all;
}

bool is_valid(const Quote& quote) {
    return quote.statement.empty() == quote.signature.empty() &&
           quote.statement.size() <= max_quote_statement_size &&
           quote.signature.size() <= max_quote_signature_size;
}

// The unprotected header: the quote, or nothing. It is bound by its own nonce and signature.
core::Result<void> put_unprotected(const Quote& quote, CborWriter& writer) {
    if (quote.statement.empty()) return writer.put_head(Major::map, 0);
    QUOIN_CHECK(writer.put_head(Major::map, 1));
    QUOIN_CHECK(writer.put_integer(header_quote));
    QUOIN_CHECK(writer.put_head(Major::array, 2));
    QUOIN_CHECK(writer.put_bytes(quote.statement));
    return writer.put_bytes(quote.signature);
}

core::Result<Quote> take_unprotected(CborReader& reader) {
    QUOIN_TRY(const std::uint64_t count, reader.take_head(Major::map));
    if (count == 0) return Quote{};
    if (count > 1) return std::unexpected(Code::peer_malformed);
    QUOIN_CHECK(reader.expect_integer(header_quote));
    QUOIN_CHECK(reader.expect_head(Major::array, 2));
    Quote quote;
    QUOIN_TRY(quote.statement, reader.take_bytes(max_quote_statement_size));
    QUOIN_TRY(quote.signature, reader.take_bytes(max_quote_signature_size));
    if (quote.statement.empty() || quote.signature.empty()) {
        return std::unexpected(Code::peer_malformed);
    }
    return quote;
}

}  // namespace

core::Result<Bytes> encode_claims(const Claims& claims, MutableBytes output) {
    if (!is_valid(claims)) return std::unexpected(Code::input_invalid);
    CborWriter writer(
        output.first(output.size() < max_payload_size ? output.size() : max_payload_size));
    QUOIN_CHECK(writer.put_head(Major::map, claim_count));
    QUOIN_CHECK(writer.put_integer(key_subject));
    QUOIN_CHECK(writer.put_text(claims.device));
    QUOIN_CHECK(writer.put_integer(key_issued_at));
    QUOIN_CHECK(writer.put_unsigned(claims.issued_s));
    QUOIN_CHECK(writer.put_integer(key_nonce));
    QUOIN_CHECK(writer.put_bytes(claims.nonce));
    QUOIN_CHECK(writer.put_integer(key_profile));
    QUOIN_CHECK(writer.put_text(profile));
    QUOIN_CHECK(writer.put_integer(key_boot_count));
    QUOIN_CHECK(writer.put_unsigned(claims.boot_counter));
    QUOIN_CHECK(writer.put_integer(key_software_version));
    QUOIN_CHECK(writer.put_head(Major::array, 1));  // [version]: the scheme is left out
    QUOIN_CHECK(writer.put_text(claims.release));
    QUOIN_CHECK(writer.put_integer(key_ldevid));
    QUOIN_CHECK(writer.put_bytes(claims.ldevid_sha3_512));
    QUOIN_CHECK(writer.put_integer(key_class));
    QUOIN_CHECK(writer.put_text(claims.device_class));
    QUOIN_CHECK(writer.put_integer(key_level));
    QUOIN_CHECK(writer.put_unsigned(static_cast<std::uint64_t>(claims.level)));
    QUOIN_CHECK(writer.put_integer(key_measurements));
    QUOIN_CHECK(put_measurements(claims.measurements, writer));
    return writer.written();
}

core::Result<Bytes> encode_signed_part(Bytes payload, std::string_view device,
                                       MutableBytes output) {
    if (payload.size() > max_payload_size || !is_device(device)) {
        return std::unexpected(Code::input_invalid);
    }
    // RFC 9052, section 4.4: Sig_structure = [context, body_protected, external_aad, payload].
    // external_aad = domain tag, a zero byte, device id (I3).
    CborWriter writer(output);
    QUOIN_CHECK(writer.put_head(Major::array, 4));
    QUOIN_CHECK(writer.put_text(signature_context));
    QUOIN_CHECK(writer.put_bytes(protected_header));
    std::uint8_t aad[domain_tag.size() + 1 + max_device_size];
    core::Writer aad_writer(aad);
    QUOIN_CHECK(aad_writer.put(bytes_of(domain_tag)));
    QUOIN_CHECK(aad_writer.put_unsigned<1>(0));
    QUOIN_CHECK(aad_writer.put(bytes_of(device)));
    QUOIN_CHECK(writer.put_bytes(aad_writer.written()));
    QUOIN_CHECK(writer.put_bytes(payload));
    return writer.written();
}

core::Result<Bytes> encode_message(const Message& message, MutableBytes output) {
    if (message.payload.size() > max_payload_size || message.signature.size() != signature_size ||
        !is_valid(message.quote)) {
        return std::unexpected(Code::input_invalid);
    }
    CborWriter writer(output);
    QUOIN_CHECK(writer.put_head(Major::tag, tag_cose_sign1));
    QUOIN_CHECK(writer.put_head(Major::array, 4));
    QUOIN_CHECK(writer.put_bytes(protected_header));
    QUOIN_CHECK(put_unprotected(message.quote, writer));
    QUOIN_CHECK(writer.put_bytes(message.payload));
    QUOIN_CHECK(writer.put_bytes(message.signature));
    return writer.written();
}

core::Result<Message> decode_message(Bytes input) {
    if (input.size() > max_message_size) return std::unexpected(Code::peer_oversize);
    if (CborReader bare(input); bare.expect_head(Major::map, claim_count)) {
        return std::unexpected(Code::peer_unauthenticated);
    }
    CborReader reader(input);
    QUOIN_CHECK(reader.expect_head(Major::tag, tag_cose_sign1));
    QUOIN_CHECK(reader.expect_head(Major::array, 4));
    QUOIN_TRY(const Bytes header, reader.take_bytes(sizeof protected_header));
    CborReader header_reader(header);
    QUOIN_CHECK(header_reader.expect_head(Major::map, 1));
    QUOIN_CHECK(header_reader.expect_integer(header_algorithm));
    QUOIN_CHECK(header_reader.expect_integer(algorithm_slh_dsa_shake_128f));
    QUOIN_CHECK(header_reader.finish());
    Message message;
    QUOIN_TRY(message.quote, take_unprotected(reader));
    QUOIN_TRY(message.payload, reader.take_bytes(max_payload_size));
    QUOIN_TRY(message.signature, reader.take_bytes(signature_size));
    QUOIN_CHECK(reader.finish());
    if (message.signature.empty()) return std::unexpected(Code::peer_unauthenticated);
    if (message.signature.size() != signature_size) return std::unexpected(Code::peer_malformed);
    return message;
}

core::Result<Claims> decode_claims(Bytes payload, MeasurementStorage& storage) {
    if (payload.size() > max_payload_size) return std::unexpected(Code::peer_oversize);
    CborReader reader(payload);
    Claims claims;
    QUOIN_CHECK(reader.expect_head(Major::map, claim_count));
    QUOIN_CHECK(reader.expect_integer(key_subject));
    QUOIN_TRY(claims.device, reader.take_text(max_device_size));
    QUOIN_CHECK(reader.expect_integer(key_issued_at));
    QUOIN_TRY(claims.issued_s, reader.take_unsigned());
    QUOIN_CHECK(reader.expect_integer(key_nonce));
    QUOIN_TRY(claims.nonce, take_exactly(reader, nonce_size));
    QUOIN_CHECK(reader.expect_integer(key_profile));
    QUOIN_TRY(const std::string_view named_profile, reader.take_text(profile.size()));
    if (named_profile != profile) return std::unexpected(Code::peer_malformed);
    QUOIN_CHECK(reader.expect_integer(key_boot_count));
    QUOIN_TRY(claims.boot_counter, reader.take_unsigned());
    QUOIN_CHECK(reader.expect_integer(key_software_version));
    QUOIN_CHECK(reader.expect_head(Major::array, 1));
    QUOIN_TRY(claims.release, reader.take_text(max_release_size));
    QUOIN_CHECK(reader.expect_integer(key_ldevid));
    QUOIN_TRY(claims.ldevid_sha3_512, take_exactly(reader, digest_size));
    QUOIN_CHECK(reader.expect_integer(key_class));
    QUOIN_TRY(claims.device_class, reader.take_text(max_class_size));
    QUOIN_CHECK(reader.expect_integer(key_level));
    QUOIN_TRY(const std::uint64_t level, reader.take_unsigned());
    if (level > static_cast<std::uint64_t>(Level::tpm_quoted)) {
        return std::unexpected(Code::peer_malformed);
    }
    claims.level = static_cast<Level>(level);
    QUOIN_CHECK(reader.expect_integer(key_measurements));
    QUOIN_TRY(claims.measurements, take_measurements(reader, storage));
    QUOIN_CHECK(reader.finish());
    if (!is_valid(claims)) return std::unexpected(Code::peer_malformed);
    return claims;
}

std::string_view level_name(Level level) {
    switch (level) {
        case Level::self_reported:
            return "self-reported";
        case Level::boot_signed:
            return "boot-signed";
        case Level::tpm_quoted:
            return "tpm-quoted";
    }
    return "unknown";
}

}  // namespace quoin::evidence
