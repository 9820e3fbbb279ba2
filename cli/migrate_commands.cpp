#include "cli/migrate_commands.hpp"

#include <poll.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/passphrase.hpp"
#include "cli/pki_acts.hpp"
#include "cli/supervise/programs.hpp"
#include "server/pki/migration.hpp"

namespace quoin::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds abort_within{15};

struct BeginOptions {
    std::string to;
    std::string root_key;
    std::string passphrase_file;
    std::string next_passphrase_file;
};

Result<void> begin(const Context& context, const BeginOptions& options) {
    QUOIN_TRY(const auto to, tls::suite_by_name(options.to, false));
    QUOIN_TRY(const auto present,
              existing_passphrase(options.passphrase_file, "--root-passphrase-file",
                                  "passphrase of the present root"));
    QUOIN_TRY(const auto next,
              read_passphrase(options.next_passphrase_file, "--new-root-passphrase-file",
                              "passphrase of the new root"));
    server::MigrationRequest request{.home = context.home, .to = to};
    QUOIN_TRY(const Descriptor copy, root_key_copy(options.root_key));
    if (copy) request.root_key = descriptor_path(copy);
    QUOIN_CHECK(act_as_owner(context));
    QUOIN_CHECK(server::begin_migration(request, present, next, key_notices(), progress(context)));
    QUOIN_TRY(const auto pending, server::pending_migration(context.home));
    if (!pending) return fail(Code::state_wrong, "it was aborted or finished meanwhile");
    QUOIN_TRY(const auto digest, pending->root.sha256());
    const std::string fingerprint = crypto::to_hex(digest);
    tell(context, {{"to", options.to}, {"home", context.home}, {"root_sha256", fingerprint}},
         fmt::format("The plant migrates to suite {}. A plant that runs follows within seconds, "
                     "its devices one by one.\n"
                     "New root certificate SHA-256: {}\n"
                     "Record: {}/next/pki/ceremony.txt. Take {}/next/pki/root.key offline.\n"
                     "Then: quoin pki migrate status, and when all have moved: finish.",
                     options.to, fingerprint, context.home, context.home));
    return {};
}

Result<json> ask_plant(const Context& context) {
    QUOIN_TRY(const Client client, Client::open(context));
    return client.get("migration");
}

Result<void> status(const Context& context) {
    QUOIN_TRY(const json answer, ask_plant(context));
    if (context.json) {
        print_json(answer);
    } else if (answer["to"].is_null()) {
        fmt::print("The plant does not migrate. Its suite: {}\n", plain(answer["suite"]));
    } else {
        fmt::print("{}", sheet(answer));
    }
    return {};
}

// 0 if the plant cannot be asked and `is_forced`.
Result<std::int64_t> left_behind(const Context& context, bool is_forced) {
    const auto answer = ask_plant(context);
    if (!answer && is_forced) return 0;
    if (!answer) {
        return fail(answer.error().code,
                    "whether all devices have moved is not known: {} (--leave-behind does not ask)",
                    answer.error().message);
    }
    if ((*answer)["to"].is_null()) return 0;
    const std::int64_t behind =
        (*answer)["behind"].get<std::int64_t>() + (*answer)["quarantined"].get<std::int64_t>();
    if (behind == 0 || is_forced) return behind;
    return fail(Code::state_wrong,
                "{} devices have not moved (quoin pki migrate status): after this their "
                "certificates are refused, and they must be set up anew. --leave-behind goes on",
                behind);
}

Result<void> finish(const Context& context, bool leave_behind) {
    QUOIN_TRY(const std::int64_t behind, left_behind(context, leave_behind));
    QUOIN_CHECK(act_as_owner(context));
    QUOIN_CHECK(server::finish_migration(context.home, key_notices(), progress(context)));
    tell(context, {{"home", context.home}, {"left_behind", behind}},
         fmt::format("The plant is of the new suite, and of no other. Devices left behind: {}. "
                     "quoind and the broker start again within seconds.\n"
                     "The old root's key is of no more use: destroy its copies.",
                     behind));
    return {};
}

