#include "host/keys/se/reference.hpp"

#include <algorithm>
#include <optional>

#include "host/percent.hpp"

namespace quoin::keys::se {
namespace {

constexpr std::string_view scheme = "quoin:se?";
constexpr std::size_t text_size_max = 4096;

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

// Tag, length in its shortest form, content.
std::vector<std::uint8_t> der_element(std::uint8_t tag, Bytes content) {
    std::vector<std::uint8_t> der{tag};
    const std::size_t size = content.size();
    if (size >= 0x100) {
        der.insert(der.end(), {0x82, static_cast<std::uint8_t>(size >> 8U)});
    } else if (size >= 0x80) {
        der.push_back(0x81);
    }
    der.push_back(static_cast<std::uint8_t>(size & 0xFFU));
    der.insert(der.end(), content.begin(), content.end());
    return der;
}

}  // namespace

std::vector<std::uint8_t> encode_reference(const KeyReference& reference) {
    const std::string uri = fmt::format("{}socket={}&key={}", scheme,
                                        percent_encode(reference.socket, "/"), reference.key);
    return der_element(0x30, der_element(0x0c, bytes_of(uri)));
}

Result<KeyReference> decode_reference(Bytes der) {
    const auto text = text_in(der);
    if (!text || !text->starts_with("quoin:")) {
        return fail(Code::input_not_found, "this is no key reference");
    }
    KeyReference reference;
    bool sound = text->starts_with(scheme);
    std::string_view rest = sound ? text->substr(scheme.size()) : "";
    while (sound && !rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const std::string_view name = pair.substr(0, pair.find('='));
        std::string* const into =
            name == "socket" ? &reference.socket : (name == "key" ? &reference.key : nullptr);
        const auto value = percent_decode(pair.substr(std::min(pair.size(), name.size() + 1)));
        sound =
            into != nullptr && into->empty() && value && !value->empty() && !value->contains('\0');
        if (sound) *into = *value;
    }
    if (sound && reference.socket.starts_with('/') && !reference.key.empty()) return reference;
    return fail(Code::input_invalid,
                "a key reference is quoin:se?socket=ABSOLUTE-PATH&key=NAME, and this is not");
}

}  // namespace quoin::keys::se
