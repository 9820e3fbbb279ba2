#include "cli/pki_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/ceremony_commands.hpp"
#include "cli/migrate_commands.hpp"
#include "cli/output.hpp"
#include "cli/pki_acts.hpp"
#include "cli/revocation_commands.hpp"
#include "cli/rotate_commands.hpp"
#include "cli/supervise/programs.hpp"
#include "cli/supervise/sealed_file.hpp"
#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/birth.hpp"
#include "server/pki/ceremony.hpp"

namespace quoin::cli {
namespace {

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
        "renew-services",
        "New keys and certificates for the services; a plant that runs takes them at once");
    command->footer("Example:\n  quoin pki renew-services --home plant");
    on_run(command, context, [&context]() -> Result<void> {
        QUOIN_CHECK(act_as_owner(context));
        QUOIN_CHECK(server::renew_services(context.home, key_notices()));
        tell(context, {{"home", context.home}},
             "The services have new certificates; a plant that runs takes them within seconds.");
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
    bool foreign = false;
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
        QUOIN_CHECK(maker.birth(ids[i], options.device_class, options.key_store, options.foreign));
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
    command->add_flag("--foreign", options->foreign,
                      "Devices whose EST client is not quoin-agent: they need not bind requests "
                      "to the TLS connection");
    command->footer(
        "Examples:\n  quoin birth --maker maker --class mpu mpu-1 mpu-2\n"
        "  quoin birth --maker maker --class mcu --count 100 --prefix sensor-");
    on_run(command, context, [&context, options] { return birth(context, *options); });
}

}  // namespace

void add_pki_commands(CLI::App& app, Context& context) {
    auto* pki = app.add_subcommand("pki", "The plant's certification authority");
    pki->require_subcommand(1);
    add_ceremony_commands(pki, context);
    add_migrate_commands(pki, context);
    add_operator(pki, context);
    add_trust_maker(pki, context);
    add_renew_services(pki, context);
    add_rotate_issuing(pki, context);
    add_revocation_commands(pki, context);
    add_birth(app, context);
}

}  // namespace quoin::cli
