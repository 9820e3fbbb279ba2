// Every reason once, with evidence that is really signed.
#include "server/verifier/appraisal.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "host/keys/tpm/test_quote.hpp"

namespace quoin::verifier {
namespace {

using crypto::ByteVector;
using server::Verdict;

const crypto::PrivateKey& key(int which) {
    static const auto first = crypto::PrivateKey::generate(crypto::Algorithm::slh_dsa_shake_128f);
    static const auto second = crypto::PrivateKey::generate(crypto::Algorithm::slh_dsa_shake_128f);
    return which == 0 ? *first : *second;
}

const crypto::PrivateKey& tpm_key() {
    static const auto made = crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256);
    return *made;
}

// Sound evidence of mpu-1 and the facts that make it pass; a case spoils one thing.
struct Case {
    ByteVector nonce = ByteVector(evidence::nonce_size, 0x01);
    ByteVector ldevid = ByteVector(evidence::digest_size, 0xC1);
    ByteVector agent = ByteVector(evidence::digest_size, 0xA1);
    ByteVector config = ByteVector(evidence::digest_size, 0xA2);
    std::vector<evidence::Measurement> measurements{{"agent", agent}, {"config", config}};
    evidence::Claims claims{.device = "mpu-1",
                            .issued_s = 1700000000,
                            .nonce = nonce,
                            .boot_counter = 7,
                            .release = "1.0.0",
                            .ldevid_sha3_512 = ldevid,
                            .device_class = "mpu",
                            .level = evidence::Level::self_reported,
                            .measurements = {}};
    int signer = 0;
    // Beside a TPM: what it quotes, and what is put beside the evidence.
    keys::tpm::PcrState pcrs{.pcrs = {0, 7}, .digest = {9, 8, 7}};
    ByteVector pcrs_digest;
    std::function<std::optional<keys::Attestation>(Bytes)> quote = [](Bytes) {
        return std::nullopt;
    };
    std::function<void(ByteVector&)> spoil_bytes = [](ByteVector&) {};
    Facts facts;

    ~Case() = default;
    Case() {
        facts.device = "mpu-1";
        facts.device_class = "mpu";
        facts.boot_counter = 7;
        facts.ldevid_sha3_512 = {std::string(128, '0'), crypto::to_hex(ldevid)};
        facts.attestation_keys = {{*key(0).public_key(), {}}};
        facts.nonce = NonceState::fresh;
        facts.references = {{"agent", crypto::to_hex(agent)}, {"config", crypto::to_hex(config)}};
    }
    Case(const Case&) = delete;
    Case& operator=(const Case&) = delete;

    // Sound evidence of a device whose attestation key is bound to a TPM.
    void bind() {
        const auto digest = *keys::tpm::measurement_of(pcrs);
        pcrs_digest.assign(digest.begin(), digest.end());
        measurements.push_back({keys::tpm::measurement_name, pcrs_digest});
        claims.level = evidence::Level::tpm_quoted;
        facts.attestation_keys[0].quote_key = *tpm_key().public_key()->spki_der();
        facts.references.emplace(keys::tpm::measurement_name, crypto::to_hex(pcrs_digest));
        quote = [this](Bytes message) { return keys::tpm::test::quote(message, pcrs, tpm_key()); };
    }

