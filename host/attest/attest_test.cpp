#include "host/attest/attest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace quoin::attest {
namespace {

using crypto::Algorithm;
using crypto::ByteVector;
using crypto::PrivateKey;

const PrivateKey& attestation_key() {
    static const auto key = PrivateKey::generate(Algorithm::slh_dsa_shake_128f);
    return *key;
}

struct Sample {
    Nonce nonce{};
    ByteVector digest = ByteVector(evidence::digest_size, 0x11);
    std::vector<evidence::Measurement> measurements{{"agent", digest}};
    evidence::Claims claims{.device = "mpu-1",
                            .issued_s = 1700000000,
                            .nonce = nonce,
                            .boot_counter = 1,
                            .release = "1.0.0",
                            .ldevid_sha3_512 = digest,
                            .device_class = "mpu",
                            .level = evidence::Level::self_reported,
                            .measurements = measurements};
    Sample() = default;
    ~Sample() = default;
    Sample(const Sample&) = delete;
    Sample& operator=(const Sample&) = delete;
};

TEST(attest, evidence__signed_and_opened__verifies) {
    const Sample sample;
    const auto bytes = sign_evidence(sample.claims, sign_with(attestation_key()));
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_LE(bytes->size(), evidence::max_message_size);
    const auto opened = open_evidence(*bytes);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->claims().device, "mpu-1");
    EXPECT_TRUE(opened->verify(*attestation_key().public_key()));
}

TEST(attest, evidence__other_key_or_changed_claim__signature_refused) {
    const Sample sample;
    auto bytes = *sign_evidence(sample.claims, sign_with(attestation_key()));
    const auto other = PrivateKey::generate(Algorithm::slh_dsa_shake_128f);
    const auto refused = open_evidence(bytes)->verify(*other->public_key());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::integrity_signature);
    const std::string text(bytes.begin(), bytes.end());
    bytes[text.find("mpu-1") + 4] = '2';  // the same evidence, said to be of another device
    const auto moved = open_evidence(bytes);
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->claims().device, "mpu-2");
    EXPECT_FALSE(moved->verify(*attestation_key().public_key()));
}

TEST(attest, evidence__key_of_another_algorithm__refused) {
    const Sample sample;
    const auto key = PrivateKey::generate(Algorithm::ml_dsa_65);
    const auto signed_wrong = sign_evidence(sample.claims, sign_with(*key));
    ASSERT_FALSE(signed_wrong);
    EXPECT_EQ(signed_wrong.error().code, Code::input_invalid);
    const auto bytes = sign_evidence(sample.claims, sign_with(attestation_key()));
    EXPECT_FALSE(open_evidence(*bytes)->verify(*key->public_key()));
}

TEST(attest, evidence__empty_garbage_oversize__each_its_code) {
    EXPECT_EQ(open_evidence({}).error().code, Code::peer_malformed);
    EXPECT_EQ(open_evidence(bytes_of("hello")).error().code, Code::peer_malformed);
    EXPECT_EQ(open_evidence(ByteVector(evidence::max_message_size + 1)).error().code,
              Code::peer_oversize);
}

TEST(attest, challenge__round_trip__the_same) {
    Challenge challenge;
    ASSERT_TRUE(crypto::random_bytes(challenge.nonce));
    challenge.issued_ms = 1700000000123;
    challenge.timeout_ms = 10000;
    const auto decoded = decode_challenge(encode_challenge(challenge));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(decoded->nonce, challenge.nonce);
    EXPECT_EQ(decoded->issued_ms, challenge.issued_ms);
    EXPECT_EQ(decoded->timeout_ms, challenge.timeout_ms);
}

TEST(attest, challenge__anything_else__refused_naming_the_field) {
    const std::string nonce(64, 'a');
    const auto problem = [](const std::string& json) {
        const auto decoded = decode_challenge(json);
        return decoded ? std::string("accepted") : decoded.error().message;
    };
    const std::string good = R"({"nonce":")" + nonce + R"(","issued_ms":1,"timeout_ms":2})";
    EXPECT_EQ(problem(good), "accepted");
    EXPECT_EQ(problem(""), "challenge: not JSON at byte 1");
    EXPECT_EQ(problem("[1]"), "challenge: wrong type");
    EXPECT_EQ(problem("{}"), "challenge: nonce, issued_ms and timeout_ms are all needed");
    EXPECT_EQ(problem(good + " x"), "challenge: not JSON at byte 107");
    EXPECT_EQ(problem(R"({"nonce":"aa"})"), "challenge: nonce: must be 64 hex digits");
    EXPECT_EQ(problem(R"({"nonce":7})"), "challenge: nonce: out of range");
    EXPECT_EQ(problem(R"({"issued_ms":-1})"), "challenge: issued_ms: out of range");
    EXPECT_EQ(problem(R"({"issued_ms":1.5})"), "challenge: issued_ms: not an integer");
    EXPECT_EQ(problem(R"({"issued_ms":1,"issued_ms":2})"), "challenge: issued_ms: repeated");
    EXPECT_EQ(problem(R"({"timeout_ms":0})"), "challenge: timeout_ms: out of range");
    EXPECT_EQ(problem(R"({"timeout_ms":86400001})"), "challenge: timeout_ms: out of range");
    EXPECT_EQ(problem(R"({"more":1})"), "challenge: more: unknown key");
    EXPECT_EQ(problem(R"({"nonce":{}})"), "challenge: nonce: nested object");
    EXPECT_EQ(problem(std::string(513, ' ')), "challenge of 513 bytes: the limit is 512");
}

}  // namespace
}  // namespace quoin::attest
