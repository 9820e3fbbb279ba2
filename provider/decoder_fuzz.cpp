// Whatever somebody calls a key of ours: SubjectPublicKeyInfo, PrivateKeyInfo, and PEM with
// references, through OpenSSL's decoders. A key that is read is written, and read back the same.
#include <openssl/bio.h>
#include <openssl/core.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "provider/key_reference.hpp"

namespace {

OSSL_LIB_CTX* library() {
    static OSSL_LIB_CTX* const made = [] {
        OSSL_LIB_CTX* const fresh = OSSL_LIB_CTX_new();
        if (OSSL_PROVIDER_add_builtin(fresh, "quoin", OSSL_provider_init) != 1 ||
            OSSL_PROVIDER_load(fresh, "default") == nullptr ||
            OSSL_PROVIDER_load(fresh, "quoin") == nullptr ||
            EVP_set_default_properties(fresh, "?provider=quoin") != 1) {
            std::abort();
        }
        return fresh;
    }();
    return made;
}

void must(bool holds) {
    if (!holds) std::abort();
}

using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;
using Memory = std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free_all(bio); })>;

void fuzz_public(const std::uint8_t* data, std::size_t size) {
    const unsigned char* at = data;
    const Key key(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(size), library(), nullptr));
    if (key == nullptr) return;
    unsigned char* written = nullptr;
    const int written_size = i2d_PUBKEY(key.get(), &written);
    must(written_size > 0);
    const unsigned char* again = written;
    const Key second(d2i_PUBKEY_ex(nullptr, &again, written_size, library(), nullptr));
    must(second != nullptr && EVP_PKEY_eq(key.get(), second.get()) == 1);
    OPENSSL_free(written);
}

void fuzz_private(const std::uint8_t* data, std::size_t size) {
    const unsigned char* at = data;
    const Key key(d2i_AutoPrivateKey_ex(nullptr, &at, static_cast<long>(size), library(), nullptr));
    if (key == nullptr) return;
    unsigned char* written = nullptr;
    must(i2d_PrivateKey(key.get(), &written) > 0);
    OPENSSL_free(written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto reference = quoin::provider::read_reference({data, size})) {
        // Not opened: that would speak to whatever socket the input names.
        must(reference->socket.starts_with('/') && !reference->key.empty());
    } else {
        fuzz_public(data, size);
        fuzz_private(data, size);
    }
    ERR_clear_error();
    return 0;
}
