#include "server/pki/enrolee.hpp"

#include <algorithm>
#include <array>

namespace quoin::server {

bool may_enrol(std::string_view state) {
    constexpr std::array<std::string_view, 4> allowed{"expected", "onboarding", "active",
                                                      "degraded"};
    return std::ranges::find(allowed, state) != allowed.end();
}

Result<Enrolee> load_enrolee(soci::session& session, std::string_view column,
                             const std::string& value) {
    Enrolee found;
    int foreign = 0;
    const std::string statement = fmt::format(
        "SELECT device_id, class, state, epoch, foreign_client FROM devices WHERE {} = :value",
        column);
    session << statement, soci::use(value), soci::into(found.device),
        soci::into(found.device_class), soci::into(found.state), soci::into(found.epoch),
        soci::into(foreign);
    if (!session.got_data()) {
        return fail(Code::peer_forbidden, "this device is not in the plant's inventory");
    }
    found.foreign_client = foreign != 0;
    return found;
}

// The TPM of a device stays the same, and is no other device's: whoever holds its session key for
// a while can neither shed the TPM nor name one of his own. Before the first one there is only the
// device's word.
Result<void> check_quote_key(soci::session& session, const std::string& device,
                             const std::string& quote_key) {
    std::string bound;
    session << "SELECT quote_key FROM certificates WHERE subject_id = :d AND kind = 'attest' AND "
               "revoked_ms = 0 AND quote_key <> '' LIMIT 1",
        soci::use(device), soci::into(bound);
    if (session.got_data() && bound != quote_key) {
        return fail(Code::peer_forbidden,
                    "{} attests with the TPM {}, and asks for a certificate with {}; with another "
                    "TPM it is another device",
                    device, bound.substr(0, 16),
                    quote_key.empty() ? "none" : quote_key.substr(0, 16));
    }
    if (quote_key.empty()) return {};
    std::string other;
    session << "SELECT subject_id FROM certificates WHERE quote_key = :q AND subject_id <> :d AND "
               "revoked_ms = 0 LIMIT 1",
        soci::use(quote_key), soci::use(device), soci::into(other);
    if (!session.got_data()) return {};
    return fail(Code::peer_forbidden, "the TPM {} is that of {}, not of {}",
                quote_key.substr(0, 16), other, device);
}

Result<crypto::ByteVector> quote_key_digest(Bytes quote_key) {
    if (quote_key.empty()) return crypto::ByteVector();
    QUOIN_TRY(const crypto::Sha256Digest digest, crypto::sha256(quote_key));
    return crypto::ByteVector(digest.begin(), digest.end());
}

}  // namespace quoin::server
