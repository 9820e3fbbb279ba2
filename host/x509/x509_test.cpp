#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <memory>

#include "host/files/files.hpp"
#include "host/x509/certificate.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::x509 {
namespace {

namespace fs = std::filesystem;
using crypto::Algorithm;
using test::Entity;
using test::LeafRequest;
using test::Pki;
using testing::HasSubstr;

const Pki& pki() {
    static const auto made = test::make_pki(Algorithm::ecdsa_p256, Algorithm::ecdsa_p256);
    if (!made) ADD_FAILURE() << made.error().message;
    return *made;
}

const Pki& foreign_pki() {
    static const auto made =
        test::make_pki(Algorithm::ecdsa_p256, Algorithm::ecdsa_p256, "foreign");
    if (!made) ADD_FAILURE() << made.error().message;
    return *made;
}

Entity leaf(const LeafRequest& request = {}, const Pki& from = pki()) {
    auto made = make_leaf(from, request);
    if (!made) ADD_FAILURE() << made.error().message;
    return *std::move(made);
}

std::string crl(std::span<const Revoked> revoked = {}, const Pki& from = pki(),
                std::chrono::seconds lifetime = std::chrono::seconds(60)) {
    const auto pem =
        issue_crl_pem(from.issuing.key, from.issuing.certificate, revoked, 7, lifetime);
    if (!pem) ADD_FAILURE() << pem.error().message;
    return *pem;
}

Result<void> verify(const Certificate& certificate, Purpose purpose = Purpose::client,
                    std::string_view crl_pem = {}) {
    return verify_chain(certificate, pki().intermediates(), pki().anchors(), purpose, crl_pem);
}

// ---- TPM quote keys ----

TEST(quote_key, issue__attestation_certificate__names_it_and_no_other_does) {
    const auto tpm = *crypto::PrivateKey::generate(Algorithm::ecdsa_p256);
    const auto spki = *tpm.public_key()->spki_der();
    IssueRequest request{.profile = Profile::attest,
                         .common_name = "mpu-1",
                         .identity = Identity{Kind::attest, std::string(test::site), "mpu-1", {}},
                         .names = {},
                         .lifetime = std::chrono::seconds(60),
                         .quote_key = spki};
    const auto issued =
        issue(pki().issuing.key, pki().issuing.certificate, *tpm.public_key(), request);
    ASSERT_TRUE(issued) << issued.error().message;
    EXPECT_EQ(*issued->quote_key(), spki);
    EXPECT_TRUE(verify(*issued, Purpose::any));
    EXPECT_TRUE(leaf().certificate.quote_key()->empty());
    request.profile = Profile::device;
    request.identity->kind = Kind::device;
    const auto device =
        issue(pki().issuing.key, pki().issuing.certificate, *tpm.public_key(), request);
    ASSERT_FALSE(device);
    EXPECT_THAT(device.error().message, HasSubstr("only attestation certificates"));
    request.profile = Profile::attest;
    request.identity->kind = Kind::attest;
    request.quote_key =
        *crypto::PrivateKey::generate(Algorithm::ml_dsa_44)->public_key()->spki_der();
    const auto other =
        issue(pki().issuing.key, pki().issuing.certificate, *tpm.public_key(), request);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, HasSubstr("ECDSA-P256"));
    request.quote_key = {1, 2, 3};
    EXPECT_FALSE(issue(pki().issuing.key, pki().issuing.certificate, *tpm.public_key(), request));
}

