// The real process, by its own client.
#include <gmock/gmock.h>
#include <openssl/evp.h>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "host/crypto/crypto.hpp"
#include "secure_element/process_fixture.hpp"

namespace quoin::secure_element {
namespace {

using namespace keys::se;
using testing::HasSubstr;

constexpr std::string_view text = "what is signed";
const Policy signing{.operations = may_sign};

class Process : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(element.start()) << element.log(); }
    ElementProcess element;
};

TEST_F(Process, sign__key_made_inside__openssl_verifies) {
    const auto client = element.client();
    const auto key = must(client->generate("device", Algorithm::ml_dsa_65, signing));
    EXPECT_EQ(key.size(), info(Algorithm::ml_dsa_65).public_key_size);
    const auto signature = must(client->sign("device", bytes_of(text), bytes_of("ctx")));
    EVP_PKEY* native =
        EVP_PKEY_new_raw_public_key_ex(nullptr, "ML-DSA-65", nullptr, key.data(), key.size());
    const crypto::PublicKey openssl(native);
    EXPECT_TRUE(openssl.verify(bytes_of(text), signature, bytes_of("ctx")));
    EXPECT_FALSE(openssl.verify(bytes_of(text), signature));
}

TEST_F(Process, keys__restart__are_there_and_client_reconnects) {
    const auto client = element.client();
    const auto key = must(client->generate("device", Algorithm::ed25519, signing));
    EXPECT_EQ(element.stop(), 0);
    ASSERT_TRUE(element.start()) << element.log();
    const auto found = must(client->describe("device"));
    EXPECT_EQ(found.public_key, key);
    EXPECT_TRUE(client->sign("device", bytes_of(text), {}));
}

TEST_F(Process, decapsulate__ml_kem_768__same_secret) {
    using namespace core::ml_kem;
    const auto client = element.client();
    const auto key =
        must(client->generate("kem", Algorithm::ml_kem_768, {.operations = may_decapsulate}));
    std::array<std::uint8_t, 32> secret{};
    std::array<std::uint8_t, 32> random{7};
    std::array<std::uint8_t, Set768::ciphertext_size> ciphertext{};
    Workspace<Set768> workspace;
    const auto peer =
        EncapsulationKey<Set768>::check(std::span(key).first<Set768::encapsulation_key_size>());
    ASSERT_TRUE(peer);
    encapsulate<Set768>(secret, ciphertext, *peer, random, workspace);
    const auto ours = must(client->decapsulate({"kem"}, ciphertext));
    EXPECT_TRUE(std::ranges::equal(ours.expose(), secret));
}

}  // namespace
}  // namespace quoin::secure_element
