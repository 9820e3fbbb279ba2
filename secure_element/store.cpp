#include "secure_element/store.hpp"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/stat.h>

#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/keys/se/framing.hpp"

namespace quoin::secure_element {
namespace {

constexpr std::string_view magic = "QSE1";
constexpr std::string_view file_name = "store";
constexpr std::string_view lock_name = "store.lock";
constexpr std::size_t argon_salt_size = 16;
constexpr std::size_t header_size = 4 + 1 + 3 * 4 + argon_salt_size;
constexpr std::size_t file_limit = 1U << 20U;
// A file that asks for more is no file of ours.
constexpr std::uint32_t max_memory_kib = 1U << 20U;
constexpr std::uint32_t max_passes = 64;
constexpr std::uint32_t max_lanes = 64;

enum class KeyKind : std::uint8_t { raw, argon2id };
bool is_known(KeyKind kind) { return kind <= KeyKind::argon2id; }

struct Header {
    std::array<std::uint8_t, 4> magic{};
    KeyKind kind = KeyKind::raw;
    std::uint32_t memory_kib = 0;
    std::uint32_t passes = 0;
    std::uint32_t lanes = 0;
    std::array<std::uint8_t, argon_salt_size> salt{};

    auto fields(this auto&& self) {
        return std::tie(self.magic, self.kind, self.memory_kib, self.passes, self.lanes, self.salt);
    }
};

using KdfHandle = crypto::Handle<EVP_KDF, EVP_KDF_free>;
using KdfContextHandle = crypto::Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

Result<void> argon2id(const Header& header, Bytes passphrase, MutableBytes key) {
    std::uint32_t passes = header.passes;
    std::uint32_t lanes = header.lanes;
    std::uint32_t memory = header.memory_kib;
    const auto octets = [](const char* name, Bytes bytes) {
        return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                                 bytes.size());
    };
    const std::array parameters = {
        octets(OSSL_KDF_PARAM_PASSWORD, passphrase),
        octets(OSSL_KDF_PARAM_SALT, header.salt),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &passes),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_LANES, &lanes),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_MEMCOST, &memory),
        OSSL_PARAM_construct_end()};
    const KdfHandle algorithm(EVP_KDF_fetch(nullptr, "ARGON2ID", nullptr));
    const KdfContextHandle context(algorithm ? EVP_KDF_CTX_new(algorithm.get()) : nullptr);
    if (!context || EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) != 1) {
        return fail(Code::internal, "Argon2id: OpenSSL: {}", crypto::openssl_error());
    }
    return {};
}

Result<Header> new_header(const Unlock& unlock, const Argon2Cost& cost) {
    Header header;
    std::ranges::copy(bytes_of(magic), header.magic.begin());
    if (std::holds_alternative<RawKey>(unlock)) return header;
    header.kind = KeyKind::argon2id;
    header.memory_kib = cost.memory_kib;
    header.passes = cost.passes;
    header.lanes = cost.lanes;
    QUOIN_CHECK(private_random(header.salt));
    return header;
}

Result<ByteVector> write_header(const Header& header) {
    ByteVector bytes(header_size);
    core::Writer writer(bytes);
    QUOIN_CHECK(lift(keys::se::codec::put(writer, header), "the header of the store"));
    QUOIN_CHECK(lift(writer.finish(), "the header of the store"));
    return bytes;
}

Result<Header> read_header(Bytes bytes, const std::filesystem::path& file) {
    const auto header = keys::se::codec::read_whole<Header>(bytes);
    if (!header || !std::ranges::equal(header->magic, bytes_of(magic)) ||
        header->memory_kib > max_memory_kib || header->passes > max_passes ||
        header->lanes > max_lanes) {
        return fail(Code::integrity_mismatch, "{}: is no key store of this version", file.string());
    }
    return *header;
}

Result<Root> root_of(const Header& header, const Unlock& unlock,
                     const std::filesystem::path& file) {
    Root root;
    if (const auto* raw = std::get_if<RawKey>(&unlock)) {
        if (header.kind != KeyKind::raw) {
            return fail(Code::input_unauthenticated,
                        "{}: is sealed by a passphrase; give --passphrase-file", file.string());
        }
        if (raw->size() != 32) {
            return fail(Code::input_invalid, "a seal key has 32 bytes, this one {}", raw->size());
        }
        core::hkdf::extract<core::sha2::Sha256>(bytes_of("quoin-se-store-v1"), raw->expose(),
                                                root.expose_to_fill());
        return root;
    }
    if (header.kind != KeyKind::argon2id) {
        return fail(Code::input_unauthenticated,
                    "{}: is sealed by a key of its launcher; give --seal-key-fd", file.string());
    }
    QUOIN_CHECK(
        argon2id(header, std::get<Passphrase>(unlock).text.expose(), root.expose_to_fill()));
    return root;
}

