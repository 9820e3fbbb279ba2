#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/crypto/library.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/crypto/selftest/module_parts.hpp"

namespace quoin::crypto {
namespace {

template <class Digest>
Result<Digest> digest_of(Bytes message, const char* name) {
    Digest digest{};
    std::size_t size = 0;
    if (EVP_Q_digest(library(), name, nullptr, message.data(), message.size(), digest.data(),
                     &size) != 1 ||
        size != digest.size()) {
        return fail(Code::internal, "{}: {}", name, openssl_error());
    }
    return digest;
}

Result<void> absorb(EVP_MD_CTX* context, int descriptor, const std::filesystem::path& file) {
    std::vector<std::uint8_t> piece(64U << 10U);
    for (;;) {
        const ssize_t got = ::read(descriptor, piece.data(), piece.size());
        if (got == 0) return {};
        if (got < 0) {
            if (errno == EINTR) continue;
            return fail(Code::input_not_found, "{}: cannot read: {}", file.string(),
                        std::generic_category().message(errno));
        }
        if (EVP_DigestUpdate(context, piece.data(), static_cast<std::size_t>(got)) != 1) {
            return fail(Code::internal, "SHA3-512: {}", openssl_error());
        }
    }
}

}  // namespace

Result<Sha256Digest> sha256(Bytes message) { return digest_of<Sha256Digest>(message, "SHA256"); }

Result<Sha3_512Digest> sha3_512(Bytes message) {
    return digest_of<Sha3_512Digest>(message, "SHA3-512");
}

Result<Sha3_512Digest> sha3_512_of_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return fail(Code::input_not_found, "{}: cannot open: {}", file.string(),
                    std::generic_category().message(errno));
    }
    const DigestHandle sha3(EVP_MD_fetch(library(), "SHA3-512", nullptr));
    const DigestContextHandle context(EVP_MD_CTX_new());
    Result<void> absorbed;
    if (!sha3 || !context || EVP_DigestInit_ex2(context.get(), sha3.get(), nullptr) != 1) {
        absorbed = fail(Code::internal, "SHA3-512: {}", openssl_error());
    } else {
        absorbed = absorb(context.get(), descriptor, file);
    }
    ::close(descriptor);
    if (!absorbed) return std::unexpected(absorbed.error());
    Sha3_512Digest digest{};
    if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
        return fail(Code::internal, "SHA3-512: {}", openssl_error());
    }
    return digest;
}

Result<void> random_bytes(MutableBytes out) {
    QUOIN_CHECK(operational());
    if (RAND_bytes_ex(library(), out.data(), out.size(), 0) != 1) {
        return fail(Code::internal, "no random bytes: {}", openssl_error());
    }
    return {};
}

Result<std::string> random_hex(std::size_t bytes) {
    std::vector<std::uint8_t> random(bytes);
    QUOIN_CHECK(random_bytes(random));
    std::string text = to_hex(random);
    OPENSSL_cleanse(random.data(), random.size());  // the text may become a key
    return text;
}

std::string first_reason() {
    std::string reason = "OpenSSL gave none";
    const char* text = nullptr;
    int flags = 0;
    while (ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags) != 0) {
        if ((flags & ERR_TXT_STRING) == 0 || text == nullptr || *text == '\0') continue;
        reason = text;
        break;
    }
    ERR_clear_error();
    return reason;
}

std::string openssl_error() {
    if (selftest::is_stopped()) {
        ERR_clear_error();
        return selftest::stopped_message();
    }
    const char* data = nullptr;
    int flags = 0;
    const unsigned long number = ERR_peek_last_error_all(nullptr, nullptr, nullptr, &data, &flags);
    if (number == 0) return "OpenSSL gave no reason";
    const char* reason = ERR_reason_error_string(number);
    std::string text = reason != nullptr ? reason : fmt::format("OpenSSL error {:#x}", number);
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') {
        text += fmt::format(" ({})", data);
    }
    ERR_clear_error();
    return text;
}

}  // namespace quoin::crypto