TEST(quote_key, request__signed_by_others_and_by_openssl__both_sound) {
    const auto key = *crypto::PrivateKey::generate(Algorithm::slh_dsa_shake_128f);
    const auto tpm = *crypto::PrivateKey::generate(Algorithm::ecdsa_p256);
    const auto spki = *tpm.public_key()->spki_der();
    const auto sign = [&](Bytes message) { return key.sign(message); };
    const auto named = Request::make_der(*key.public_key(), sign, "mpu-1", spki);
    ASSERT_TRUE(named) << named.error().message;
    const auto read = Request::from_der(bytes_of(*named));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read->quote_key(), spki);
    EXPECT_EQ(read->common_name(), "mpu-1");
    const auto plain = Request::from_der(bytes_of(*Request::make_der(key, "mpu-1")));
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_TRUE(plain->quote_key()->empty());
    const auto lying = [&](Bytes) { return key.sign(bytes_of("something else")); };
    const auto unsigned_one = Request::make_der(*key.public_key(), lying, "mpu-1", {});
    ASSERT_TRUE(unsigned_one);
    EXPECT_EQ(Request::from_der(bytes_of(*unsigned_one)).error().code, Code::integrity_signature);
}

// ---- Identities ----

TEST(identity, parse_identity__every_kind__round_trip) {
    for (const char* uri : {"quoin://hall-1/device/mpu-1", "quoin://hall-1/attest/mpu-1",
                            "quoin://hall-1/service/quoind", "quoin://hall-1/operator/viewer/anna",
                            "quoin://hall-1/operator/operator/b.c",
                            "quoin://hall-1/operator/admin/d_e", "quoin://birth/device/SN-0001"}) {
        const auto identity = parse_identity(uri);
        ASSERT_TRUE(identity) << uri;
        EXPECT_EQ(to_uri(*identity), uri);
    }
    EXPECT_EQ(parse_identity("quoin://birth/device/SN-0001")->kind, Kind::birth);
}

TEST(identity, parse_identity__anything_else__peer_malformed) {
    const std::string long_id(129, 'a');
    for (const std::string& uri : {std::string(""),
                                   std::string("quoin://"),
                                   std::string("quoin://s"),
                                   std::string("quoin://s/device"),
                                   std::string("quoin://s/device/"),
                                   std::string("quoin:///device/a"),
                                   std::string("quoin://s/device/a/b"),
                                   std::string("quoin://s/device/a "),
                                   std::string("quoin://s/device/a:b"),
                                   std::string("quoin://s:1/device/a"),
                                   std::string("quoin://u@s/device/a"),
                                   std::string("quoin://s/device/a?b"),
                                   std::string("quoin://s/device/a\0", 19),
                                   std::string("quoin://s/device/ä"),
                                   std::string("quoin://s/Device/a"),
                                   std::string("QUOIN://s/device/a"),
                                   std::string("quoin://s/operator/a"),
                                   std::string("quoin://s/operator/root/a"),
                                   std::string("quoin://s/operator/admin/a/b"),
                                   std::string("quoin://birth/attest/a"),
                                   std::string("quoin://birth/operator/admin/a"),
                                   std::string("quoin://s/birth/a"),
                                   "quoin://s/device/" + long_id,
                                   "quoin://" + long_id + "/device/a"}) {
        const auto identity = parse_identity(uri);
        ASSERT_FALSE(identity) << uri;
        EXPECT_EQ(identity.error().code, Code::peer_malformed) << uri;
    }
}

TEST(identity, is_valid_id__limits) {
    EXPECT_TRUE(is_valid_id("a"));
    EXPECT_TRUE(is_valid_id(std::string(128, 'a')));
    EXPECT_FALSE(is_valid_id(std::string(129, 'a')));
    EXPECT_FALSE(is_valid_id(""));
    EXPECT_FALSE(is_valid_id("a+b"));
    EXPECT_FALSE(is_valid_id("a#"));
}

// ---- Certificates ----

