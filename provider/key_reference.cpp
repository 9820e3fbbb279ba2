#include "provider/key_reference.hpp"

#include <algorithm>
#include <charconv>

#include "host/keys/se/client.hpp"
#include "provider/dispatch.hpp"

namespace quoin::provider {
namespace {

constexpr std::string_view scheme = "quoin:se?";
constexpr std::size_t text_size_max = 4096;

void report(const Error& error) { refuse(ERR_R_OPERATION_FAIL, error.message.c_str()); }

// The text of SEQUENCE { UTF8String }; none for any other DER.
std::optional<std::string_view> text_in(Bytes der) {
    core::Reader outer(der);
    const auto element = [](core::Reader& reader, std::uint64_t tag) -> core::Result<Bytes> {
        QUOIN_TRY(const std::uint64_t found, reader.take_unsigned<1>());
        if (found != tag) return std::unexpected(Code::peer_malformed);
        QUOIN_TRY(std::uint64_t size, reader.take_unsigned<1>());
        // The shortest form of a length, up to 65535.
        if (size == 0x81 || size == 0x82) {
            const bool two = size == 0x82;
            QUOIN_TRY(size, two ? reader.take_unsigned<2>() : reader.take_unsigned<1>());
            if (size < (two ? 0x100U : 0x80U)) return std::unexpected(Code::peer_malformed);
        } else if (size >= 0x80) {
            return std::unexpected(Code::peer_malformed);
        }
        return reader.take(size);
    };
    const auto sequence = element(outer, 0x30);
    if (!sequence || !outer.finish()) return std::nullopt;
    core::Reader inner(*sequence);
    const auto text = element(inner, 0x0c);
    if (!text || !inner.finish() || text->size() > text_size_max) return std::nullopt;
    return text_of(*text);
}

std::optional<std::string> decoded(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            bytes += text[i];
            continue;
        }
        unsigned value = 0;
        const std::string_view digits = text.substr(i + 1, 2);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2 || value == 0) {
            return std::nullopt;
        }
        bytes += static_cast<char>(value);
        i += 2;
    }
    return bytes;
}

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
    const auto text = text_in(der);
    if (!text || !text->starts_with("quoin:")) return std::nullopt;
    KeyReference reference;
    bool sound = text->starts_with(scheme);
    std::string_view rest = sound ? text->substr(scheme.size()) : "";
    while (sound && !rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const std::string_view name = pair.substr(0, pair.find('='));
        std::string* const into =
            name == "socket" ? &reference.socket : (name == "key" ? &reference.key : nullptr);
        const auto value = decoded(pair.substr(std::min(pair.size(), name.size() + 1)));
        sound = into != nullptr && into->empty() && value && !value->empty();
        if (sound) *into = *value;
    }
    if (sound && reference.socket.starts_with('/') && !reference.key.empty()) return reference;
    refuse(PROV_R_BAD_ENCODING,
           "a key reference is quoin:se?socket=ABSOLUTE-PATH&key=NAME, and this is not");
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
