#include "cli/ceremony_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/output.hpp"
#include "cli/passphrase.hpp"
#include "cli/pki_acts.hpp"
#include "cli/profile_option.hpp"
#include "cli/rotate_commands.hpp"
#include "cli/supervise/account.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/offline_root.hpp"
#include "server/pki/profile.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string site;
    ProfileOption profile;
    std::vector<std::string> names;
    std::string status_url;
    std::vector<std::string> witnesses;
    std::string passphrase_file;
    keys::Choice keys;
};

void add_witness_option(CLI::App* command, const std::shared_ptr<Options>& options) {
    command->add_option("--witness", options->witnesses,
                        "Who is present (again for more), for the record");
}

void add_passphrase_option(CLI::App* command, const std::shared_ptr<Options>& options) {
    command->add_option("--root-passphrase-file", options->passphrase_file,
                        "File with the root key's passphrase; else it is asked for");
}

void add_status_option(CLI::App* command, const std::shared_ptr<Options>& options) {
    command->add_option("--status-url", options->status_url,
                        "http://HOST[:PORT] where everybody finds quoind's HTTP port: in the "
                        "certificates");
}

void add_name_option(CLI::App* command, const std::shared_ptr<Options>& options) {
    command->add_option("--name", options->names,
                        "A DNS name or IP address of this machine (again for more); "
                        "default localhost, 127.0.0.1, ::1");
}

void add_key_options(CLI::App* command, const std::shared_ptr<Options>& options) {
    command->add_option(
        "--key-store", options->keys.store,
        "quoin-se, where the keys of the issuing CA, quoind and the broker are made "
        "and stay: se:socket=PATH; default: files of the home");
    command->add_option("--key-fallback", options->keys.fallbacks,
                        "While the store cannot be reached: another one, or last \"software\" "
                        "(again for more); default: none");
    command->add_flag_callback(
        "--production", [options] { options->keys.production = true; },
        "The plant is of profile \"production\": its programs refuse software keys");
    command->add_flag("--danger-software-keys", options->keys.danger_software_keys,
                      "They do not refuse them");
}

Result<server::PkiRequest> request_of(const Context& context, const Options& options) {
    server::PkiRequest request{.home = context.home, .site = options.site};
    QUOIN_TRY(request.profile, chosen_profile(context, options.profile));
    if (!options.names.empty()) request.names = options.names;
    if (options.keys != keys::Choice()) request.keys = options.keys;
    request.status_url = options.status_url;
    request.witnesses = options.witnesses;
    return request;
}

Result<crypto::Passphrase> root_passphrase(const Options& options) {
    return read_passphrase(options.passphrase_file, "--root-passphrase-file", "root passphrase");
}

// quoin-se gives a key to the user who made it: the plant's, who will use it.
Result<void> act_where_keys_are(const Context& context, const server::PkiRequest& request) {
    if (request.keys->store.empty()) return {};
    QUOIN_TRY(const Account account, plant_account());
    QUOIN_CHECK(prepare_home(account, context.home));
    return become(account);
}

Result<std::string> root_fingerprint(const Context& context) {
    QUOIN_TRY(const auto root, x509::Certificate::load(context.home + "/pki/root.crt"));
    QUOIN_TRY(const auto digest, root.front().sha256());
    return crypto::to_hex(digest);
}

Result<void> init(const Context& context, const Options& options) {
    QUOIN_TRY(server::PkiRequest request, request_of(context, options));
    QUOIN_TRY(const auto passphrase, root_passphrase(options));
    QUOIN_TRY(request.keys, server::key_choice(request));
    QUOIN_CHECK(act_where_keys_are(context, request));
    QUOIN_CHECK(server::init_pki(request, passphrase, key_notices()));
    QUOIN_TRY(const std::string fingerprint, root_fingerprint(context));
    const std::string record = context.home + "/pki/ceremony.txt";
    const std::string_view suite = tls::info(request.profile->suite).name;
    tell(context,
         {{"site", options.site},
          {"suite", suite},
          {"home", context.home},
          {"root_sha256", fingerprint},
          {"record", record}},
         fmt::format("PKI of {} made in {}.\n"
                     "Root certificate SHA-256: {}\n"
                     "Record of the ceremony, to be printed and signed: {}\n"
                     "Now take {}/pki/root.key offline: it is not needed to run the plant.",
                     options.site, context.home, fingerprint, record, context.home));
    return {};
}

