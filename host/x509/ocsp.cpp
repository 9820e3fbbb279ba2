#include "host/x509/ocsp.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "host/x509/names.hpp"

namespace quoin::x509 {
namespace {

using CertIdHandle = crypto::Handle<OCSP_CERTID, OCSP_CERTID_free>;
using BasicHandle = crypto::Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using ResponseHandle = crypto::Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using TimeHandle = crypto::Handle<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free>;
using OctetsHandle = crypto::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

constexpr int max_responses = 16;
constexpr int max_responder_certificates = 8;

std::unexpected<Error> failure(std::string_view doing) {
    return fail(Code::internal, "OCSP: cannot {}: {}", doing, crypto::openssl_error());
}

template <class T>
Result<std::string> encoded(const T* object, int (*encode)(const T*, unsigned char**)) {
    unsigned char* der = nullptr;
    const int size = encode(object, &der);
    if (size <= 0) return failure("encode");
    std::string text(text_of(Bytes(der, static_cast<std::size_t>(size))));
    OPENSSL_free(der);
    return text;
}

// DER: tag, length, content; of less than 64 KiB.
std::size_t size_of_sequence(std::size_t content) {
    const std::size_t length_bytes = content < 128 ? 1 : content < 256 ? 2 : 3;
    return 1 + length_bytes + content;
}

// The digest that a CertID names its issuer by; null: none that we take.
const EVP_MD* digest_of(OCSP_CERTID* id) {
    ASN1_OBJECT* algorithm = nullptr;
    if (OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, id) != 1) return nullptr;
    switch (OBJ_obj2nid(algorithm)) {
        case NID_sha1:
            return EVP_sha1();
        case NID_sha256:
            return EVP_sha256();
        case NID_sha384:
            return EVP_sha384();
        case NID_sha512:
            return EVP_sha512();
        default:
            return nullptr;
    }
}

bool same_issuer(OCSP_CERTID* id, const Certificate& issuer) {
    const EVP_MD* digest = digest_of(id);
    if (digest == nullptr) return false;
    const CertIdHandle own(OCSP_cert_to_id(digest, nullptr, issuer.native()));
    if (!own) crypto::openssl_error();
    return own && OCSP_id_issuer_cmp(id, own.get()) == 0;
}

Result<std::string> serial_of(OCSP_CERTID* id) {
    ASN1_INTEGER* serial = nullptr;
    if (OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, id) != 1 ||
        ASN1_STRING_type(serial) != V_ASN1_INTEGER) {
        return fail(Code::peer_malformed, "OCSP: a serial number is not a positive number");
    }
    return crypto::to_hex(
        {ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

// RFC 9654, section 2.1: an OCTET STRING of 1 to 128 bytes in the extension's value.
Result<crypto::ByteVector> nonce_of(X509_EXTENSION* extension) {
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
    const unsigned char* next = ASN1_STRING_get0_data(value);
    const unsigned char* end = next + ASN1_STRING_length(value);
    const OctetsHandle nonce(d2i_ASN1_OCTET_STRING(nullptr, &next, ASN1_STRING_length(value)));
    if (!nonce || next != end) {
        crypto::openssl_error();
        return fail(Code::peer_malformed, "OCSP: the nonce cannot be parsed");
    }
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(nonce.get()));
    if (size < 1 || size > max_ocsp_nonce_size) {
        return fail(Code::peer_malformed, "OCSP: a nonce of {} bytes; 1 to {} are allowed", size,
                    max_ocsp_nonce_size);
    }
    const unsigned char* data = ASN1_STRING_get0_data(nonce.get());
    return crypto::ByteVector(data, data + size);
}

// RFC 6960, section 4.4: what is critical and not known must not be passed over. Takes the nonce.
template <class Owner>
Result<crypto::ByteVector> take_extensions_of(Owner* owner, int count,
                                              X509_EXTENSION* (*at)(Owner*, int)) {
    crypto::ByteVector nonce;
    for (int i = 0; i < count; ++i) {
        X509_EXTENSION* extension = at(owner, i);
        if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_id_pkix_OCSP_Nonce) {
            if (!nonce.empty()) return fail(Code::peer_malformed, "OCSP: two nonces");
            QUOIN_TRY(nonce, nonce_of(extension));
        } else if (X509_EXTENSION_get_critical(extension) != 0) {
            return fail(Code::peer_malformed, "OCSP: an unknown extension is critical");
        }
    }
    return nonce;
}

Result<TimeHandle> time_of(std::int64_t at_ms) {
    TimeHandle time(ASN1_GENERALIZEDTIME_set(nullptr, at_ms / 1000));
    if (!time) return failure("write a time");
    return time;
}

Result<void> add_answer(OCSP_BASICRESP* basic, OCSP_CERTID* id, const OcspAnswer& answer) {
    QUOIN_TRY(const TimeHandle this_update, time_of(answer.this_update_ms));
    QUOIN_TRY(const TimeHandle next_update, time_of(answer.next_update_ms));
    QUOIN_TRY(const TimeHandle revoked, time_of(answer.revoked_ms));
    const bool is_revoked = answer.status == OcspStatus::revoked;
    const int status = answer.status == OcspStatus::good ? V_OCSP_CERTSTATUS_GOOD
                       : is_revoked                      ? V_OCSP_CERTSTATUS_REVOKED
                                                         : V_OCSP_CERTSTATUS_UNKNOWN;
    const int reason = answer.reason > 0 ? answer.reason : OCSP_REVOKED_STATUS_NOSTATUS;
    if (OCSP_basic_add1_status(basic, id, status, reason, is_revoked ? revoked.get() : nullptr,
                               this_update.get(), next_update.get()) == nullptr) {
        return failure("add a status");
    }
    return {};
}

}  // namespace