TEST(certificate, issue__device__names_profile_and_times) {
    const Entity device = leaf();
    const Certificate& certificate = device.certificate;
    EXPECT_EQ(certificate.common_name(), "mpu-1");
    EXPECT_EQ(to_uri(*certificate.identity()), "quoin://test-plant/device/mpu-1");
    EXPECT_FALSE(certificate.is_ca());
    EXPECT_TRUE(pki().issuing.certificate.is_ca());
    const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    EXPECT_NEAR(static_cast<double>(certificate.not_before_ms()),
                static_cast<double>(now_ms - 60'000), 10'000);
    EXPECT_NEAR(static_cast<double>(certificate.not_after_ms()),
                static_cast<double>(now_ms + 3'600'000), 10'000);
    EXPECT_EQ(certificate.serial_hex().size() % 2, 0U);
    EXPECT_EQ(*certificate.public_key()->spki_der(), *device.key.public_key()->spki_der());
}

TEST(certificate, issue__longest_id__128_bytes) {
    const std::string id(128, 'x');
    const Entity device = leaf({.id = id});
    EXPECT_EQ(device.certificate.identity()->id, id);
    EXPECT_TRUE(verify(device.certificate));
}

TEST(certificate, issue__two__different_serials) {
    EXPECT_NE(leaf().certificate.serial_hex(), leaf().certificate.serial_hex());
}

TEST(certificate, issue__longer_than_the_issuer__ends_with_it) {
    const Entity device =
        leaf({.lifetime = std::chrono::seconds(std::numeric_limits<std::int64_t>::max())});
    EXPECT_EQ(device.certificate.not_after_ms(), pki().issuing.certificate.not_after_ms());
}

TEST(certificate, issue__wrong_request__input_invalid) {
    const auto key = crypto::PrivateKey::generate(Algorithm::ecdsa_p256);
    const auto public_key = key->public_key();
    const Identity device{Kind::device, "s", "a", {}};
    const auto code = [&](const IssueRequest& request) {
        const auto issued =
            issue(pki().issuing.key, pki().issuing.certificate, *public_key, request);
        return issued ? Code::internal : issued.error().code;
    };
    const IssueRequest sound{.profile = Profile::device,
                             .common_name = "a",
                             .identity = device,
                             .names = {},
                             .lifetime = std::chrono::seconds(60),
                             .addresses = {.crl = "http://127.0.0.1:8080/crl.pem"}};
    EXPECT_TRUE(issue(pki().issuing.key, pki().issuing.certificate, *public_key, sound));
    const auto wrong = [&](auto change) {
        IssueRequest request = sound;
        change(request);
        return code(request) == Code::input_invalid;
    };
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.common_name = "b"; }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.identity->id = "a b"; }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.identity->site = "birth"; }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.identity.reset(); }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.lifetime = std::chrono::seconds(0); }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.names = {"plant.test"}; }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.profile = Profile::root; }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.profile = Profile::issuing; }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.addresses.crl = "http://a/,DNS:b"; }));
    EXPECT_TRUE(wrong([](IssueRequest& r) { r.addresses.crl = "file:///etc/passwd"; }));
}

TEST(certificate, issue__key_of_another_ca__input_invalid) {
    const auto key = crypto::PrivateKey::generate(Algorithm::ecdsa_p256)->public_key();
    const auto issued = issue(foreign_pki().issuing.key, pki().issuing.certificate, *key,
                              {.profile = Profile::device,
                               .common_name = "a",
                               .identity = Identity{Kind::device, "s", "a", {}},
                               .names = {},
                               .lifetime = std::chrono::seconds(60)});
    ASSERT_FALSE(issued);
    EXPECT_EQ(issued.error().code, Code::input_invalid);
}

TEST(certificate, server_names__names_and_addresses) {
    const Entity server = leaf({.profile = Profile::server,
                                .kind = Kind::service,
                                .id = "quoind",
                                .names = {"plant.test", "10.0.0.5", "fe80::1"}});
    EXPECT_THAT(*server.certificate.server_names(),
                testing::ElementsAre("plant.test", "10.0.0.5", "fe80::1"));
}

