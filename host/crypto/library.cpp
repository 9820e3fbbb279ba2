#include "host/crypto/library.hpp"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <cstdlib>
#include <filesystem>

#include "host/crypto/crypto.hpp"
#include "host/crypto/entropy/seed_source.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/crypto/selftest/module_parts.hpp"

namespace quoin::crypto {
namespace {

Result<void> load_provider(OSSL_LIB_CTX* context) {
    // Not by OpenSSL's own search, which wants a name that ends in .so: a path may also be
    // /proc/self/fd/N (cli/supervise/programs.hpp).
    const std::filesystem::path file = provider_file();
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const char* const why = library == nullptr ? dlerror() : nullptr;
    void* const entry = library == nullptr ? nullptr : dlsym(library, "OSSL_provider_init");
    if (entry == nullptr ||
        OSSL_PROVIDER_add_builtin(context, "quoin",
                                  reinterpret_cast<OSSL_provider_init_fn*>(entry)) != 1 ||
        OSSL_PROVIDER_load(context, "quoin") == nullptr ||
        EVP_set_default_properties(context, "?provider=quoin") != 1) {
        return fail(Code::config_invalid,
                    "the OpenSSL provider {} cannot be loaded: {}; set QUOIN_PROVIDER to the path "
                    "of quoin.so",
                    file.string(), why != nullptr ? why : first_reason());
    }
    return {};
}

// Before anything else of OpenSSL: the machine's configuration is not read, and what it holds stays
// until the process is gone, as static objects may free certificates after its own atexit handler.
OSSL_LIB_CTX* new_context() {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
    return OSSL_LIB_CTX_new();
}

struct Library {
    OSSL_LIB_CTX* context = new_context();
    Result<void> loaded;

    Library() {
        if (context == nullptr || !entropy::seed(context) ||
            OSSL_PROVIDER_load(context, "default") == nullptr) {
            loaded = fail(Code::internal, "OpenSSL: no library context: {}", openssl_error());
            static_cast<void>(stop_module("library context"));
        } else {
            loaded = load_provider(context);
            // Remembered by the module, which everybody asks (operational()).
            static_cast<void>(selftest::power_on(context, loaded.has_value()));
        }
    }
};

// The context is never freed: other static objects may use it while the program ends.
const Library& instance() {
    static const Library made;
    return made;
}

}  // namespace

std::filesystem::path provider_file() {
    const char* named = std::getenv("QUOIN_PROVIDER");
    std::error_code ignored;  // the load says what is wrong with the path
    if (named != nullptr && *named != '\0') return std::filesystem::absolute(named, ignored);
    const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
    return (program.parent_path() / "../lib/quoin/quoin.so").lexically_normal();
}

OSSL_LIB_CTX* library() { return instance().context; }

Result<void> provider_is_loaded() {
    QUOIN_CHECK(instance().loaded);
    return operational();
}

}  // namespace quoin::crypto