// With zeros, on the disk.
bool overwrite(int file) {
    struct stat status{};
    if (::fstat(file, &status) != 0) return false;
    const ByteVector zeros(static_cast<std::size_t>(status.st_size));
    return ::pwrite(file, zeros.data(), zeros.size(), 0) == status.st_size && ::fsync(file) == 0;
}

}  // namespace

Result<Store::Opened> Store::open(const std::filesystem::path& folder, const Unlock& unlock,
                                  const Argon2Cost& cost) {
    QUOIN_TRY(auto held, files::HeldFolder::open(folder));
    QUOIN_TRY(auto lock, held.lock(std::string(lock_name)));
    Opened opened{Store(std::move(held), std::move(lock), folder / file_name), {}};
    Store& store = opened.store;
    const auto file = store.folder_.read(std::string(file_name), file_limit);
    if (!file && file.error().code != Code::input_not_found) return std::unexpected(file.error());
    opened.is_new = !file;
    if (!file) {
        QUOIN_TRY(const Header header, new_header(unlock, cost));
        QUOIN_TRY(store.header_, write_header(header));
        QUOIN_CHECK(store.unlock_with(unlock));
        return opened;
    }
    const Bytes bytes = bytes_of(*file);
    if (bytes.size() < header_size) {
        return fail(Code::integrity_mismatch, "{}: is cut short", store.path_.string());
    }
    store.header_.assign(bytes.begin(), bytes.begin() + header_size);
    QUOIN_CHECK(store.unlock_with(unlock));
    auto plaintext = store.sealer_->open(store.header_, bytes.subspan(header_size));
    if (!plaintext) {
        return fail(Code::input_unauthenticated,
                    "{}: the key or passphrase is wrong, or the file was changed; nothing was "
                    "opened",
                    store.path_.string());
    }
    keys::se::WipedBytes wiped;
    wiped.assign(*std::move(plaintext));
    auto contents = keys::se::codec::read_whole<Contents>(wiped.bytes());
    if (!contents || contents->version != 1) {
        return fail(Code::integrity_mismatch, "{}: holds what this version cannot read",
                    store.path_.string());
    }
    opened.contents = *std::move(contents);
    return opened;
}

Result<void> Store::unlock_with(const Unlock& unlock) {
    QUOIN_TRY(const Header header, read_header(header_, path_));
    QUOIN_TRY(Root root, root_of(header, unlock, path_));
    QUOIN_TRY(sealer_, Sealer::make(std::move(root), bytes_of("store"), false));
    return {};
}

Result<void> Store::save(Contents& contents) {
    ++contents.generation;
    keys::se::WipedBytes plaintext;
    plaintext.resize_empty(keys::se::codec::Field<Contents>::size(contents));
    core::Writer writer(plaintext.bytes());
    QUOIN_CHECK(lift(keys::se::codec::put(writer, contents), "write the key store"));
    QUOIN_CHECK(lift(writer.finish(), "write the key store"));
    QUOIN_TRY(const ByteVector sealed, sealer_->seal(header_, plaintext.bytes()));
    ByteVector file = header_;
    file.insert(file.end(), sealed.begin(), sealed.end());
    QUOIN_CHECK(folder_.check(std::string(lock_name), lock_));
    return folder_.replace(std::string(file_name), text_of(file), 0600);
}

Result<void> Store::save_and_shred(Contents& contents) {
    const auto old = folder_.open_to_overwrite(std::string(file_name));
    // Also when there is no room for a new file: the old one must not outlive this.
    Result<void> saved = save(contents);
    if (!old && old.error().code == Code::input_not_found) return saved;
    if (!old || !overwrite(old->number())) {
        return fail(Code::resource_unavailable,
                    "{}: what it held could not be overwritten: {}; zeroize again, or destroy its "
                    "key or passphrase",
                    path_.string(),
                    old ? std::generic_category().message(errno) : old.error().message);
    }
    if (saved) return {};
    return fail(saved.error().code,
                "{}: what it held is overwritten, but no empty store could be written in its "
                "place: {}",
                path_.string(), saved.error().message);
}

}  // namespace quoin::secure_element
