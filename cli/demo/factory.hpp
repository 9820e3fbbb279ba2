// The demo's devices: born, laid out, imported, released, started.
#pragma once

#include <filesystem>
#include <string>

#include "cli/client.hpp"
#include "cli/demo/data.hpp"
#include "cli/demo/elements.hpp"
#include "cli/plant/plant.hpp"

namespace quoin::cli {

struct DemoDevice {
    std::string id, device_class, stream;
    std::string label;   // what it is, honestly
    std::string source;  // the [[source]] table of its agent.toml
};

inline constexpr const char* release_version = "1.0.0";
inline constexpr const char* measured_file = "plc-program.bin";
inline constexpr const char* victim = "mpu-2";

// mcu-1 (ambient temperature), mpu-1 (simulated FLEXIM on `flexim_port`), mpu-2 (machine
// temperature).
std::vector<DemoDevice> demo_devices(std::uint16_t flexim_port, const DemoData& data);

std::filesystem::path device_folder(const std::filesystem::path& home, const std::string& id);

// The maker's part and the folders of the devices. Before quoind starts: it reads the makers once.
Result<void> make_devices(const std::filesystem::path& home,
                          const std::vector<DemoDevice>& devices);
// The configurations need the plant's ports. Devices that have an element keep their keys there.
Result<void> configure_devices(const Plant& plant, const std::vector<DemoDevice>& devices,
                               const DemoData& data, const Elements& elements);
// Batch and reference values go to the plant, the PCRs of usable elements among them.
Result<void> register_devices(const Plant& plant, const Client& client, const Programs& programs,
                              const std::vector<DemoDevice>& devices, const Elements& elements);
Result<void> start_devices(Plant& plant, const Programs& programs,
                           const std::vector<DemoDevice>& devices, std::uint16_t flexim_port);

}  // namespace quoin::cli
