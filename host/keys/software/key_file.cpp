#include "host/keys/software/key_file.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/crypto/approved.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/pair.hpp"

namespace quoin::keys::software {
namespace {

constexpr std::string_view first_line = "quoin-key 1";
constexpr const char* secret_agreements[] = {"X25519", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"};

using ContextHandle = crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using ClearHandle = crypto::Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

// What is authenticated: the first two lines, newlines included.
std::string header_of(const KeyInfo& info) {
    const nlohmann::ordered_json json = {{"name", info.name},
                                         {"algorithm", info.algorithm},
                                         {"message_prefix", info.policy.message_prefix}};
    return fmt::format("{}\n{}\n", first_line,
                       json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

Result<SecretBytes> pkcs8_of(const crypto::PrivateKey& secret) {
    const ClearHandle clear(EVP_PKEY2PKCS8(secret.native()));
    unsigned char* der = nullptr;
    const int size = clear ? i2d_PKCS8_PRIV_KEY_INFO(clear.get(), &der) : -1;
    if (size <= 0) {
        return fail(Code::internal, "cannot encode the key: {}", crypto::openssl_error());
    }
    SecretBytes bytes(MutableBytes(der, static_cast<std::size_t>(size)));
    OPENSSL_free(der);
    return bytes;
}

Result<crypto::PrivateKey> key_of(const SecretBytes& pkcs8) {
    const unsigned char* next = pkcs8.expose().data();
    const ClearHandle clear(
        d2i_PKCS8_PRIV_KEY_INFO(nullptr, &next, static_cast<long>(pkcs8.size())));
    EVP_PKEY* parsed = clear ? EVP_PKCS82PKEY_ex(clear.get(), crypto::library(), nullptr) : nullptr;
    if (parsed == nullptr) {
        return fail(Code::integrity_mismatch, "the key cannot be parsed: {}",
                    crypto::openssl_error());
    }
    return crypto::PrivateKey(parsed);
}

Result<SecretBytes> agree(EVP_PKEY_CTX* context, Bytes peer_key) {
    const crypto::Handle<EVP_PKEY, EVP_PKEY_free> peer(EVP_PKEY_new_raw_public_key_ex(
        nullptr, "X25519", nullptr, peer_key.data(), peer_key.size()));
    std::size_t size = 0;
    if (!peer || EVP_PKEY_derive_init(context) != 1 ||
        EVP_PKEY_derive_set_peer(context, peer.get()) != 1 ||
        EVP_PKEY_derive(context, nullptr, &size) != 1) {
        return fail(Code::input_invalid, "no X25519 public key: {}", crypto::openssl_error());
    }
    SecretBytes shared(size);
    if (EVP_PKEY_derive(context, shared.expose_to_fill().data(), &size) != 1) {
        return fail(Code::input_invalid, "the peer's X25519 key is of low order: {}",
                    crypto::openssl_error());
    }
    return shared;
}

}  // namespace

std::vector<std::string> algorithm_names() {
    std::vector<std::string> names;
    for (const crypto::AlgorithmInfo& row : crypto::algorithms()) names.emplace_back(row.name);
    names.insert(names.end(), std::begin(secret_agreements), std::end(secret_agreements));
    return names;
}

bool is_signature(std::string_view algorithm) {
    return crypto::algorithm_by_name(algorithm).has_value();
}

Result<crypto::PrivateKey> generate_key(std::string_view algorithm) {
    if (const auto known = crypto::algorithm_by_name(algorithm)) {
        return crypto::PrivateKey::generate(*known);
    }
    const auto* const found = std::ranges::find(secret_agreements, algorithm);
    if (found == std::end(secret_agreements)) {
        return fail(Code::input_unsupported,
                    "software keys of algorithm \"{}\" are not made; of {}", algorithm,
                    fmt::join(algorithm_names(), ", "));
    }
    QUOIN_CHECK(crypto::check_approved(algorithm));
    EVP_PKEY* key = EVP_PKEY_Q_keygen(crypto::library(), nullptr, *found);
    if (key == nullptr) {
        return fail(Code::internal, "cannot make a {} key: {}", algorithm, crypto::openssl_error());
    }
    crypto::PrivateKey made(key);
    QUOIN_CHECK(crypto::selftest::check_agreement(algorithm, made.native()));
    return made;
}

Result<ByteVector> spki_of(const crypto::PrivateKey& key) {
    unsigned char* encoded = nullptr;
    const int size = i2d_PUBKEY(key.native(), &encoded);
    if (size <= 0) {
        return fail(Code::internal, "cannot encode a public key: {}", crypto::openssl_error());
    }
    ByteVector der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
}

Result<SecretBytes> decapsulate(const crypto::PrivateKey& key, std::string_view algorithm,
                                Bytes ciphertext) {
    const ContextHandle context(
        EVP_PKEY_CTX_new_from_pkey(crypto::library(), key.native(), nullptr));
    if (!context) return fail(Code::internal, "cannot decapsulate: {}", crypto::openssl_error());
    if (algorithm == "X25519") return agree(context.get(), ciphertext);
    std::size_t size = 0;
    if (EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
        EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data(), ciphertext.size()) !=
            1) {
        return fail(Code::input_invalid, "{} bytes are no {} ciphertext: {}", ciphertext.size(),
                    algorithm, crypto::openssl_error());
    }
    SecretBytes shared(size);
    if (EVP_PKEY_decapsulate(context.get(), shared.expose_to_fill().data(), &size,
                             ciphertext.data(), ciphertext.size()) != 1) {
        return fail(Code::input_invalid, "{} bytes are no {} ciphertext: {}", ciphertext.size(),
                    algorithm, crypto::openssl_error());
    }
    return shared;
}

Result<std::string> seal_key(BoxKey key, const KeyInfo& info, const crypto::PrivateKey& secret) {
    const std::string header = header_of(info);
    QUOIN_TRY(const SecretBytes pkcs8, pkcs8_of(secret));
    QUOIN_TRY(const ByteVector box, close_box(key, pkcs8.expose(), bytes_of(header)));
    return header + crypto::to_base64(box) + "\n";
}

Result<KeyFile> open_key(BoxKey key, std::string_view name, std::string_view text) {
    const std::size_t line1 = text.find('\n');
    const std::size_t line2 =
        line1 == std::string_view::npos ? std::string_view::npos : text.find('\n', line1 + 1);
    if (line2 == std::string_view::npos || text.substr(0, line1) != first_line ||
        !text.ends_with('\n')) {
        return fail(Code::integrity_mismatch, "is no key of a software store, or was cut short");
    }
    const std::string_view header = text.substr(0, line2 + 1);
    std::string_view rest = text.substr(line2 + 1);
    if (rest.empty()) return fail(Code::integrity_mismatch, "was cut short");
    rest.remove_suffix(1);
    const auto box = crypto::from_base64(rest);
    if (!box || crypto::to_base64(*box) != rest) {
        return fail(Code::integrity_mismatch, "its third line is no base64");
    }
    QUOIN_TRY(const SecretBytes pkcs8, open_box(key, *box, bytes_of(header)));
    const auto json =
        nlohmann::json::parse(header.substr(line1 + 1), nullptr, /*allow_exceptions=*/false);
    KeyInfo info;
    if (json.is_object()) {
        info.name = json.value("name", "");
        info.algorithm = json.value("algorithm", "");
        info.policy.message_prefix = json.value("message_prefix", "");
    }
    // Ours, as the tag says; but of the file that this name asked for?
    if (info.name != name || header_of(info) != header) {
        return fail(Code::integrity_mismatch, "is the file of another key");
    }
    QUOIN_TRY(crypto::PrivateKey secret, key_of(pkcs8));
    return KeyFile{std::move(info), std::move(secret)};
}

}  // namespace quoin::keys::software
