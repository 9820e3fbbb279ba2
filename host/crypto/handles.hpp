// Owners of OpenSSL's objects. For the adapters in host/ only.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include <memory>
#include <string>

namespace quoin::crypto {

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* pointer) const noexcept {
        static_cast<void>(Free(pointer));
    }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Freer<Free>>;

using BioHandle = Handle<BIO, BIO_free_all>;
using BignumHandle = Handle<BIGNUM, BN_free>;
using DigestHandle = Handle<EVP_MD, EVP_MD_free>;
using DigestContextHandle = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

// What was written to a memory BIO.
inline std::string text_of_bio(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace quoin::crypto
