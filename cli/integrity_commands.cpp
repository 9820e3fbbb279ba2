#include "cli/integrity_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/output.hpp"
#include "cli/passphrase.hpp"
#include "cli/supervise/programs.hpp"
#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/integrity/integrity.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

struct Options {
    std::string key = "integrity.key", public_key = "integrity.pub", passphrase_file;
    std::vector<std::string> files;
};

void add_if_there(std::vector<fs::path>& files, const fs::path& file) {
    std::error_code failure;
    if (fs::is_regular_file(file, failure)) files.push_back(fs::canonical(file, failure));
}

// What a plant or a device of this home runs and reads.
Result<std::vector<fs::path>> files_of(const Context& context, const Options& options) {
    QUOIN_TRY(const fs::path here, own_folder());
    std::vector<fs::path> files;
    for (const char* const name : {"quoin", "quoind", "quoin-agent", "quoin-se"}) {
        add_if_there(files, here / name);
    }
    for (const fs::path& folder :
         {here.parent_path() / "lib", here.parent_path() / "lib/quoin", here}) {
        add_if_there(files, folder / "quoin_broker.so");
    }
    add_if_there(files, crypto::provider_file());
    const fs::path home = context.home;
    for (const char* const name : {"quoin.toml", "pki/profile.toml", "agent.toml"}) {
        add_if_there(files, home / name);
    }
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(home / "conf.d", failure)) {
        add_if_there(files, entry.path());
    }
    for (const std::string& file : options.files) {
        if (!fs::is_regular_file(file, failure)) {
            return fail(Code::input_not_found, "{}: is no file", file);
        }
        add_if_there(files, file);
    }
    return files;
}

// The key of the file, or a new one in it, with its public half beside it.
Result<crypto::PrivateKey> key_of(const Options& options) {
    std::error_code failure;
    if (fs::exists(options.key, failure)) {
        QUOIN_TRY(
            const auto passphrase,
            existing_passphrase(options.passphrase_file, "--passphrase-file", "the integrity key"));
        return crypto::PrivateKey::load(options.key, passphrase);
    }
    QUOIN_TRY(const auto passphrase, read_passphrase(options.passphrase_file, "--passphrase-file",
                                                     "the new integrity key"));
    QUOIN_TRY(auto key, crypto::PrivateKey::generate(crypto::Algorithm::ml_dsa_65));
    QUOIN_TRY(const std::string pem, key.to_encrypted_pem(passphrase, /*slow=*/true));
    QUOIN_CHECK(files::create(options.key, pem, 0600));
    return key;
}

Result<void> sign(const Context& context, const Options& options) {
    QUOIN_TRY(const auto files, files_of(context, options));
    QUOIN_TRY(const auto key, key_of(options));
    QUOIN_TRY(const auto half, key.public_key());
    QUOIN_TRY(const auto der, half.spki_der());
    QUOIN_TRY(const auto manifest, integrity::Manifest::measure(files));
    QUOIN_CHECK(files::write_atomically(options.public_key, crypto::to_hex(der) + "\n", 0644));
    QUOIN_CHECK(integrity::sign(context.home, manifest, key));
    if (context.json) {
        print_json({{"files", manifest.digests().size()}, {"public_key", options.public_key}});
        return {};
    }
    fmt::print(
        "signed: {} files in {}\npin the public key where only root writes: "
        "install -m 644 {} {}\n",
        manifest.digests().size(), (fs::path(context.home) / "integrity/manifest").string(),
        options.public_key, integrity::pinned_key_file().string());
    return {};
}

Result<void> verify(const Context& context) {
    QUOIN_TRY(const auto manifest, integrity::load(context.home));
    QUOIN_CHECK(manifest.check_files());
    if (context.json) {
        print_json({{"files", manifest.digests().size()}, {"result", "unchanged"}});
    } else {
        fmt::print("{} files are what was signed\n", manifest.digests().size());
    }
    return {};
}

}  // namespace

void add_integrity_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand("integrity", "The signed list of what a home runs");
    noun->require_subcommand(1);
    noun->footer(R"(Programs, plugin, provider and configuration with their SHA3-512, signed with
ML-DSA-65. In approved mode every program checks it before it listens or connects.
  quoin integrity sign --home plant --key /media/usb/integrity.key
  quoin integrity verify --home plant)");
    const auto options = std::make_shared<Options>();
    auto* sign_command = noun->add_subcommand("sign", "Measure and sign what is here now");
    sign_command->add_option("--key", options->key,
                             "The private key, encrypted; made if it is not there. Keep it "
                             "elsewhere");
    sign_command->add_option("--public-key", options->public_key,
                             "Where its public half is written, to be pinned");
    sign_command->add_option("--passphrase-file", options->passphrase_file,
                             "Of the key; absent: asked for");
    sign_command->add_option("FILES", options->files, "More files to list");
    on_run(sign_command, context, [&context, options] { return sign(context, *options); });
    auto* verify_command =
        noun->add_subcommand("verify", "Is everything what was signed, by the pinned key?");
    on_run(verify_command, context, [&context] { return verify(context); });
}

}  // namespace quoin::cli
