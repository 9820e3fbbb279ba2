#include "cli/keys_commands.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>

#include "cli/output.hpp"
#include "host/crypto/crypto.hpp"
#include "host/keys/open.hpp"
#include "host/keys/sealed_key.hpp"

namespace quoin::cli {
namespace {

struct Options {
    std::string store;
    std::string key;
    std::string algorithm;
    std::string blob;
    keys::UsePolicy policy;
    std::vector<std::string> users;  // of the policy: names or uids
    unsigned rounds = 1;
    bool danger_forever = false;
};

nlohmann::json json_of(const keys::UsePolicy& policy) {
    nlohmann::json json = nlohmann::json::object();
    if (policy.attestation_only) json["attestation_only"] = true;
    if (policy.platform_bound) json["platform_bound"] = true;
    if (policy.max_uses != 0) json["max_uses"] = policy.max_uses;
    if (policy.max_uses_per_minute != 0) json["max_uses_per_minute"] = policy.max_uses_per_minute;
    if (!policy.message_prefix.empty()) json["message_prefix"] = policy.message_prefix;
    if (!policy.users.empty()) json["users"] = policy.users;
    return json;
}

nlohmann::json json_of(const keys::Description& store) {
    return {{"kind", store.kind},
            {"location", store.location},
            {"product", store.product},
            {"residence", keys::residence_name(store.residence)},
            {"algorithms", store.algorithms},
            {"sealed_by", store.sealed_by},
            {"seals", store.seals},
            {"counts", store.counts},
            {"attests", store.attests}};
}

void print(const Context& context, const nlohmann::json& answer) {
    if (context.json) {
        print_json(answer);
    } else {
        fmt::print("{}", sheet(answer));
    }
}

Result<void> create(const Context& context, const Options& options) {
    QUOIN_TRY(const auto store, keys::create_store(options.store));
    print(context, json_of(store->describe()));
    return {};
}

Result<void> list(const Context& context, const Options& options) {
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    QUOIN_TRY(const auto all, store->list());
    nlohmann::json rows = nlohmann::json::array();
    for (const keys::KeyInfo& key : all) {
        rows.push_back(
            {{"name", key.name}, {"algorithm", key.algorithm}, {"policy", json_of(key.policy)}});
    }
    if (context.json) {
        print_json({{"store", json_of(store->describe())}, {"keys", rows}});
        return {};
    }
    const keys::Description description = store->describe();
    fmt::print("{}",
               table({{"name", "name"}, {"algorithm", "algorithm"}, {"policy", "policy"}}, rows));
    fmt::print("{} keys in {} at {}: {}\n", rows.size(), description.kind,
               printable(description.location), keys::residence_name(description.residence));
    return {};
}

Result<nlohmann::json> sheet_of(keys::SecurityProvider& store, const std::string& name) {
    QUOIN_TRY(const auto all, store.list());
    const auto found = std::ranges::find(all, name, &keys::KeyInfo::name);
    if (found == all.end()) {
        return fail(Code::input_not_found, "{}: there is no key {}; quoin keys list shows them",
                    store.describe().location, name);
    }
    QUOIN_TRY(const auto spki, store.public_key(name));
    QUOIN_TRY(const auto digest, crypto::sha256(spki));
    return nlohmann::json{{"name", name},
                          {"algorithm", found->algorithm},
                          {"policy", json_of(found->policy)},
                          {"residence", keys::residence_name(store.describe().residence)},
                          {"public_key_sha256", crypto::to_hex(digest)},
                          {"public_key", crypto::to_base64(spki)}};
}

Result<std::uint32_t> uid_of(const std::string& user) {
    std::uint32_t uid = 0;
    const auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), uid);
    if (error == std::errc() && end == user.data() + user.size()) return uid;
    const passwd* const entry = ::getpwnam(user.c_str());
    if (entry != nullptr) return entry->pw_uid;
    return fail(Code::input_invalid, "--user {}: there is no such user", printable(user));
}

Result<void> generate(const Context& context, const Options& options) {
    keys::UsePolicy policy = options.policy;
    for (const std::string& user : options.users) {
        QUOIN_TRY(const std::uint32_t uid, uid_of(user));
        policy.users.push_back(uid);
    }
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    QUOIN_CHECK(store->generate(options.key, options.algorithm, policy));
    QUOIN_TRY(const auto answer, sheet_of(*store, options.key));
    print(context, answer);
    return {};
}

