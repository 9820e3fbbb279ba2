// TLS contexts for the load's connections, from the folders of a plant and of devices.
#pragma once

#include <filesystem>
#include <string>

#include "host/tls/policy.hpp"

namespace quoin::sim {

struct Access {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8883;
    std::string site = "plant";
    std::string suite = "hybrid";
};

// DEVICE/identity/current/device.{crt,key}, DEVICE/unlock.key, DEVICE/trust.crt.
Result<tls::Context> device_context(const Access& access, const std::filesystem::path& device);
// HOME/services/NAME.{crt,key}, HOME/unlock.key, HOME/pki/root.crt.
Result<tls::Context> service_context(const Access& access, const std::filesystem::path& home,
                                     const std::string& name);
// The device id: the common name of its certificate.
Result<std::string> device_id(const std::filesystem::path& device);
// A second owner of the same context.
tls::Context share(const tls::Context& context);

}  // namespace quoin::sim
