#include "host/keys/tpm/quote.hpp"

#include <tss2/tss2_tpm2_types.h>

#include <algorithm>

namespace quoin::keys::tpm {
namespace {

struct Statement {
    Bytes nonce;
    Quote quote;
};

// TPM2B: two bytes of size, then that many.
core::Result<Bytes> take_sized(core::Reader& reader, std::size_t most) {
    QUOIN_TRY(const std::uint64_t size, reader.take_unsigned<2>());
    if (size > most) return std::unexpected(Code::peer_malformed);
    return reader.take(size);
}

// TPML_PCR_SELECTION of one bank, SHA-256.
core::Result<std::vector<std::uint32_t>> take_pcrs(core::Reader& reader) {
    QUOIN_TRY(const std::uint64_t banks, reader.take_unsigned<4>());
    QUOIN_TRY(const std::uint64_t hash, reader.take_unsigned<2>());
    QUOIN_TRY(const std::uint64_t size, reader.take_unsigned<1>());
    if (banks != 1 || hash != TPM2_ALG_SHA256 || size > TPM2_PCR_SELECT_MAX) {
        return std::unexpected(Code::peer_malformed);
    }
    QUOIN_TRY(const Bytes bits, reader.take(size));
    std::vector<std::uint32_t> pcrs;
    for (std::uint32_t pcr = 0; pcr < 8 * size; ++pcr) {
        if ((bits[pcr / 8] >> (pcr % 8) & 1U) != 0) pcrs.push_back(pcr);
    }
    return pcrs;
}

core::Result<Statement> parse(Bytes bytes) {
    core::Reader reader(bytes);
    Statement statement;
    QUOIN_TRY(const std::uint64_t magic, reader.take_unsigned<4>());
    QUOIN_TRY(const std::uint64_t type, reader.take_unsigned<2>());
    if (magic != TPM2_GENERATED_VALUE || type != TPM2_ST_ATTEST_QUOTE) {
        return std::unexpected(Code::peer_malformed);
    }
    QUOIN_CHECK(take_sized(reader, sizeof(TPMU_NAME)));  // of the key; the signature shows it
    QUOIN_TRY(statement.nonce, take_sized(reader, sizeof(TPMU_HA)));
    QUOIN_TRY(statement.quote.clock_ms, reader.take_unsigned<8>());
    QUOIN_TRY(const std::uint64_t resets, reader.take_unsigned<4>());
    QUOIN_TRY(const std::uint64_t restarts, reader.take_unsigned<4>());
    statement.quote.reset_count = static_cast<std::uint32_t>(resets);
    statement.quote.restart_count = static_cast<std::uint32_t>(restarts);
    QUOIN_CHECK(reader.take(1));  // "safe": only of the clock
    QUOIN_TRY(statement.quote.firmware_version, reader.take_unsigned<8>());
    QUOIN_TRY(statement.quote.state.pcrs, take_pcrs(reader));
    QUOIN_TRY(const Bytes digest, take_sized(reader, sizeof(TPMU_HA)));
    if (digest.size() != statement.quote.state.digest.size()) {
        return std::unexpected(Code::peer_malformed);
    }
    std::ranges::copy(digest, statement.quote.state.digest.begin());
    QUOIN_CHECK(reader.finish());
    return statement;
}

// tag | 0 | body
ByteVector tagged(std::string_view tag, Bytes body) {
    ByteVector all(bytes_of(tag).begin(), bytes_of(tag).end());
    all.push_back(0);
    all.insert(all.end(), body.begin(), body.end());
    return all;
}

}  // namespace

Result<PcrState> pcr_state(const PcrValues& values) {
    PcrState state;
    ByteVector all;
    for (const auto& [number, value] : values) {
        state.pcrs.push_back(number);
        all.insert(all.end(), value.begin(), value.end());
    }
    QUOIN_TRY(state.digest, crypto::sha256(all));
    return state;
}

Result<Quote> verify_quote(const Attestation& attestation, Bytes attestation_key, Bytes nonce) {
    if (attestation.format != quote_format || attestation.statement.size() > max_quote_statement ||
        attestation.signature.size() > max_quote_signature) {
        return fail(Code::peer_malformed, "is no TPM quote");
    }
    if (nonce.empty() || nonce.size() > max_nonce_size) {
        return fail(Code::input_invalid, "a nonce has 1 to {} bytes", max_nonce_size);
    }
    QUOIN_TRY(const Statement statement, lift(parse(attestation.statement), "TPM quote"));
    QUOIN_TRY(const auto key, crypto::PublicKey::from_spki_der(attestation_key));
    QUOIN_CHECK(key.verify(attestation.statement, attestation.signature));
    if (!std::ranges::equal(statement.nonce, nonce)) {
        return fail(Code::peer_replayed, "TPM quote: answers another challenge than this one");
    }
    return statement.quote;
}

Result<void> check_state(const PcrState& quoted, const PcrState& expected) {
    if (quoted.pcrs != expected.pcrs) {
        return fail(Code::integrity_mismatch, "TPM quote: is over PCRs {}, not {}",
                    fmt::join(quoted.pcrs, ","), fmt::join(expected.pcrs, ","));
    }
    if (quoted.digest != expected.digest) {
        return fail(Code::integrity_mismatch,
                    "TPM quote: PCRs {} have other values than expected: the platform booted other "
                    "software",
                    fmt::join(expected.pcrs, ","));
    }
    return {};
}

Result<crypto::Sha256Digest> quote_nonce(Bytes message) {
    const ByteVector all = tagged("quoin-quote-nonce-v1", message);
    return crypto::sha256(all);
}

Result<PcrState> verify_quote_for(Bytes message, Bytes statement, Bytes signature,
                                  Bytes attestation_key) {
    if (statement.empty()) return fail(Code::peer_malformed, "a TPM's quote is missing");
    QUOIN_TRY(const crypto::Sha256Digest nonce, quote_nonce(message));
    const Attestation attestation{std::string(quote_format),
                                  ByteVector(statement.begin(), statement.end()),
                                  ByteVector(signature.begin(), signature.end())};
    QUOIN_TRY(Quote quote, verify_quote(attestation, attestation_key, nonce));
    return std::move(quote.state);
}

Result<crypto::Sha3_512Digest> measurement_of(const PcrState& state) {
    ByteVector body{static_cast<std::uint8_t>(state.pcrs.size())};
    for (const std::uint32_t pcr : state.pcrs) body.push_back(static_cast<std::uint8_t>(pcr));
    body.insert(body.end(), state.digest.begin(), state.digest.end());
    return crypto::sha3_512(tagged("quoin-tpm-pcrs-v1", body));
}

}  // namespace quoin::keys::tpm
