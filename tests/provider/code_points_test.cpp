// The code points of the composites, set by the environment (CMakeLists.txt), reach the library
// context of our own programs.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <map>

#include "host/crypto/library.hpp"

namespace quoin {
namespace {

using CodePoints = std::map<std::string, unsigned>;

int take(const OSSL_PARAM* parameters, void* all) {
    const char* name = nullptr;
    unsigned code_point = 0;
    OSSL_PARAM_get_utf8_string_ptr(
        OSSL_PARAM_locate_const(parameters, OSSL_CAPABILITY_TLS_SIGALG_IANA_NAME), &name);
    OSSL_PARAM_get_uint(OSSL_PARAM_locate_const(parameters, OSSL_CAPABILITY_TLS_SIGALG_CODE_POINT),
                        &code_point);
    (*static_cast<CodePoints*>(all))[name] = code_point;
    return 1;
}

TEST(code_points, environment__sets_them__our_own_library_context_has_them) {
    ASSERT_TRUE(crypto::provider_is_loaded());
    CodePoints all;
    OSSL_PROVIDER_do_all(
        crypto::library(),
        [](OSSL_PROVIDER* provider, void* found) {
            if (std::string_view(OSSL_PROVIDER_get0_name(provider)) == "quoin") {
                OSSL_PROVIDER_get_capabilities(provider, "TLS-SIGALG", take, found);
            }
            return 1;
        },
        &all);
    EXPECT_EQ(all["mldsa44_ed25519"], 0xFE44U);
    EXPECT_EQ(all["mldsa65_ed25519"], 0xFE65U);
    EXPECT_EQ(all["mldsa65"], 0x0905U);
}

}  // namespace
}  // namespace quoin
