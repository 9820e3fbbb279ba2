// For tests: quoind's half of the feed, with an issuing CA of its own.
#pragma once

#include <cstdlib>

#include "broker/trust.hpp"
#include "host/feed/feed.hpp"

namespace quoin::broker {

class FakeIssuer {
public:
    FakeIssuer() : key_(*crypto::PrivateKey::generate(crypto::Algorithm::ed25519)) {}

    // Believes any certificate but an empty one.
    IssuerKey issuer_key() const {
        return [key = *key_.public_key()](Bytes certificate) -> Result<crypto::PublicKey> {
            if (certificate.empty()) return fail(Code::peer_unauthenticated, "no certificate");
            return key;
        };
    }

    static feed::Hello hello(std::uint64_t epoch = 1, std::int64_t lifetime_ms = 30'000) {
        return {"plant", epoch, lifetime_ms, {1}};
    }

    // The end of a snapshot of these devices; `change` may spoil its head before it is signed.
    feed::SnapshotEnd end(
        const std::vector<feed::Device>& devices, std::uint64_t seq, const feed::Nonce& nonce = {},
        const std::function<void(feed::Head&)>& change = [](feed::Head&) {}) const {
        feed::EntriesDigest entries;
        for (const feed::Device& device : devices) {
            const bool ended = device.state == feed::revoked_state;
            if (!entries.add(device.id, device.epoch, ended, device.revoked)) std::abort();
        }
        feed::Head head{.site = "plant", .number = number, .last = last};
        head.nonce = nonce;
        head.entries = *entries.finish();
        change(head);
        feed::SnapshotEnd end{seq, devices.size(), *feed::encode_head(head), {}};
        end.signature = *key_.sign(end.head);
        return end;
    }

    // The next statement.
    feed::Revocation revocation(
        std::uint64_t seq, std::vector<feed::Ending> devices,
        const std::function<void(feed::Statement&)>& change = [](feed::Statement&) {}) {
        feed::Statement statement{.site = "plant",
                                  .number = number + 1,
                                  .at_ms = 5,
                                  .reason = x509::Reason::key_compromise,
                                  .note = "stolen",
                                  .actor = "test",
                                  .previous = last,
                                  .devices = std::move(devices)};
        change(statement);
        feed::Revocation line{seq, *feed::encode_statement(statement), {}};
        line.signature = *key_.sign(line.statement);
        number = statement.number;
        last = *crypto::sha3_512(line.statement);
        return line;
    }

    std::uint64_t number = 0;
    crypto::Sha3_512Digest last{};

private:
    crypto::PrivateKey key_;
};

}  // namespace quoin::broker
