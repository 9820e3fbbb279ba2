#include "provider/x25519.hpp"

namespace quoin::provider::x25519 {
namespace {

struct FreeContext {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

}  // namespace

Key generate(const ProviderContext& context) {
    return Key(EVP_PKEY_Q_keygen(context.library.get(), nullptr, "X25519"));
}

Key private_key(const ProviderContext& context, std::span<const std::uint8_t, size> bytes) {
    return Key(EVP_PKEY_new_raw_private_key_ex(context.library.get(), "X25519", nullptr,
                                               bytes.data(), bytes.size()));
}

bool write_public(const Key& key, std::span<std::uint8_t, size> bytes) {
    std::size_t written = bytes.size();
    return EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &written) == 1 && written == size;
}

bool write_private(const Key& key, std::span<std::uint8_t, size> bytes) {
    std::size_t written = bytes.size();
    return EVP_PKEY_get_raw_private_key(key.get(), bytes.data(), &written) == 1 && written == size;
}

bool derive(const ProviderContext& context, const Key& key,
            std::span<const std::uint8_t, size> peer, std::span<std::uint8_t, size> secret) {
    const Key other(EVP_PKEY_new_raw_public_key_ex(context.library.get(), "X25519", nullptr,
                                                   peer.data(), peer.size()));
    const std::unique_ptr<EVP_PKEY_CTX, FreeContext> operation(
        EVP_PKEY_CTX_new_from_pkey(context.library.get(), key.get(), nullptr));
    std::size_t written = secret.size();
    return other != nullptr && operation != nullptr && EVP_PKEY_derive_init(operation.get()) == 1 &&
           EVP_PKEY_derive_set_peer_ex(operation.get(), other.get(), 0) == 1 &&
           EVP_PKEY_derive(operation.get(), secret.data(), &written) == 1 && written == size;
}

}  // namespace quoin::provider::x25519
