// The provider's self-tests, each made to fail once (fault_fixture.cpp): it is not loaded, or
// stops.
#include <array>
#include <cstdlib>

#include "provider/fixture.hpp"

namespace quoin::provider::test {
namespace {

constexpr std::array at_load = {"ML-KEM-512",        "ML-KEM-768",       "ML-KEM-1024",
                                "ML-DSA-44",         "ML-DSA-65",        "ML-DSA-87",
                                "ML-DSA-44+Ed25519", "ML-DSA-65+Ed25519"};
constexpr std::array names = {"ML-KEM-512",
                              "ML-KEM-768",
                              "ML-KEM-1024",
                              "X25519MLKEM768",
                              "ML-DSA-44",
                              "ML-DSA-65",
                              "ML-DSA-87",
                              "id-MLDSA44-Ed25519-SHA512",
                              "id-MLDSA65-Ed25519-SHA512"};

// A library context with quoin.so of the folder of this test, whose self-test `fault` fails.
struct Faulty {
    explicit Faulty(const std::string& fault) {
        ::setenv("QUOIN_FAULT", fault.c_str(), 1);
        OSSL_PROVIDER_set_default_search_path(library.get(), QUOIN_PROVIDER_FOLDER);
        base.reset(OSSL_PROVIDER_load(library.get(), "default"));
        ERR_clear_error();
        ours.reset(OSSL_PROVIDER_load(library.get(), "quoin"));
        errors = all_errors();
    }
    static std::string all_errors() {
        std::string all;
        const char* text = nullptr;
        int flags = 0;
        while (ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags) != 0) {
            if (text != nullptr) all += std::string(text) + "; ";
        }
        return all;
    }
    Key generate(const char* name) const {
        const KeyContext context(EVP_PKEY_CTX_new_from_name(library.get(), name, "provider=quoin"));
        EVP_PKEY* key = nullptr;
        if (context && EVP_PKEY_keygen_init(context.get()) == 1) {
            EVP_PKEY_generate(context.get(), &key);
        }
        return Key(key);
    }
    bool is_running() const {
        int running = -1;
        OSSL_PARAM asked[] = {OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, &running),
                              OSSL_PARAM_construct_end()};
        EXPECT_EQ(OSSL_PROVIDER_get_params(ours.get(), asked), 1);
        return running == 1;
    }

    Owner<OSSL_LIB_CTX, OSSL_LIB_CTX_free> library{OSSL_LIB_CTX_new()};
    Owner<OSSL_PROVIDER, OSSL_PROVIDER_unload> base, ours;
    std::string errors;
};

TEST(self_test, nothing_made_wrong__loaded_running_and_passed_again) {
    const Faulty sound("");
    ASSERT_TRUE(sound.ours) << sound.errors;
    EXPECT_TRUE(sound.is_running());
    EXPECT_EQ(OSSL_PROVIDER_self_test(sound.ours.get()), 1);
    for (const char* const name : names) EXPECT_TRUE(sound.generate(name)) << name;
}

TEST(self_test, each_known_answer_made_wrong__not_loaded_and_the_error_names_it) {
    for (const char* const test : at_load) {
        const Faulty faulty(test);
        EXPECT_FALSE(faulty.ours) << test;
        EXPECT_NE(faulty.errors.find("\"" + std::string(test) + "\""), std::string::npos)
            << faulty.errors;
    }
}

// Its test waits for the first key: the other half is another provider's.
TEST(self_test, the_hybrid_made_wrong__first_key_refused_and_everything_stopped) {
    const Faulty faulty("X25519MLKEM768");
    ASSERT_TRUE(faulty.ours) << faulty.errors;
    EXPECT_TRUE(faulty.generate("ML-KEM-768"));
    EXPECT_FALSE(faulty.generate("X25519MLKEM768"));
    EXPECT_NE(Faulty::all_errors().find("\"X25519MLKEM768\""), std::string::npos);
    EXPECT_FALSE(faulty.is_running());
    for (const char* const name : names) EXPECT_FALSE(faulty.generate(name)) << name;
}

TEST(self_test, each_pair_inconsistent__key_discarded_and_old_keys_refuse) {
    constexpr std::array pairs = {"ML-KEM-512",
                                  "ML-KEM-768",
                                  "ML-KEM-1024",
                                  "X25519MLKEM768",
                                  "ML-DSA-44",
                                  "ML-DSA-65",
                                  "ML-DSA-87",
                                  "id-MLDSA44-Ed25519-SHA512",
                                  "id-MLDSA65-Ed25519-SHA512"};
    for (const char* const name : pairs) {
        const Faulty faulty("");
        ASSERT_TRUE(faulty.ours) << faulty.errors;
        const Key old =
            faulty.generate(std::string(name) == "ML-DSA-65" ? "ML-DSA-44" : "ML-DSA-65");
        ::setenv("QUOIN_FAULT", ("pair of " + std::string(name)).c_str(), 1);
        ERR_clear_error();
        EXPECT_FALSE(faulty.generate(name)) << name;
        EXPECT_NE(Faulty::all_errors().find("pair of " + std::string(name)), std::string::npos);
        EXPECT_FALSE(faulty.is_running());
        Octets signature(5000), message = pattern(40);
        std::size_t size = signature.size();
        const Owner<EVP_MD_CTX, EVP_MD_CTX_free> state(EVP_MD_CTX_new());
        EXPECT_FALSE(EVP_DigestSignInit_ex(state.get(), nullptr, nullptr, faulty.library.get(),
                                           "provider=quoin", old.get(), nullptr) == 1 &&
                     EVP_DigestSign(state.get(), signature.data(), &size, message.data(),
                                    message.size()) == 1)
            << name;
        ::setenv("QUOIN_FAULT", "", 1);
        EXPECT_EQ(OSSL_PROVIDER_self_test(faulty.ours.get()), 0) << "it stays stopped";
    }
}

}  // namespace
}  // namespace quoin::provider::test
