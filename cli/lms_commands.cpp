#include "cli/lms_commands.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <optional>
#include <set>

#include "cli/output.hpp"
#include "cli/passphrase.hpp"
#include "host/files/files.hpp"
#include "host/lms/key.hpp"

namespace quoin::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_message_size = std::size_t{4} << 30U;  // of a file to sign
constexpr std::size_t max_signature_size = 1U << 20U;            // eight levels of H25 W1: 75 KiB

struct Options {
    std::string key, passphrase_file, hash = "sha256", levels = "15/4", anchor = "none", file,
                                      signature;
    std::vector<std::string> files;
};

bool take_number(std::string_view& text, unsigned& value) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return failure == std::errc() && value <= 255;
}

// "20/8,10/4": height/width of each level, top first.
Result<std::vector<lms::Level>> parse_levels(const std::string& text) {
    std::vector<lms::Level> levels;
    std::string_view rest = text;
    for (;;) {
        unsigned height = 0;
        unsigned width = 0;
        const bool has_height = take_number(rest, height) && rest.starts_with('/');
        if (has_height) rest.remove_prefix(1);
        if (!has_height || !take_number(rest, width)) break;
        levels.push_back({static_cast<std::uint8_t>(height), static_cast<std::uint8_t>(width)});
        if (rest.empty()) return levels;
        if (!rest.starts_with(',')) break;
        rest.remove_prefix(1);
    }
    return fail(Code::input_invalid,
                "--levels {}: write HEIGHT/WIDTH for each level, top first, such as 15/4 or "
                "20/8,10/4",
                text);
}

lms::Hash hash_named(const std::string& name) {
    for (const lms::Hash hash :
         {lms::Hash::sha256_192, lms::Hash::shake256, lms::Hash::shake256_192}) {
        if (lms::hash_name(hash) == name) return hash;
    }
    return lms::Hash::sha256;
}

// A bar for the leaves of a tree; made when there is something to show.
lms::Progress show_leaves(const Context& context) {
    return [&context, bar = std::shared_ptr<Progress>()](std::uint64_t done,
                                                         std::uint64_t total) mutable {
        if (!bar) bar = std::make_shared<Progress>(context, "one-time keys", total);
        bar->show(done);
    };
}

Result<void> keygen(const Context& context, const Options& options) {
    QUOIN_TRY(auto levels, parse_levels(options.levels));
    const lms::Shape shape{hash_named(options.hash), std::move(levels)};
    QUOIN_TRY(const std::uint64_t capacity, lms::capacity(shape));
    QUOIN_TRY(const auto passphrase,
              read_passphrase(options.passphrase_file, "--passphrase-file", "key passphrase"));
    QUOIN_CHECK(
        lms::generate(options.key, shape, passphrase, true, options.anchor, show_leaves(context)));
    if (context.json) {
        print_json({{"key", options.key},
                    {"parameters", lms::describe(shape)},
                    {"signatures", capacity},
                    {"anchor", options.anchor},
                    {"signature_size_bytes", lms::signature_size(shape)}});
        return {};
    }
    fmt::print("{}: {}, {} signatures of {} bytes\n", options.key, lms::describe(shape), capacity,
               lms::signature_size(shape));
    fmt::print("give {}/public.pem to whoever verifies\n", options.key);
    if (options.anchor == "none") {
        fmt::print(
            "ANCHOR: none. Never copy the folder or restore it from a backup: nothing would "
            "notice, "
            "and an index used twice gives the key away. --anchor tpm:... or se:... notices\n");
    }
    return {};
}

void warn_if_low(const Context& context, std::uint64_t left, std::uint64_t capacity,
                 const std::string& key) {
    if (!lms::runs_low(left, capacity) || context.json) return;
    fmt::print(stderr, "{}: {} of {} signatures are left: make the next key now{}\n", key, left,
               capacity, left > 0 ? ", and sign its public key with this one" : "");
}

std::string signature_of(const std::string& file) { return file + ".lms"; }

// Each signature has a place, and one of its own.
Result<void> check_outputs(const std::vector<std::string>& names) {
    std::set<fs::path> outputs;
    for (const std::string& name : names) {
        const std::string out = signature_of(name);
        if (const auto created = files::check_create(out); !created) {
            const auto& [code, message] = created.error();
            if (code == Code::input_conflict) return fail(code, "{}; move it away first", message);
            return fail(code, "{}; no signature was spent: copy {} to where you may write", message,
                        name);
        }
        std::error_code failure;
        const fs::path place = fs::weakly_canonical(fs::absolute(out), failure);
        if (failure) return fail(Code::input_not_found, "{}: {}", out, failure.message());
        if (!outputs.insert(place).second) {
            return fail(Code::input_invalid, "{}: is named twice; name each file once", name);
        }
    }
    return {};
}

Result<void> sign(const Context& context, const Options& options) {
    QUOIN_CHECK(check_outputs(options.files));  // before an index is spent
    std::vector<std::string> messages;
    for (const std::string& file : options.files) {
        QUOIN_TRY(std::string message, files::read(file, max_message_size));
        messages.push_back(std::move(message));
    }
    QUOIN_TRY(const auto passphrase,
              existing_passphrase(options.passphrase_file, "--passphrase-file", "key passphrase"));
    QUOIN_TRY(auto key, lms::SigningKey::open(options.key, passphrase, messages.size(),
                                              show_leaves(context)));
    if (key.left() < messages.size()) {
        return fail(Code::resource_full, "{}: {} signatures are left, {} files are to be signed",
                    options.key, key.left(), messages.size());
    }
    nlohmann::json made = nlohmann::json::array();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        QUOIN_TRY(const auto signature, key.sign(bytes_of(messages[i])));
        const std::string out = signature_of(options.files[i]);
        QUOIN_CHECK(files::create(out, text_of(signature), 0644));
        made.push_back({{"file", options.files[i]}, {"signature", out}});
        if (!context.json) fmt::print("{}\n", out);
    }
    if (context.json) {
        print_json({{"signatures", made},
                    {"left", key.left()},
                    {"runs_low", lms::runs_low(key.left(), key.capacity())}});
    }
    warn_if_low(context, key.left(), key.capacity(), options.key);
    return {};
}

