#include "broker/trust.hpp"

namespace quoin::broker {

Result<Trust> Trust::load(std::filesystem::path file) {
    Trust trust(std::move(file));
    QUOIN_CHECK(trust.reload());
    return trust;
}

Result<void> Trust::reload() {
    QUOIN_TRY(anchors_, x509::Certificate::load(file_));
    return {};
}

Result<crypto::PublicKey> Trust::issuer_key(Bytes certificate) const {
    QUOIN_TRY(const x509::Certificate issuer, x509::Certificate::from_der(certificate));
    if (!issuer.is_ca()) {
        return fail(Code::peer_unauthenticated, "{} is not a certification authority",
                    issuer.common_name());
    }
    QUOIN_CHECK(x509::verify_chain(issuer, {}, anchors_, x509::Purpose::any));
    return issuer.public_key();
}

}  // namespace quoin::broker
