#include "host/attest/attest.hpp"

#include <algorithm>
#include <utility>

namespace quoin::attest {

static_assert(evidence::max_quote_statement_size == keys::tpm::max_quote_statement &&
              evidence::max_quote_signature_size == keys::tpm::max_quote_signature);

Sign sign_with(const crypto::PrivateKey& key) {
    return [&key](Bytes message) -> Result<keys::tpm::QuotedSignature> {
        QUOIN_TRY(const crypto::Algorithm algorithm, key.algorithm());
        if (algorithm != crypto::Algorithm::slh_dsa_shake_128f) {
            return fail(Code::input_invalid,
                        "the attestation key is {}, but evidence is signed with "
                        "SLH-DSA-SHAKE-128f: enrol an attestation key",
                        crypto::info(algorithm).name);
        }
        QUOIN_TRY(crypto::ByteVector signature, key.sign(message));
        return keys::tpm::QuotedSignature{std::move(signature), std::nullopt};
    };
}

Result<crypto::ByteVector> sign_evidence(const evidence::Claims& claims, const Sign& sign) {
    crypto::ByteVector payload_room(evidence::max_payload_size);
    QUOIN_TRY(const Bytes payload, lift(evidence::encode_claims(claims, payload_room),
                                        "encoding the claims of the evidence"));
    crypto::ByteVector signed_room(evidence::max_signed_part_size);
    QUOIN_TRY(const Bytes signed_part,
              lift(evidence::encode_signed_part(payload, claims.device, signed_room),
                   "encoding what the evidence signs"));
    QUOIN_TRY(const keys::tpm::QuotedSignature made, sign(signed_part));
    crypto::ByteVector message_room(evidence::max_message_size);
    evidence::Message parts{.payload = payload, .signature = made.signature, .quote = {}};
    if (made.quote) parts.quote = {made.quote->statement, made.quote->signature};
    QUOIN_TRY(const Bytes message,
              lift(evidence::encode_message(parts, message_room), "encoding the evidence"));
    return crypto::ByteVector(message.begin(), message.end());
}

Result<OpenedEvidence> open_evidence(Bytes bytes) {
    if (bytes.size() > evidence::max_message_size) {
        return fail(Code::peer_oversize, "evidence of {} bytes: the limit is {}", bytes.size(),
                    evidence::max_message_size);
    }
    auto parts = std::make_shared<OpenedEvidence::Parts>();
    parts->bytes.assign(bytes.begin(), bytes.end());
    QUOIN_TRY(parts->message, lift(evidence::decode_message(parts->bytes), "evidence"));
    QUOIN_TRY(parts->claims, lift(evidence::decode_claims(parts->message.payload, parts->storage),
                                  "claims of the evidence"));
    return OpenedEvidence(std::move(parts));
}

Result<void> OpenedEvidence::verify(const crypto::PublicKey& key) const {
    QUOIN_TRY(const crypto::Algorithm algorithm, key.algorithm());
    if (algorithm != crypto::Algorithm::slh_dsa_shake_128f) {
        return fail(Code::integrity_signature,
                    "attestation key of {}: is {}, not SLH-DSA-SHAKE-128f", claims().device,
                    crypto::info(algorithm).name);
    }
    QUOIN_TRY(const crypto::ByteVector message, signed_part());
    return key.verify(message, parts_->message.signature);
}

Result<keys::tpm::PcrState> OpenedEvidence::verify_quote(Bytes quote_key) const {
    const evidence::Quote& quote = parts_->message.quote;
    QUOIN_TRY(const crypto::ByteVector message, signed_part());
    return keys::tpm::verify_quote_for(message, quote.statement, quote.signature, quote_key);
}

Result<crypto::ByteVector> OpenedEvidence::signed_part() const {
    crypto::ByteVector room(evidence::max_signed_part_size);
    QUOIN_TRY(const Bytes part,
              lift(evidence::encode_signed_part(parts_->message.payload, claims().device, room),
                   "encoding what the evidence signs"));
    room.resize(part.size());
    return room;
}

}  // namespace quoin::attest