TEST(certificate, from_der__truncated_or_longer__peer_malformed) {
    const auto der = leaf().certificate.der();
    ASSERT_TRUE(der);
    EXPECT_TRUE(Certificate::from_der(*der));
    for (std::size_t size = 0; size < der->size(); size += 3) {
        EXPECT_EQ(Certificate::from_der(Bytes(*der).first(size)).error().code, Code::peer_malformed)
            << size;
    }
    crypto::ByteVector longer = *der;
    longer.push_back(0);
    EXPECT_THAT(Certificate::from_der(longer).error().message, HasSubstr("behind its end"));
    const crypto::ByteVector huge(max_der_size + 1);
    EXPECT_EQ(Certificate::from_der(huge).error().code, Code::peer_oversize);
}

TEST(certificate, from_der__ber_length__refused) {
    auto der = *leaf().certificate.der();
    // 30 82 HH LL … written with one more byte of length: the same to BER, not DER.
    ASSERT_EQ(der[1], 0x82);
    der[1] = 0x83;
    der.insert(der.begin() + 2, 0x00);
    EXPECT_FALSE(Certificate::from_der(der));
}

TEST(certificate, from_pem__none_two_or_something_else__refused) {
    const auto pem = leaf().certificate.pem();
    ASSERT_TRUE(pem);
    EXPECT_TRUE(Certificate::from_pem(*pem));
    EXPECT_TRUE(Certificate::from_pem("a comment\n" + *pem));
    EXPECT_FALSE(Certificate::from_pem(""));
    EXPECT_FALSE(Certificate::from_pem(*pem + *pem));
    EXPECT_FALSE(Certificate::from_pem(pem->substr(0, pem->size() / 2)));
    EXPECT_FALSE(Certificate::from_pem(crl()));
    EXPECT_FALSE(Certificate::list_from_pem(*pem + *leaf().key.danger_to_clear_pem()));
    EXPECT_EQ(Certificate::list_from_pem(*pem + *pem)->size(), 2U);
    std::string many;
    for (int i = 0; i < 65; ++i) many += *pem;
    EXPECT_FALSE(Certificate::list_from_pem(many));
}

// ---- Requests ----

class Requests : public testing::TestWithParam<Algorithm> {};

TEST_P(Requests, from_der__own_request__name_and_key) {
    const auto key = crypto::PrivateKey::generate(GetParam());
    const auto der = Request::make_der(*key, "mpu-1");
    ASSERT_TRUE(der) << der.error().message;
    const auto request = Request::from_der(bytes_of(*der));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->common_name(), "mpu-1");
    EXPECT_EQ(*request->public_key().spki_der(), *key->public_key()->spki_der());
}

TEST_P(Requests, from_der__any_byte_of_the_name_or_signature_changed__refused) {
    const auto key = crypto::PrivateKey::generate(GetParam());
    const auto der = Request::make_der(*key, "mpu-1");
    std::string renamed = *der;
    renamed[renamed.find("mpu-1")] = 'x';
    EXPECT_EQ(Request::from_der(bytes_of(renamed)).error().code, Code::integrity_signature);
    std::string forged = *der;
    forged[forged.size() - 20] = static_cast<char>(forged[forged.size() - 20] ^ 1);
    EXPECT_FALSE(Request::from_der(bytes_of(forged)));
    EXPECT_FALSE(Request::from_der(bytes_of(*der + "x")));
    EXPECT_FALSE(Request::from_der(bytes_of(der->substr(0, der->size() - 1))));
    EXPECT_FALSE(Request::from_der({}));
}

INSTANTIATE_TEST_SUITE_P(x509, Requests,
                         testing::Values(Algorithm::ed25519, Algorithm::ecdsa_p256,
                                         Algorithm::ml_dsa_44, Algorithm::ml_dsa_65,
                                         Algorithm::slh_dsa_shake_128f));

// ---- Chains ----