// ---- requests ----

Result<OcspRequest> OcspRequest::make(const Certificate& certificate, const Certificate& issuer,
                                      Bytes nonce) {
    std::shared_ptr<OCSP_REQUEST> request(OCSP_REQUEST_new(), crypto::Freer<OCSP_REQUEST_free>{});
    CertIdHandle id(OCSP_cert_to_id(EVP_sha256(), certificate.native(), issuer.native()));
    if (!request || !id || OCSP_request_add0_id(request.get(), id.get()) == nullptr) {
        return failure("make a request");
    }
    static_cast<void>(id.release());
    crypto::ByteVector copy(nonce.begin(), nonce.end());
    if (!copy.empty() &&
        OCSP_request_add1_nonce(request.get(), copy.data(), static_cast<int>(copy.size())) != 1) {
        return failure("add a nonce");
    }
    // Through the parser, so that what we ask is what we would answer.
    QUOIN_TRY(const std::string der, encoded<OCSP_REQUEST>(request.get(), i2d_OCSP_REQUEST));
    return from_der(bytes_of(der));
}

Result<OcspRequest> OcspRequest::from_der(Bytes der) {
    QUOIN_TRY(auto parsed,
              (parse_der<OCSP_REQUEST, OCSP_REQUEST_free>(
                  der, [](OSSL_LIB_CTX*, const char*) { return OCSP_REQUEST_new(); },
                  d2i_OCSP_REQUEST, i2d_OCSP_REQUEST, max_ocsp_request_size, "OCSP request")));
    OcspRequest request(std::move(parsed));
    QUOIN_CHECK(request.take_questions());
    QUOIN_CHECK(request.take_extensions());
    // OCSPRequest, TBSRequest, requestList, Request: each a SEQUENCE of the next alone.
    std::size_t alone = request.questions_.front().id.size();
    for (int i = 0; i < 4; ++i) alone = size_of_sequence(alone);
    request.plain_ = der.size() == alone;
    return request;
}

