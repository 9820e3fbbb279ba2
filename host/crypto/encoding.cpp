#include <openssl/evp.h>

#include <algorithm>

#include "host/crypto/crypto.hpp"

namespace quoin::crypto {
namespace {

constexpr std::size_t max_base64_size = 64U << 20U;  // well below OpenSSL's int

// -1: not a hexadecimal digit.
int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool is_ascii_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

std::string to_hex(Bytes bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

Result<ByteVector> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return fail(Code::input_invalid, "hexadecimal text has an odd length of {}", text.size());
    }
    ByteVector bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return fail(Code::input_invalid, "no pair of hexadecimal digits at character {}", i);
        }
        bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return bytes;
}

std::string to_base64(Bytes bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(std::max(size, 0)));
    return text;
}

Result<ByteVector> from_base64(std::string_view text) {
    if (text.size() > max_base64_size) {
        return fail(Code::input_invalid, "base64 text is longer than {} bytes", max_base64_size);
    }
    std::string packed;
    std::ranges::remove_copy_if(text, std::back_inserter(packed), is_ascii_space);
    ByteVector bytes(packed.size() / 4 * 3);
    const int size =
        EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(packed.data()),
                        static_cast<int>(packed.size()));
    if (size >= 0 && packed.size() % 4 == 0) {
        // OpenSSL counts the padding as bytes.
        const std::size_t padding = packed.ends_with("==") ? 2 : packed.ends_with('=') ? 1 : 0;
        bytes.resize(static_cast<std::size_t>(size) - padding);
        // What does not encode back to itself was not canonical: stray bits, padding inside.
        if (to_base64(bytes) == packed) return bytes;
    }
    openssl_error();  // leaves no stale reason in the queue
    return fail(Code::input_invalid, "text is not canonical base64");
}

}  // namespace quoin::crypto