TEST(verify_chain, sound_chain__each_purpose) {
    const Entity server = leaf({.profile = Profile::server,
                                .kind = Kind::service,
                                .id = "quoind",
                                .names = {"plant.test"}});
    EXPECT_TRUE(verify(leaf().certificate));
    EXPECT_TRUE(verify(server.certificate, Purpose::server));
    EXPECT_TRUE(verify(server.certificate, Purpose::client));
    EXPECT_TRUE(verify(leaf().certificate, Purpose::any));
}

TEST(verify_chain, pure_suite__sound_with_revocation_list) {
    const auto pure = test::make_pki(Algorithm::slh_dsa_sha2_128s, Algorithm::ml_dsa_65);
    ASSERT_TRUE(pure) << pure.error().message;
    const Entity device = leaf({.algorithm = Algorithm::ml_dsa_44}, *pure);
    const auto sound = verify_chain(device.certificate, pure->intermediates(), pure->anchors(),
                                    Purpose::client, crl({}, *pure));
    EXPECT_TRUE(sound) << sound.error().message;
    const std::array revoked{Revoked{device.certificate.serial_hex(), 1'700'000'000'000}};
    EXPECT_FALSE(verify_chain(device.certificate, pure->intermediates(), pure->anchors(),
                              Purpose::client, crl(revoked, *pure)));
}

TEST(verify_chain, wrong_purpose__refused) {
    EXPECT_THAT(verify(leaf().certificate, Purpose::server).error().message,
                HasSubstr("not for TLS server"));
    const Entity attest = leaf({.profile = Profile::attest, .kind = Kind::attest});
    EXPECT_FALSE(verify(attest.certificate, Purpose::client));
    EXPECT_TRUE(verify(attest.certificate, Purpose::any));
}

TEST(verify_chain, wrong_issuer__refused_and_named) {
    const Entity foreign = leaf({}, foreign_pki());
    const auto refused = verify(foreign.certificate);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::peer_unauthenticated);
    EXPECT_THAT(refused.error().message, HasSubstr("certificate 0 of the chain (mpu-1)"));
    EXPECT_FALSE(verify_chain(foreign.certificate, foreign_pki().intermediates(), pki().anchors(),
                              Purpose::client));
}

TEST(verify_chain, missing_intermediate_or_anchor__refused) {
    EXPECT_FALSE(verify_chain(leaf().certificate, {}, pki().anchors(), Purpose::client));
    EXPECT_FALSE(verify_chain(leaf().certificate, pki().intermediates(), {}, Purpose::client));
}

TEST(verify_chain, leaf_as_issuer__refused) {
    const Entity device = leaf();
    const auto key = crypto::PrivateKey::generate(Algorithm::ecdsa_p256)->public_key();
    const auto below = issue(device.key, device.certificate, *key,
                             {.profile = Profile::device,
                              .common_name = "b",
                              .identity = Identity{Kind::device, "test-plant", "b", {}},
                              .names = {},
                              .lifetime = std::chrono::seconds(60)});
    ASSERT_TRUE(below);
    const std::array intermediates{device.certificate, pki().issuing.certificate};
    EXPECT_FALSE(verify_chain(*below, intermediates, pki().anchors(), Purpose::client));
}

// Signed again by its issuer after `change`.
Certificate changed(const Certificate& certificate, const crypto::PrivateKey& issuer_key,
                    void (*change)(X509*)) {
    X509* copy = X509_dup(certificate.native());
    change(copy);
    EXPECT_NE(X509_sign(copy, issuer_key.native(), EVP_sha256()), 0);
    Certificate made(copy);
    X509_free(copy);
    return made;
}

TEST(verify_chain, expired_or_not_yet_valid__refused) {
    const Certificate expired = changed(leaf().certificate, pki().issuing.key, [](X509* x) {
        X509_gmtime_adj(X509_getm_notAfter(x), -1);
    });
    EXPECT_THAT(verify(expired).error().message, HasSubstr("expired"));
    const Certificate early = changed(leaf().certificate, pki().issuing.key, [](X509* x) {
        X509_gmtime_adj(X509_getm_notBefore(x), 3600);
    });
    EXPECT_THAT(verify(early).error().message, HasSubstr("not yet valid"));
}