void add_init(CLI::App* pki, Context& context) {
    auto options = std::make_shared<Options>();
    auto* command = pki->add_subcommand("init", "Make root, issuing CA, services and `admin`");
    command->add_option("--site", options->site, "Name of the plant: A-Z a-z 0-9 _ . -")
        ->required();
    add_profile_option(command, options->profile);
    add_name_option(command, options);
    add_status_option(command, options);
    add_witness_option(command, options);
    add_passphrase_option(command, options);
    add_key_options(command, options);
    command->footer(
        "Examples:\n  quoin pki init --home plant --site hall-1 --suite pure "
        "--name plant.example --name 10.0.0.5\n"
        "  quoin pki init --home plant --site hall-1 --profile hybrid-44 --witness Anna "
        "--witness Ben\n"
        "  quoin pki init --home plant --site hall-1 --production \\\n"
        "    --key-store se:socket=/run/quoin/se.sock\n"
        "The profile goes into pki/profile.toml; --production and the keys' options into "
        "quoin.toml; if there is one, it says where keys are. With a root on a machine of its "
        "own: quoin pki root new.");
    on_run(command, context, [&context, options] { return init(context, *options); });
}

void add_profiles(CLI::App* pki, Context& context) {
    auto name = std::make_shared<std::string>();
    auto* command = pki->add_subcommand("profiles", "Show the built-in profiles, or check a file");
    command->add_option("profile", *name, "A name, or a file (NAME.toml); default: all names");
    command->footer(
        "Examples:\n  quoin pki profiles\n  quoin pki profiles hybrid > mine.toml\n"
        "  quoin pki profiles mine.toml");
    on_run(command, context, [&context, name]() -> Result<void> {
        if (!name->empty()) {
            QUOIN_TRY(const auto profile, server::find_profile(*name));
            if (context.json) {
                print_json({{"suite", tls::info(profile.suite).name}, {"toml", profile.text}});
            } else {
                fmt::print("{}", profile.text);
            }
            return {};
        }
        nlohmann::json list = nlohmann::json::array();
        for (const server::BuiltInProfile& row : server::built_in_profiles()) {
            // The first line says what it is for.
            const std::string_view about = row.text.substr(2, row.text.find('\n') - 2);
            list.push_back({{"name", row.name}, {"about", about}});
            if (!context.json) fmt::print("{:<10} {}\n", row.name, about);
        }
        if (context.json) print_json({{"profiles", std::move(list)}});
        return {};
    });
}

void add_root_new(CLI::App* root, Context& context) {
    auto options = std::make_shared<Options>();
    auto* command = root->add_subcommand("new", "Make a root on a machine of its own");
    command->add_option("--site", options->site, "Name of the plant")->required();
    add_profile_option(command, options->profile);
    add_witness_option(command, options);
    add_passphrase_option(command, options);
    command->footer("Example:\n  quoin pki root new --home root --site hall-1 --witness Anna");
    on_run(command, context, [&context, options]() -> Result<void> {
        QUOIN_TRY(const server::PkiRequest request, request_of(context, *options));
        QUOIN_TRY(const auto passphrase, root_passphrase(*options));
        QUOIN_CHECK(server::new_root(request, passphrase));
        QUOIN_TRY(const std::string fingerprint, root_fingerprint(context));
        const std::string record = context.home + "/pki/ceremony.txt";
        tell(context, {{"site", options->site}, {"root_sha256", fingerprint}, {"record", record}},
             fmt::format("Root of {} made. SHA-256: {}\nWhat comes next is in its record: {}",
                         options->site, fingerprint, record));
        return {};
    });
}

