#include "agent/attestation.hpp"

#include <gtest/gtest.h>

#include "agent/test_folder.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::agent {
namespace {

using x509::test::Entity;

Config config_in(const std::filesystem::path& home) {
    test::write(home / config_file_name, "the configuration");
    test::write(home / "plc.bin", "the program");
    Config config;
    config.home = home;
    config.release = "1.2.3";
    config.files = {{"file:plc.bin", home / "plc.bin"}};
    return config;
}

crypto::Sha3_512Digest digest_of(std::string_view text) {
    return *crypto::sha3_512(bytes_of(text));
}

TEST(attestation, measure__mpu__agent_config_and_files) {
    const test::TempFolder folder;
    const auto all = measure(config_in(folder.path()), DeviceClass::mpu);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].name, "agent");
    EXPECT_EQ(all[0].digest, *crypto::sha3_512_of_file("/proc/self/exe"));
    EXPECT_EQ(all[1].name, "config");
    EXPECT_EQ(all[1].digest, digest_of("the configuration"));
    EXPECT_EQ(all[2].digest, digest_of("the program"));
}

TEST(attestation, measure__altered_and_missing_files__show) {
    const test::TempFolder folder;
    const Config config = config_in(folder.path());
    test::write(folder.path() / "plc.bin", "the progrum");
    EXPECT_EQ(measure(config, DeviceClass::mpu)[2].digest, digest_of("the progrum"));
    std::filesystem::remove(folder.path() / "plc.bin");
    EXPECT_EQ(measure(config, DeviceClass::mpu)[2].digest, crypto::Sha3_512Digest{});
}

TEST(attestation, measure__mcu__firmware_only) {
    const test::TempFolder folder;
    Config config = config_in(folder.path());
    EXPECT_TRUE(measure(config, DeviceClass::mcu).empty());
    config.firmware = folder.path() / "plc.bin";
    const auto all = measure(config, DeviceClass::mcu);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].name, "firmware");
}

TEST(attestation, answer__is_bound_to_nonce_session_and_counter__and_verifies) {
    const test::TempFolder folder;
    const auto pki =
        *x509::test::make_pki(crypto::Algorithm::ml_dsa_65, crypto::Algorithm::ml_dsa_65);
    const Entity leaf = *x509::test::make_leaf(pki, {});
    const auto key = *crypto::PrivateKey::generate(crypto::Algorithm::slh_dsa_shake_128f);
    Identity identity{"mpu-1",
                      "s",
                      {pki.chain(leaf), leaf.key},
                      AttestationKey{leaf.certificate, *keys::AttestationKey::of(key)}};
    attest::Challenge challenge;
    challenge.nonce.fill(7);
    const auto evidence =
        answer(challenge, identity, config_in(folder.path()), DeviceClass::mpu, 42);
    ASSERT_TRUE(evidence) << evidence.error().message;
    const auto opened = attest::open_evidence(*evidence);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->verify(*key.public_key()));
    const auto& claims = opened->claims();
    EXPECT_EQ(claims.device, "mpu-1");
    EXPECT_EQ(claims.boot_counter, 42U);
    EXPECT_EQ(claims.release, "1.2.3");
    EXPECT_EQ(claims.device_class, "mpu");
    EXPECT_EQ(claims.measurements.size(), 3U);
    EXPECT_TRUE(std::ranges::equal(claims.nonce, challenge.nonce));
    EXPECT_TRUE(std::ranges::equal(claims.ldevid_sha3_512, *leaf.certificate.sha3_512()));
    identity.attestation.reset();
    EXPECT_EQ(
        answer(challenge, identity, config_in(folder.path()), DeviceClass::mpu, 1).error().code,
        Code::state_wrong);
}

TEST(boot_counter, each_start__is_one_more__and_damage_is_an_error) {
    const test::TempFolder folder;
    EXPECT_EQ(*next_boot_counter(folder.path()), 1U);
    EXPECT_EQ(*next_boot_counter(folder.path()), 2U);
    EXPECT_EQ(*next_boot_counter(folder.path()), 3U);
    for (const char* bad : {"", "3", "x\n", "-1\n", "9007199254740991\n"}) {
        test::write(folder.path() / "boot_counter", bad);
        EXPECT_EQ(next_boot_counter(folder.path()).error().code, Code::integrity_mismatch) << bad;
    }
}

}  // namespace
}  // namespace quoin::agent