    Appraisal judge() {
        claims.measurements = measurements;
        auto bytes =
            attest::sign_evidence(claims, [&](Bytes message) -> Result<keys::tpm::QuotedSignature> {
                QUOIN_TRY(auto signature, key(signer).sign(message));
                return keys::tpm::QuotedSignature{std::move(signature), quote(message)};
            });
        EXPECT_TRUE(bytes) << bytes.error().message;
        spoil_bytes(*bytes);
        return appraise(attest::open_evidence(*bytes), facts);
    }
};

struct Row {
    std::string name;
    std::function<void(Case&)> spoil;
    Verdict verdict;
    std::string reason;
};

class appraisal : public testing::TestWithParam<Row> {};

TEST_P(appraisal, appraise__one_thing_spoiled__its_verdict_and_reason) {
    Case one;
    GetParam().spoil(one);
    const Appraisal judged = one.judge();
    EXPECT_EQ(verdict_name(judged.verdict), verdict_name(GetParam().verdict));
    EXPECT_EQ(judged.reason, GetParam().reason);
}

const std::vector<Row> rows{
    {"nothing", [](Case&) {}, Verdict::trusted, ""},
    {"oversize",
     [](Case& c) {
         c.spoil_bytes = [](ByteVector& b) { b.resize(evidence::max_message_size + 1); };
     },
     Verdict::untrusted, "oversize"},
    {"malformed_trailing", [](Case& c) { c.spoil_bytes = [](ByteVector& b) { b.push_back(0); }; },
     Verdict::untrusted, "malformed"},
    {"malformed_empty", [](Case& c) { c.spoil_bytes = [](ByteVector& b) { b.clear(); }; },
     Verdict::untrusted, "malformed"},
    {"unsigned_empty_signature",
     [](Case& c) {
         c.spoil_bytes = [](ByteVector& b) {
             b.resize(b.size() - evidence::signature_size - 3);  // the signature and its head
             b.push_back(0x40);
         };
     },
     Verdict::untrusted, "unsigned"},
    {"unsigned_bare_claims",
     [](Case& c) {
         c.spoil_bytes = [](ByteVector& b) {
             const auto message = evidence::decode_message(b);
             b = ByteVector(message->payload.begin(), message->payload.end());
         };
     },
     Verdict::untrusted, "unsigned"},
    {"wrong_device", [](Case& c) { c.claims.device = "mpu-2"; }, Verdict::untrusted,
     "wrong_device"},
    {"wrong_class", [](Case& c) { c.claims.device_class = "mcu"; }, Verdict::untrusted,
     "wrong_class"},
    {"replayed", [](Case& c) { c.facts.nonce = NonceState::replayed; }, Verdict::untrusted,
     "replayed"},
    {"late", [](Case& c) { c.facts.nonce = NonceState::late; }, Verdict::stale, "late"},
    {"late_and_tampered",
     [](Case& c) {
         c.facts.nonce = NonceState::late;
         c.agent[0] ^= 1;
     },
     Verdict::untrusted, "measurement_mismatch:agent"},
    {"certificate_of_another_session", [](Case& c) { c.ldevid[0] ^= 1; }, Verdict::untrusted,
     "wrong_certificate"},
    {"no_valid_certificate", [](Case& c) { c.facts.ldevid_sha3_512.clear(); }, Verdict::untrusted,
     "wrong_certificate"},
    {"no_valid_attestation_certificate", [](Case& c) { c.facts.attestation_keys.clear(); },
     Verdict::untrusted, "wrong_certificate"},
    {"other_signer", [](Case& c) { c.signer = 1; }, Verdict::untrusted, "bad_signature"},
    {"one_bit_of_the_signature",
     [](Case& c) { c.spoil_bytes = [](ByteVector& b) { b.back() ^= 1; }; }, Verdict::untrusted,
     "bad_signature"},
    {"two_attestation_keys",
     [](Case& c) {
         c.signer = 1;
         c.facts.attestation_keys.push_back({*key(1).public_key(), {}});
     },
     Verdict::trusted, ""},
    {"level_claimed", [](Case& c) { c.claims.level = evidence::Level::tpm_quoted; },
     Verdict::untrusted, "level_unproven"},
    {"level_demanded", [](Case& c) { c.facts.minimum_level = evidence::Level::boot_signed; },
     Verdict::untrusted, "level_too_low"},
    {"boot_signed_claimed", [](Case& c) { c.claims.level = evidence::Level::boot_signed; },
     Verdict::untrusted, "level_unproven"},
    {"quoted", [](Case& c) { c.bind(); }, Verdict::trusted, ""},
    {"quoted_as_demanded",
     [](Case& c) {
         c.bind();
         c.facts.minimum_level = evidence::Level::tpm_quoted;
     },
     Verdict::trusted, ""},
    {"quote_taken_away",
     [](Case& c) {
         c.bind();
         c.quote = [](Bytes) { return std::nullopt; };
     },
     Verdict::untrusted, "level_unproven"},
    {"quote_and_claim_taken_away",
     [](Case& c) {
         c.bind();
         c.claims.level = evidence::Level::self_reported;
         c.quote = [](Bytes) { return std::nullopt; };
     },
     Verdict::untrusted, "level_unproven"},
    {"quote_for_no_reason",
     [](Case& c) {
         c.bind();
         c.claims.level = evidence::Level::self_reported;
         c.facts.attestation_keys[0].quote_key.clear();
     },
     Verdict::untrusted, "level_unproven"},
    {"pcrs_that_nobody_quoted",
     [](Case& c) {
         c.bind();
         c.claims.level = evidence::Level::self_reported;
         c.facts.attestation_keys[0].quote_key.clear();
         c.quote = [](Bytes) { return std::nullopt; };
     },
     Verdict::untrusted, "quote_mismatch"},
    {"older_key_of_a_device_that_has_a_tpm", [](Case& c) { c.facts.bound = true; },
     Verdict::untrusted, "level_unproven"},
    {"quote_of_a_key_nobody_enrolled",
     [](Case& c) {
         c.bind();
         c.facts.attestation_keys[0].quote_key.clear();
     },
     Verdict::untrusted, "level_unproven"},
    {"quote_of_another_tpm",
     [](Case& c) {
         c.bind();
         c.quote = [&c](Bytes message) {
             const auto other = crypto::PrivateKey::generate(crypto::Algorithm::ecdsa_p256);
             return keys::tpm::test::quote(message, c.pcrs, *other);
         };
     },
     Verdict::untrusted, "bad_quote"},
    {"quote_for_other_evidence",
     [](Case& c) {
         c.bind();
         c.quote = [&c](Bytes message) {
             ByteVector other(message.begin(), message.end());
             other.back() ^= 1;
             return keys::tpm::test::quote(other, c.pcrs, tpm_key());
         };
     },
     Verdict::untrusted, "bad_quote"},
    {"quote_of_other_pcrs_than_measured",
     [](Case& c) {
         c.bind();
         c.pcrs.digest[0] ^= 1;
     },
     Verdict::untrusted, "quote_mismatch"},
    {"quoted_pcrs_left_out_of_the_measurements",
     [](Case& c) {
         c.bind();
         c.measurements.pop_back();
     },
     Verdict::untrusted, "quote_mismatch"},
    {"pcrs_of_other_software",
     [](Case& c) {
         c.pcrs.digest[0] ^= 1;
         c.bind();
         c.facts.references[std::string(keys::tpm::measurement_name)] = std::string(128, '0');
     },
     Verdict::untrusted, "measurement_mismatch:tpm-pcrs"},
    {"counter_below", [](Case& c) { c.claims.boot_counter = 6; }, Verdict::untrusted,
     "counter_rollback"},
    {"counter_above", [](Case& c) { c.claims.boot_counter = 8; }, Verdict::trusted, ""},
    {"unknown_release", [](Case& c) { c.facts.references.clear(); }, Verdict::untrusted,
     "unknown_reference"},
    {"mismatch", [](Case& c) { c.config[63] ^= 0x80; }, Verdict::untrusted,
     "measurement_mismatch:config"},
    {"missing", [](Case& c) { c.measurements.pop_back(); }, Verdict::untrusted,
     "measurement_missing:config"},
    {"unexpected", [](Case& c) { c.measurements.push_back({"extra", c.agent}); },
     Verdict::untrusted, "measurement_unexpected:extra"},
};

INSTANTIATE_TEST_SUITE_P(reasons, appraisal, testing::ValuesIn(rows),
                         [](const auto& tested) { return tested.param.name; });

TEST(appraisal, level__of_a_pass__is_what_was_proven) {
    EXPECT_EQ(Case().judge().level, "self-reported");
    Case quoted;
    quoted.bind();
    EXPECT_EQ(quoted.judge().level, "tpm-quoted");
    Case unsigned_claims;
    unsigned_claims.signer = 1;
    EXPECT_EQ(unsigned_claims.judge().level, "");
}

TEST(appraisal, level_by_name__known_and_unknown__level_or_error) {
    EXPECT_EQ(*level_by_name("tpm-quoted"), evidence::Level::tpm_quoted);
    EXPECT_EQ(level_by_name("high").error().code, Code::config_invalid);
}

}  // namespace
}  // namespace quoin::verifier
