#include "host/keys/software/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <system_error>

#include "core/base/secret.hpp"
#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "host/crypto/foreign_key.hpp"
#include "host/files/files.hpp"
#include "host/keys/software/box.hpp"
#include "host/keys/software/key_file.hpp"

namespace quoin::keys::software {
namespace {

constexpr const char* master_file = "master.pem";
constexpr const char* key_suffix = ".key";
constexpr const char* aes_256_gcm_oid = "2.16.840.1.101.3.4.1.46";
constexpr std::string_view seal_domain = "quoin software store: sealed blob 1";
constexpr std::string_view check_domain = "quoin software store: check of the master key";
constexpr std::size_t max_key_file = 64U << 10U;  // bytes

using MasterKey = core::Secret<struct MasterTag, box_key_size>;

std::string os_error() { return std::generic_category().message(errno); }

// What a file is, to notice that it was replaced.
struct FileIdentity {
    dev_t device;
    ino_t number;
    off_t size;
    timespec changed;
    bool operator==(const FileIdentity& other) const {
        return device == other.device && number == other.number && size == other.size &&
               changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
    }
};

Result<FileIdentity> identity_of(const std::filesystem::path& file) {
    struct stat status{};
    if (::lstat(file.c_str(), &status) != 0) {
        return fail(errno == ENOENT || errno == ENOTDIR ? Code::input_not_found
                                                        : Code::resource_unavailable,
                    "{}: {}", file.string(), os_error());
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(Code::integrity_mismatch, "{}: is no plain file", file.string());
    }
    return FileIdentity{status.st_dev, status.st_ino, status.st_size, status.st_ctim};
}

// The disk may keep old copies all the same; what counts is that the master key's is gone.
Result<void> overwrite_and_remove(const std::filesystem::path& file) {
    const Descriptor opened(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status{};
    if (!opened || ::fstat(opened.number(), &status) != 0) {
        return fail(errno == ENOENT ? Code::input_not_found : Code::resource_unavailable,
                    "{}: cannot be wiped: {}", file.string(), os_error());
    }
    const std::string zeros(static_cast<std::size_t>(status.st_size), '\0');
    if (::pwrite(opened.number(), zeros.data(), zeros.size(), 0) != status.st_size ||
        ::fsync(opened.number()) != 0 || ::unlink(file.c_str()) != 0) {
        return fail(Code::resource_unavailable, "{}: cannot be wiped: {}", file.string(),
                    os_error());
    }
    return {};
}

Result<std::vector<std::string>> key_names(const std::filesystem::path& folder) {
    std::error_code failure;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end;
         at.increment(failure)) {
        if (at->path().extension() == key_suffix && check_name(at->path().stem().string())) {
            names.push_back(at->path().stem().string());
        }
    }
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", folder.string(), failure.message());
    }
    std::ranges::sort(names);
    return names;
}

// Files of a crash while a key or the master key was written: NAME.key.XXXXXX, master.pem.XXXXXX.
Result<void> wipe_leftovers(const std::filesystem::path& folder) {
    std::error_code failure;
    std::vector<std::filesystem::path> found;
    for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end;
         at.increment(failure)) {
        const std::filesystem::path whole = at->path().stem();
        if (whole == master_file || whole.extension() == key_suffix) found.push_back(at->path());
    }
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", folder.string(), failure.message());
    }
    for (const auto& file : found) QUOIN_CHECK(overwrite_and_remove(file));
    return {};
}

void derive(const MasterKey& master, std::string_view use, MasterKey& derived) {
    core::hkdf::expand<core::sha2::Sha256>(master.expose(), bytes_of(use),
                                           derived.expose_to_fill());
}

// CBC, which encrypts the file, would let whoever writes to it change bits of the key unseen.
Result<crypto::Sha256Digest> check_of(const MasterKey& master) {
    MasterKey derived;
    derive(master, check_domain, derived);
    return crypto::sha256(derived.expose());
}

