#include "agent/config.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "core/evidence/evidence.hpp"
#include "host/config/config.hpp"
#include "host/fieldbus/flexim.hpp"
#include "host/files/files.hpp"

namespace quoin::agent {
namespace {

using config::Section;
using fieldbus::Register;
using namespace std::string_view_literals;

template <class T>
void take(Section& section, std::string_view key, Result<T> parsed, T& value) {
    if (parsed) {
        value = *std::move(parsed);
    } else {
        section.refuse(key, parsed.error().message);
    }
}

void read_queue(Section section, QueueLimits& limits) {
    std::int64_t max_rows = static_cast<std::int64_t>(limits.max_rows);
    std::int64_t max_mib = static_cast<std::int64_t>(limits.max_bytes >> 20U);
    std::string when_full = "block";
    section.integer("max_rows", max_rows, {1000, 100'000'000});
    section.integer("max_mib", max_mib, {1, 1'000'000});
    section.text("when_full", when_full);
    limits.max_rows = static_cast<std::uint64_t>(max_rows);
    limits.max_bytes = static_cast<std::uint64_t>(max_mib) << 20U;
    take(section, "when_full", when_full_by_name(when_full), limits.when_full);
}

bool is_measurement_name(std::string_view name) {
    return name.size() <= evidence::max_name_size && std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      "_.:/-"sv.contains(c);
           });
}

void read_attest(Section section, Config& config) {
    std::vector<std::string> files;
    std::string firmware;
    section.texts("files", files);
    section.text("firmware", firmware);
    // The agent, its configuration, a firmware image and PCRs are measured beside them.
    if (files.size() > evidence::max_measurements - 4) {
        section.refuse("files", fmt::format("{} files; {} are possible", files.size(),
                                            evidence::max_measurements - 4));
        return;
    }
    std::set<std::string> seen;
    for (const std::string& file : files) {
        const std::string name = "file:" + file;
        if (!is_measurement_name(name)) {
            section.refuse("files",
                           fmt::format("\"{}\": at most {} characters of A-Z a-z 0-9 _ . / -"
                                       " (shorten it by a link)",
                                       file, evidence::max_name_size - 5));
        }
        if (!seen.insert(file).second) section.refuse("files", fmt::format("\"{}\" twice", file));
        config.files.push_back({name, config.home / file});
    }
    if (!firmware.empty()) config.firmware = config.home / firmware;
}

void read_keys(config::Section section, Config& config) {
    section.text("tpm", config.tpm);
    if (!config.tpm.empty() && !config.tpm.starts_with("tpm:")) {
        section.refuse("tpm", "is the URI of a TPM's store: tpm:dir=DIR");
    }
    if (!config.tpm.empty() && config.keys.store.empty()) {
        section.refuse("tpm", "binds keys in a `store`, and there is none: store = \"se:...\"");
    }
    const auto& fallbacks = config.keys.fallbacks;
    if (!config.tpm.empty() && !fallbacks.empty() && fallbacks.back() == keys::software_keys) {
        section.refuse("fallbacks",
                       "\"software\" cannot follow a key bound to a TPM: a plant gives such a "
                       "device no certificate without it");
    }
}

void read_csv(Section& section, CsvOptions options, const std::filesystem::path& home,
              Config& config) {
    std::string file;
    std::string convert = "none";
    std::string time = "now";
    section.text("file", file, config::required);
    section.text("value", options.value, config::required);
    section.number("speed", options.speed, {0.001, 1e9});
    section.choice("convert", convert, std::array{"none"sv, "f_to_c"sv});
    section.flag("loop", options.loop);
    section.choice("time", time, std::array{"now"sv, "file"sv});
    options.file = home / file;
    options.fahrenheit_to_celsius = convert == "f_to_c";
    options.file_time = time == "file";
    if (!is_value_name(options.value)) {
        section.refuse("value", "a name is [a-z][a-z0-9_]{0,63}");
    }
    // The unit is in the name, so a converted value must have the new one.
    if (options.fahrenheit_to_celsius && !options.value.ends_with("_c")) {
        section.refuse("value", "converted to Celsius, its name must end in _c");
    }
    config.sources.emplace_back(std::move(options));
}

Register read_register(Section& section) {
    Register reg;
    std::string kind;
    std::string type;
    std::string word_order = "high_first";
    section.text("name", reg.name, config::required);
    section.integer("address", reg.address, {0, 65535}, config::required);
    section.text("kind", kind, config::required);
    section.number("scale", reg.scale, {-1e9, 1e9});
    if (reg.scale == 0) section.refuse("scale", "0 would make every number 0");
    section.text("word_order", word_order);
    section.texts("labels", reg.labels);
    if (!kind.empty()) take(section, "kind", fieldbus::kind_by_name(kind), reg.kind);
    type = fieldbus::is_bit(reg.kind) ? "bit" : "u16";
    section.text("type", type);
    take(section, "type", fieldbus::type_by_name(type), reg.type);
    take(section, "word_order", fieldbus::word_order_by_name(word_order), reg.word_order);
    if (!reg.name.empty() && !is_value_name(reg.name)) {
        section.refuse("name", "a name is [a-z][a-z0-9_]{0,63}");
    }
    if (fieldbus::is_bit(reg.kind) != (reg.type == fieldbus::Type::bit)) {
        section.refuse("type", "coils and discrete inputs are of type bit, and nothing else is");
    }
    if (std::ranges::any_of(reg.labels, [](const auto& l) { return l.size() > max_text_bytes; })) {
        section.refuse("labels", fmt::format("a label has at most {} bytes", max_text_bytes));
    }
    return reg;
}

