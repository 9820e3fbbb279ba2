#include "sim/load/credentials.hpp"

#include <openssl/ssl.h>

namespace quoin::sim {
namespace fs = std::filesystem;
namespace {

Result<tls::Context> context_of(const Access& access, const fs::path& certificate,
                                const fs::path& key, const fs::path& unlock,
                                const fs::path& trust) {
    QUOIN_TRY(const auto anchors, x509::Certificate::load(trust));
    QUOIN_TRY(auto chain, x509::Certificate::load(certificate));
    QUOIN_TRY(const auto passphrase, crypto::existing_unlock_key(unlock));
    QUOIN_TRY(auto private_key, crypto::PrivateKey::load(key, passphrase));
    QUOIN_TRY(const auto suite, tls::suite_by_name(access.suite, false));
    const tls::Credentials credentials{.chain = std::move(chain), .key = std::move(private_key)};
    return tls::client_context(suite, anchors, tls::Server::broker, &credentials);
}

}  // namespace

Result<tls::Context> device_context(const Access& access, const fs::path& device) {
    const fs::path identity = device / "identity/current";
    return context_of(access, identity / "device.crt", identity / "device.key",
                      device / "unlock.key", device / "trust.crt");
}

Result<tls::Context> service_context(const Access& access, const fs::path& home,
                                     const std::string& name) {
    return context_of(access, home / "services" / (name + ".crt"),
                      home / "services" / (name + ".key"), home / "unlock.key",
                      home / "pki/root.crt");
}

Result<std::string> device_id(const fs::path& device) {
    QUOIN_TRY(const auto chain, x509::Certificate::load(device / "identity/current/device.crt"));
    if (chain.empty()) return fail(Code::input_invalid, "{}: no certificate", device.string());
    return chain.front().common_name();
}

tls::Context share(const tls::Context& context) {
    SSL_CTX_up_ref(context.get());
    return tls::Context(context.get());
}

}  // namespace quoin::sim
