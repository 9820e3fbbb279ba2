// Serves a machine over Modbus TCP to any number of clients, on one thread.
//
// Clients may write the setpoint and the coil's place is read-only in effect: it is set anew each
// time. Threads: run() blocks until `stop`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "host/error.hpp"
#include "sim/flexim/machine.hpp"

namespace quoin::sim {

class FleximServer {
public:
    // Port 0: a free one.
    static Result<std::unique_ptr<FleximServer>> listen(const std::string& address,
                                                        std::uint16_t port, Machine machine,
                                                        double speed);
    virtual ~FleximServer() = default;
    virtual std::uint16_t port() const = 0;
    // `on_change` hears of each new state.
    virtual Result<void> run(const std::atomic<bool>& stop,
                             const std::function<void(const Reading&)>& on_change) = 0;
};

}  // namespace quoin::sim