class Store final : public SecurityProvider {
public:
    Store(std::filesystem::path folder, const MasterKey& master) : folder_(std::move(folder)) {
        derive(master, "quoin software store: keys", key_key_);
        derive(master, "quoin software store: blobs", seal_key_);
    }

    Description describe() const override {
        return {.kind = "software",
                .location = folder_.string(),
                .product = "Quoin, OpenSSL",
                .residence = Residence::best_effort,
                .algorithms = algorithm_names(),
                .sealed_by = "unlock key or passphrase",
                .seals = true};
    }
    Result<void> generate(std::string_view name, std::string_view algorithm,
                          const UsePolicy& policy) override;
    Result<std::vector<KeyInfo>> list() override;
    Result<ByteVector> public_key(std::string_view name) override;
    Result<void> remove(std::string_view name) override;
    Result<void> zeroize() override;
    Result<ByteVector> sign(std::string_view name, Bytes message, Bytes context) override;
    Result<SecretBytes> decapsulate(std::string_view name, Bytes ciphertext) override;
    Result<ByteVector> seal(Bytes secret) override;
    Result<SecretBytes> unseal(Bytes blob) override;

private:
    struct Loaded {
        FileIdentity identity;
        KeyFile key;
    };

    std::filesystem::path file_of(std::string_view name) const {
        return folder_ / (std::string(name) + key_suffix);
    }
    // These three need the mutex.
    Result<void> check_alive();
    Result<KeyFile> load(std::string_view name);
    void forget();

    Result<KeyFile> key(std::string_view name) {
        const std::scoped_lock lock(mutex_);
        QUOIN_CHECK(check_alive());
        return load(name);
    }

    std::filesystem::path folder_;
    std::mutex mutex_;
    MasterKey key_key_;
    MasterKey seal_key_;
    bool zeroized_ = false;
    std::map<std::string, Loaded, std::less<>> loaded_;
};

// Another process may have wiped or removed the store meanwhile.
Result<void> Store::check_alive() {
    if (!zeroized_ && !identity_of(folder_ / master_file)) forget();
    if (zeroized_) {
        return fail(Code::state_wrong, "{}: the key store was zeroized or removed",
                    folder_.string());
    }
    return {};
}

void Store::forget() {
    zeroized_ = true;
    core::ct::wipe(key_key_.expose_to_fill());
    core::ct::wipe(seal_key_.expose_to_fill());
    loaded_.clear();
}

Result<KeyFile> Store::load(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    const std::filesystem::path file = file_of(name);
    const auto identity = identity_of(file);
    if (!identity) {
        loaded_.erase(std::string(name));
        if (identity.error().code != Code::input_not_found)
            return std::unexpected(identity.error());
        return fail(Code::input_not_found, "{}: there is no key {}", folder_.string(), name);
    }
    const auto known = loaded_.find(name);
    if (known != loaded_.end() && known->second.identity == *identity) return known->second.key;
    QUOIN_TRY(const std::string text, files::read(file, max_key_file));
    auto opened = open_key(key_key_.expose(), name, text);
    if (!opened) {
        return fail(opened.error().code, "{}: {}", file.string(), opened.error().message);
    }
    loaded_.insert_or_assign(std::string(name), Loaded{*identity, *opened});
    return opened;
}

Result<void> Store::generate(std::string_view name, std::string_view algorithm,
                             const UsePolicy& policy) {
    QUOIN_CHECK(check_name(name));
    UsePolicy enforced;
    enforced.message_prefix = policy.message_prefix;
    const bool signs = is_signature(algorithm);
    if (policy != enforced || (!signs && !policy.message_prefix.empty())) {
        return unsupported("keep to that policy: it knows message_prefix of signatures only");
    }
    if (std::ranges::any_of(policy.message_prefix, [](char c) { return c < ' ' || c > '~'; })) {
        return fail(Code::input_invalid, "a message prefix is of printable ASCII here");
    }
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(check_alive());
    QUOIN_TRY(const crypto::PrivateKey secret, generate_key(algorithm));
    QUOIN_TRY(
        const std::string text,
        seal_key(key_key_.expose(), {std::string(name), std::string(algorithm), policy}, secret));
    return files::create(file_of(name), text, 0600);
}

