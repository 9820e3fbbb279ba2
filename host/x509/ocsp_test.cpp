#include "host/x509/ocsp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "host/crypto/library.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::x509 {
namespace {

using crypto::Algorithm;
using test::Entity;
using test::LeafRequest;
using test::Pki;
using testing::HasSubstr;

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

constexpr LeafRequest responder_request{
    .profile = Profile::ocsp, .kind = Kind::service, .id = "ocsp"};

// A PKI, its responder, a certificate, and another PKI.
struct World {
    Pki pki;
    Entity responder;
    Entity leaf;
    Entity other_leaf;
    Pki foreign;
    Entity foreign_responder;
};

Result<World> make_world() {
    constexpr auto p256 = Algorithm::ecdsa_p256;
    QUOIN_TRY(Pki pki, test::make_pki(p256, p256));
    QUOIN_TRY(Pki foreign, test::make_pki(p256, p256, "foreign"));
    QUOIN_TRY(Entity responder, test::make_leaf(pki, responder_request));
    QUOIN_TRY(Entity leaf, test::make_leaf(pki, {}));
    QUOIN_TRY(Entity other, test::make_leaf(pki, {.id = "mpu-2"}));
    QUOIN_TRY(Entity foreign_responder, test::make_leaf(foreign, responder_request));
    return World{std::move(pki),   std::move(responder), std::move(leaf),
                 std::move(other), std::move(foreign),   std::move(foreign_responder)};
}

const World& world() {
    static const auto made = make_world();
    if (!made) ADD_FAILURE() << made.error().message;
    return *made;
}

OcspAnswer good() {
    return {.status = OcspStatus::good,
            .this_update_ms = now() - 1000,
            .next_update_ms = now() + 60'000};
}

const crypto::ByteVector nonce(32, 0x5a);

OcspRequest ask(Bytes with = nonce, const Entity& about = world().leaf) {
    auto request = OcspRequest::make(about.certificate, world().pki.issuing.certificate, with);
    if (!request) ADD_FAILURE() << request.error().message;
    return *std::move(request);
}

std::string answer(const OcspRequest& request, const OcspAnswer& with = good(),
                   const Entity& responder = world().responder) {
    const std::array answers{with};
    auto der = sign_ocsp_response(responder.key, responder.certificate, request, answers);
    if (!der) ADD_FAILURE() << der.error().message;
    return *std::move(der);
}

Result<OcspAnswer> check(const std::string& der, Bytes with = nonce,
                         const Entity& about = world().leaf) {
    return verify_ocsp_response(bytes_of(der), about.certificate, world().pki.issuing.certificate,
                                with);
}

void expect_refused(const Result<OcspAnswer>& result, Code code, std::string_view why) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(why));
}

// ---- requests ----

TEST(ocsp_request, make_then_parse__serial_nonce_and_issuer_are_there) {
    const OcspRequest request = ask();
    ASSERT_EQ(request.questions().size(), 1U);
    EXPECT_EQ(request.questions()[0].serial_hex, world().leaf.certificate.serial_hex());
    EXPECT_EQ(text_of(request.nonce()), text_of(nonce));
    EXPECT_TRUE(request.is_about(0, world().pki.issuing.certificate));
    EXPECT_FALSE(request.is_about(0, world().foreign.issuing.certificate));
    EXPECT_FALSE(request.is_about(1, world().pki.issuing.certificate));
    const auto again = OcspRequest::from_der(bytes_of(*request.der()));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->questions()[0].id, request.questions()[0].id);
}

TEST(ocsp_request, same_certificate_with_and_without_nonce__same_id) {
    EXPECT_EQ(ask().questions()[0].id, ask({}).questions()[0].id);
    EXPECT_TRUE(ask({}).nonce().empty());
}

std::string request_about(int count) {
    const std::unique_ptr<OCSP_REQUEST, decltype(&OCSP_REQUEST_free)> request(OCSP_REQUEST_new(),
                                                                              OCSP_REQUEST_free);
    for (int i = 0; i < count; ++i) {
        OCSP_request_add0_id(request.get(),
                             OCSP_cert_to_id(EVP_sha1(), world().leaf.certificate.native(),
                                             world().pki.issuing.certificate.native()));
    }
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request.get(), &der);
    std::string text(text_of(Bytes(der, static_cast<std::size_t>(size))));
    OPENSSL_free(der);
    return text;
}

TEST(ocsp_request, plain__one_certificate_and_nothing_else) {
    EXPECT_TRUE(ask({}).is_plain());
    EXPECT_FALSE(ask().is_plain());
    EXPECT_TRUE(OcspRequest::from_der(bytes_of(request_about(1)))->is_plain());
    EXPECT_FALSE(OcspRequest::from_der(bytes_of(request_about(2)))->is_plain());
}

TEST(ocsp_request, every_truncation_and_a_trailing_byte__refused) {
    const std::string der = *ask().der();
    for (std::size_t size = 0; size < der.size(); ++size) {
        EXPECT_FALSE(OcspRequest::from_der(bytes_of(der.substr(0, size)))) << size;
    }
    const auto longer = OcspRequest::from_der(bytes_of(der + '\0'));
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().code, Code::peer_malformed);
}