Result<void> OcspRequest::take_questions() {
    const int count = OCSP_request_onereq_count(request_.get());
    if (count < 1 || count > static_cast<int>(max_ocsp_questions)) {
        return fail(Code::peer_malformed, "OCSP request: about {} certificates; 1 to {} can be",
                    count, max_ocsp_questions);
    }
    for (int i = 0; i < count; ++i) {
        OCSP_ONEREQ* one = OCSP_request_onereq_get0(request_.get(), i);
        OCSP_CERTID* id = OCSP_onereq_get0_id(one);
        QUOIN_TRY(std::string der, encoded<OCSP_CERTID>(id, i2d_OCSP_CERTID));
        QUOIN_TRY(std::string serial, serial_of(id));
        QUOIN_CHECK(take_extensions_of(one, OCSP_ONEREQ_get_ext_count(one), OCSP_ONEREQ_get_ext));
        questions_.push_back({std::move(der), std::move(serial)});
    }
    return {};
}

Result<void> OcspRequest::take_extensions() {
    QUOIN_TRY(nonce_, take_extensions_of(request_.get(), OCSP_REQUEST_get_ext_count(request_.get()),
                                         OCSP_REQUEST_get_ext));
    return {};
}

Result<std::string> OcspRequest::der() const {
    return encoded<OCSP_REQUEST>(request_.get(), i2d_OCSP_REQUEST);
}

bool OcspRequest::is_about(std::size_t question, const Certificate& issuer) const {
    OCSP_ONEREQ* one = OCSP_request_onereq_get0(request_.get(), static_cast<int>(question));
    return one != nullptr && same_issuer(OCSP_onereq_get0_id(one), issuer);
}

// ---- answers ----

Result<std::string> sign_ocsp_response(const crypto::PrivateKey& key, const Certificate& responder,
                                       const OcspRequest& request,
                                       std::span<const OcspAnswer> answers) {
    if (answers.size() != request.questions().size()) {
        return fail(Code::internal, "OCSP: {} answers to {} questions", answers.size(),
                    request.questions().size());
    }
    const BasicHandle basic(OCSP_BASICRESP_new());
    if (!basic) return failure("make an answer");
    for (std::size_t i = 0; i < answers.size(); ++i) {
        OCSP_ONEREQ* one = OCSP_request_onereq_get0(request.native(), static_cast<int>(i));
        QUOIN_CHECK(add_answer(basic.get(), OCSP_onereq_get0_id(one), answers[i]));
    }
    if (!request.nonce().empty() && OCSP_copy_nonce(basic.get(), request.native()) != 1) {
        return failure("add the nonce");
    }
    QUOIN_TRY(const EVP_MD* const digest, signing_digest(key));
    if (OCSP_basic_sign(basic.get(), responder.native(), key.native(), digest, nullptr,
                        OCSP_RESPID_KEY) != 1) {
        return failure("sign an answer");
    }
    const ResponseHandle response(
        OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
    if (!response) return failure("make an answer");
    return encoded<OCSP_RESPONSE>(response.get(), i2d_OCSP_RESPONSE);
}

std::string ocsp_refusal(OcspRefusal refusal) {
    // SEQUENCE { ENUMERATED }
    return {'\x30', '\x03', '\x0a', '\x01', static_cast<char>(refusal)};
}

// ---- the check of an answer ----

namespace {

Result<BasicHandle> parse_response(Bytes der) {
    QUOIN_TRY(const auto response,
              (parse_der<OCSP_RESPONSE, OCSP_RESPONSE_free>(
                  der, [](OSSL_LIB_CTX*, const char*) { return OCSP_RESPONSE_new(); },
                  d2i_OCSP_RESPONSE, i2d_OCSP_RESPONSE, max_ocsp_response_size, "OCSP response")));
    const int status = OCSP_response_status(response.get());
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        return fail(Code::state_stale, "OCSP: the responder does not answer: {}",
                    OCSP_response_status_str(status));
    }
    BasicHandle basic(OCSP_response_get1_basic(response.get()));
    if (!basic) {
        return fail(Code::peer_malformed, "OCSP response cannot be parsed: {}",
                    crypto::openssl_error());
    }
    // What is inside is DER to its end, too: it makes the same response again.
    const ResponseHandle again(OCSP_response_create(status, basic.get()));
    if (!again) return failure("make an answer");
    QUOIN_TRY(const std::string same, encoded<OCSP_RESPONSE>(again.get(), i2d_OCSP_RESPONSE));
    if (same != text_of(der)) return fail(Code::peer_malformed, "OCSP response is not in DER");
    return basic;
}

// The one answer about the certificate.
Result<OCSP_SINGLERESP*> find_single(OCSP_BASICRESP* basic, const Certificate& certificate,
                                     const Certificate& issuer) {
    const int count = OCSP_resp_count(basic);
    if (count < 1 || count > max_responses) {
        return fail(Code::peer_malformed, "OCSP response with {} answers; 1 to {} can be", count,
                    max_responses);
    }
    OCSP_SINGLERESP* found = nullptr;
    for (int i = 0; i < count; ++i) {
        OCSP_SINGLERESP* single = OCSP_resp_get0(basic, i);
        QUOIN_CHECK(take_extensions_of(single, OCSP_SINGLERESP_get_ext_count(single),
                                       OCSP_SINGLERESP_get_ext));
        // OpenSSL shows it as const, and reads it by functions that do not say so.
        auto* id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single));
        QUOIN_TRY(const std::string serial, serial_of(id));
        if (serial != certificate.serial_hex() || !same_issuer(id, issuer)) continue;
        if (found != nullptr) {
            return fail(Code::peer_malformed, "OCSP response with two answers about {}", serial);
        }
        found = single;
    }
    if (found == nullptr) {
        return fail(Code::peer_unauthenticated, "OCSP response: it is not about {} ({})",
                    certificate.serial_hex(), certificate.common_name());
    }
    return found;
}