void add_root_sign(CLI::App* root, Context& context) {
    struct Sign {
        std::string request, out, sha256;
    };
    auto options = std::make_shared<Options>();
    auto sign = std::make_shared<Sign>();
    auto* command = root->add_subcommand("sign", "Certify an issuing CA by its request");
    command->add_option("request", sign->request, "issuing.csr of the plant's machine")->required();
    command->add_option("--out", sign->out, "Where its certificate goes")->required();
    command
        ->add_option("--sha256", sign->sha256,
                     "The request's SHA-256 as the plant's machine showed it; not from the medium "
                     "that has the request")
        ->required();
    add_status_option(command, options);
    add_witness_option(command, options);
    add_passphrase_option(command, options);
    command->footer(
        "Example:\n  quoin pki root sign issuing.csr --sha256 5f1c... --out issuing.crt --home "
        "root");
    on_run(command, context, [&context, options, sign]() -> Result<void> {
        QUOIN_TRY(const auto passphrase, root_passphrase(*options));
        QUOIN_TRY(const auto record, server::certify_request({.home = context.home,
                                                              .request = sign->request,
                                                              .out = sign->out,
                                                              .status_url = options->status_url,
                                                              .witnesses = options->witnesses,
                                                              .request_sha256 = sign->sha256},
                                                             passphrase));
        tell(context, {{"certificate", sign->out}, {"record", record.string()}},
             fmt::format("The issuing CA's certificate: {}\nRecord: {}", sign->out,
                         record.string()));
        return {};
    });
}

void add_issuing_request(CLI::App* issuing, Context& context) {
    auto options = std::make_shared<Options>();
    auto root = std::make_shared<std::string>();
    auto* command =
        issuing->add_subcommand("request", "Make the issuing CA's key, and a request to the root");
    command->add_option("--root", *root,
                        "The root's certificate, PEM; not of a plant that has a PKI: it gets a "
                        "second issuing CA (quoin pki rotate-issuing)");
    add_profile_option(command, options->profile);
    add_status_option(command, options);
    add_key_options(command, options);
    command->footer(
        "Example:\n  quoin pki issuing request --root root.crt --profile profile.toml "
        "--home plant");
    on_run(command, context, [&context, options, root]() -> Result<void> {
        if (has_pki(context)) return request_rotation(context);
        if (root->empty()) return fail(Code::input_invalid, "--root: say which root it is for");
        QUOIN_TRY(server::PkiRequest request, request_of(context, *options));
        QUOIN_TRY(request.keys, server::key_choice(request));
        QUOIN_CHECK(act_where_keys_are(context, request));
        QUOIN_TRY(const auto file, server::request_issuing(request, *root, key_notices()));
        return tell_request(context, file);
    });
}

void add_issuing_install(CLI::App* issuing, Context& context) {
    auto options = std::make_shared<Options>();
    auto file = std::make_shared<std::string>();
    auto* command = issuing->add_subcommand(
        "install", "Make services and `admin` by the issuing CA that the root has certified");
    command->add_option("certificate", *file, "The root's answer, PEM")->required();
    auto devices_now = add_devices_now(command);
    add_name_option(command, options);
    add_witness_option(command, options);
    command->footer("Example:\n  quoin pki issuing install issuing.crt --home plant");
    on_run(command, context, [&context, options, file, devices_now]() -> Result<void> {
        if (has_pki(context)) return install_rotation(context, *file, *devices_now);
        server::PkiRequest request{.home = context.home, .site = {}};
        if (!options->names.empty()) request.names = options->names;
        request.witnesses = options->witnesses;
        QUOIN_TRY(request.keys, server::key_choice(request));
        QUOIN_CHECK(act_where_keys_are(context, request));
        QUOIN_CHECK(server::install_issuing(request, *file, key_notices()));
        QUOIN_TRY(const std::string fingerprint, root_fingerprint(context));
        const std::string record = context.home + "/pki/ceremony.txt";
        tell(context, {{"home", context.home}, {"root_sha256", fingerprint}, {"record", record}},
             fmt::format("PKI made in {}.\nRoot certificate SHA-256: {}\nRecord: {}", context.home,
                         fingerprint, record));
        return {};
    });
}

}  // namespace

void add_ceremony_commands(CLI::App* pki, Context& context) {
    add_init(pki, context);
    add_profiles(pki, context);
    auto* root = pki->add_subcommand("root", "A root whose key is never on the plant's machine");
    root->require_subcommand(1);
    add_root_new(root, context);
    add_root_sign(root, context);
    auto* issuing = pki->add_subcommand("issuing", "The plant's side of such a root");
    issuing->require_subcommand(1);
    add_issuing_request(issuing, context);
    add_issuing_install(issuing, context);
}

}  // namespace quoin::cli
