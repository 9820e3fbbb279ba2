#include "host/keys/se/attestation.hpp"

namespace quoin::keys::se {

Result<Statement> read_statement(Bytes encoded, Bytes nonce) {
    auto statement = codec::read_whole<Statement>(encoded);
    if (!statement || !std::ranges::equal(statement->domain.bytes, bytes_of(attestation_context))) {
        return fail(Code::peer_malformed, "is no statement of quoin-se");
    }
    if (!std::ranges::equal(statement->nonce.bytes, nonce)) {
        return fail(Code::peer_replayed, "the statement answers another nonce");
    }
    return *std::move(statement);
}

}  // namespace quoin::keys::se