Result<OcspAnswer> read_single(OCSP_SINGLERESP* single) {
    int reason = -1;
    ASN1_GENERALIZEDTIME* revoked = nullptr;
    ASN1_GENERALIZEDTIME* this_update = nullptr;
    ASN1_GENERALIZEDTIME* next_update = nullptr;
    const int status =
        OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
    OcspAnswer answer;
    answer.reason = std::max(reason, 0);
    answer.this_update_ms = time_ms(this_update, INT64_MAX);
    // I10: without an end, nobody knows how fresh it is.
    if (next_update == nullptr) {
        return fail(Code::state_stale, "OCSP response does not say until when it holds");
    }
    answer.next_update_ms = time_ms(next_update, 0);
    if (status == V_OCSP_CERTSTATUS_GOOD) answer.status = OcspStatus::good;
    if (status == V_OCSP_CERTSTATUS_REVOKED) {
        answer.status = OcspStatus::revoked;
        answer.revoked_ms = time_ms(revoked, 0);
    }
    return answer;
}

Result<void> check_fresh(const OcspAnswer& answer) {
    const std::int64_t now = now_ms();
    if (answer.next_update_ms < now) {
        return fail(Code::state_stale, "OCSP response is too old: its time was over {} s ago",
                    (now - answer.next_update_ms) / 1000);
    }
    if (answer.this_update_ms > now + std::chrono::milliseconds(clock_skew).count()) {
        return fail(Code::state_stale, "OCSP response is of the future; is the clock right?");
    }
    return {};
}

// RFC 6960, section 4.2.2.2: the issuer issued it, directly, for this.
Result<void> check_responder(const Certificate& responder, const Certificate& issuer) {
    const std::array anchors{issuer};
    const auto chained = verify_chain(responder, {}, anchors, Purpose::any);
    if (!chained) {
        return fail(Code::peer_unauthenticated, "OCSP: the responder {} is none of this issuer: {}",
                    responder.common_name(), chained.error().message);
    }
    const std::uint32_t extended = X509_get_extended_key_usage(responder.native());
    const bool named = extended != UINT32_MAX && (extended & XKU_OCSP_SIGN) != 0;
    const bool signs = (X509_get_key_usage(responder.native()) & X509v3_KU_DIGITAL_SIGNATURE) != 0;
    if (!named || !signs || responder.is_ca()) {
        return fail(Code::peer_unauthenticated, "OCSP: {} is no responder (OCSPSigning)",
                    responder.common_name());
    }
    // Without it, its own status would have to be known first.
    if (X509_get_ext_by_NID(responder.native(), NID_id_pkix_OCSP_noCheck, -1) < 0) {
        return fail(Code::peer_unauthenticated, "OCSP: the responder {} has no ocsp-nocheck",
                    responder.common_name());
    }
    return {};
}