Result<std::vector<KeyInfo>> Store::list() {
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(check_alive());
    QUOIN_TRY(const auto names, key_names(folder_));
    std::vector<KeyInfo> all;
    for (const std::string& name : names) {
        QUOIN_TRY(const KeyFile file, load(name));
        all.push_back(file.info);
    }
    return all;
}

Result<ByteVector> Store::public_key(std::string_view name) {
    QUOIN_TRY(const KeyFile file, key(name));
    return spki_of(file.secret);
}

Result<void> Store::remove(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(check_alive());
    loaded_.erase(std::string(name));
    QUOIN_CHECK(overwrite_and_remove(file_of(name)));
    return files::sync_folder(folder_);
}

// The master key first: what else survives a crash here is ciphertext that nobody can open.
Result<void> Store::zeroize() {
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(check_alive());
    forget();
    QUOIN_CHECK(overwrite_and_remove(folder_ / master_file));
    QUOIN_TRY(const auto names, key_names(folder_));
    for (const std::string& name : names) QUOIN_CHECK(overwrite_and_remove(file_of(name)));
    QUOIN_CHECK(wipe_leftovers(folder_));
    return files::sync_folder(folder_);
}

Result<ByteVector> Store::sign(std::string_view name, Bytes message, Bytes context) {
    QUOIN_TRY(const KeyFile file, key(name));
    if (!is_signature(file.info.algorithm)) {
        return fail(Code::peer_forbidden, "{}: is a key of {}, which does not sign", name,
                    file.info.algorithm);
    }
    if (!text_of(message).starts_with(file.info.policy.message_prefix)) {
        return fail(Code::peer_forbidden, "{}: signs only what begins with \"{}\"", name,
                    file.info.policy.message_prefix);
    }
    if (message.size() > max_message_size) {
        return fail(Code::input_invalid, "{} bytes are more than {} to sign", message.size(),
                    max_message_size);
    }
    return file.secret.sign(message, context);
}

Result<SecretBytes> Store::decapsulate(std::string_view name, Bytes ciphertext) {
    QUOIN_TRY(const KeyFile file, key(name));
    if (is_signature(file.info.algorithm)) {
        return fail(Code::peer_forbidden, "{}: is a key of {}, which only signs", name,
                    file.info.algorithm);
    }
    return software::decapsulate(file.secret, file.info.algorithm, ciphertext);
}

Result<ByteVector> Store::seal(Bytes secret) {
    if (secret.empty() || secret.size() > max_sealed_secret) {
        return fail(Code::input_invalid, "{} bytes cannot be sealed: 1 to {} can", secret.size(),
                    max_sealed_secret);
    }
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(check_alive());
    return close_box(seal_key_.expose(), secret, bytes_of(seal_domain));
}

Result<SecretBytes> Store::unseal(Bytes blob) {
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(check_alive());
    return open_box(seal_key_.expose(), blob, bytes_of(seal_domain));
}

std::unexpected<Error> damaged_master(const std::filesystem::path& folder) {
    return fail(Code::input_unauthenticated, "{}: wrong passphrase, or the file is damaged",
                (folder / master_file).string());
}

struct Secret {
    crypto::Passphrase passphrase;
    bool slow;
};

std::filesystem::path folder_of(const Uri& uri) {
    const auto folder = (std::filesystem::path(uri.place()) / "").lexically_normal();
    return folder.parent_path();  // without the slash at the end
}

Result<std::string> master_pem(const std::filesystem::path& folder) {
    auto pem = files::read(folder / master_file, max_key_file);
    if (pem || pem.error().code != Code::input_not_found) return pem;
    return fail(Code::input_not_found,
                "{}: there is no key store, or it was zeroized; make one: quoin keys create "
                "--store software:{}",
                folder.string(), folder.string());
}

