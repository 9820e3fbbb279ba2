#include "cli/pki_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/output.hpp"
#include "cli/passphrase.hpp"
#include "cli/supervise/account.hpp"
#include "cli/supervise/programs.hpp"
#include "cli/supervise/sealed_file.hpp"
#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/birth.hpp"
#include "server/pki/ceremony.hpp"

namespace quoin::cli {
namespace {

// What a command did: its JSON, or a sentence.
void tell(const Context& context, const nlohmann::json& facts, const std::string& sentence) {
    if (context.json) {
        print_json(facts);
    } else {
        fmt::print("{}\n", sentence);
    }
}

// Root leaves no files in a plant that the plant's own user cannot read.
Result<void> act_as_owner(const Context& context) {
    QUOIN_TRY(const Account owner, owner_of(context.home));
    return become(owner);
}

// On standard error: what was asked for is done all the same.
server::KeyNotices key_notices() {
    return {.on_fallback =
                [](std::string_view from, std::string_view to, const Error& why) {
                    fmt::print(stderr, "FALLBACK: a key is made in {} instead of {}: {}\n", to,
                               from, printable(why.message));
                },
            .on_unreached =
                [](std::string_view store, const Error& why) {
                    fmt::print(stderr, "old keys stay in {} until the next renewal: {}\n", store,
                               printable(why.message));
                }};
}

struct InitOptions {
    std::string site;
    std::vector<std::string> names;
    std::string passphrase_file;
    keys::Choice keys;
};

Result<void> init(const Context& context, const InitOptions& options) {
    QUOIN_TRY(const auto suite,
              tls::suite_by_name(context.suite.empty() ? "hybrid" : context.suite, false));
    server::PkiRequest request{.home = context.home, .site = options.site, .suite = suite};
    if (!options.names.empty()) request.names = options.names;
    if (options.keys != keys::Choice()) request.keys = options.keys;
    QUOIN_TRY(const auto passphrase, read_passphrase(options.passphrase_file,
                                                     "--root-passphrase-file", "root passphrase"));
    QUOIN_TRY(request.keys, server::key_choice(request));
    if (!request.keys->store.empty()) {
        // quoin-se gives a key to the user who made it: the plant's, who will use it.
        QUOIN_TRY(const Account account, plant_account());
        QUOIN_CHECK(prepare_home(account, context.home));
        QUOIN_CHECK(become(account));
    }
    QUOIN_CHECK(server::init_pki(request, passphrase, key_notices()));
    QUOIN_TRY(const auto root, x509::Certificate::load(request.home / "pki" / "root.crt"));
    QUOIN_TRY(const auto digest, root.front().sha256());
    const std::string fingerprint = crypto::to_hex(digest);
    tell(context,
         {{"site", options.site},
          {"suite", tls::info(suite).name},
          {"home", context.home},
          {"root_sha256", fingerprint}},
         fmt::format("PKI of {} made in {}.\n"
                     "Root certificate SHA-256: {}\n"
                     "Now take {}/pki/root.key offline: it is not needed to run the plant.",
                     options.site, context.home, fingerprint, context.home));
    return {};
}

void add_init(CLI::App* pki, Context& context) {
    auto options = std::make_shared<InitOptions>();
    auto* command = pki->add_subcommand("init", "Make root, issuing CA, services and `admin`");
    command->add_option("--site", options->site, "Name of the plant: A-Z a-z 0-9 _ . -")
        ->required();
    command->add_option("--name", options->names,
                        "A DNS name or IP address of this machine (again for more); "
                        "default localhost, 127.0.0.1, ::1");
    command->add_option("--root-passphrase-file", options->passphrase_file,
                        "File with the root key's passphrase; else it is asked for");
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
    command->footer(
        "Examples:\n  quoin pki init --home plant --site hall-1 --suite pure "
        "--name plant.example --name 10.0.0.5\n"
        "  quoin pki init --home plant --site hall-1 --production \\\n"
        "    --key-store se:socket=/run/quoin/se.sock\n"
        "Profile and [keys] are written to quoin.toml; if there is one, it says where keys are.");
    on_run(command, context, [&context, options] { return init(context, *options); });
}

void add_operator(CLI::App* pki, Context& context) {
    struct Options {
        std::string name;
        std::string role = "viewer";
    };
    auto options = std::make_shared<Options>();
    auto* command = pki->add_subcommand("operator", "Make a certificate for a person");
    command->add_option("name", options->name, "Who")->required();
    command->add_option("--role", options->role, "viewer (default), operator or admin");
    command->footer("Example:\n  quoin pki operator anna --role operator --home plant");
    on_run(command, context, [&context, options]() -> Result<void> {
        QUOIN_TRY(const auto role, x509::role_by_name(options->role));
        QUOIN_CHECK(act_as_owner(context));
        QUOIN_CHECK(server::add_operator(context.home, options->name, role));
        const std::string file = fmt::format("{}/operator/{}.crt", context.home, options->name);
        tell(context, {{"name", options->name}, {"role", options->role}, {"certificate", file}},
             fmt::format("{} is {}: {}", options->name, options->role, file));
        return {};
    });
}

void add_trust_maker(CLI::App* pki, Context& context) {
    auto file = std::make_shared<std::string>();
    auto* command =
        pki->add_subcommand("trust-maker", "Accept birth certificates of a manufacturer's CA");
    command->add_option("file", *file, "The CA's certificate, PEM")->required();
    command->footer("Example:\n  quoin pki trust-maker maker/ca.crt --home plant");
    on_run(command, context, [&context, file]() -> Result<void> {
        // Read by us, who may; written by the owner of the home.
        QUOIN_TRY(const std::string certificate, files::read(*file));
        QUOIN_CHECK(act_as_owner(context));
        QUOIN_TRY(const Descriptor copy, sealed_file("quoin-maker", certificate));
        QUOIN_TRY(const auto put, server::trust_maker(context.home, descriptor_path(copy)));
        tell(context, {{"certificate", put.string()}},
             fmt::format("Birth certificates of this CA are accepted: {}", put.string()));
        return {};
    });
}

void add_renew_services(CLI::App* pki, Context& context) {
    auto* command = pki->add_subcommand(
        "renew-services", "New keys and certificates for the services, used from the next start");
    command->footer("Example:\n  quoin pki renew-services --home plant");
    on_run(command, context, [&context]() -> Result<void> {
        QUOIN_CHECK(act_as_owner(context));
        QUOIN_CHECK(server::renew_services(context.home, key_notices()));
        tell(context, {{"home", context.home}},
             "The services have new certificates; restart the plant to use them.");
        return {};
    });
}

struct BirthOptions {
    std::string maker;
    std::string device_class;
    std::vector<std::string> ids;
    std::uint64_t count = 0;
    std::string prefix;
    std::string key_store;
};

Result<std::vector<std::string>> ids_of(const BirthOptions& options) {
    if (options.ids.empty() == (options.count == 0)) {
        return fail(Code::input_invalid, "give ids, or --count N (with --prefix), not both");
    }
    std::vector<std::string> ids = options.ids;
    const std::string prefix = options.prefix.empty() ? options.device_class + "-" : options.prefix;
    for (std::uint64_t i = 1; i <= options.count; ++i)
        ids.push_back(fmt::format("{}{}", prefix, i));
    return ids;
}

Result<void> birth(const Context& context, const BirthOptions& options) {
    QUOIN_TRY(const auto ids, ids_of(options));
    QUOIN_TRY(auto maker, server::Maker::open(options.maker));
    // Before anything is made: a command that fails half-way is hard to repeat.
    for (const std::string& id : ids) {
        if (maker.is_born(id)) {
            return fail(Code::input_conflict, "device {} was born already; no device was made", id);
        }
    }
    Progress progress(context, "birth", ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        QUOIN_CHECK(maker.birth(ids[i], options.device_class, options.key_store));
        progress.show(i + 1);
    }
    const std::string batch = maker.batch_file().string();
    tell(context, {{"born", ids}, {"batch", batch}},
         fmt::format("Born: {} {} device{}. Batch list: {}", ids.size(), options.device_class,
                     ids.size() == 1 ? "" : "s", batch));
    return {};
}

void add_birth(CLI::App& app, Context& context) {
    auto options = std::make_shared<BirthOptions>();
    auto* command = app.add_subcommand(
        "birth", "Play the manufacturer: keys, birth certificates and a batch list of devices");
    command->add_option("--maker", options->maker, "The manufacturer's folder (made if not there)")
        ->required();
    command->add_option("--class", options->device_class, "mcu or mpu")
        ->required()
        ->check(CLI::IsMember({"mcu", "mpu"}));
    command->add_option("id", options->ids, "Silicon ids: A-Z a-z 0-9 _ . -");
    command->add_option("--count", options->count, "This many: PREFIX1, PREFIX2, …")
        ->check(CLI::Range(1, 1'000'000));
    command->add_option("--prefix", options->prefix, "For --count; default mcu- or mpu-");
    command->add_option("--key-store", options->key_store,
                        "The device's quoin-se, where its birth key is made and stays: "
                        "se:socket=PATH; run it as the agent's user. Default: a file");
    command->footer(
        "Examples:\n  quoin birth --maker maker --class mpu mpu-1 mpu-2\n"
        "  quoin birth --maker maker --class mcu --count 100 --prefix sensor-");
    on_run(command, context, [&context, options] { return birth(context, *options); });
}

}  // namespace

void add_pki_commands(CLI::App& app, Context& context) {
    auto* pki = app.add_subcommand("pki", "The plant's certification authority, offline");
    pki->require_subcommand(1);
    add_init(pki, context);
    add_operator(pki, context);
    add_trust_maker(pki, context);
    add_renew_services(pki, context);
    add_birth(app, context);
}

}  // namespace quoin::cli