// The responder's certificate in our own library context, where every algorithm is known.
Result<Certificate> find_responder(OCSP_BASICRESP* basic, const Certificate& issuer) {
    const STACK_OF(X509)* shown = OCSP_resp_get0_certs(basic);
    if (shown != nullptr && sk_X509_num(shown) > max_responder_certificates) {
        return fail(Code::peer_malformed, "OCSP response with more than {} certificates",
                    max_responder_certificates);
    }
    X509* signer = nullptr;
    if (OCSP_resp_get0_signer(basic, &signer, nullptr) != 1) {
        crypto::openssl_error();
        return issuer;
    }
    QUOIN_TRY(const auto der, Certificate(signer).der());
    QUOIN_TRY(Certificate responder, Certificate::from_der(der));
    QUOIN_TRY(const auto digest, responder.sha256());
    QUOIN_TRY(const auto issuer_digest, issuer.sha256());
    if (digest != issuer_digest) QUOIN_CHECK(check_responder(responder, issuer));
    return responder;
}

Result<void> check_signature(OCSP_BASICRESP* basic, const Certificate& responder) {
    QUOIN_TRY(const crypto::PublicKey key, responder.public_key());
    // OpenSSL's own check would use its default library context, which has no composites.
    const OCSP_RESPDATA* data = OCSP_resp_get0_respdata(basic);
    const ASN1_OCTET_STRING* signature = OCSP_resp_get0_signature(basic);
    const X509_ALGOR* algorithm = OCSP_resp_get0_tbs_sigalg(basic);
    if (data == nullptr || signature == nullptr || algorithm == nullptr ||
        ASN1_item_verify_ex(ASN1_ITEM_rptr(OCSP_RESPDATA), algorithm, signature, data, nullptr,
                            key.native(), crypto::library(), nullptr) != 1) {
        crypto::openssl_error();
        return fail(Code::peer_unauthenticated, "OCSP: the signature of {} is wrong",
                    responder.common_name());
    }
    return {};
}

}  // namespace

Result<OcspAnswer> verify_ocsp_response(Bytes der, const Certificate& certificate,
                                        const Certificate& issuer, Bytes nonce) {
    QUOIN_TRY(const BasicHandle basic, parse_response(der));
    QUOIN_TRY(const crypto::ByteVector given,
              take_extensions_of(basic.get(), OCSP_BASICRESP_get_ext_count(basic.get()),
                                 OCSP_BASICRESP_get_ext));
    if (!nonce.empty() && text_of(given) != text_of(nonce)) {
        return fail(Code::peer_unauthenticated,
                    "OCSP: the nonce is not that of the request; this answers another one");
    }
    QUOIN_TRY(OCSP_SINGLERESP* const single, find_single(basic.get(), certificate, issuer));
    QUOIN_TRY(const OcspAnswer answer, read_single(single));
    QUOIN_CHECK(check_fresh(answer));
    QUOIN_TRY(const Certificate responder, find_responder(basic.get(), issuer));
    QUOIN_CHECK(check_signature(basic.get(), responder));
    return answer;
}

Result<void> require_good(const OcspAnswer& answer, const Certificate& certificate) {
    switch (answer.status) {
        case OcspStatus::good:
            return {};
        case OcspStatus::revoked:
            return fail(Code::peer_unauthenticated, "certificate {} of {} is revoked ({})",
                        certificate.serial_hex(), certificate.common_name(),
                        OCSP_crl_reason_str(answer.reason));
        case OcspStatus::unknown:
            break;
    }
    return fail(Code::peer_unauthenticated, "certificate {} of {} is not known to its issuer",
                certificate.serial_hex(), certificate.common_name());
}

}  // namespace quoin::x509