void read_registers(Section& section, ModbusOptions& options) {
    std::set<std::string> names;
    for (Section& entry : section.tables("register")) {
        Register reg = read_register(entry);
        if (!names.insert(reg.name).second) entry.refuse("name", "two registers have it");
        options.registers.push_back(std::move(reg));
    }
    if (options.registers.empty() || options.registers.size() > max_values) {
        section.refuse("type", fmt::format("{} [[source.register]]; 1 to {} are possible",
                                           options.registers.size(), max_values));
    }
}

void read_modbus(Section& section, ModbusOptions options, bool flexim, Config& config) {
    std::int64_t period_ms = options.period.count();
    std::int64_t timeout_ms = options.timeout.count();
    section.text("host", options.host, config::required);
    section.integer("port", options.port, {1, 65535});
    section.integer("unit", options.unit, {0, 247});
    section.integer("period_ms", period_ms, {10, 86'400'000});
    section.integer("timeout_ms", timeout_ms, {10, 60'000});
    options.period = std::chrono::milliseconds(period_ms);
    options.timeout = std::chrono::milliseconds(timeout_ms);
    if (flexim) {
        const auto map = fieldbus::flexim_map();
        options.registers.assign(map.begin(), map.end());
    } else {
        read_registers(section, options);
    }
    config.sources.emplace_back(std::move(options));
}

void read_source(Section& section, Config& config, std::set<std::string>& names) {
    std::string type;
    std::string stream;
    section.choice("type", type, std::array{"modbus"sv, "flexim"sv, "csv"sv}, config::required);
    section.text("stream", stream, config::required);
    if (!stream.empty() && !is_stream_name(stream)) {
        section.refuse("stream", "a stream is [a-z0-9_]{1,64}");
    }
    std::string name = stream;
    section.text("name", name);
    if (!name.empty() && !names.insert(name).second) {
        section.refuse(section.has("name") ? "name" : "stream",
                       fmt::format("two sources are named {}; give them a `name`", name));
    }
    if (type == "csv") {
        CsvOptions options;
        options.name = name;
        options.stream = stream;
        read_csv(section, std::move(options), config.home, config);
    } else if (!type.empty()) {
        ModbusOptions options;
        options.name = name;
        options.stream = stream;
        read_modbus(section, std::move(options), type == "flexim", config);
    }
}

void read_root(Section& root, Config& config) {
    std::string trust = "trust.crt";
    std::string suite{tls::info(config.suite).name};
    std::string device_class;
    std::int64_t retry_s = config.renew_retry.count();
    std::int64_t look_s = config.look.count();
    bool danger_allow_classical = false;
    root.text("plant", config.plant, config::required);
    root.text("trust", trust);
    root.flag("danger_allow_classical", danger_allow_classical);
    root.text("suite", suite);
    root.choice("class", device_class, std::array{"mcu"sv, "mpu"sv});
    root.text("release", config.release);
    root.integer("renew_retry_s", retry_s, {1, 3600});
    root.integer("look_s", look_s, {1, 86'400});
    config.look = std::chrono::seconds(look_s);
    config.trust = config.home / trust;
    config.renew_retry = std::chrono::seconds(retry_s);
    take(root, "suite", tls::suite_by_name(suite, danger_allow_classical), config.suite);
    if (device_class == "mcu") config.device_class = DeviceClass::mcu;
    if (device_class == "mpu") config.device_class = DeviceClass::mpu;
    if (!config.plant.empty() && !config.plant.starts_with("https://")) {
        root.refuse("plant", "must begin with https://");
    }
    if (config.release.size() > evidence::max_release_size) {
        root.refuse("release", fmt::format("at most {} bytes", evidence::max_release_size));
    }
}

}  // namespace

std::string_view class_name(DeviceClass device_class) {
    return device_class == DeviceClass::mcu ? "mcu" : "mpu";
}

keys::AttestationStores attestation_stores(const Config& config) {
    return {.keys = config.keys, .tpm = config.tpm};
}

Result<Config> parse_config(std::string_view text, const std::filesystem::path& home) {
    Config config;
    config.home = home;
    config.release = QUOIN_VERSION;
    QUOIN_TRY(const config::Document document,
              config::Document::parse(text, (home / config_file_name).string()));
    Section root = document.root();
    tls::bind_crypto(root, config.crypto);
    read_root(root, config);
    tls::check_suite(root, config.crypto, config.suite);
    read_keys(keys::bind_choice(root, config.keys), config);
    read_queue(root.table("queue"), config.queue);
    read_attest(root.table("attest"), config);
    std::set<std::string> names;
    std::vector<Section> sources = root.tables("source");
    for (Section& section : sources) read_source(section, config, names);
    if (sources.empty()) root.refuse("source", "a device needs at least one [[source]]");
    QUOIN_CHECK(document.finish());
    return config;
}

Result<Config> load_config(const std::filesystem::path& home) {
    QUOIN_TRY(const std::string text, files::read(home / config_file_name, config::max_file_size));
    return parse_config(text, home);
}

}  // namespace quoin::agent
