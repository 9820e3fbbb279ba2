// For tests: library contexts with our provider and without, and owners of OpenSSL's objects.
#pragma once

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace quoin::provider::test {

template <auto Free>
struct Freer {
    template <class Object>
    void operator()(Object* object) const {
        Free(object);
    }
};
template <class Object, auto Free>
using Owner = std::unique_ptr<Object, Freer<Free>>;

using Key = Owner<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owner<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Octets = std::vector<std::uint8_t>;

// Everything that OpenSSL has queued, and empties the queue.
inline std::string queued_errors() {
    std::string all;
    while (const unsigned long code = ERR_get_error()) {
        std::array<char, 200> text{};
        ERR_error_string_n(code, text.data(), text.size());
        all += text.data();
        all += '\n';
    }
    return all;
}

// The reasons (PROV_R_...) that are queued, oldest first, and empties the queue.
inline int first_reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    return ERR_GET_REASON(code);
}

// A library context of its own. Ours: with quoin.so, preferred. Theirs: the default provider alone.
class Library {
public:
    static Library ours() {
        Library library;
        library.load("quoin");
        EXPECT_EQ(EVP_set_default_properties(library, "?provider=quoin"), 1) << queued_errors();
        return library;
    }
    static Library theirs() { return {}; }

    operator OSSL_LIB_CTX*() const { return context_.get(); }  // NOLINT(*-explicit-*): as OpenSSL's
    OSSL_PROVIDER* provider(std::size_t i) const { return providers_[i].get(); }

private:
    Library() { load("default"); }

    void load(const char* name) {
        if (OSSL_PROVIDER_set_default_search_path(*this, QUOIN_PROVIDER_FOLDER) != 1) std::abort();
        providers_.emplace_back(OSSL_PROVIDER_load(*this, name));
        EXPECT_NE(providers_.back(), nullptr) << name << ": " << queued_errors();
    }

    Owner<OSSL_LIB_CTX, OSSL_LIB_CTX_free> context_{OSSL_LIB_CTX_new()};
    std::vector<Owner<OSSL_PROVIDER, OSSL_PROVIDER_unload>> providers_;
};

inline std::string provider_of(const EVP_PKEY* key) {
    const OSSL_PROVIDER* const provider = key == nullptr ? nullptr : EVP_PKEY_get0_provider(key);
    return provider == nullptr ? "none" : OSSL_PROVIDER_get0_name(provider);
}

inline Key generate(const Library& library, const std::string& name) {
    return Key(EVP_PKEY_Q_keygen(library, nullptr, name.c_str()));
}

// A key from its parts: "seed", "priv", "pub".
struct Part {
    const char* name;
    Octets value;
};
inline Key import_key(const Library& library, const std::string& name, std::vector<Part> parts,
                      int selection = EVP_PKEY_KEYPAIR) {
    std::vector<OSSL_PARAM> parameters;
    for (Part& part : parts) {
        parameters.push_back(
            OSSL_PARAM_construct_octet_string(part.name, part.value.data(), part.value.size()));
    }
    parameters.push_back(OSSL_PARAM_construct_end());
    const KeyContext context(EVP_PKEY_CTX_new_from_name(library, name.c_str(), nullptr));
    EVP_PKEY* key = nullptr;
    if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, selection, parameters.data()) != 1) {
        return nullptr;
    }
    return Key(key);
}

// A part of a key; empty if it has none.
inline Octets part(const Key& key, const char* name) {
    std::size_t size = 0;
    if (EVP_PKEY_get_octet_string_param(key.get(), name, nullptr, 0, &size) != 1) return {};
    Octets value(size);
    if (EVP_PKEY_get_octet_string_param(key.get(), name, value.data(), size, &size) != 1) return {};
    return value;
}

// Bytes that are not all the same, the same in each run.
inline Octets pattern(std::size_t size, std::uint8_t first = 1) {
    Octets bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + 7 * i);
    return bytes;
}

}  // namespace quoin::provider::test