TEST(ocsp_request, longer_than_its_limit__refused_unread) {
    const auto request = OcspRequest::from_der(crypto::ByteVector(max_ocsp_request_size + 1));
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, Code::peer_oversize);
}

TEST(ocsp_request, nonce__1_to_128_bytes_only) {
    EXPECT_TRUE(OcspRequest::from_der(bytes_of(*ask(crypto::ByteVector(1, 7)).der())));
    EXPECT_TRUE(OcspRequest::from_der(bytes_of(*ask(crypto::ByteVector(128, 7)).der())));
    const auto longer = OcspRequest::make(world().leaf.certificate, world().pki.issuing.certificate,
                                          crypto::ByteVector(129, 7));
    ASSERT_FALSE(longer);
    EXPECT_THAT(longer.error().message, HasSubstr("nonce of 129 bytes"));
}

TEST(ocsp_request, number_of_certificates__1_to_8) {
    EXPECT_FALSE(OcspRequest::from_der(bytes_of(request_about(0))));
    EXPECT_FALSE(OcspRequest::from_der(bytes_of(request_about(9))));
    const auto eight = OcspRequest::from_der(bytes_of(request_about(8)));
    ASSERT_TRUE(eight) << eight.error().message;
    EXPECT_EQ(eight->questions().size(), 8U);
    EXPECT_TRUE(eight->is_about(7, world().pki.issuing.certificate)) << "SHA-1 names, too";
}

TEST(ocsp_request, critical_extension_unknown__refused) {
    const std::unique_ptr<OCSP_REQUEST, decltype(&OCSP_REQUEST_free)> request(OCSP_REQUEST_new(),
                                                                              OCSP_REQUEST_free);
    OCSP_request_add0_id(request.get(),
                         OCSP_cert_to_id(EVP_sha256(), world().leaf.certificate.native(),
                                         world().pki.issuing.certificate.native()));
    const std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> value(
        ASN1_OCTET_STRING_new(), ASN1_OCTET_STRING_free);
    X509_EXTENSION* extension =
        X509_EXTENSION_create_by_NID(nullptr, NID_netscape_comment, 1, value.get());
    ASSERT_EQ(OCSP_REQUEST_add_ext(request.get(), extension, -1), 1);
    X509_EXTENSION_free(extension);
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request.get(), &der);
    const auto parsed = OcspRequest::from_der(Bytes(der, static_cast<std::size_t>(size)));
    OPENSSL_free(der);
    ASSERT_FALSE(parsed);
    EXPECT_THAT(parsed.error().message, HasSubstr("critical"));
}

// ---- responses ----

TEST(ocsp_response, good__believed) {
    const auto result = check(answer(ask()));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->status, OcspStatus::good);
    EXPECT_TRUE(require_good(*result, world().leaf.certificate));
    EXPECT_GT(result->next_update_ms, now());
}

TEST(ocsp_response, no_nonce_asked__one_made_ahead_is_believed) {
    EXPECT_TRUE(check(answer(ask({})), {}));
}

TEST(ocsp_response, of_the_suites__ml_dsa_under_composite_and_under_ml_dsa) {
    ASSERT_TRUE(crypto::provider_is_loaded());
    for (const Algorithm ca : {Algorithm::ml_dsa_65_ed25519, Algorithm::ml_dsa_65}) {
        const auto pki = test::make_pki(ca, ca);
        ASSERT_TRUE(pki) << pki.error().message;
        LeafRequest wanted = responder_request;
        wanted.algorithm = Algorithm::ml_dsa_65;
        const auto responder = test::make_leaf(*pki, wanted);
        const auto leaf = test::make_leaf(*pki, {.algorithm = ca});
        ASSERT_TRUE(responder && leaf);
        const auto request = OcspRequest::make(leaf->certificate, pki->issuing.certificate, nonce);
        const std::array answers{good()};
        auto der = sign_ocsp_response(responder->key, responder->certificate, *request, answers);
        ASSERT_TRUE(der) << der.error().message;
        EXPECT_LT(der->size(), 12'000U);
        const auto result = verify_ocsp_response(bytes_of(*der), leaf->certificate,
                                                 pki->issuing.certificate, nonce);
        ASSERT_TRUE(result) << result.error().message;
        // The issuing CA itself may answer, too.
        const auto own =
            sign_ocsp_response(pki->issuing.key, pki->issuing.certificate, *request, answers);
        ASSERT_TRUE(own) << own.error().message;
        EXPECT_TRUE(verify_ocsp_response(bytes_of(*own), leaf->certificate,
                                         pki->issuing.certificate, nonce));
    }
}

TEST(ocsp_response, revoked__told_with_time_and_reason) {
    OcspAnswer revoked = good();
    revoked.status = OcspStatus::revoked;
    revoked.revoked_ms = 1'700'000'000'000;
    revoked.reason = 1;
    const auto result = check(answer(ask(), revoked));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, OcspStatus::revoked);
    EXPECT_EQ(result->revoked_ms, 1'700'000'000'000);
    EXPECT_EQ(result->reason, 1);
    const auto required = require_good(*result, world().leaf.certificate);
    ASSERT_FALSE(required);
    EXPECT_THAT(required.error().message, HasSubstr("revoked (keyCompromise)"));
}

