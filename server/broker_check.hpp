// Whether the broker's certificate still holds, by the plant's own records: for the sessions that
// quoind has on the broker.
//
// Threads: the functions of one BrokerCheck belong to one client. What they use must outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "host/net/mqtt_client.hpp"
#include "server/bus/bus.hpp"
#include "server/pki/authority.hpp"

namespace quoin::server {

class BrokerRecords {
public:
    // Listens to certificates_revoked on `bus`.
    BrokerRecords(Authority& authority, Bus& bus);
    // The records are read before each connection, and again after a revocation.
    net::BrokerCheck check();

private:
    Authority& authority_;
    std::shared_ptr<std::atomic<std::uint64_t>> revocations_ =
        std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace quoin::server