TEST(verify_chain, signature_of_another_key__refused) {
    const Certificate forged = changed(leaf().certificate, foreign_pki().issuing.key, [](X509*) {});
    EXPECT_THAT(verify(forged).error().message, HasSubstr("signature"));
}

// ---- Revocation ----

TEST(crl, verify_chain__revoked__refused_and_others_not) {
    const Entity good = leaf();
    const Entity bad = leaf();
    const std::array revoked{Revoked{bad.certificate.serial_hex(), 1'700'000'000'000}};
    const std::string list = crl(revoked);
    EXPECT_TRUE(verify(good.certificate, Purpose::client, list));
    const auto refused = verify(bad.certificate, Purpose::client, list);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::peer_unauthenticated);
    EXPECT_THAT(refused.error().message, HasSubstr("revoked"));
}

TEST(crl, verify_chain__list_that_says_nothing__state_stale) {
    const Certificate certificate = leaf().certificate;
    const auto stale = [&](std::string_view list) {
        const auto refused = verify(certificate, Purpose::client, list);
        return !refused && refused.error().code == Code::state_stale;
    };
    EXPECT_TRUE(stale(crl({}, pki(), std::chrono::seconds(-1))));  // expired
    EXPECT_TRUE(stale(crl({}, foreign_pki())));                    // another CA's
    EXPECT_TRUE(stale("not a list"));
    const std::string list = crl();
    EXPECT_TRUE(stale(list.substr(0, list.size() / 2)));
    std::string forged = list;
    forged[forged.size() - 40] = forged[forged.size() - 40] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify(certificate, Purpose::client, forged));
}

TEST(crl, issue_crl_pem__reasons__are_in_the_entries_unless_unspecified) {
    const std::array revoked{Revoked{"0a0b", 1'700'000'000'000, Reason::key_compromise},
                             Revoked{"0a0c", 1'700'000'000'000, Reason::unspecified},
                             Revoked{"0a0d", 1'700'000'000'000, Reason::privilege_withdrawn}};
    const std::string pem = crl(revoked);
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> parsed(
        PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr), X509_CRL_free);
    ASSERT_TRUE(parsed);
    const std::array wanted{1L, -1L, 9L};
    for (int i = 0; i < 3; ++i) {
        const X509_REVOKED* entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(parsed.get()), i);
        const std::unique_ptr<ASN1_ENUMERATED, decltype(&ASN1_ENUMERATED_free)> reason(
            static_cast<ASN1_ENUMERATED*>(
                X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)),
            ASN1_ENUMERATED_free);
        EXPECT_EQ(reason ? ASN1_ENUMERATED_get(reason.get()) : -1,
                  wanted[static_cast<std::size_t>(i)]);
    }
}

TEST(revocation_reason, names_and_numbers__are_those_of_rfc_5280) {
    EXPECT_EQ(reason_by_name("key_compromise"), Reason::key_compromise);
    EXPECT_EQ(reason_by_number(9), Reason::privilege_withdrawn);
    for (const Reason reason : reasons) {
        EXPECT_EQ(reason_by_name(reason_name(reason)), reason);
        EXPECT_EQ(reason_by_number(static_cast<std::uint64_t>(reason)), reason);
    }
    EXPECT_FALSE(reason_by_name("certificate_hold"));
    EXPECT_FALSE(reason_by_name(""));
    for (const std::uint64_t number : {6U, 7U, 8U, 10U, 256U}) {
        EXPECT_FALSE(reason_by_number(number)) << number;
    }
}

TEST(crl, issue_crl_pem__wrong_serial__input_invalid) {
    for (const char* serial : {"", "xyz", "123"}) {
        const std::array revoked{Revoked{serial, 0}};
        EXPECT_EQ(issue_crl_pem(pki().issuing.key, pki().issuing.certificate, revoked, 1,
                                std::chrono::seconds(60))
                      .error()
                      .code,
                  Code::input_invalid)
            << serial;
    }
}

