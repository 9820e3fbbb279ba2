#include "cli/release_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/plant/manifest.hpp"
#include "cli/text_file.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string manifest, release, device_class = "mpu", out = "-";
    std::vector<std::string> files;
};

Result<void> add(const Context& context, const Options& options) {
    QUOIN_TRY(const std::string manifest, files::read(options.manifest));
    QUOIN_TRY(const Client client, Client::open(context));
    QUOIN_TRY(const auto answer, client.post("releases", manifest));
    if (context.json) {
        print_json(answer);
    } else {
        fmt::print("the reference values of {} are known to the verifier\n", options.manifest);
    }
    return {};
}

Result<void> list(const Context& context) {
    QUOIN_TRY(const Client client, Client::open(context));
    QUOIN_TRY(const auto answer, client.get("releases"));
    if (context.json) {
        print_json(answer);
        return {};
    }
    for (const auto& release : answer.value("releases", nlohmann::json::array())) {
        fmt::print("release {} (class {})\n", plain(release.value("release", nlohmann::json())),
                   plain(release.value("class", nlohmann::json())));
        for (const auto& entry : release.value("measurements", nlohmann::json::array())) {
            const auto device = entry.value("device", nlohmann::json());
            fmt::print("  {:<24} {:<16} {}\n", plain(entry.value("name", nlohmann::json())),
                       device.is_string() && !device.empty() ? plain(device) : "every device",
                       plain(entry.value("sha3_512", nlohmann::json())).substr(0, 32) + "…");
        }
    }
    return {};
}

Result<void> measure(const Context& context, const Options& options) {
    Manifest manifest(options.release, options.device_class);
    Progress progress(context, "measuring", options.files.size());
    for (std::size_t i = 0; i < options.files.size(); ++i) {
        QUOIN_CHECK(manifest.measure_argument(options.files[i]));
        progress.show(i + 1);
    }
    QUOIN_TRY(TextFile out, TextFile::create(options.out));
    out.write(manifest.text() + "\n");
    return out.finish();
}

void add_measure(CLI::App& noun, Context& context, const std::shared_ptr<Options>& options) {
    auto* command = noun.add_subcommand("measure", "Make a manifest: SHA3-512 of each file");
    command->add_option("--release", options->release, "The version, such as 1.0.0")->required();
    command->add_option("--class", options->device_class, "mpu (default) or mcu")
        ->check(CLI::IsMember({"mpu", "mcu"}));
    command->add_option("--out", options->out, "The manifest to write; - is stdout (default)");
    command
        ->add_option("FILES", options->files,
                     "NAME=FILE, what is measured; NAME@DEVICE=FILE holds for that device only; "
                     "tpm-pcrs@DEVICE=URI takes the PCRs of a TPM as they are now")
        ->required();
    on_run(command, context, [&context, options] { return measure(context, *options); });
}

}  // namespace

void add_release_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand(
        "release", "Reference values of firmware releases, which evidence is compared with");
    noun->require_subcommand(1);
    noun->footer(R"(Examples:
  quoin release measure --release 1.0.0 --out release.json \
      agent=/usr/bin/quoin-agent config@mpu-1=devices/mpu-1/agent.toml \
      file:plc.bin@mpu-1=devices/mpu-1/plc.bin \
      'tpm-pcrs@mpu-1=tpm:tcti=device:/dev/tpmrm0;dir=tpm;pcrs=0,2,4,7'
  quoin release add release.json
  quoin release list)");
    const auto options = std::make_shared<Options>();

    auto* add_command = noun->add_subcommand("add", "Give a manifest to the verifier");
    add_command->add_option("MANIFEST", options->manifest, "As `quoin release measure` writes it")
        ->required()
        ->check(CLI::ExistingFile);
    on_run(add_command, context, [&context, options] { return add(context, *options); });

    auto* list_command = noun->add_subcommand("list", "Releases and their measurements");
    on_run(list_command, context, [&context] { return list(context); });

    add_measure(*noun, context, options);
}

}  // namespace quoin::cli
