// Chains made by hand, each wrong in one thing: verify_chain() and a server that asks for a client
// certificate refuse each, for that reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <functional>
#include <optional>

#include "host/tls/policy.hpp"
#include "host/tls/test_handshake.hpp"
#include "host/x509/test_pki.hpp"

namespace quoin::tls {
namespace {

using x509::Certificate;
using x509::Identity;
using x509::Kind;
using x509::Profile;
using x509::Purpose;
using x509::test::Entity;

constexpr std::chrono::hours day{24};
constexpr std::size_t ed25519_size = 64;  // the second half of a composite signature

template <class T>
T must(Result<T> result) {
    if (!result) ADD_FAILURE() << result.error().message;
    return *std::move(result);
}

Entity made(crypto::Algorithm algorithm, const Entity* issuer, const x509::IssueRequest& request) {
    auto key = must(crypto::PrivateKey::generate(algorithm));
    auto certificate =
        issuer == nullptr
            ? must(x509::issue_root(key, request))
            : must(x509::issue(issuer->key, issuer->certificate, must(key.public_key()), request));
    return {std::move(certificate), std::move(key)};
}

Entity ca(Profile profile, const std::string& name, const Entity* issuer,
          const std::string& site = "") {
    return made(info(Suite::hybrid).issuing, issuer,
                {.profile = profile,
                 .common_name = name,
                 .identity = {},
                 .names = {},
                 .lifetime = day,
                 .only_site = site});
}

Entity leaf(const Entity& issuer, const std::string& site = "hall-1",
            Profile profile = Profile::device) {
    return made(info(Suite::hybrid).mcu, &issuer,
                {.profile = profile,
                 .common_name = "mcu-1",
                 .identity = Identity{Kind::device, site, "mcu-1", {}},
                 .names = {},
                 .lifetime = day});
}

const Entity& root() {
    static const Entity entity = ca(Profile::root, "hall-1 root", nullptr, "hall-1");
    return entity;
}

const Entity& issuing() {
    static const Entity entity = ca(Profile::issuing, "hall-1 issuing", &root(), "hall-1");
    return entity;
}

using Change = std::function<void(X509*)>;

// With the changes, signed again.
Certificate changed(const Certificate& certificate, const crypto::PrivateKey& issuer_key,
                    const Change& change) {
    X509* copy = X509_dup(certificate.native());
    change(copy);
    EXPECT_NE(X509_sign(copy, issuer_key.native(), nullptr), 0);
    Certificate result(copy);
    X509_free(copy);
    return result;
}

// Bit 0 of the byte that is `from_end` before the end of its signature, turned over.
Certificate with_flipped(const Certificate& certificate, std::size_t from_end) {
    auto der = must(certificate.der());
    der.at(der.size() - from_end) ^= 1;
    return must(Certificate::from_der(der));
}

void replace_extension(X509* certificate, int nid, const char* value) {
    const int at = X509_get_ext_by_NID(certificate, nid, -1);
    ASSERT_GE(at, 0);
    X509_EXTENSION_free(X509_delete_ext(certificate, at));
    X509_EXTENSION* fresh = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    ASSERT_NE(fresh, nullptr);
    ASSERT_EQ(X509_add_ext(certificate, fresh, -1), 1);
    X509_EXTENSION_free(fresh);
}

void add_unknown_critical(X509* certificate) {
    ASN1_OBJECT* oid = OBJ_txt2obj("2.25.1", 1);
    ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
    ASSERT_EQ(ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("\x05\x00"), 2),
              1);
    X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, oid, 1, value);
    ASSERT_EQ(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

struct Chain {
    Entity leaf;
    std::vector<Certificate> above;  // without the root
};

Chain with_leaf(const Change& change) {
    Entity entity = leaf(issuing());
    entity.certificate = changed(entity.certificate, issuing().key, change);
    return {std::move(entity), {issuing().certificate}};
}

Chain with_issuing(const Change& change) {
    return {leaf(issuing()), {changed(issuing().certificate, root().key, change)}};
}

Chain with_flipped_leaf(std::size_t from_end) {
    Entity entity = leaf(issuing());
    entity.certificate = with_flipped(entity.certificate, from_end);
    return {std::move(entity), {issuing().certificate}};
}

struct Case {
    const char* name;
    Chain (*make)();
    const char* why;  // in the message
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

const Case cases[] = {
    {"leaf_expired",
     [] { return with_leaf([](X509* x) { X509_gmtime_adj(X509_getm_notAfter(x), -1); }); },
     "expired"},
    {"leaf_not_yet_valid",
     [] { return with_leaf([](X509* x) { X509_gmtime_adj(X509_getm_notBefore(x), 3600); }); },
     "not yet valid"},
    {"issuing_expired",
     [] { return with_issuing([](X509* x) { X509_gmtime_adj(X509_getm_notAfter(x), -1); }); },
     "expired"},
    {"leaf_may_not_sign",
     [] {
         return with_leaf([](X509* x) {
             replace_extension(x, NID_key_usage, "critical,nonRepudiation,cRLSign");
         });
     },
     "purpose"},
    {"leaf_is_for_servers",
     [] {
         return with_leaf([](X509* x) { replace_extension(x, NID_ext_key_usage, "serverAuth"); });
     },
     "for TLS clients"},
    {"leaf_is_for_attestation",
     [] {
         Entity entity = leaf(issuing(), "hall-1", Profile::attest);
         return Chain{std::move(entity), {issuing().certificate}};
     },
     "for TLS clients"},
    {"leaf_is_the_ra",
     [] {
         Entity entity = leaf(issuing(), "hall-1", Profile::ra);
         return Chain{std::move(entity), {issuing().certificate}};
     },
     "for TLS clients"},
    {"leaf_is_the_ocsp_responder",
     [] {
         Entity entity = leaf(issuing(), "hall-1", Profile::ocsp);
         return Chain{std::move(entity), {issuing().certificate}};
     },
     "for TLS clients"},
    {"issuing_may_not_sign_certificates",
     [] {
         return with_issuing(
             [](X509* x) { replace_extension(x, NID_key_usage, "critical,cRLSign"); });
     },
     "invalid CA certificate"},
    {"issuing_is_no_ca",
     [] {
         return with_issuing([](X509* x) {
             replace_extension(x, NID_basic_constraints, "critical,CA:FALSE");
             replace_extension(x, NID_key_usage, "critical,digitalSignature");
         });
     },
     "CA"},
    {"leaf_of_another_site",
     [] { return Chain{leaf(issuing(), "hall-2"), {issuing().certificate}}; },
     "permitted subtree violation"},
    {"issuing_for_another_site",
     [] {
         const Entity other = ca(Profile::issuing, "hall-2 issuing", &root(), "hall-2");
         return Chain{leaf(other, "hall-1"), {other.certificate}};
     },
     "permitted subtree violation"},
    {"path_too_long",
     [] {
         const Entity below = ca(Profile::issuing, "hall-1 below", &issuing(), "hall-1");
         return Chain{leaf(below), {below.certificate, issuing().certificate}};
     },
     "path length"},
    {"leaf_with_unknown_critical_extension", [] { return with_leaf(add_unknown_critical); },
     "critical extension"},
    {"issuing_with_unknown_critical_extension", [] { return with_issuing(add_unknown_critical); },
     "critical extension"},
    {"leaf_with_bad_ed25519_half", [] { return with_flipped_leaf(1); }, "signature"},
    {"leaf_with_bad_ml_dsa_half", [] { return with_flipped_leaf(ed25519_size + 100); },
     "signature"},
    {"issuing_with_bad_ed25519_half",
     [] { return Chain{leaf(issuing()), {with_flipped(issuing().certificate, 1)}}; }, "signature"},
    {"issuing_with_bad_ml_dsa_half",
     [] {
         return Chain{leaf(issuing()), {with_flipped(issuing().certificate, ed25519_size + 100)}};
     },
     "signature"},
    {"issuing_of_the_same_name_by_another_root",
     [] {
         const Entity other_root = ca(Profile::root, "hall-1 root", nullptr, "hall-1");
         const Entity other = ca(Profile::issuing, "hall-1 issuing", &other_root, "hall-1");
         return Chain{leaf(other), {other.certificate}};
     },
     "issuer certificate"},
    {"leaf_signed_by_a_leaf",
     [] {
         const Entity device = leaf(issuing());
         Entity below = leaf(device);
         return Chain{std::move(below), {device.certificate, issuing().certificate}};
     },
     "CA"},
    {"issuing_left_out", [] { return Chain{leaf(issuing()), {}}; }, "issuer certificate"},
};

test::Outcome handshake_as_client(const Chain& chain) {
    static const Entity server = made(info(Suite::hybrid).service, &issuing(),
                                      {.profile = Profile::server,
                                       .common_name = "quoind",
                                       .identity = Identity{Kind::service, "hall-1", "quoind", {}},
                                       .names = {"plant.test"},
                                       .lifetime = day});
    const std::array anchors{root().certificate};
    std::vector<Certificate> shown{chain.leaf.certificate};
    shown.insert(shown.end(), chain.above.begin(), chain.above.end());
    const Credentials of_client{std::move(shown), chain.leaf.key};
    const auto client_context =
        tls::client_context(Suite::hybrid, anchors, Server::quoind, &of_client);
    const auto server_context = tls::server_context(
        Suite::hybrid, {{server.certificate, issuing().certificate}, server.key}, anchors, true);
    if (!client_context || !server_context) {
        ADD_FAILURE() << (client_context ? server_context : client_context).error().message;
        return {};
    }
    const test::Connection client(SSL_new(client_context->get()));
    const test::Connection server_side(SSL_new(server_context->get()));
    EXPECT_TRUE(expect_server(client.get(), "plant.test"));
    return test::run(client.get(), server_side.get());
}

Result<void> verify(const Chain& chain) {
    const std::array anchors{root().certificate};
    return x509::verify_chain(chain.leaf.certificate, chain.above, anchors, Purpose::client);
}

TEST(good_chain, verify_and_handshake__accepted) {
    const Chain chain{leaf(issuing()), {issuing().certificate}};
    const auto sound = verify(chain);
    EXPECT_TRUE(sound) << sound.error().message;
    EXPECT_TRUE(handshake_as_client(chain).ok());
}

class BadChains : public testing::TestWithParam<Case> {};

TEST_P(BadChains, verify_and_handshake__refused) {
    const Chain chain = GetParam().make();
    const auto verified = verify(chain);
    ASSERT_FALSE(verified);
    EXPECT_THAT(verified.error().message, testing::HasSubstr(GetParam().why));
    const test::Outcome outcome = handshake_as_client(chain);
    EXPECT_FALSE(outcome.ok());
    EXPECT_NE(outcome.server_verify, X509_V_OK);
}

INSTANTIATE_TEST_SUITE_P(each, BadChains, testing::ValuesIn(cases),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace quoin::tls