// ---- certs-only ----

TEST(certs_only, certs_only_der__two_certificates__read_back) {
    const std::array both{pki().root.certificate, pki().issuing.certificate};
    const auto der = certs_only_der(both);
    ASSERT_TRUE(der) << der.error().message;
    const auto again = certificates_from_certs_only(*der);
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(again->size(), 2U);
    std::vector<std::string> names{again->front().common_name(), again->back().common_name()};
    EXPECT_THAT(names, testing::UnorderedElementsAre("test root", "test issuing"));
}

TEST(certs_only, from_certs_only__truncated_longer_or_empty__refused) {
    const std::array both{pki().root.certificate, pki().issuing.certificate};
    const auto der = certs_only_der(both);
    for (std::size_t size = 0; size < der->size(); size += 5) {
        EXPECT_FALSE(certificates_from_certs_only(Bytes(*der).first(size))) << size;
    }
    crypto::ByteVector longer = *der;
    longer.push_back(0);
    EXPECT_FALSE(certificates_from_certs_only(longer));
    EXPECT_FALSE(certificates_from_certs_only(*certs_only_der({})));
    EXPECT_FALSE(certificates_from_certs_only(*leaf().certificate.der()));
    const std::vector<Certificate> many(17, pki().root.certificate);
    EXPECT_FALSE(certificates_from_certs_only(*certs_only_der(many)));
}

// ---- The command line of OpenSSL as a foreign implementation ----

class CommandLine : public testing::Test {
protected:
    CommandLine() {
        std::string name = testing::TempDir() + "quoin-x509-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
        folder_ = name;
    }
    ~CommandLine() override { fs::remove_all(folder_); }
    bool openssl(const std::string& arguments) const {
        const std::string command =
            "cd " + folder_.string() + " && openssl " + arguments + " >out.txt 2>&1";
        return std::system(command.c_str()) == 0;
    }
    std::string output() const { return files::read(folder_ / "out.txt").value_or(""); }
    void write(const char* name, std::string_view text) const {
        ASSERT_TRUE(files::write_atomically(folder_ / name, text, 0600));
    }
    // A self-signed certificate made by OpenSSL with these names.
    Result<Certificate> foreign(const std::string& common_name, const std::string& san) const {
        const std::string extension = san.empty() ? "" : " -addext 'subjectAltName=" + san + "'";
        EXPECT_TRUE(
            openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k "
                    "-out c.pem -days 1 -subj '" +
                    common_name + "'" + extension))
            << output();
        QUOIN_TRY(const auto list, Certificate::load(folder_ / "c.pem"));
        return list.front();
    }
    fs::path folder_;
};

TEST_F(CommandLine, verify__our_pure_chain_and_list__accepted_by_openssl) {
    const auto pure = test::make_pki(Algorithm::slh_dsa_sha2_128s, Algorithm::ml_dsa_65);
    ASSERT_TRUE(pure);
    const Entity device = leaf({.algorithm = Algorithm::ml_dsa_65}, *pure);
    write("root.pem", *pure->root.certificate.pem());
    write("issuing.pem", *pure->issuing.certificate.pem());
    write("device.pem", *device.certificate.pem());
    write("crl.pem", crl({}, *pure));
    const std::string verify =
        "verify -x509_strict -purpose sslclient -CAfile root.pem -untrusted issuing.pem "
        "-crl_check -CRLfile crl.pem device.pem";
    EXPECT_TRUE(openssl(verify)) << output();
    const std::array revoked{Revoked{device.certificate.serial_hex(), 1'700'000'000'000}};
    write("crl.pem", crl(revoked, *pure));
    EXPECT_FALSE(openssl(verify));
    EXPECT_THAT(output(), HasSubstr("revoked"));
    EXPECT_TRUE(openssl("crl -in crl.pem -noout -crlnumber"));
    EXPECT_THAT(output(), HasSubstr("crlNumber=0x07"));
}