Result<void> none_certified(const json& answer) {
    const auto certified = answer["certified"].get<std::int64_t>();
    if (certified == 0) return {};
    return fail(Code::state_wrong,
                "{} devices have certificates of the new suite, and none goes back: finish, or "
                "say --danger-strand-devices and set up anew those that have moved",
                certified);
}

// When quoind serves the second hierarchy no more. One may have come in the moment before.
Result<void> none_certified_meanwhile(const Context& context, const std::string& issuer) {
    QUOIN_TRY(const Client client, Client::open(context));
    const auto deadline = std::chrono::steady_clock::now() + abort_within;
    while (std::chrono::steady_clock::now() < deadline) {
        QUOIN_TRY(const json answer, client.get(target("migration", {{"issuer", issuer}})));
        if (answer["to"].is_null()) return none_certified(answer);
        static_cast<void>(::poll(nullptr, 0, 100));  // ms
    }
    return fail(Code::resource_timeout, "quoind serves the new suite still; see its log");
}

Result<void> abort_it(const Context& context, bool danger_strand_devices) {
    QUOIN_TRY(const json answer, ask_plant(context));
    const bool is_on = !answer["to"].is_null();
    if (is_on && !danger_strand_devices) QUOIN_CHECK(none_certified(answer));
    QUOIN_CHECK(act_as_owner(context));
    QUOIN_TRY(const auto pending, server::pending_migration(context.home));
    const auto confirm = [&]() -> Result<void> {
        if (danger_strand_devices) return {};
        return none_certified_meanwhile(context, pending->issuing.serial_hex());
    };
    QUOIN_CHECK(server::abort_migration(context.home, confirm, key_notices(), progress(context)));
    tell(context, {{"home", context.home}}, "The plant stays as it was.");
    return {};
}

void add_begin(CLI::App* migrate, Context& context) {
    auto options = std::make_shared<BeginOptions>();
    auto* command = migrate->add_subcommand(
        "begin", "Make a second hierarchy of a stronger suite; devices move to it one by one");
    command->add_option("--to", options->to, "hybrid or pure")->required();
    command->add_option("--root-key", options->root_key,
                        "The present root's key; default HOME/pki/root.key");
    command->add_option("--root-passphrase-file", options->passphrase_file,
                        "File with its passphrase; else it is asked for");
    command->add_option("--new-root-passphrase-file", options->next_passphrase_file,
                        "File with the new root's passphrase; else it is asked for");
    command->footer(
        "Examples:\n  quoin pki migrate begin --to pure --home plant --root-key /media/root.key\n"
        "The broker starts again once, with a second port for devices that have moved:\n"
        "[broker] next_port in quoin.toml (default: port + 1). Open it in the firewall before.");
    on_run(command, context, [&context, options] { return begin(context, *options); });
}

}  // namespace

void add_migrate_commands(CLI::App* pki, Context& context) {
    auto* migrate = pki->add_subcommand(
        "migrate", "A running plant to a stronger suite: classical, hybrid, pure");
    migrate->require_subcommand(1);
    add_begin(migrate, context);
    auto* show = migrate->add_subcommand("status", "How many devices have moved");
    show->footer("Example:\n  quoin pki migrate status --home plant --json");
    on_run(show, context, [&context] { return status(context); });
    auto leave_behind = std::make_shared<bool>(false);
    auto* end = migrate->add_subcommand("finish", "The new suite becomes the only one");
    end->add_flag("--leave-behind", *leave_behind,
                  "Also if devices have not moved: they must be set up anew");
    end->footer("Example:\n  quoin pki migrate finish --home plant");
    on_run(end, context, [&context, leave_behind] { return finish(context, *leave_behind); });
    auto* back = migrate->add_subcommand("abort", "Give it up, while no device has moved");
    back->footer("Example:\n  quoin pki migrate abort --home plant");
    auto strand = std::make_shared<bool>(false);
    back->add_flag("--danger-strand-devices", *strand,
                   "Also if devices have certificates of the new suite");
    on_run(back, context, [&context, strand] { return abort_it(context, *strand); });
}

}  // namespace quoin::cli
