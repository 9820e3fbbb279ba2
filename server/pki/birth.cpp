#include "server/pki/birth.hpp"

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "host/crypto/library.hpp"
#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"
#include "host/tls/policy.hpp"

namespace quoin::server {
namespace {

namespace fs = std::filesystem;
using crypto::Passphrase;
using crypto::PrivateKey;
using x509::Certificate;

constexpr std::chrono::hours ca_lifetime{24 * 365 * 30};
constexpr std::chrono::hours birth_lifetime{24 * 365 * 20};  // IEEE 802.1AR: as long as the device
constexpr std::size_t max_batch_size = 256U << 20U;          // bytes, about a million devices
constexpr std::string_view unfinished_prefix = ".birth-";    // no valid id has 6 random characters
// A birth certificate outlives every suite of every plant: both kinds of mathematics.
constexpr tls::Suite birth_suite = tls::Suite::hybrid;

Result<crypto::Algorithm> algorithm_of_class(std::string_view device_class) {
    const tls::SuiteInfo& suite = tls::info(birth_suite);
    if (device_class == "mcu") return suite.mcu;
    if (device_class == "mpu") return suite.mpu;
    return fail(Code::input_invalid, "class \"{}\" is not known; use mcu or mpu", device_class);
}

Result<std::string_view> class_of(const Certificate& birth) {
    QUOIN_TRY(const auto key, birth.public_key());
    QUOIN_TRY(const auto algorithm, key.algorithm());
    return algorithm == tls::info(birth_suite).mcu ? "mcu" : "mpu";
}

// The key comes first: with the certificate the CA is there.
Result<void> make_ca(const fs::path& folder, const Passphrase& unlock) {
    QUOIN_TRY(const PrivateKey key, PrivateKey::generate(tls::info(birth_suite).root));
    QUOIN_TRY(const std::string tag, crypto::random_hex(4));
    QUOIN_TRY(const Certificate ca,
              x509::issue_root(key, {.profile = x509::Profile::birth_root,
                                     .common_name = "manufacturer " + tag + " (not a plant)",
                                     .identity = {},
                                     .names = {},
                                     .lifetime = ca_lifetime,
                                     .only_site = "birth"}));
    QUOIN_TRY(const std::string key_pem, key.to_encrypted_pem(unlock));
    QUOIN_TRY(const std::string pem, ca.pem());
    QUOIN_CHECK(files::write_atomically(folder / "ca.key", key_pem, 0600));
    return files::write_atomically(folder / "ca.crt", pem, 0600);
}

Result<void> write_device(const fs::path& folder, const PrivateKey& key, const Certificate& birth) {
    QUOIN_TRY(const Passphrase unlock, crypto::unlock_key(folder / "unlock.key"));
    QUOIN_TRY(const std::string key_pem, key.to_encrypted_pem(unlock));
    QUOIN_TRY(const std::string pem, birth.pem());
    QUOIN_CHECK(files::write_atomically(folder / "birth.key", key_pem, 0600));
    return files::write_atomically(folder / "birth.crt", pem, 0600);
}

Result<std::vector<fs::path>> entries_of(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code failure;
    fs::directory_iterator entry(folder, failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        found.push_back(entry->path());
    }
    if (failure) {
        return fail(Code::resource_unavailable, "{}: cannot read: {}", folder.string(),
                    failure.message());
    }
    return found;
}

}  // namespace

Result<Maker> Maker::open(const fs::path& folder) {
    QUOIN_CHECK(crypto::provider_is_loaded());
    QUOIN_CHECK(files::make_private_folder(folder));
    QUOIN_TRY(files::Lock lock, files::lock_folder(folder));
    QUOIN_CHECK(files::make_private_folder(folder / "devices"));
    QUOIN_TRY(const Passphrase unlock, crypto::unlock_key(folder / "unlock.key"));
    if (!fs::exists(folder / "ca.crt")) QUOIN_CHECK(make_ca(folder, unlock));
    QUOIN_TRY(const auto chain, Certificate::load(folder / "ca.crt"));
    QUOIN_TRY(PrivateKey key, PrivateKey::load(folder / "ca.key", unlock));
    Maker maker(folder, std::move(lock), std::move(key), chain.front());
    QUOIN_CHECK(maker.read_batch());
    QUOIN_CHECK(maker.recover());
    return maker;
}

fs::path Maker::device_folder(const std::string& id) const { return folder_ / "devices" / id; }

Result<void> Maker::read_batch() {
    if (!fs::exists(batch_file())) return {};
    QUOIN_TRY(const std::string text, files::read(batch_file(), max_batch_size));
    std::string_view rest = text;
    // A last line without its newline was cut short by a crash: recover() writes it again.
    for (std::size_t line = 1; rest.contains('\n'); ++line) {
        const std::string_view row = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(row.size() + 1);
        const auto parsed = nlohmann::json::parse(row, nullptr, false);
        const auto id = parsed.is_object() ? parsed.find("silicon_id") : parsed.end();
        if (id == parsed.end() || !id->is_string()) {
            return fail(Code::input_invalid, "{}: line {}: no silicon_id", batch_file().string(),
                        line);
        }
        born_.insert(id->get<std::string>());
    }
    return {};
}

Result<void> Maker::recover() {
    QUOIN_TRY(const auto entries, entries_of(folder_ / "devices"));
    for (const fs::path& entry : entries) {
        const std::string name = entry.filename().string();
        if (name.starts_with(unfinished_prefix)) {
            std::error_code failure;
            fs::remove_all(entry, failure);
            if (failure) {
                return fail(Code::resource_unavailable, "{}: cannot remove: {}", entry.string(),
                            failure.message());
            }
        } else if (!born_.contains(name)) {
            QUOIN_CHECK(record(name));
        }
    }
    return {};
}

Result<void> Maker::record(const std::string& id, bool foreign) {
    QUOIN_TRY(const auto chain, Certificate::load(device_folder(id) / "birth.crt"));
    QUOIN_TRY(const auto digest, chain.front().sha256());
    QUOIN_TRY(const std::string_view device_class, class_of(chain.front()));
    nlohmann::ordered_json line{
        {"silicon_id", id}, {"class", device_class}, {"birth_cert_sha256", crypto::to_hex(digest)}};
    if (foreign) line["foreign"] = true;
    QUOIN_CHECK(files::append_lines(batch_file(), line.dump() + "\n", 0600));
    born_.insert(id);
    return {};
}

Result<void> Maker::birth(const std::string& id, std::string_view device_class,
                          const std::string& key_store, bool foreign) {
    // A leading dot is for unfinished devices, "." and ".." for the system.
    if (!x509::is_valid_id(id) || id.starts_with('.')) {
        return fail(Code::input_invalid,
                    "device \"{}\": use 1 to 128 of A-Z a-z 0-9 _ . -, no dot in front", id);
    }
    QUOIN_TRY(const auto algorithm, algorithm_of_class(device_class));
    if (is_born(id)) {
        return fail(Code::input_conflict, "device {} was born already: a silicon id has one birth",
                    id);
    }
    const keys::Choice choice{.store = key_store};
    QUOIN_CHECK(keys::check_choice(choice));
    // Of this manufacturer: others may give the same id, and share the store.
    QUOIN_TRY(const auto maker, ca_.sha256());
    QUOIN_TRY(const std::string prefix,
              keys::program_key_prefix("birth", fmt::format("{} {}", crypto::to_hex(maker), id)));
    // Not born, so nobody has them: what a birth that failed left.
    QUOIN_CHECK(keys::remove_other_program_keys(choice, prefix, nullptr,
                                                [](std::string_view, const Error&) {}));
    QUOIN_TRY(const PrivateKey key, keys::make_program_key(choice, prefix, algorithm, nullptr));
    QUOIN_TRY(const auto public_key, key.public_key());
    QUOIN_TRY(const Certificate birth,
              x509::issue(key_, ca_, public_key,
                          {.profile = x509::Profile::birth,
                           .common_name = id,
                           .identity = x509::Identity{x509::Kind::birth, "", id, {}},
                           .names = {},
                           .lifetime = birth_lifetime}));
    std::string aside = (folder_ / "devices" / fmt::format("{}XXXXXX", unfinished_prefix)).string();
    if (::mkdtemp(aside.data()) == nullptr) {
        return fail(Code::resource_unavailable, "{}: cannot write here: {}", folder_.string(),
                    std::generic_category().message(errno));
    }
    QUOIN_CHECK(write_device(aside, key, birth));
    std::error_code failure;
    fs::rename(aside, device_folder(id), failure);
    if (failure) {
        return fail(Code::resource_unavailable, "{}: cannot rename: {}", aside, failure.message());
    }
    return record(id, foreign);
}

}  // namespace quoin::server