TEST_F(CommandLine, request__ours__accepted_by_openssl) {
    const auto key = crypto::PrivateKey::generate(Algorithm::ml_dsa_44);
    write("r.der", *Request::make_der(*key, "mcu-1"));
    EXPECT_TRUE(openssl("req -inform DER -in r.der -verify -noout -subject")) << output();
    EXPECT_THAT(output(), HasSubstr("CN=mcu-1"));
}

TEST_F(CommandLine, request__made_by_openssl__accepted_by_us) {
    ASSERT_TRUE(
        openssl("req -new -newkey ML-DSA-65 -nodes -keyout k -outform DER -out r.der "
                "-subj /CN=mpu-9"))
        << output();
    const auto der = files::read(folder_ / "r.der");
    const auto request = Request::from_der(bytes_of(*der));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->common_name(), "mpu-9");
    ASSERT_TRUE(
        openssl("req -new -newkey rsa:2048 -nodes -keyout k -outform DER -out r.der "
                "-subj /CN=mpu-9"));
    const auto rsa = files::read(folder_ / "r.der");
    EXPECT_FALSE(Request::from_der(bytes_of(*rsa)));
}

TEST_F(CommandLine, certs_only__ours__read_by_openssl) {
    const std::array both{pki().root.certificate, pki().issuing.certificate};
    write("c.p7", text_of(*certs_only_der(both)));
    EXPECT_TRUE(openssl("pkcs7 -inform DER -in c.p7 -print_certs -noout")) << output();
    EXPECT_THAT(output(), HasSubstr("test issuing"));
    EXPECT_TRUE(openssl("cms -cmsout -inform DER -in c.p7 -noout -print")) << output();
}

TEST_F(CommandLine, identity__one_uri_that_agrees__read) {
    const auto certificate =
        foreign("/CN=mpu-1", "DNS:x.test,URI:https://a.test,URI:quoin://s/device/mpu-1");
    ASSERT_TRUE(certificate);
    const auto identity = certificate->identity();
    ASSERT_TRUE(identity) << identity.error().message;
    EXPECT_EQ(identity->id, "mpu-1");
}

TEST_F(CommandLine, identity__anything_else__peer_unauthenticated) {
    const std::pair<const char*, const char*> rows[]{
        {"/CN=mpu-1", ""},
        {"/CN=mpu-1", "DNS:mpu-1"},
        {"/CN=mpu-1", "URI:https://a.test"},
        {"/CN=mpu-2", "URI:quoin://s/device/mpu-1"},
        {"/O=mpu-1", "URI:quoin://s/device/mpu-1"},
        {"/CN=mpu-1/CN=mpu-1", "URI:quoin://s/device/mpu-1"},
        {"/CN=mpu-1", "URI:quoin://s/device/mpu-1,URI:quoin://s/device/mpu-2"},
        {"/CN=mpu-1", "URI:quoin://s/device/mpu-1,URI:quoin://s/device/mpu-1"},
        {"/CN=mpu-1", "URI:quoin://s/device/mpu-1,URI:quoin://s/robot/mpu-1"},
        {"/CN=mpu-1", "URI:quoin://s/robot/mpu-1"},
        {"/CN=mpu-1", "URI:quoin://s/device/mpu-1/x"},
        {"/CN=mpu-1", "DNS:urn.quoin.s.device.mpu-1"},
    };
    for (const auto& [name, san] : rows) {
        const auto certificate = foreign(name, san);
        ASSERT_TRUE(certificate) << san;
        const auto identity = certificate->identity();
        ASSERT_FALSE(identity) << name << " " << san;
        EXPECT_EQ(identity.error().code, Code::peer_unauthenticated);
    }
}

}  // namespace
}  // namespace quoin::x509
