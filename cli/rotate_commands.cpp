#include "cli/rotate_commands.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/output.hpp"
#include "cli/passphrase.hpp"
#include "cli/pki_acts.hpp"
#include "cli/supervise/programs.hpp"
#include "cli/supervise/sealed_file.hpp"
#include "host/files/files.hpp"
#include "server/pki/rotation.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string root_key;
    std::string passphrase_file;
    std::shared_ptr<bool> devices_now;
    std::vector<std::string> witnesses;
};

Result<void> tell_rotated(const Context& context, bool devices_now) {
    QUOIN_TRY(const auto issuing, x509::Certificate::load(context.home + "/pki/issuing.crt"));
    const std::string name = issuing.front().common_name();
    const std::string serial = issuing.front().serial_hex();
    tell(context, {{"home", context.home}, {"name", name}, {"serial", serial}},
         fmt::format("The plant issues by {}, serial {}. What runs follows within seconds.\n"
                     "Devices get certificates of it {}.\n"
                     "The one before revokes and answers, until its last certificate has expired; "
                     "then quoind destroys its key.",
                     name, serial, devices_now ? "soon, one by one" : "when their renewal is due"));
    return {};
}

Result<void> rotate(const Context& context, const Options& options) {
    QUOIN_TRY(
        const auto passphrase,
        existing_passphrase(options.passphrase_file, "--root-passphrase-file", "root passphrase"));
    server::RotationRequest request{.home = context.home};
    QUOIN_TRY(const Descriptor copy, root_key_copy(options.root_key));
    if (copy) request.root_key = descriptor_path(copy);
    request.devices_now = *options.devices_now;
    request.witnesses = options.witnesses;
    QUOIN_CHECK(act_as_owner(context));
    QUOIN_CHECK(server::rotate_issuing(request, passphrase, key_notices(), progress(context)));
    return tell_rotated(context, request.devices_now);
}

}  // namespace

bool has_pki(const Context& context) {
    return std::filesystem::exists(std::filesystem::path(context.home) / "pki");
}

Result<void> request_rotation(const Context& context) {
    QUOIN_CHECK(act_as_owner(context));
    QUOIN_TRY(const auto file,
              server::request_rotation(context.home, key_notices(), progress(context)));
    return tell_request(context, file);
}

Result<void> tell_request(const Context& context, const std::filesystem::path& file) {
    QUOIN_TRY(const std::string request, files::read(file));
    QUOIN_TRY(const auto digest, crypto::sha256(bytes_of(request)));
    const std::string sha256 = crypto::to_hex(digest);
    tell(context, {{"request", file.string()}, {"sha256", sha256}},
         fmt::format("Take it to the root's machine: {}\n"
                     "And write down its SHA-256, which is asked for there:\n{}",
                     file.string(), sha256));
    return {};
}

std::shared_ptr<bool> add_devices_now(CLI::App* command) {
    auto devices_now = std::make_shared<bool>(false);
    command->add_flag("--now", *devices_now,
                      "In a rotation: devices renew at their next look (about an hour), not when "
                      "their renewal is due");
    return devices_now;
}

Result<void> install_rotation(const Context& context, const std::string& certificate,
                              bool devices_now) {
    // Read by us, who may; used by the owner of the home.
    QUOIN_TRY(const std::string text, files::read(certificate));
    QUOIN_CHECK(act_as_owner(context));
    QUOIN_TRY(const Descriptor copy, sealed_file("quoin-issuing", text));
    QUOIN_CHECK(server::install_rotation(
        {.home = context.home, .certificate = descriptor_path(copy), .devices_now = devices_now},
        key_notices(), progress(context)));
    return tell_rotated(context, devices_now);
}

void add_rotate_issuing(CLI::App* pki, Context& context) {
    auto options = std::make_shared<Options>();
    auto* command = pki->add_subcommand(
        "rotate-issuing", "A new issuing CA under the same root; a plant that runs follows");
    options->devices_now = add_devices_now(command);
    command->add_option("--root-key", options->root_key,
                        "The root's key; default HOME/pki/root.key");
    command->add_option("--root-passphrase-file", options->passphrase_file,
                        "File with its passphrase; else it is asked for");
    command->add_option("--witness", options->witnesses,
                        "Who is present (again for more), for the record");
    command->footer(
        "Examples:\n  quoin pki rotate-issuing --home plant --root-key /media/root.key\n"
        "With a root on a machine of its own: quoin pki issuing request --home plant; there\n"
        "quoin pki root sign; quoin pki issuing install --home plant.");
    on_run(command, context, [&context, options] { return rotate(context, *options); });
}

}  // namespace quoin::cli
