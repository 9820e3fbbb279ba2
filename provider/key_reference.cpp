#include "provider/key_reference.hpp"

#include <algorithm>

#include "host/keys/se/client.hpp"
#include "provider/dispatch.hpp"

namespace quoin::provider {
namespace {

void report(const Error& error) { refuse(ERR_R_OPERATION_FAIL, error.message.c_str()); }

class SecureElementSigner final : public RemoteSigner {
public:
    SecureElementSigner(std::unique_ptr<keys::se::Client> client, std::string name,
                        keys::se::ByteVector public_key)
        : client_(std::move(client)), name_(std::move(name)), public_key_(std::move(public_key)) {}

    Bytes public_key() const override { return public_key_; }
    bool sign(Bytes message, Bytes context, MutableBytes signature) const override {
        const auto made = client_->sign(name_, message, context);
        if (!made) {
            report(made.error());
            return false;
        }
        if (made->size() != signature.size()) {
            return refuse(ERR_R_INTERNAL_ERROR, "the store's signature has the wrong length");
        }
        std::ranges::copy(*made, signature.begin());
        return true;
    }

private:
    std::unique_ptr<keys::se::Client> client_;  // thread-safe
    std::string name_;
    keys::se::ByteVector public_key_;
};

}  // namespace

std::optional<KeyReference> read_reference(Bytes der) {
    auto reference = keys::se::decode_reference(der);
    if (reference) return *std::move(reference);
    if (reference.error().code != Code::input_not_found) {
        refuse(PROV_R_BAD_ENCODING, reference.error().message.c_str());
    }
    return std::nullopt;
}

std::optional<std::shared_ptr<const RemoteSigner>> open_remote(const KeyReference& reference,
                                                               const char* oid) {
    auto client = keys::se::Client::open({.socket = reference.socket, .label = "OpenSSL"});
    if (!client) {
        report(client.error());
        return std::nullopt;
    }
    auto key = (*client)->describe(reference.key);
    if (!key) {
        report(key.error());
        return std::nullopt;
    }
    if (keys::se::info(key->entry.algorithm).oid != oid) return nullptr;
    return std::make_shared<SecureElementSigner>(std::move(*client), reference.key,
                                                 std::move(key->public_key));
}

}  // namespace quoin::provider
