#include "host/keys/program_key.hpp"

#include "host/crypto/algorithm.hpp"
#include "host/keys/open.hpp"

namespace quoin::keys {

Result<std::string> program_key_prefix(std::string_view use, std::string_view owner) {
    QUOIN_TRY(const auto digest, crypto::sha256(bytes_of(owner)));
    return fmt::format("{}-{}-", use, crypto::to_hex(Bytes(digest).first(8)));
}

Result<crypto::PrivateKey> make_program_key(const std::string& store, const std::string& prefix,
                                            crypto::Algorithm algorithm) {
    if (store.empty()) return crypto::PrivateKey::generate(algorithm);
    QUOIN_TRY(const auto opened, open_store(store));
    QUOIN_TRY(const std::string tag, crypto::random_hex(8));
    const std::string name = prefix + tag;
    QUOIN_CHECK(opened->generate(name, crypto::info(algorithm).name, {}));
    QUOIN_TRY(const std::string reference, opened->key_reference(name));
    return crypto::PrivateKey::from_reference_pem(reference);
}

Result<void> remove_other_program_keys(const std::string& store, const std::string& prefix,
                                       const crypto::PrivateKey* kept) {
    if (store.empty()) return {};
    QUOIN_TRY(const auto opened, open_store(store));
    std::vector<std::uint8_t> spki;
    if (kept != nullptr) {
        QUOIN_TRY(const auto public_key, kept->public_key());
        QUOIN_TRY(spki, public_key.spki_der());
    }
    QUOIN_TRY(const auto all, opened->list());
    for (const KeyInfo& key : all) {
        if (!key.name.starts_with(prefix)) continue;
        QUOIN_TRY(const auto its, opened->public_key(key.name));
        if (its != spki) QUOIN_CHECK(opened->remove(key.name));
    }
    return {};
}

}  // namespace quoin::keys