// One wrong signature condemns the key: it is removed before anybody uses it.
Result<void> pct(const Context& context, const Options& options) {
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    QUOIN_TRY(const auto spki, store->public_key(options.key));
    QUOIN_TRY(const auto half, crypto::PublicKey::from_spki_der(spki));
    Progress progress(context, "signatures", options.rounds);
    for (unsigned round = 0; round < options.rounds; ++round) {
        std::array<std::uint8_t, 32> message{};
        QUOIN_CHECK(crypto::random_bytes(message));
        QUOIN_TRY(const auto signature, store->sign(options.key, message, {}));
        if (!half.verify(message, signature)) {
            QUOIN_CHECK(store->remove(options.key));
            return fail(Code::integrity_mismatch,
                        "{}: signature {} does not verify with the key's own public half: the key "
                        "was removed; do not trust this store",
                        options.key, round + 1);
        }
        progress.show(round + 1);
    }
    if (context.json) {
        print_json({{"name", options.key}, {"rounds", options.rounds}, {"result", "consistent"}});
    } else {
        fmt::print("{}: {} signatures, all verified by its public half\n", options.key,
                   options.rounds);
    }
    return {};
}

Result<void> show(const Context& context, const Options& options) {
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    if (options.key.empty()) {
        print(context, json_of(store->describe()));
        return {};
    }
    QUOIN_TRY(const auto answer, sheet_of(*store, options.key));
    print(context, answer);
    return {};
}

Result<void> zeroize(const Context& context, const Options& options) {
    if (!options.danger_forever) {
        return fail(Code::input_invalid,
                    "{}: every key in it would be gone for good, with everything it has sealed; if "
                    "that is what you want, add --danger-forever",
                    options.store);
    }
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    const keys::Description description = store->describe();
    QUOIN_CHECK(store->zeroize());
    print(context,
          {{"zeroized", true}, {"kind", description.kind}, {"location", description.location}});
    return {};
}

Result<void> seal(const Context& context, const Options& options) {
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    QUOIN_CHECK(keys::make_sealed_key(*store, options.blob));
    print(context, {{"blob", options.blob}, {"sealed_by", store->describe().sealed_by}});
    return {};
}

Result<void> reference(const Context& context, const Options& options) {
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    QUOIN_TRY(const std::string pem, store->key_reference(options.key));
    if (context.json) {
        print_json({{"key", options.key}, {"reference", pem}});
    } else {
        fmt::print("{}", pem);
    }
    return {};
}

// Bytes, for a pipe and nothing else.
Result<void> unseal(const Context&, const Options& options) {
    struct stat status{};
    if (::fstat(STDOUT_FILENO, &status) != 0 || !S_ISFIFO(status.st_mode)) {
        return fail(Code::input_invalid,
                    "the key goes into a pipe only: quoin keys unseal ... | quoin-se ... "
                    "--seal-key-fd 0");
    }
    QUOIN_TRY(const auto store, keys::open_store(options.store));
    QUOIN_TRY(const auto key, keys::open_sealed_key(*store, options.blob));
    if (::write(STDOUT_FILENO, key.expose().data(), key.size()) !=
        static_cast<ssize_t>(key.size())) {
        return fail(Code::resource_unavailable, "the pipe takes no key: its reader is gone");
    }
    return {};
}

using Shared = std::shared_ptr<Options>;

CLI::App* add_verb(CLI::App& noun, Context& context, const Shared& options, const char* name,
                   const char* what, Result<void> (*work)(const Context&, const Options&)) {
    auto* command = noun.add_subcommand(name, what);
    command->add_option("--store", options->store, "The store's URI")
        ->type_name("URI")
        ->envname("QUOIN_STORE")
        ->required();
    on_run(command, context, [&context, options, work] {
        ::setenv("TSS2_LOG", "all+none", 0);  // tpm2-tss tells standard error what we tell better
        return work(context, *options);
    });
    return command;
}

