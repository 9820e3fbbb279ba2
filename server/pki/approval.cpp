#include "server/pki/approval.hpp"

#include <algorithm>

#include "core/evidence/cbor.hpp"

namespace quoin::server {
namespace {

using evidence::CborReader;
using evidence::CborWriter;
using evidence::Major;

constexpr std::string_view domain = "quoin enrolment approval 1";
constexpr std::uint64_t payload_items = 11;
constexpr std::size_t max_text = 128;  // the columns'
constexpr std::size_t max_payload = 1024;

template <class T>
Result<T> encoded(core::Result<T> result) {
    return lift(std::move(result), "encoding an approval");
}
template <class T>
Result<T> decoded(core::Result<T> result) {
    return lift(std::move(result), "an approval");
}

Result<crypto::ByteVector> encode_payload(const Approval& approval) {
    crypto::ByteVector room(max_payload);
    CborWriter out(room);
    QUOIN_CHECK(encoded(out.put_head(Major::array, payload_items)));
    QUOIN_CHECK(encoded(out.put_unsigned(static_cast<std::uint64_t>(approval.number))));
    for (const std::string* text :
         {&approval.site, &approval.device, &approval.device_class, &approval.kind}) {
        QUOIN_CHECK(encoded(out.put_text(*text)));
    }
    QUOIN_CHECK(encoded(out.put_bytes(approval.key)));
    QUOIN_CHECK(encoded(out.put_bytes(approval.quote_key)));
    QUOIN_CHECK(encoded(out.put_unsigned(approval.renewal ? 1 : 0)));
    QUOIN_CHECK(encoded(out.put_text(approval.by)));
    QUOIN_CHECK(encoded(out.put_unsigned(static_cast<std::uint64_t>(approval.at_ms))));
    QUOIN_CHECK(encoded(out.put_unsigned(static_cast<std::uint64_t>(approval.epoch))));
    room.resize(out.written().size());
    return room;
}

Result<std::int64_t> take_number(CborReader& in) {
    QUOIN_TRY(const std::uint64_t value, decoded(in.take_unsigned()));
    constexpr std::uint64_t most = 1ULL << 53U;
    if (value > most) return fail(Code::peer_malformed, "an approval: a number is out of range");
    return static_cast<std::int64_t>(value);
}

Result<Approval> decode_payload(Bytes payload) {
    CborReader in(payload);
    Approval approval;
    QUOIN_CHECK(decoded(in.expect_head(Major::array, payload_items)));
    QUOIN_TRY(approval.number, take_number(in));
    for (std::string* text :
         {&approval.site, &approval.device, &approval.device_class, &approval.kind}) {
        QUOIN_TRY(*text, decoded(in.take_text(max_text)));
    }
    QUOIN_TRY(const Bytes key, decoded(in.take_bytes(approval.key.size())));
    QUOIN_TRY(const Bytes quote_key, decoded(in.take_bytes(approval.key.size())));
    if (key.size() != approval.key.size() ||
        (!quote_key.empty() && quote_key.size() != approval.key.size())) {
        return fail(Code::peer_malformed, "an approval: a digest has another length than SHA-256");
    }
    std::ranges::copy(key, approval.key.begin());
    approval.quote_key.assign(quote_key.begin(), quote_key.end());
    QUOIN_TRY(const std::int64_t renewal, take_number(in));
    if (renewal > 1) return fail(Code::peer_malformed, "an approval: renewal is neither 0 nor 1");
    approval.renewal = renewal == 1;
    QUOIN_TRY(approval.by, decoded(in.take_text(max_text)));
    QUOIN_TRY(approval.at_ms, take_number(in));
    QUOIN_TRY(approval.epoch, take_number(in));
    QUOIN_CHECK(decoded(in.finish()));
    return approval;
}

Result<crypto::ByteVector> signed_part(std::string_view signer, Bytes payload) {
    crypto::ByteVector room(max_payload + 2 * max_text);
    CborWriter out(room);
    QUOIN_CHECK(encoded(out.put_head(Major::array, 3)));
    QUOIN_CHECK(encoded(out.put_text(domain)));
    QUOIN_CHECK(encoded(out.put_text(signer)));
    QUOIN_CHECK(encoded(out.put_bytes(payload)));
    room.resize(out.written().size());
    return room;
}

}  // namespace

Result<crypto::ByteVector> sign_approval(const Approval& approval, const crypto::PrivateKey& ra_key,
                                         std::string_view signer) {
    QUOIN_TRY(const crypto::ByteVector payload, encode_payload(approval));
    QUOIN_TRY(const crypto::ByteVector part, signed_part(signer, payload));
    QUOIN_TRY(const crypto::ByteVector signature, ra_key.sign(part));
    crypto::ByteVector room(max_approval_size);
    CborWriter out(room);
    QUOIN_CHECK(encoded(out.put_head(Major::array, 3)));
    QUOIN_CHECK(encoded(out.put_text(signer)));
    QUOIN_CHECK(encoded(out.put_bytes(payload)));
    QUOIN_CHECK(encoded(out.put_bytes(signature)));
    room.resize(out.written().size());
    return room;
}

Result<OpenedApproval> OpenedApproval::open(Bytes message) {
    if (message.size() > max_approval_size) {
        return fail(Code::peer_oversize, "an approval of {} bytes: the limit is {}", message.size(),
                    max_approval_size);
    }
    CborReader in(message);
    OpenedApproval opened;
    QUOIN_CHECK(decoded(in.expect_head(Major::array, 3)));
    QUOIN_TRY(opened.signer_, decoded(in.take_text(max_text)));
    QUOIN_TRY(const Bytes payload, decoded(in.take_bytes(max_payload)));
    QUOIN_TRY(const Bytes signature, decoded(in.take_bytes(max_approval_size)));
    QUOIN_CHECK(decoded(in.finish()));
    opened.payload_.assign(payload.begin(), payload.end());
    opened.signature_.assign(signature.begin(), signature.end());
    QUOIN_TRY(opened.claims_, decode_payload(payload));
    return opened;
}

Result<void> OpenedApproval::verify(const crypto::PublicKey& ra_key) const {
    QUOIN_TRY(const crypto::ByteVector part, signed_part(signer_, payload_));
    return ra_key.verify(part, signature_);
}

Result<crypto::Sha256Digest> key_digest(const crypto::PublicKey& key) {
    QUOIN_TRY(const crypto::ByteVector spki, key.spki_der());
    return crypto::sha256(spki);
}

}  // namespace quoin::server
