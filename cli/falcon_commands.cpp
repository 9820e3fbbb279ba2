#include "cli/falcon_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/output.hpp"
#include "core/crypto/falcon/keygen.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/falcon/wiped.hpp"
#include "core/crypto/known_answers/operation.hpp"
#include "host/crypto/approved.hpp"
#include "host/crypto/backends.hpp"
#include "host/crypto/crypto.hpp"
#include "host/crypto/selftest/core.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

namespace falcon = core::falcon;

constexpr std::size_t max_message_size = std::size_t{4} << 30U;
constexpr std::size_t max_falcon_size = 4096;  // of keys and signatures

struct Options {
    std::string public_key, file, signature;
    unsigned degree = 512;
    bool padded = false;
};

// Falcon counts in approved mode as an extra half only, and here it would be alone.
Result<void> ready(const Context& context, const char* what) {
    using namespace core::known_answers;
    QUOIN_CHECK(crypto::check_approved("Falcon"));
    QUOIN_CHECK(crypto::with_best_vectors([]<class Backend>() {
        return crypto::selftest::check_core({falcon_verify<Backend>(), falcon_sign()});
    }));
    if (!context.key.empty()) return {};  // --key is an option of the program
    return fail(Code::input_invalid, "--key is missing: name the file of the {} key", what);
}

// The private key that `bytes` are, wiped with them; work.operator()<Set>() for its parameter set.
struct SecretFile {
    std::string bytes;
    ~SecretFile() { core::ct::wipe({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}); }
};

template <class Work>
Result<void> with_degree(unsigned degree, Work work) {
    if (degree == 512) return work.template operator()<falcon::Set512>();
    return work.template operator()<falcon::Set1024>();
}

// The pairwise consistency test: a key that does not verify what it signed is not written.
template <class Set>
bool is_pair(Bytes private_key, Bytes public_key) {
    const Bytes message = bytes_of("pair");
    std::array<std::uint8_t, falcon::randomness_size> randomness{};
    if (!crypto::random_bytes(randomness)) return false;
    std::array<std::uint8_t, Set::padded_signature_size> signature{};
    return crypto::with_best_vectors([&]<class Backend>() {
        const auto signing = std::make_unique<falcon::SignWorkspace<Set, Backend>>();
        falcon::VerifyWorkspace<Set> verifying;
        const auto size =
            falcon::sign<Set, Backend>(private_key.first<Set::private_key_size>(), message,
                                       randomness, falcon::Format::padded, signature, *signing);
        return size && falcon::verify<Set, Backend>(public_key.first<Set::public_key_size>(),
                                                    message, signature, verifying)
                           .has_value();
    });
}

template <class Set>
Result<void> make_key(const Context& context, const Options& options) {
    struct Secrets {
        falcon::KeygenWorkspace<Set> workspace;
        std::array<std::uint8_t, Set::private_key_size> private_key;
    };
    const auto secrets = std::make_unique<Secrets>();
    const falcon::Wiped wiped(secrets->private_key);
    falcon::Seed seed;
    QUOIN_CHECK(crypto::random_bytes(seed.expose_to_fill()));
    std::array<std::uint8_t, Set::public_key_size> public_key{};
    if (!falcon::keygen<Set>(seed, public_key, secrets->private_key, secrets->workspace) ||
        !is_pair<Set>(secrets->private_key, public_key)) {
        return fail(Code::internal, "no Falcon key could be made: do not trust this processor");
    }
    QUOIN_CHECK(files::check_create(options.public_key));
    QUOIN_CHECK(files::create(context.key, text_of(secrets->private_key), 0600));
    QUOIN_CHECK(files::create(options.public_key, text_of(public_key), 0644));
    if (context.json) {
        print_json({{"key", context.key}, {"public_key", options.public_key}, {"degree", Set::n}});
    } else {
        fmt::print("{}: Falcon-{} private key, not encrypted; {}: its public key\n", context.key,
                   Set::n, options.public_key);
    }
    return {};
}

Result<void> keygen(const Context& context, const Options& options) {
    QUOIN_CHECK(ready(context, "private"));
    return with_degree(options.degree, [&]<class Set>() -> Result<void> {
        return make_key<Set>(context, options);
    });
}

template <class Set>
Result<void> sign_file(const Context& context, const Options& options, Bytes private_key) {
    QUOIN_TRY(const std::string message, files::read(options.file, max_message_size));
    std::array<std::uint8_t, falcon::randomness_size> randomness{};
    QUOIN_CHECK(crypto::random_bytes(randomness));
    std::array<std::uint8_t, Set::padded_signature_size> signature{};
    const auto size = crypto::with_best_vectors([&]<class Backend>() {
        const auto workspace = std::make_unique<falcon::SignWorkspace<Set, Backend>>();
        return falcon::sign<Set, Backend>(
            private_key.first<Set::private_key_size>(), bytes_of(message), randomness,
            options.padded ? falcon::Format::padded : falcon::Format::compressed, signature,
            *workspace);
    });
    if (!size) return fail(Code::input_invalid, "{}: is no Falcon private key", context.key);
    const Bytes made = Bytes(signature).first(*size);
    QUOIN_CHECK(files::write_atomically(options.signature, text_of(made), 0644));
    if (context.json) {
        print_json({{"signature", options.signature}, {"size_bytes", made.size()}});
    } else {
        fmt::print("{}: {} bytes\n", options.signature, made.size());
    }
    return {};
}

