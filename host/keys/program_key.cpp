#include "host/keys/program_key.hpp"

#include <openssl/pem.h>

#include "host/crypto/algorithm.hpp"
#include "host/crypto/handles.hpp"
#include "host/files/files.hpp"
#include "host/keys/open.hpp"
#include "host/keys/se/reference.hpp"
#include "host/keys/uri.hpp"

namespace quoin::keys {
namespace {

constexpr std::size_t max_key_file = 1U << 20U;  // bytes

struct Stores {
    Choice reached_by_uri;  // without the fallback that is none
    bool then_software = false;
};

Stores stores_of(const Choice& choice) {
    Stores stores{choice};
    std::vector<std::string>& fallbacks = stores.reached_by_uri.fallbacks;
    if (!fallbacks.empty() && fallbacks.back() == software_keys) {
        fallbacks.pop_back();
        stores.then_software = true;
    }
    return stores;
}

Result<void> remove_others(SecurityProvider& store, const std::string& prefix, Bytes kept) {
    QUOIN_TRY(const auto all, store.list());
    for (const KeyInfo& key : all) {
        if (!key.name.starts_with(prefix)) continue;
        QUOIN_TRY(const auto its, store.public_key(key.name));
        if (std::ranges::equal(its, kept)) continue;
        const auto removed = store.remove(key.name);
        // Another user's, which we may only see.
        if (!removed && removed.error().code != Code::peer_forbidden) return removed;
    }
    return {};
}

// Empty if the PEM has another label.
Result<ByteVector> reference_der(std::string_view pem) {
    QUOIN_TRY(const std::string_view found, crypto::label_of_pem(pem));
    if (found != se::reference_label) return ByteVector();
    const crypto::BioHandle in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (!in || PEM_read_bio(in.get(), &label, &header, &data, &size) != 1) {
        return fail(Code::input_invalid, "no PEM: {}", crypto::openssl_error());
    }
    ByteVector der(data, data + size);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return der;
}

// What ends a value of a URI, and what begins a %XX.
std::string uri_value(std::string_view text) {
    std::string value;
    for (const char c : text) {
        if (c == ';' || c == '%') {
            value += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        } else {
            value += c;
        }
    }
    return value;
}

}  // namespace

Result<std::string> program_key_prefix(std::string_view use, std::string_view owner) {
    QUOIN_TRY(const auto digest, crypto::sha256(bytes_of(owner)));
    return fmt::format("{}-{}-", use, crypto::to_hex(Bytes(digest).first(8)));
}

Result<std::unique_ptr<SecurityProvider>> open_for_new_key(const Choice& choice,
                                                           const OnFallback& on_fallback) {
    const Stores stores = stores_of(choice);
    if (!choice.store.empty()) {
        auto opened = open_store(stores.reached_by_uri, on_fallback);
        const bool falls =
            !opened && stores.then_software && cannot_be_reached(opened.error().code);
        if (!falls) return opened;
        const auto& uris = stores.reached_by_uri.fallbacks;
        on_fallback(uris.empty() ? choice.store : uris.back(), software_keys, opened.error());
    }
    QUOIN_CHECK(check_software_key(choice, "a new key"));
    return nullptr;
}

Result<crypto::PrivateKey> make_program_key(const Choice& choice, const std::string& prefix,
                                            crypto::Algorithm algorithm,
                                            const OnFallback& on_fallback) {
    QUOIN_TRY(const auto opened, open_for_new_key(choice, on_fallback));
    if (opened == nullptr) return crypto::PrivateKey::generate(algorithm);
    QUOIN_TRY(const std::string tag, crypto::random_hex(8));
    const std::string name = prefix + tag;
    QUOIN_CHECK(opened->generate(name, crypto::info(algorithm).name, {}));
    QUOIN_TRY(const std::string reference, opened->key_reference(name));
    return crypto::PrivateKey::from_reference_pem(reference);
}

Result<crypto::PrivateKey> load_program_key(const Choice& choice, const std::filesystem::path& file,
                                            const crypto::Passphrase& unlock) {
    QUOIN_TRY(auto key, crypto::PrivateKey::load(file, unlock));
    if (!key.is_in_store()) QUOIN_CHECK(check_software_key(choice, file.string()));
    return key;
}

Result<void> remove_other_program_keys(const Choice& choice, const std::string& prefix,
                                       const crypto::PublicKey* kept,
                                       const OnUnreached& on_unreached) {
    if (choice.store.empty()) return {};
    ByteVector spki;
    if (kept != nullptr) {
        QUOIN_TRY(spki, kept->spki_der());
    }
    std::vector<std::string> uris = stores_of(choice).reached_by_uri.fallbacks;
    uris.insert(uris.begin(), choice.store);
    for (const std::string& uri : uris) {
        const auto opened = open_store(uri);
        auto removed =
            opened ? remove_others(**opened, prefix, spki) : std::unexpected(opened.error());
        if (removed) continue;
        if (!cannot_be_reached(removed.error().code)) return removed;
        on_unreached(uri, removed.error());
    }
    return {};
}

Result<KeyPlace> place_of_reference(std::string_view pem) {
    QUOIN_TRY(const ByteVector der, reference_der(pem));
    if (der.empty()) return KeyPlace{};
    auto reference = se::decode_reference(der);
    if (!reference) return fail(Code::input_invalid, "{}", reference.error().message);
    return KeyPlace{fmt::format("se:socket={}", uri_value(reference->socket)),
                    std::move(reference->key)};
}

Result<KeyPlace> place_of_key(const std::filesystem::path& file) {
    QUOIN_TRY(const std::string pem, files::read(file, max_key_file));
    auto place = place_of_reference(pem);
    if (!place) return fail(place.error().code, "{}: {}", file.string(), place.error().message);
    return place;
}

bool is_elsewhere(const Choice& choice, const KeyPlace& place) {
    if (choice.store.empty()) return false;
    const auto socket_of = [](const std::string& store) {
        const auto uri = Uri::parse(store);
        if (!uri) return std::filesystem::path();
        return std::filesystem::absolute(uri->value_or("socket", "")).lexically_normal();
    };
    return place.store.empty() || socket_of(place.store) != socket_of(choice.store);
}

Result<Residence> residence_of(const KeyPlace& place) {
    if (place.store.empty()) return Residence::best_effort;
    QUOIN_TRY(const auto store, open_store(place.store));
    return store->describe().residence;
}

Result<Residence> residence_of(const KeyPlace& place, const crypto::PublicKey& key) {
    if (place.store.empty()) return Residence::best_effort;
    QUOIN_TRY(const auto store, open_store(place.store));
    QUOIN_TRY(const ByteVector there, store->public_key(place.name));
    QUOIN_TRY(const ByteVector certified, key.spki_der());
    if (!std::ranges::equal(there, certified)) {
        return fail(Code::integrity_mismatch,
                    "the key {} in {} is another than the certificate's: renew the certificate",
                    place.name, place.store);
    }
    return store->describe().residence;
}

Residence residence_of(const crypto::PrivateKey& key) {
    return key.is_in_store() ? Residence::separate_process : Residence::best_effort;
}

}  // namespace quoin::keys