void add_generate(CLI::App& noun, Context& context, const Shared& options) {
    auto* command = add_verb(noun, context, options, "generate", "Make a key", generate);
    command->add_option("NAME", options->key, "Its name: A-Z a-z 0-9 _ . -")->required();
    command
        ->add_option("--algorithm", options->algorithm,
                     "Such as ML-DSA-65; `quoin keys show` lists the store's")
        ->required();
    command->add_flag("--attestation-only", options->policy.attestation_only,
                      "It signs what the store itself has made, and nothing else");
    command->add_flag("--platform-bound", options->policy.platform_bound,
                      "It works only while the TPM's PCRs are as they are now");
    command->add_option("--max-uses", options->policy.max_uses, "It signs so often, then never");
    command->add_option("--max-uses-per-minute", options->policy.max_uses_per_minute,
                        "It signs no faster");
    command->add_option("--message-prefix", options->policy.message_prefix,
                        "It signs only what begins so");
    command->add_option("--user", options->users,
                        "A Unix user, name or uid, who may use it beside you (again for more)");
    command->footer(
        R"(What a store cannot enforce it refuses: a key is never weaker than asked for.

  quoin keys generate ek --algorithm ML-DSA-65 --store se:socket=/run/quoin/se.sock
  quoin keys generate tls --algorithm ML-DSA-65 --user mosquitto --store se:socket=/run/se.sock
  quoin keys generate ak --algorithm ECDSA-P256 --attestation-only --store tpm:dir=tpm)");
}

}  // namespace

void add_keys_commands(CLI::App& app, Context& context) {
    auto* noun =
        app.add_subcommand("keys", "Key stores: software, secure element, TPM, PKCS#11 token");
    noun->require_subcommand(1);
    noun->footer(
        R"(A store is named by a URI, in --store or QUOIN_STORE:
  software:DIR[;unlock=FILE | ;passphrase=FILE]
  se:socket=PATH
  tpm:tcti=device:/dev/tpmrm0;dir=DIR[;pcrs=0,2,4,7][;auth=FILE][;owner_auth=FILE]
  pkcs11:module=FILE;token=LABEL;pin=FILE[;store=NAME]
Secrets are never in it: auth, pin and passphrase are files of mode 0600.

Examples:
  quoin keys create --store software:keys
  quoin keys generate device --algorithm ML-DSA-65 --store software:keys
  quoin keys list --store software:keys
  quoin keys zeroize --danger-forever --store software:keys)");
    const auto options = std::make_shared<Options>();
    add_verb(*noun, context, options, "create", "Make a new, empty store", create);
    add_verb(*noun, context, options, "list", "The keys of a store", list);
    add_generate(*noun, context, options);
    add_verb(*noun, context, options, "show", "A key's public half, or what the store can do", show)
        ->add_option("NAME", options->key, "The key; without it the store itself");
    auto* test = add_verb(*noun, context, options, "pct",
                          "Pairwise consistency: the store signs, the public half verifies", pct);
    test->add_option("NAME", options->key, "The key, of a signature algorithm")->required();
    test->add_option("--rounds", options->rounds, "How often (default 1); each counts as a use")
        ->check(CLI::Range(1, 100'000));
    test->footer(R"(Every store tests a new key once. Before its first use, a hundred times:
  quoin keys pct device --rounds 100 --store software:keys
A key that fails is removed.)");
    auto* command = add_verb(*noun, context, options, "reference",
                             "A PEM that stands for the key in other programs", reference);
    command->add_option("NAME", options->key, "The key")->required();
    command->footer(
        R"(Any OpenSSL program that has our provider takes it for a private key file, and asks
quoin-se for each signature; it never holds the key. Our own programs take it in place
of their key files, too.

  quoin keys reference broker --store se:socket=/run/quoin/se.sock > broker.key
  OPENSSL_CONF=lib/quoin/openssl.cnf openssl req -new -key broker.key -subj /CN=broker)");
    for (auto* sealing :
         {add_verb(*noun, context, options, "seal", "A new key of 32 bytes, sealed in a file",
                   seal),
          add_verb(*noun, context, options, "unseal", "A sealed key into a pipe", unseal)}) {
        sealing->add_option("--blob", options->blob, "The file")->required();
        sealing->footer(
            R"(How quoin-se opens its keys by a TPM: once, and then at each start:

  quoin keys seal --blob se.sealed --store tpm:dir=tpm
  quoin keys unseal --blob se.sealed --store tpm:dir=tpm | quoin-se --home se --seal-key-fd 0)");
    }
    command = add_verb(*noun, context, options, "zeroize",
                       "Wipe a store: keys, sealed secrets and counters, for good", zeroize);
    command->add_flag("--danger-forever", options->danger_forever, "Yes: nothing brings it back");
}

}  // namespace quoin::cli
