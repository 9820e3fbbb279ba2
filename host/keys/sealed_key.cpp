#include "host/keys/sealed_key.hpp"

#include "host/crypto/crypto.hpp"
#include "host/files/files.hpp"

namespace quoin::keys {
namespace {

constexpr std::size_t max_file_size = 8192;  // bytes

}  // namespace

Result<void> make_sealed_key(SecurityProvider& store, const std::filesystem::path& file) {
    SecretBytes key(sealed_key_size);
    QUOIN_CHECK(crypto::random_bytes(key.expose_to_fill()));
    QUOIN_TRY(const ByteVector blob, store.seal(key.expose()));
    return files::create(file, text_of(blob), 0600);
}

Result<SecretBytes> open_sealed_key(SecurityProvider& store, const std::filesystem::path& file) {
    QUOIN_TRY(const std::string blob, files::read(file, max_file_size));
    auto key = store.unseal(bytes_of(blob));
    if (!key) return fail(key.error().code, "{}: {}", file.string(), key.error().message);
    if (key->size() != sealed_key_size) {
        return fail(Code::integrity_mismatch, "{}: seals {} bytes, not a key of {}", file.string(),
                    key->size(), sealed_key_size);
    }
    return key;
}

}  // namespace quoin::keys
