// For tests: a quote as a TPM makes it, by a key of ours. Real ones: quote_test.cpp.
#pragma once

#include "host/keys/tpm/quote.hpp"

namespace quoin::keys::tpm::test {

// TPMS_ATTEST of a quote (TPM 2.0 Library part 2, section 10.12), by hand.
inline ByteVector quote_statement(Bytes nonce, const PcrState& state) {
    ByteVector out{0xFF, 'T', 'C', 'G', 0x80, 0x18, 0, 0};
    const auto put = [&out](Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
    out.insert(out.end(), {0, static_cast<std::uint8_t>(nonce.size())});
    put(nonce);
    out.insert(out.end(), 8 + 4 + 4 + 1 + 8, 0);
    std::array<std::uint8_t, 3> bits{};
    for (const std::uint32_t pcr : state.pcrs) {
        bits[pcr / 8] = static_cast<std::uint8_t>(bits[pcr / 8] | 1U << pcr % 8);
    }
    out.insert(out.end(), {0, 0, 0, 1, 0, 0x0B, 3});
    put(bits);
    out.insert(out.end(), {0, 32});
    put(state.digest);
    return out;
}

// Beside a signature of `message`.
inline Attestation quote(Bytes message, const PcrState& state, const crypto::PrivateKey& by) {
    Attestation made{std::string(quote_format), quote_statement(*quote_nonce(message), state), {}};
    made.signature = *by.sign(made.statement);
    return made;
}

}  // namespace quoin::keys::tpm::test