Result<Secret> secret_of(const Uri& uri, bool make) {
    const std::string chosen = uri.value_or("passphrase", "");
    const std::string unlock = uri.value_or("unlock", "");
    if (!chosen.empty()) {
        QUOIN_TRY(crypto::Passphrase passphrase, read_secret_file(chosen));
        return Secret{std::move(passphrase), true};
    }
    const std::filesystem::path file = unlock.empty() ? folder_of(uri).parent_path() / "unlock.key"
                                                      : std::filesystem::path(unlock);
    if (make) {
        QUOIN_TRY(crypto::Passphrase passphrase, crypto::unlock_key(file));
        return Secret{std::move(passphrase), false};
    }
    auto existing = crypto::existing_unlock_key(file);
    if (!existing) return fail(Code::input_unauthenticated, "{}", existing.error().message);
    return Secret{*std::move(existing), false};
}

Result<void> check(const Uri& uri) {
    QUOIN_CHECK(uri.check_options({"unlock", "passphrase"}));
    if (uri.place().empty()) {
        return fail(Code::input_invalid, "{}: the folder is missing: software:DIR", uri.text());
    }
    if (!uri.value_or("unlock", "").empty() && !uri.value_or("passphrase", "").empty()) {
        return fail(Code::input_invalid, "{}: give unlock= or passphrase=, not both", uri.text());
    }
    return {};
}

}  // namespace

Result<void> create(const std::filesystem::path& folder, const crypto::Passphrase& passphrase,
                    bool slow) {
    if (passphrase.expose().empty()) {
        return fail(Code::input_invalid, "{}: an empty passphrase protects nothing",
                    folder.string());
    }
    QUOIN_CHECK(files::make_private_folder(folder));
    MasterKey master;
    QUOIN_CHECK(crypto::random_bytes(master.expose_to_fill()));
    QUOIN_TRY(const crypto::Sha256Digest check, check_of(master));
    SecretBytes content(box_key_size + check.size());
    std::ranges::copy(master.expose(), content.expose_to_fill().begin());
    std::ranges::copy(check, content.expose_to_fill().begin() + box_key_size);
    QUOIN_TRY(const std::string pem,
              crypto::seal_foreign_key(aes_256_gcm_oid, content.expose(), passphrase, slow));
    return files::create(folder / master_file, pem, 0600);
}

Result<std::unique_ptr<SecurityProvider>> open(const std::filesystem::path& folder,
                                               const crypto::Passphrase& passphrase) {
    QUOIN_TRY(const std::string pem, master_pem(folder));
    auto opened = crypto::open_foreign_key(aes_256_gcm_oid, pem, passphrase);
    if (!opened) {
        return fail(Code::input_unauthenticated, "{}: {}", (folder / master_file).string(),
                    opened.error().message);
    }
    const SecretBytes bytes{MutableBytes(*opened)};
    MasterKey master;
    if (bytes.size() < box_key_size) return damaged_master(folder);
    std::ranges::copy(bytes.expose().first(box_key_size), master.expose_to_fill().begin());
    QUOIN_TRY(const crypto::Sha256Digest check, check_of(master));
    if (!core::ct::equal(check, bytes.expose().subspan(box_key_size))) {
        return damaged_master(folder);
    }
    return std::make_unique<Store>(folder, master);
}

Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri) {
    QUOIN_CHECK(check(uri));
    QUOIN_TRY(const Secret secret, secret_of(uri, true));
    QUOIN_CHECK(create(folder_of(uri), secret.passphrase, secret.slow));
    return open(folder_of(uri), secret.passphrase);
}

Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri) {
    QUOIN_CHECK(check(uri));
    QUOIN_CHECK(master_pem(folder_of(uri)));  // nothing there is nothing to unlock
    QUOIN_TRY(const Secret secret, secret_of(uri, false));
    return open(folder_of(uri), secret.passphrase);
}

}  // namespace quoin::keys::software
