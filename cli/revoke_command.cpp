#include "cli/revoke_command.hpp"

#include <chrono>
#include <memory>
#include <unordered_set>

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "host/files/files.hpp"
#include "host/x509/identity.hpp"
#include "host/x509/revocation_reason.hpp"

namespace quoin::cli {
namespace {

using nlohmann::json;

constexpr std::size_t devices_at_once = 500;  // what one call takes: one transaction each
constexpr std::size_t max_batch_bytes = 64 << 20;

struct Options {
    std::string id, batch, reason, note;
    bool dry_run = false;
};

// A list of certificates, or of numbers, as one line.
std::string joined(const json& list, const char* field) {
    std::string text;
    for (const json& item : list) {
        const json& value = item.is_object() ? item.value(field, json()) : item;
        text += (text.empty() ? "" : ", ") + plain(value);
    }
    return text.empty() ? "none" : text;
}

void show_one(const json& answer) {
    const bool dry_run = answer.value("dry_run", false);
    const std::string device = plain(answer.value("device", json()));
    if (answer.value("already_revoked", false)) {
        fmt::print("{} is revoked already; nothing {}\n", device,
                   dry_run ? "would end" : "was left to end");
        return;
    }
    fmt::print("{} {}\n", device, dry_run ? "would be revoked; nothing is changed" : "is revoked");
    fmt::print("  certificates:       {}\n",
               joined(answer.value("certificates", json::array()), "serial"));
    fmt::print("  session on broker:  {}\n", answer.value("live_session", false)
                                                 ? (dry_run ? "live, would be closed" : "closed")
                                                 : "none");
    fmt::print("  pending enrolments: {}\n",
               joined(answer.value("pending_enrolments", json::array()), ""));
    if (!dry_run) fmt::print("  signed statement:   {}\n", plain(answer["statement"]));
}

Result<void> revoke_one(const Context& context, const Options& options, json body) {
    QUOIN_TRY(const Client client, Client::open(context));
    QUOIN_TRY(const json answer,
              client.post(target("devices/" + options.id + "/revoke", {}), body.dump()));
    if (context.json) {
        print_json(answer);
    } else {
        show_one(answer);
    }
    return {};
}

struct Totals {
    std::uint64_t revoked = 0, already = 0, certificates = 0, enrolments = 0, sessions = 0;
    json unknown = json::array();
    json gone = json::array();

    void add(const json& answer) {
        const auto number = [&](const char* name) { return answer.value(name, std::uint64_t{0}); };
        revoked += number("revoked");
        already += number("already_revoked");
        certificates += number("certificates");
        enrolments += number("pending_enrolments");
        sessions += number("live_sessions");
        for (const json& id : answer.value("unknown", json::array())) unknown.push_back(id);
        for (const json& id : answer.value("gone", json::array())) gone.push_back(id);
    }
};

void show_totals(const Context& context, const Options& options, const Totals& totals) {
    if (context.json) {
        json document{{"dry_run", options.dry_run},
                      {"revoked", totals.revoked},
                      {"already_revoked", totals.already},
                      {"certificates", totals.certificates},
                      {"pending_enrolments", totals.enrolments},
                      {"unknown", totals.unknown},
                      {"gone", totals.gone}};
        if (options.dry_run) document["live_sessions"] = totals.sessions;
        return print_json(document);
    }
    fmt::print(
        "{} {}: {} certificates, {} pending enrolments{}; {} were revoked already\n",
        totals.revoked, options.dry_run ? "would be revoked; nothing is changed" : "are revoked",
        totals.certificates, totals.enrolments,
        options.dry_run ? fmt::format(", {} live sessions", totals.sessions) : "", totals.already);
    if (!totals.unknown.empty())
        fmt::print("not in the inventory: {}\n", joined(totals.unknown, ""));
    if (!totals.gone.empty()) fmt::print("transferred or retired: {}\n", joined(totals.gone, ""));
}

// Unknown ids do not keep the others from being revoked; they are told, and the exit code is 1.
Result<void> revoke_batch(Context& context, const Options& options, json body) {
    QUOIN_TRY(const std::string text, files::read(options.batch, max_batch_bytes));
    QUOIN_TRY(const std::vector<std::string> ids, ids_of_batch(text));
    QUOIN_TRY(Client client, Client::open(context));
    client.set_timeout(std::chrono::minutes(2));
    Totals totals;
    {
        Progress progress(context, options.dry_run ? "looking" : "revoking", ids.size());
        for (std::size_t at = 0; at < ids.size(); at += devices_at_once) {
            const std::size_t end = std::min(ids.size(), at + devices_at_once);
            body["ids"] = std::vector<std::string>(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                                   ids.begin() + static_cast<std::ptrdiff_t>(end));
            const auto answer = client.post("devices/revoke", body.dump());
            if (!answer) {
                return fail(answer.error().code,
                            "{}; {} of {} are done: the same command goes on from there",
                            answer.error().message, at, ids.size());
            }
            totals.add(*answer);
            progress.show(end);
        }
    }
    show_totals(context, options, totals);
    if (!totals.unknown.empty()) context.exit_code = exit_code(Code::input_not_found);
    return {};
}

Result<void> run(Context& context, const Options& options) {
    if (options.id.empty() == options.batch.empty()) {
        return fail(Code::input_invalid, "name a device, or a list with --batch FILE");
    }
    json body{{"reason", options.reason}, {"dry_run", options.dry_run}};
    if (!options.note.empty()) body["note"] = options.note;
    return options.batch.empty() ? revoke_one(context, options, std::move(body))
                                 : revoke_batch(context, options, std::move(body));
}

}  // namespace

Result<std::vector<std::string>> ids_of_batch(std::string_view text) {
    std::vector<std::string> ids;
    std::unordered_set<std::string> seen;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        std::string id(line);
        if (line.starts_with('{')) {
            const json object = json::parse(line, nullptr, false);
            const bool named = object.is_object() && object.contains("silicon_id") &&
                               object["silicon_id"].is_string();
            id = named ? object["silicon_id"].get<std::string>() : "";
        }
        if (!x509::is_valid_id(id)) {
            return fail(Code::input_invalid,
                        "line {}: is neither a device id nor a line of a batch list", number);
        }
        if (seen.insert(id).second) ids.push_back(std::move(id));
    }
    if (ids.empty()) return fail(Code::input_invalid, "the list names no device");
    return ids;
}

void add_revoke_command(CLI::App& noun, Context& context) {
    const auto options = std::make_shared<Options>();
    auto* revoke = noun.add_subcommand(
        "revoke", "End devices for good: identity, certificates, session, enrolment");
    revoke->add_option("ID", options->id, "The device's id");
    revoke
        ->add_option("--batch", options->batch,
                     "Many: a maker's batch list, or one id a line; again, it goes on")
        ->check(CLI::ExistingFile);
    std::vector<std::string> names;
    for (const x509::Reason reason : x509::reasons) names.emplace_back(x509::reason_name(reason));
    revoke->add_option("--reason", options->reason, "Why, as revocation lists say it")
        ->required()
        ->check(CLI::IsMember(names));
    revoke->add_option("--note", options->note, "Why, for people; it is recorded");
    revoke->add_flag("--dry-run", options->dry_run, "Show what would end, and change nothing");
    on_run(revoke, context, [&context, options] { return run(context, *options); });
}

}  // namespace quoin::cli