Result<void> sign(const Context& context, const Options& options) {
    QUOIN_CHECK(ready(context, "private"));
    QUOIN_TRY(std::string read, files::read(context.key, max_falcon_size));
    const SecretFile key{std::move(read)};
    const Bytes bytes = bytes_of(key.bytes);
    if (bytes.size() == falcon::Set512::private_key_size) {
        return sign_file<falcon::Set512>(context, options, bytes);
    }
    if (bytes.size() == falcon::Set1024::private_key_size) {
        return sign_file<falcon::Set1024>(context, options, bytes);
    }
    return fail(Code::input_invalid,
                "{}: has {} bytes; a Falcon private key has 1281 (Falcon-512) or 2305", context.key,
                bytes.size());
}

template <class Set>
Result<void> verify_file(const Context& context, const Options& options, Bytes public_key) {
    QUOIN_TRY(const std::string signature, files::read(options.signature, max_falcon_size));
    QUOIN_TRY(const std::string message, files::read(options.file, max_message_size));
    const auto result = crypto::with_best_vectors([&]<class Backend>() {
        falcon::VerifyWorkspace<Set> workspace;
        return falcon::verify<Set, Backend>(public_key.first<Set::public_key_size>(),
                                            bytes_of(message), bytes_of(signature), workspace);
    });
    if (!result && result.error() == Code::peer_malformed) {
        return fail(Code::input_invalid, "{}: is no Falcon public key", context.key);
    }
    if (!result) {
        return fail(Code::integrity_signature, "{}: {} is not a signature of it by {}",
                    options.file, options.signature, context.key);
    }
    if (context.json) {
        print_json({{"file", options.file}, {"valid", true}, {"degree", Set::n}});
    } else {
        fmt::print("{}: good signature by {} (Falcon-{})\n", options.file, context.key, Set::n);
    }
    return {};
}

Result<void> verify(const Context& context, const Options& options) {
    QUOIN_CHECK(ready(context, "public"));
    QUOIN_TRY(const std::string key, files::read(context.key, max_falcon_size));
    const Bytes bytes = bytes_of(key);
    if (bytes.size() == falcon::Set512::public_key_size) {
        return verify_file<falcon::Set512>(context, options, bytes);
    }
    if (bytes.size() == falcon::Set1024::public_key_size) {
        return verify_file<falcon::Set1024>(context, options, bytes);
    }
    return fail(Code::input_invalid,
                "{}: has {} bytes; a Falcon public key has 897 (Falcon-512) or 1793", context.key,
                bytes.size());
}

using Shared = std::shared_ptr<Options>;

void add_files(CLI::App* command, const Shared& options) {
    command->add_option("--in", options->file, "What is signed")->required();
    command->add_option("--sig", options->signature, "The signature")->required();
}

void add_keygen(CLI::App& noun, Context& context, const Shared& options) {
    auto* command = noun.add_subcommand("keygen", "Make a key: --key and --pub are new files");
    command->add_option("--pub", options->public_key, "The public key to write")->required();
    command->add_option("--degree", options->degree, "512 (default) or 1024")
        ->check(CLI::IsMember({512U, 1024U}));
    on_run(command, context, [&context, options] { return keygen(context, *options); });
}

void add_sign(CLI::App& noun, Context& context, const Shared& options) {
    auto* command = noun.add_subcommand("sign", "Sign a file by the private key --key");
    add_files(command, options);
    command->add_flag("--padded", options->padded,
                      "A signature of fixed length (666 or 1280 bytes) instead of a shorter one");
    on_run(command, context, [&context, options] { return sign(context, *options); });
}

void add_verify(CLI::App& noun, Context& context, const Shared& options) {
    auto* command =
        noun.add_subcommand("verify", "Is this file's signature good, by the public key --key?");
    add_files(command, options);
    on_run(command, context, [&context, options] { return verify(context, *options); });
}

}  // namespace

void add_falcon_commands(CLI::App& app, Context& context) {
    auto* noun = app.add_subcommand("falcon", "Compact post-quantum signatures (Falcon, round 3)");
    noun->require_subcommand(1);
    noun->footer(
        R"(Keys and signatures are the raw bytes of the specification: docs/spec/falcon.md.
The private key is not encrypted: keep it where only its owner reads.

Examples:
  quoin falcon keygen --key image.key --pub image.pub
  quoin falcon sign --key image.key --in image.bin --sig image.sig --padded
  quoin falcon verify --key image.pub --in image.bin --sig image.sig)");
    const auto options = std::make_shared<Options>();
    add_keygen(*noun, context, options);
    add_sign(*noun, context, options);
    add_verify(*noun, context, options);
}

}  // namespace quoin::cli