TEST(ocsp_response, unknown_serial__is_not_good) {
    OcspAnswer unknown = good();
    unknown.status = OcspStatus::unknown;
    const auto result = check(answer(ask(), unknown));
    ASSERT_TRUE(result);
    EXPECT_FALSE(require_good(*result, world().leaf.certificate));
}

TEST(ocsp_response, expired__stale) {
    OcspAnswer old = good();
    old.this_update_ms = now() - 10'000;
    old.next_update_ms = now() - 2000;
    expect_refused(check(answer(ask(), old)), Code::state_stale, "too old");
}

TEST(ocsp_response, replay_of_an_old_good_answer__refused_by_nonce_and_without_one_by_time) {
    const std::string earlier = answer(ask());
    expect_refused(check(earlier, crypto::ByteVector(32, 0x11)), Code::peer_unauthenticated,
                   "nonce");
    OcspAnswer old = good();
    old.next_update_ms = now() - 2000;
    expect_refused(check(answer(ask({}), old), {}), Code::state_stale, "too old");
}

TEST(ocsp_response, without_the_nonce_that_was_asked_for__refused) {
    expect_refused(check(answer(ask({}))), Code::peer_unauthenticated, "nonce");
}

TEST(ocsp_response, of_the_future__stale) {
    OcspAnswer early = good();
    early.this_update_ms = now() + 120'000;
    early.next_update_ms = now() + 240'000;
    expect_refused(check(answer(ask(), early)), Code::state_stale, "future");
}

TEST(ocsp_response, about_another_certificate__refused) {
    expect_refused(check(answer(ask()), nonce, world().other_leaf), Code::peer_unauthenticated,
                   "not about");
}

TEST(ocsp_response, signed_by_another_leaf_of_the_ca__refused) {
    expect_refused(check(answer(ask(), good(), world().other_leaf)), Code::peer_unauthenticated,
                   "no responder");
}

TEST(ocsp_response, signed_by_the_responder_of_another_ca__refused) {
    expect_refused(check(answer(ask(), good(), world().foreign_responder)),
                   Code::peer_unauthenticated, "none of this issuer");
}

TEST(ocsp_response, responder_expired__refused) {
    LeafRequest request = responder_request;
    request.lifetime = std::chrono::seconds(1);
    const auto responder = test::make_leaf(world().pki, request);
    ASSERT_TRUE(responder);
    // Until its last second is over: X.509 counts whole ones.
    while (now() < responder->certificate.not_after_ms() + 1000) std::this_thread::yield();
    expect_refused(check(answer(ask(), good(), *responder)), Code::peer_unauthenticated, "expired");
}

TEST(ocsp_response, one_byte_changed_anywhere__never_another_answer) {
    const std::string der = answer(ask());
    for (std::size_t i = 0; i < der.size(); ++i) {
        std::string changed = der;
        changed[i] = static_cast<char>(changed[i] ^ 0x01);
        EXPECT_FALSE(check(changed)) << "byte " << i;
    }
}

TEST(ocsp_response, every_truncation_and_a_trailing_byte__refused) {
    const std::string der = answer(ask());
    for (std::size_t size = 0; size < der.size(); ++size) {
        EXPECT_FALSE(check(der.substr(0, size))) << size;
    }
    expect_refused(check(der + '\0'), Code::peer_malformed, "behind its end");
    expect_refused(check(std::string(max_ocsp_response_size + 1, '\0')), Code::peer_oversize,
                   "longer");
}

TEST(ocsp_response, refusals__stale) {
    expect_refused(check(ocsp_refusal(OcspRefusal::try_later)), Code::state_stale, "trylater");
    expect_refused(check(ocsp_refusal(OcspRefusal::malformed_request)), Code::state_stale,
                   "malformedrequest");
    expect_refused(check(ocsp_refusal(OcspRefusal::internal_error)), Code::state_stale,
                   "internalerror");
}

// Signed well, and without nextUpdate: our own signer cannot make it.
TEST(ocsp_response, no_next_update__stale) {
    const OcspRequest request = ask();
    OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
    ASN1_TIME* this_update = X509_gmtime_adj(nullptr, -1);
    OCSP_basic_add1_status(basic,
                           OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.native(), 0)),
                           V_OCSP_CERTSTATUS_GOOD, -1, nullptr, this_update, nullptr);
    OCSP_copy_nonce(basic, request.native());
    ASSERT_EQ(OCSP_basic_sign(basic, world().responder.certificate.native(),
                              world().responder.key.native(), EVP_sha256(), nullptr, 0),
              1);
    OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char* der = nullptr;
    const int size = i2d_OCSP_RESPONSE(response, &der);
    expect_refused(check(std::string(text_of(Bytes(der, static_cast<std::size_t>(size))))),
                   Code::state_stale, "until when");
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(this_update);
}

}  // namespace
}  // namespace quoin::x509
