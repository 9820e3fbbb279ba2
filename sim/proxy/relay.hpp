// Moves bytes between clients and one upstream, with faults. One thread, poll(2).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "host/error.hpp"
#include "sim/proxy/faults.hpp"

namespace quoin::sim {

struct RelayOptions {
    std::uint16_t listen_port = 0;    // on 127.0.0.1; 0: a free one
    std::uint16_t upstream_port = 0;  // on 127.0.0.1
    FaultOptions faults;
};

class Relay {
public:
    static Result<std::unique_ptr<Relay>> listen(const RelayOptions& options);
    virtual ~Relay() = default;
    virtual std::uint16_t port() const = 0;
    // Until `stop` is true (looked at every 100 ms).
    virtual void run(const std::atomic<bool>& stop) = 0;
};

}  // namespace quoin::sim
