#include "cli/demo/factory.hpp"

#include <system_error>

#include "cli/plant/manifest.hpp"
#include "host/crypto/crypto.hpp"
#include "host/files/files.hpp"
#include "server/pki/birth.hpp"
#include "server/pki/ceremony.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t program_bytes = 4096;

// One row of the file is five minutes of the plant: this makes it a fifth of a second.
constexpr int replay_speed = 1500;

std::string csv_source(std::string_view stream) {
    return fmt::format(
        "[[source]]\nstream = \"{}\"\ntype = \"csv\"\nfile = \"sensor.csv\"\n"
        "value = \"temperature_c\"\nconvert = \"f_to_c\"\nspeed = {}\nloop = true\n",
        stream, replay_speed);
}

std::string keys_table(const Elements& elements, const std::string& device) {
    if (!elements.has(device)) return "";
    const ElementUris uris = elements.uris(device);
    return fmt::format("[keys]\nstore = \"{}\"\ntpm = \"{}\"\n\n", uris.store, uris.tpm);
}

std::string agent_toml(const Plant& plant, const DemoDevice& device, const Elements& elements) {
    const Prepared& prepared = plant.prepared();
    return fmt::format(
        "# {}\nplant = \"https://127.0.0.1:{}\"\ntrust = \"trust.crt\"\nsuite = \"{}\"\nclass = "
        "\"{}\"\n"
        "release = \"{}\"\n\n{}{}{}",
        device.label, prepared.ports.https, tls::info(prepared.settings.suite).name,
        device.device_class, release_version, keys_table(elements, device.id),
        device.device_class == "mpu" ? fmt::format("[attest]\nfiles = [\"{}\"]\n\n", measured_file)
                                     : "",
        device.source);
}

// Shipped: what the maker had is now the device's, and nowhere else.
Result<void> ship(const server::Maker& maker, const fs::path& home, const DemoDevice& device) {
    std::error_code failure;
    fs::rename(maker.device_folder(device.id), device_folder(home, device.id), failure);
    if (failure) {
        return fail(Code::resource_unavailable, "cannot move {} to {}: {}",
                    maker.device_folder(device.id).string(),
                    device_folder(home, device.id).string(), failure.message());
    }
    return {};
}

Result<void> configure(const Plant& plant, const DemoDevice& device, const DemoData& data,
                       const Elements& elements) {
    const fs::path folder = device_folder(plant.home(), device.id);
    QUOIN_TRY(const std::string root, files::read(plant.home() / "pki/root.crt"));
    QUOIN_CHECK(files::write_atomically(folder / "trust.crt", root, 0600));
    QUOIN_CHECK(
        files::write_atomically(folder / "agent.toml", agent_toml(plant, device, elements), 0600));
    if (device.stream != "flexim") {
        const SensorData& sensor = device.device_class == "mcu" ? data.ambient : data.machine;
        QUOIN_CHECK(files::write_atomically(folder / "sensor.csv", sensor.csv, 0600));
    }
    if (device.device_class == "mpu") {
        crypto::ByteVector program(program_bytes);
        QUOIN_CHECK(crypto::random_bytes(program));
        QUOIN_CHECK(files::write_atomically(folder / measured_file, text_of(program), 0600));
    }
    return {};
}

}  // namespace

fs::path device_folder(const fs::path& home, const std::string& id) {
    return home / "devices" / id;
}

std::vector<DemoDevice> demo_devices(std::uint16_t flexim_port, const DemoData& data) {
    return {{.id = "mcu-1",
             .device_class = "mcu",
             .stream = "ambient",
             .label = "simulated MCU (Linux process), ambient temperature, " + data.ambient.origin,
             .source = csv_source("ambient")},
            {.id = "mpu-1",
             .device_class = "mpu",
             .stream = "flexim",
             .label = "MPU, reads a simulated FLEXIM over Modbus TCP",
             .source = fmt::format("[[source]]\nstream = \"flexim\"\ntype = \"flexim\"\nhost = "
                                   "\"127.0.0.1\"\nport = {}\nperiod_ms = 200\n",
                                   flexim_port)},
            {.id = victim,
             .device_class = "mpu",
             .stream = "machine",
             .label = "MPU, machine temperature, " + data.machine.origin,
             .source = csv_source("machine")}};
}

Result<void> make_devices(const fs::path& home, const std::vector<DemoDevice>& devices) {
    QUOIN_CHECK(files::make_private_folder(home / "devices"));
    QUOIN_TRY(server::Maker maker, server::Maker::open(home / "maker"));
    for (const DemoDevice& device : devices) {
        QUOIN_CHECK(maker.birth(device.id, device.device_class));
        QUOIN_CHECK(ship(maker, home, device));
    }
    QUOIN_CHECK(server::trust_maker(home, home / "maker/ca.crt"));
    return {};
}

Result<void> configure_devices(const Plant& plant, const std::vector<DemoDevice>& devices,
                               const DemoData& data, const Elements& elements) {
    for (const DemoDevice& device : devices) {
        QUOIN_CHECK(configure(plant, device, data, elements));
    }
    return {};
}

Result<void> register_devices(const Plant& plant, const Client& client, const Programs& programs,
                              const std::vector<DemoDevice>& devices, const Elements& elements) {
    QUOIN_TRY(const std::string batch, files::read(plant.home() / "maker/batch.jsonl"));
    QUOIN_CHECK(client.post("devices/import", batch, "application/x-ndjson"));
    Manifest manifest(release_version, "mpu");
    QUOIN_CHECK(manifest.measure("agent", "", descriptor_path(programs.agent)));
    for (const DemoDevice& device : devices) {
        if (device.device_class != "mpu") continue;
        const fs::path folder = device_folder(plant.home(), device.id);
        QUOIN_CHECK(manifest.measure("config", device.id, folder / "agent.toml"));
        QUOIN_CHECK(manifest.measure(fmt::format("file:{}", measured_file), device.id,
                                     folder / measured_file));
        if (elements.has(device.id)) {
            QUOIN_CHECK(manifest.measure_tpm(elements.uris(device.id).tpm, device.id));
        }
    }
    const fs::path file = plant.home() / "release.json";
    QUOIN_CHECK(files::write_atomically(file, manifest.text() + "\n", 0600));
    QUOIN_CHECK(client.post("releases", manifest.text()));
    return {};
}

Result<void> start_devices(Plant& plant, const Programs& programs,
                           const std::vector<DemoDevice>& devices, std::uint16_t flexim_port) {
    QUOIN_CHECK(plant.supervisor().add(
        plant.process("flexim", programs.flexim, {"--port", std::to_string(flexim_port)})));
    for (const DemoDevice& device : devices) {
        QUOIN_CHECK(plant.supervisor().add(
            plant.process("agent-" + device.id, programs.agent,
                          {"--home", device_folder(plant.home(), device.id).string()})));
    }
    return {};
}

}  // namespace quoin::cli
