#include "server/broker_check.hpp"

#include "server/bus/clock.hpp"

namespace quoin::server {

BrokerRecords::BrokerRecords(Authority& authority, Bus& bus) : authority_(authority) {
    bus.certificates_revoked.listen(
        [count = revocations_](const CertificatesRevoked&) { ++*count; });
}

net::BrokerCheck BrokerRecords::check() {
    using Chain = net::BrokerCheck::Chain;
    const auto read = std::make_shared<std::uint64_t>(0);  // revocations, when last read
    const auto look = [this, read](const Chain& chain) -> Result<void> {
        const std::uint64_t now = *revocations_;
        QUOIN_TRY(const x509::Identity identity, authority_.authenticate(chain));
        if (identity.kind != x509::Kind::service || identity.id != "broker") {
            return fail(Code::peer_unauthenticated, "it is not the broker's");
        }
        *read = now;
        return {};
    };
    return {.ask = [look](const Chain& chain, const auto& done) { done(look(chain)); },
            .still_good = [this, read, look](const Chain& chain) -> Result<void> {
                if (chain.front().not_after_ms() <= now_ms()) {
                    return fail(Code::peer_unauthenticated, "it has expired");
                }
                return *read == *revocations_ ? Result<void>{} : look(chain);
            }};
}

}  // namespace quoin::server