Result<void> verify(const Context& context, const Options& options) {
    QUOIN_TRY(const auto public_key, lms::load_public_key(options.key));
    const std::string file =
        options.signature.empty() ? signature_of(options.file) : options.signature;
    QUOIN_TRY(const std::string signature, files::read(file, max_signature_size));
    QUOIN_CHECK(lms::verify_file(public_key, options.file, bytes_of(signature)));
    QUOIN_TRY(const std::string description, lms::describe_public_key(public_key));
    if (context.json) {
        print_json({{"file", options.file}, {"valid", true}, {"parameters", description}});
    } else {
        fmt::print("{}: good signature by {} ({})\n", options.file, options.key, description);
    }
    return {};
}

Result<void> status(const Context& context, const Options& options) {
    QUOIN_TRY(const auto seen, lms::look_at(options.key));
    const nlohmann::json answer = {{"key", options.key},
                                   {"parameters", seen.description},
                                   {"public_key", crypto::to_hex(seen.public_key)},
                                   {"signatures", seen.capacity},
                                   {"used", seen.capacity - seen.left},
                                   {"left", seen.left},
                                   {"anchor", seen.anchor},
                                   {"runs_low", lms::runs_low(seen.left, seen.capacity)}};
    if (context.json) {
        print_json(answer);
    } else {
        fmt::print("{}", sheet(answer));
    }
    warn_if_low(context, seen.left, seen.capacity, options.key);
    return {};
}

using Shared = std::shared_ptr<Options>;

void add_key_argument(CLI::App* command, const Shared& options, const char* what) {
    command->add_option("KEY", options->key, what)->required();
}
void add_passphrase_option(CLI::App* command, const Shared& options) {
    command->add_option("--passphrase-file", options->passphrase_file,
                        "File (mode 0600) with the key's passphrase; else it is asked for");
}

void add_keygen(CLI::App& noun, Context& context, const Shared& options) {
    auto* command = noun.add_subcommand("keygen", "Make a key in a new folder");
    add_key_argument(command, options, "The folder to make");
    command
        ->add_option("--levels", options->levels,
                     "HEIGHT/WIDTH of each tree, top first (default 15/4)")
        ->type_name("H/W,...");
    command
        ->add_option("--hash", options->hash,
                     "sha256 (default), sha256-192, shake256 or shake256-192")
        ->check(CLI::IsMember({"sha256", "sha256-192", "shake256", "shake256-192"}));
    add_passphrase_option(command, options);
    command->add_option(
        "--anchor", options->anchor,
        "What notices a restored or copied folder: tpm:... or se:... (default none)");
    command->footer(
        R"(A tree of height H signs 2^H times: H is 5, 10, 15, 20 or 25. The width W is
1, 2, 4 or 8: each step makes signatures smaller and slower. 15/4 means 32,768
signatures of 2,672 bytes, about a second to make. Two levels (10/4,10/4) are as
many signatures as 20/4, made a thousand times faster, twice as long, and each
1,024th takes a moment; CNSA 2.0 wants a single level.

  quoin lms keygen firmware-key
  quoin lms keygen root --levels 20/8 --passphrase-file /run/keys/root)");
    on_run(command, context, [&context, options] { return keygen(context, *options); });
}

void add_sign(CLI::App& noun, Context& context, const Shared& options) {
    auto* command = noun.add_subcommand("sign", "Sign files: FILE gets a FILE.lms beside it");
    add_key_argument(command, options, "The key's folder");
    command->add_option("FILES", options->files, "What to sign")
        ->required()
        ->check(CLI::ExistingFile);
    add_passphrase_option(command, options);
    on_run(command, context, [&context, options] { return sign(context, *options); });
}

void add_verify(CLI::App& noun, Context& context, const Shared& options) {
    auto* command = noun.add_subcommand("verify", "Is this file's signature good?");
    add_key_argument(command, options, "public.pem, or the key's folder");
    command->add_option("FILE", options->file, "What was signed")
        ->required()
        ->check(CLI::ExistingFile);
    command->add_option("--signature", options->signature, "Its signature (default FILE.lms)");
    on_run(command, context, [&context, options] { return verify(context, *options); });
}

}  // namespace

void add_lms_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand(
        "lms", "Stateful hash-based signatures (LMS/HSS, RFC 8554) for firmware");
    noun->require_subcommand(1);
    noun->footer(
        R"(Each signature spends a one-time key for good: which are spent is written to the
disk before a signature exists. Never copy a key's folder, and keep it out of
backups and images: an old copy signs with spent keys, and then anybody can sign.
A key made with --anchor is refused when that was done (quoin counters --help).

Examples:
  quoin lms keygen firmware-key
  quoin lms sign firmware-key image.bin
  quoin lms verify firmware-key/public.pem image.bin
  quoin lms status firmware-key)");
    const auto options = std::make_shared<Options>();
    add_keygen(*noun, context, options);
    add_sign(*noun, context, options);
    add_verify(*noun, context, options);
    auto* command = noun->add_subcommand("status", "How many signatures a key has left");
    add_key_argument(command, options, "The key's folder");
    on_run(command, context, [&context, options] { return status(context, *options); });
}

}  // namespace quoin::cli
