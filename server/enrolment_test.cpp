// Enrolment over real TLS, by our client and by curl: what is issued, and every refusal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "host/x509/csr_attributes.hpp"
#include "server/process_fixture.hpp"

namespace quoin::server {
namespace {

using crypto::Algorithm;
using testing::HasSubstr;

constexpr std::string_view enroll = "/.well-known/est/simpleenroll";
constexpr std::string_view reenroll = "/.well-known/est/simplereenroll";
constexpr std::string_view pkcs10 = "application/pkcs10";

crypto::PrivateKey new_key(Algorithm algorithm) {
    return must(crypto::PrivateKey::generate(algorithm));
}

std::string csr_der(const crypto::PrivateKey& key, const std::string& name) {
    return must(x509::Request::make_der(key, name));
}
std::string base64(const std::string& der) { return crypto::to_base64(bytes_of(der)); }

class enrolment : public testing::Test {
protected:
    static void SetUpTestSuite() { plant_ = new RunningPlant; }
    static void TearDownTestSuite() {
        delete plant_;
        plant_ = nullptr;
    }

    static net::HttpReply post(const tls::Credentials* who, std::string_view path,
                               const std::string& body, std::string_view type = pkcs10) {
        return must(plant_->secure(who, "POST", path, body, type));
    }
    static net::HttpReply ask(const tls::Credentials* who, std::string_view path,
                              const std::string& name, Algorithm algorithm) {
        if (who == nullptr) return post(who, path, base64(csr_der(new_key(algorithm), name)));
        return plant_->enrol(*who, path, new_key(algorithm), name);
    }
    // Asks for an attestation certificate that names `quote_key` (SPKI; empty: none).
    static net::HttpReply ask_attest(const tls::Credentials& who, const std::string& name,
                                     Bytes quote_key,
                                     Algorithm algorithm = Algorithm::slh_dsa_shake_128f) {
        const auto key = new_key(algorithm);
        const auto sign = [&](Bytes message) { return key.sign(message); };
        return plant_->bound(who, enroll, [&](std::string_view challenge_password) {
            return x509::Request::make_der(must(key.public_key()), sign, name, quote_key,
                                           challenge_password);
        });
    }
    static x509::Certificate issued_in(const net::HttpReply& reply) {
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.content_type, "application/pkcs7-mime; smime-type=certs-only");
        const auto list =
            must(x509::certificates_from_certs_only(must(crypto::from_base64(reply.body))));
        EXPECT_EQ(list.size(), 1U);
        return list.at(0);
    }
    // An operational identity, as an agent would hold it.
    static tls::Credentials enrolled(const std::string& id, Algorithm algorithm) {
        const tls::Credentials birth = plant_->birth_credentials(id);
        crypto::PrivateKey key = new_key(algorithm);
        const auto certificate = issued_in(plant_->enrol(birth, enroll, key, id));
        const auto issuing = must(x509::Certificate::load(plant_->home / "pki" / "issuing.crt"));
        return {.chain = {certificate, issuing.at(0)}, .key = std::move(key)};
    }
    static std::string state_of(const std::string& id) {
        const std::string body = plant_->local("GET", "/api/v1/devices/" + id).body;
        const std::size_t at = body.find("\"state\":\"") + 9;
        return body.substr(at, body.find('"', at) - at);
    }
    // Follows the events from the first one until one has `text`; false: none came for some
    // seconds.
    static bool event_came(const std::string& text) {
        std::string seen;
        const auto streamed = net::http_stream(
            {.base_url = "unix:" + (plant_->home / "run/quoind.sock").string()},
            "/api/v1/events/follow?after=0", [&](std::string_view piece) {
                seen += piece;
                return !seen.contains(text) && !seen.ends_with(":\n\n");  // a comment: silence
            });
        EXPECT_TRUE(streamed) << streamed.error().message;
        return seen.contains(text);
    }

    static RunningPlant* plant_;
};

RunningPlant* enrolment::plant_ = nullptr;

TEST_F(enrolment, cacerts_without_a_certificate__root_and_issuing) {
    const auto reply = must(plant_->secure(nullptr, "GET", "/.well-known/est/cacerts"));
    ASSERT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("content-transfer-encoding"), "base64");
    const auto list =
        must(x509::certificates_from_certs_only(must(crypto::from_base64(reply.body))));
    ASSERT_EQ(list.size(), 2U);
    const auto root = must(x509::Certificate::load(plant_->home / "pki" / "root.crt"));
    EXPECT_TRUE(must(list[0].sha256()) == must(root[0].sha256()) ||
                must(list[1].sha256()) == must(root[0].sha256()));
}

TEST_F(enrolment, cacerts_by_curl_and_openssl__readable) {
    const std::string names = output_of(
        fmt::format("curl -sS --curves MLKEM768 --cacert {}/pki/root.crt "
                    "{}/.well-known/est/cacerts | openssl base64 -d -A | openssl pkcs7 -inform DER "
                    "-print_certs -noout 2>&1",
                    plant_->home.string(), plant_->https));
    EXPECT_THAT(names, HasSubstr("subject=")) << names;
}

TEST_F(enrolment, client_with_classical_groups_only__no_connection) {
    const std::string said = output_of(fmt::format(
        "curl -sS --curves X25519 --cacert {}/pki/root.crt {}/.well-known/est/cacerts 2>&1",
        plant_->home.string(), plant_->https));
    EXPECT_THAT(said, HasSubstr("curl: (35)")) << said;
}

TEST_F(enrolment, mcu_and_mpu__certificate_with_name_uri_and_profile) {
    plant_->birth("mpu-ok", "mpu");
    plant_->birth("mcu-ok", "mcu");
    EXPECT_EQ(state_of("mpu-ok"), "expected");
    const tls::Credentials mpu = enrolled("mpu-ok", Algorithm::ml_dsa_65);
    EXPECT_EQ(mpu.chain[0].common_name(), "mpu-ok");
    EXPECT_EQ(x509::to_uri(must(mpu.chain[0].identity())), "quoin://test/device/mpu-ok");
    EXPECT_EQ(state_of("mpu-ok"), "onboarding");
    const auto root = must(x509::Certificate::load(plant_->home / "pki" / "root.crt"));
    EXPECT_TRUE(x509::verify_chain(mpu.chain[0], std::span(mpu.chain).subspan(1), root,
                                   x509::Purpose::client,
                                   must(files::read(plant_->home / "pki" / "crl.pem"))));
    enrolled("mcu-ok", Algorithm::ml_dsa_44);
    EXPECT_EQ(state_of("mcu-ok"), "active");
    EXPECT_THAT(plant_->local("GET", "/api/v1/devices/mpu-ok").body,
                HasSubstr(mpu.chain[0].serial_hex()));
}

TEST_F(enrolment, attestation_key__attestation_certificate_for_an_mpu_only) {
    plant_->birth("mpu-att", "mpu");
    plant_->birth("mcu-att", "mcu");
    const tls::Credentials mpu = plant_->birth_credentials("mpu-att");
    const auto certificate = issued_in(ask(&mpu, enroll, "mpu-att", Algorithm::slh_dsa_shake_128f));
    EXPECT_EQ(x509::to_uri(must(certificate.identity())), "quoin://test/attest/mpu-att");
    EXPECT_EQ(state_of("mpu-att"), "expected") << "an attestation key alone is no identity";
    const tls::Credentials mcu = plant_->birth_credentials("mcu-att");
    EXPECT_EQ(ask(&mcu, enroll, "mcu-att", Algorithm::slh_dsa_shake_128f).status, 403);
}

TEST_F(enrolment, quote_key__first_is_believed_and_stays__and_is_one_devices) {
    plant_->birth("mpu-tpm", "mpu");
    plant_->birth("mpu-relay", "mpu");
    const tls::Credentials mpu = plant_->birth_credentials("mpu-tpm");
    const auto tpm = must(must(new_key(Algorithm::ecdsa_p256).public_key()).spki_der());
    const auto other = must(must(new_key(Algorithm::ecdsa_p256).public_key()).spki_der());
    // From before the TPM came.
    EXPECT_TRUE(must(issued_in(ask_attest(mpu, "mpu-tpm", {})).quote_key()).empty());
    EXPECT_EQ(must(issued_in(ask_attest(mpu, "mpu-tpm", tpm)).quote_key()), tpm);
    issued_in(ask_attest(mpu, "mpu-tpm", tpm));
    const auto dropped = ask_attest(mpu, "mpu-tpm", {});
    EXPECT_EQ(dropped.status, 403) << dropped.body;
    EXPECT_THAT(dropped.body, HasSubstr("another device"));
    EXPECT_EQ(ask_attest(mpu, "mpu-tpm", other).status, 403);
    const tls::Credentials relay = plant_->birth_credentials("mpu-relay");
    const auto relayed = ask_attest(relay, "mpu-relay", tpm);
    EXPECT_EQ(relayed.status, 403) << relayed.body;
    EXPECT_THAT(relayed.body, HasSubstr("is that of mpu-tpm"));
    EXPECT_EQ(ask_attest(relay, "mpu-relay", other).status, 200);
}

TEST_F(enrolment, quote_key__in_a_session_certificate__refused) {
    plant_->birth("mpu-quote", "mpu");
    const tls::Credentials mpu = plant_->birth_credentials("mpu-quote");
    const auto tpm = must(must(new_key(Algorithm::ecdsa_p256).public_key()).spki_der());
    const auto session = ask_attest(mpu, "mpu-quote", tpm, Algorithm::ml_dsa_65);
    EXPECT_EQ(session.status, 403) << session.body;
    EXPECT_THAT(session.body, HasSubstr("only an attestation certificate"));
}

TEST_F(enrolment, key_residence__what_the_device_says_is_shown_as_its_claim) {
    const auto shown = [](const std::string& device) {
        return plant_->local("GET", "/api/v1/devices/" + device).body;
    };
    const auto claim = [](const std::string& device, std::string_view words) {
        plant_->birth(device, "mcu");
        const tls::Credentials birth = plant_->birth_credentials(device);
        return ask(&birth, fmt::format("{}{}", enroll, words), device, Algorithm::ml_dsa_44);
    };
    issued_in(claim("mcu-silent", ""));
    EXPECT_THAT(shown("mcu-silent"), HasSubstr(R"("key_residence_claimed":{"device":"not said"})"));
    issued_in(claim("mcu-file", "?key_residence=best%20effort"));
    EXPECT_THAT(shown("mcu-file"),
                HasSubstr(R"("key_residence_claimed":{"device":"best effort"})"));
    EXPECT_TRUE(event_came(R"("key_residence_claimed":"best effort")"));
    issued_in(claim("mcu-se", "?key_residence=separate%20process"));
    EXPECT_THAT(shown("mcu-se"),
                HasSubstr(R"("key_residence_claimed":{"device":"separate process"})"));
    EXPECT_EQ(claim("mcu-odd", "?key_residence=a%20safe%20place").status, 400);
    EXPECT_THAT(shown("mcu-odd"), HasSubstr(R"("key_residence_claimed":{})"));
}

TEST_F(enrolment, renewal_and_description__with_the_operational_certificate) {
    plant_->birth("mpu-renew", "mpu");
    const tls::Credentials old = enrolled("mpu-renew", Algorithm::ml_dsa_65);
    const auto renewed = issued_in(ask(&old, reenroll, "mpu-renew", Algorithm::ml_dsa_65));
    EXPECT_NE(renewed.serial_hex(), old.chain[0].serial_hex());
    issued_in(ask(&old, reenroll, "mpu-renew", Algorithm::slh_dsa_shake_128f));
    const auto described = must(plant_->secure(&old, "GET", "/.well-known/quoin/device"));
    ASSERT_EQ(described.status, 200) << described.body;
    for (const char* part : {"\"site\":\"test\"", "\"class\":\"mpu\"", "\"suite\":\"pure\"",
                             "\"now_ms\":", "\"renew_at\":0.66", "\"port\":1"}) {
        EXPECT_THAT(described.body, HasSubstr(part));
    }
}

TEST_F(enrolment, wrong_identity__refused_with_an_event) {
    plant_->birth("mpu-id", "mpu");
    plant_->birth("mpu-unknown", "mpu", false);
    const tls::Credentials birth = plant_->birth_credentials("mpu-id");
    const tls::Credentials operational = enrolled("mpu-id", Algorithm::ml_dsa_65);
    const tls::Credentials unknown = plant_->birth_credentials("mpu-unknown");
    const tls::Credentials admin = plant_->operator_credentials("admin");
    struct Row {
        const tls::Credentials* who;
        std::string_view path;
        std::string name;
        int status;
        std::string says;
    };
    for (const Row& row : std::vector<Row>{
             {nullptr, enroll, "mpu-id", 401, "birth certificate is needed"},
             {nullptr, reenroll, "mpu-id", 401, "client certificate is needed"},
             {&unknown, enroll, "mpu-unknown", 403, "inventory"},
             {&birth, reenroll, "mpu-id", 401, "not one of this plant"},
             {&operational, enroll, "mpu-id", 403, "simplereenroll"},
             {&admin, enroll, "mpu-id", 403, "no birth certificate"},
             {&admin, reenroll, "mpu-id", 403, "operational"},
             {&birth, enroll, "mpu-other", 403, "another device"},
             {&operational, reenroll, "mpu-other", 403, "another device"},
         }) {
        const auto reply = ask(row.who, row.path, row.name, Algorithm::ml_dsa_65);
        EXPECT_EQ(reply.status, row.status) << row.says << ": " << reply.body;
        EXPECT_THAT(reply.body, HasSubstr(row.says));
        EXPECT_EQ(reply.content_type, "text/plain; charset=utf-8");
    }
    EXPECT_TRUE(event_came("pki.enrolment.refused"));
}

TEST_F(enrolment, key_that_its_class_must_not_have__refused) {
    plant_->birth("mpu-key", "mpu");
    plant_->birth("mcu-key", "mcu");
    const tls::Credentials mpu = plant_->birth_credentials("mpu-key");
    const tls::Credentials mcu = plant_->birth_credentials("mcu-key");
    EXPECT_EQ(ask(&mpu, enroll, "mpu-key", Algorithm::ml_dsa_44).status, 403);
    EXPECT_EQ(ask(&mcu, enroll, "mcu-key", Algorithm::ml_dsa_65).status, 403);
    for (const Algorithm algorithm :
         {Algorithm::ed25519, Algorithm::ecdsa_p256, Algorithm::ml_dsa_87}) {
        const auto reply = ask(&mpu, enroll, "mpu-key", algorithm);
        EXPECT_EQ(reply.status, 403) << reply.body;
        EXPECT_THAT(reply.body, HasSubstr("ML-DSA-65")) << "says which key it needs";
    }
    EXPECT_EQ(state_of("mpu-key"), "expected");
}

TEST_F(enrolment, request_of_another_connection__refused_and_unbound_only_for_foreign_clients) {
    plant_->birth("mpu-bound", "mpu");
    plant_->birth("mpu-alien", "mpu", true, true);
    const auto csr = [](const std::string& name, std::string_view password) {
        return base64(must(x509::Request::make_der(new_key(Algorithm::ml_dsa_65), name, password)));
    };
    const std::string elsewhere = crypto::to_base64(crypto::ByteVector(32, 7));
    for (const std::string name : {"mpu-bound", "mpu-alien"}) {
        const tls::Credentials birth = plant_->birth_credentials(name);
        const auto replayed = post(&birth, enroll, csr(name, elsewhere));
        EXPECT_EQ(replayed.status, 403) << replayed.body;
        EXPECT_THAT(replayed.body, HasSubstr("another TLS connection"));
        const auto unbound = post(&birth, enroll, csr(name, ""));
        EXPECT_EQ(unbound.status, name == "mpu-alien" ? 200 : 403) << unbound.body;
        EXPECT_EQ(ask(&birth, enroll, name, Algorithm::ml_dsa_65).status, 200);
    }
}

TEST_F(enrolment, csrattrs__key_algorithms_of_the_device) {
    plant_->birth("mpu-attrs", "mpu");
    plant_->birth("mcu-attrs", "mcu", true, true);
    const auto oids = [](const tls::Credentials* who) {
        const auto reply = must(plant_->secure(who, "GET", "/.well-known/est/csrattrs"));
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.content_type, "application/csrattrs");
        EXPECT_EQ(reply.headers.at("content-transfer-encoding"), "base64");
        return must(x509::csr_attributes_from_der(must(crypto::from_base64(reply.body))));
    };
    const std::string binding(x509::challenge_password_oid);
    const std::string mcu(crypto::info(Algorithm::ml_dsa_44).oid);
    const std::string mpu(crypto::info(Algorithm::ml_dsa_65).oid);
    const std::string attest(crypto::info(Algorithm::slh_dsa_shake_128f).oid);
    const tls::Credentials mpu_birth = plant_->birth_credentials("mpu-attrs");
    const tls::Credentials mcu_birth = plant_->birth_credentials("mcu-attrs");
    EXPECT_THAT(oids(&mpu_birth), testing::ElementsAre(binding, mpu, attest));
    EXPECT_THAT(oids(&mcu_birth), testing::ElementsAre(mcu)) << "a foreign client";
    EXPECT_THAT(oids(nullptr), testing::ElementsAre(binding, mcu, mpu, attest));
    const tls::Credentials admin = plant_->operator_credentials("admin");
    EXPECT_EQ(must(plant_->secure(&admin, "GET", "/.well-known/est/csrattrs")).status, 403);
}

TEST_F(enrolment, renewal_for_the_same_key__refused) {
    plant_->birth("mpu-same", "mpu");
    const tls::Credentials old = enrolled("mpu-same", Algorithm::ml_dsa_65);
    const auto reply = plant_->enrol(old, reenroll, old.key, "mpu-same");
    EXPECT_EQ(reply.status, 403);
    EXPECT_THAT(reply.body, HasSubstr("make a new one"));
}

TEST_F(enrolment, manual_approval__202_until_an_operator_decides) {
    RunningPlant manual;
    must(files::write_atomically(manual.home / "conf.d" / "ra.toml",
                                 "[ra]\nfirst = \"manual\"\nretry_after_s = 7\n", 0600));
    manual.restart();
    manual.birth("mpu-1", "mpu");
    manual.birth("mpu-2", "mpu");
    const tls::Credentials birth = manual.birth_credentials("mpu-1");
    const auto key = new_key(Algorithm::ml_dsa_65);
    for (int i = 0; i < 2; ++i) {
        const auto waits = manual.enrol(birth, enroll, key, "mpu-1");
        EXPECT_EQ(waits.status, 202) << waits.body;
        EXPECT_EQ(waits.headers.at("retry-after"), "7");
    }
    const tls::Credentials other = manual.birth_credentials("mpu-2");
    const auto refused_key = new_key(Algorithm::ml_dsa_65);
    EXPECT_EQ(manual.enrol(other, enroll, refused_key, "mpu-2").status, 202);
    const auto listed = manual.local("GET", "/api/v1/enrolments?state=pending&limit=1");
    EXPECT_THAT(listed.body, HasSubstr("\"device\":\"mpu-1\""));
    EXPECT_THAT(listed.body, HasSubstr("\"next\":1"));
    EXPECT_EQ(manual.local("POST", "/api/v1/enrolments/1/approve", "{}").status, 200);
    EXPECT_EQ(manual.local("POST", "/api/v1/enrolments/2/refuse", "{}").status, 400);
    EXPECT_EQ(
        manual.local("POST", "/api/v1/enrolments/2/refuse", R"({"reason":"not ours"})").status,
        200);
    EXPECT_EQ(manual.local("POST", "/api/v1/enrolments/2/approve", "{}").status, 409);
    EXPECT_EQ(manual.local("POST", "/api/v1/enrolments/9/approve", "{}").status, 404);
    EXPECT_EQ(manual.local("POST", "/api/v1/enrolments/x/approve", "{}").status, 400);
    const auto certificate = issued_in(manual.enrol(birth, enroll, key, "mpu-1"));
    manual.restart();
    EXPECT_EQ(issued_in(manual.enrol(birth, enroll, key, "mpu-1")).serial_hex(),
              certificate.serial_hex());
    const auto told = manual.enrol(other, enroll, refused_key, "mpu-2");
    EXPECT_EQ(told.status, 403);
    EXPECT_THAT(told.body, HasSubstr("not ours"));
    EXPECT_THAT(manual.local("GET", "/api/v1/enrolments?state=issued").body,
                HasSubstr(certificate.serial_hex()));
}

TEST_F(enrolment, malformed_request__refused) {
    plant_->birth("mpu-bad", "mpu");
    const tls::Credentials birth = plant_->birth_credentials("mpu-bad");
    const std::string good = csr_der(new_key(Algorithm::ml_dsa_65), "mpu-bad");
    std::string forged = good;
    forged.back() = static_cast<char>(forged.back() ^ 1);
    struct Row {
        std::string body;
        int status;
    };
    for (const Row& row : std::vector<Row>{
             {base64(forged), 400},
             {base64(good).substr(1), 400},
             {"!!!!", 400},
             {"", 400},
             {base64(good + "x"), 400},
             {base64(good.substr(0, good.size() / 2)), 400},
             {std::string(max_est_body_bytes + 4, 'A'), 413},
         }) {
        const auto reply = post(&birth, enroll, row.body);
        EXPECT_EQ(reply.status, row.status) << reply.body;
    }
    EXPECT_EQ(post(&birth, enroll, base64(good), "application/json").status, 415);
    const auto get = must(plant_->secure(&birth, "GET", enroll));
    EXPECT_EQ(get.status, 405);
    EXPECT_EQ(get.headers.at("allow"), "POST");
    EXPECT_EQ(must(plant_->secure(&birth, "GET", "/.well-known/est/serverkeygen")).status, 404);
    EXPECT_EQ(state_of("mpu-bad"), "expected");
    EXPECT_EQ(ask(&birth, enroll, "mpu-bad", Algorithm::ml_dsa_65).status, 200)
        << "and the right one goes through after all";
}

TEST_F(enrolment, birth_certificate_of_a_foreign_maker__no_connection) {
    Maker foreign = must(Maker::open(plant_->folder() / "foreign"));
    must(foreign.birth("mpu-foreign", "mpu"));
    const tls::Credentials birth =
        RunningPlant::credentials(foreign.device_folder("mpu-foreign"), "birth");
    const auto reply = plant_->secure(&birth, "POST", enroll, "x", pkcs10);
    EXPECT_FALSE(reply) << reply->status << reply->body;
    EXPECT_TRUE(event_came("TLS handshake"));
}

TEST_F(enrolment, maker_that_plays_the_plant__refused) {
    const tls::Credentials maker = RunningPlant::credentials(plant_->folder() / "maker", "ca");
    plant_->birth("mpu-play", "mpu");
    crypto::PrivateKey key = new_key(Algorithm::ml_dsa_65);
    const auto forge = [&](x509::Identity identity, x509::Profile profile) {
        const auto certificate = must(x509::issue(maker.key, maker.chain[0], must(key.public_key()),
                                                  {.profile = profile,
                                                   .common_name = identity.id,
                                                   .identity = identity,
                                                   .names = {},
                                                   .lifetime = std::chrono::hours(1)}));
        return tls::Credentials{.chain = {certificate}, .key = key};
    };
    const tls::Credentials admin = forge(
        {.kind = x509::Kind::operator_, .site = "test", .id = "eve", .role = x509::Role::admin},
        x509::Profile::operator_);
    // The name constraint of the maker's CA ends the handshake.
    EXPECT_FALSE(plant_->secure(&admin, "GET", "/api/v1/status"));
    const tls::Credentials device =
        forge({.kind = x509::Kind::device, .site = "test", .id = "mpu-play", .role = {}},
              x509::Profile::device);
    EXPECT_FALSE(plant_->secure(&device, "GET", "/.well-known/quoin/device"));
    const tls::Credentials other_birth =
        forge({.kind = x509::Kind::birth, .site = "", .id = "mpu-play", .role = {}},
              x509::Profile::birth);
    EXPECT_EQ(ask(&other_birth, enroll, "mpu-play", Algorithm::ml_dsa_65).status, 403)
        << "the certificate itself must be on the list, not only its name";
}

TEST_F(enrolment, revoked_device__neither_renews_nor_enrols_and_is_on_the_list) {
    plant_->birth("mpu-gone", "mpu");
    const tls::Credentials old = enrolled("mpu-gone", Algorithm::ml_dsa_65);
    const tls::Credentials birth = plant_->birth_credentials("mpu-gone");
    const std::string crl_file = (plant_->folder() / "crl.pem").string();
    const auto crl_number = [&] {
        must(files::write_atomically(
            crl_file, must(net::http_request({.base_url = plant_->http}, "GET", "/crl.pem")).body,
            0600));
        const std::string text = output_of("openssl crl -noout -crlnumber -in " + crl_file);
        return std::stoull(text.substr(text.find('=') + 1), nullptr, 0);
    };
    const auto before = crl_number();
    const auto revoked = plant_->local("POST", "/api/v1/devices/mpu-gone/revoke",
                                       R"({"reason":"key_compromise","note":"stolen"})");
    ASSERT_EQ(revoked.status, 200) << revoked.body;
    EXPECT_THAT(revoked.body, HasSubstr("\"state_before\":\"onboarding\""));
    EXPECT_GT(crl_number(), before);
    const std::string listed =
        output_of("openssl crl -noout -text -in " + crl_file + " | tr A-Z a-z");
    EXPECT_THAT(listed, HasSubstr(old.chain[0].serial_hex()));
    EXPECT_EQ(ask(&old, reenroll, "mpu-gone", Algorithm::ml_dsa_65).status, 401);
    EXPECT_EQ(must(plant_->secure(&old, "GET", "/.well-known/quoin/device")).status, 401);
    const auto again = ask(&birth, enroll, "mpu-gone", Algorithm::ml_dsa_65);
    EXPECT_EQ(again.status, 403);
    EXPECT_THAT(again.body, HasSubstr("revoked"));
}

TEST_F(enrolment, revocation_list_at_half_its_life__issued_again) {
    Fixture roles;
    const std::filesystem::path home = roles.folder.path() / "home";
    std::filesystem::create_directory(home);
    for (const char* part : {"pki", "services", "operator", "unlock.key"}) {
        std::filesystem::copy(plant_->home / part, home / part,
                              std::filesystem::copy_options::recursive);
    }
    const auto authority = must(Authority::open({.home = home,
                                                 .site = "test",
                                                 .device_lifetime = std::chrono::hours(1),
                                                 .crl_lifetime = std::chrono::seconds(1)},
                                                *roles.database, roles.bus, *roles.audit));
    const std::string first = authority->crl_pem();
    authority->tick();
    EXPECT_EQ(authority->crl_pem(), first) << "not before it is due";
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (authority->crl_pem() == first && std::chrono::steady_clock::now() < deadline) {
        authority->tick();
        std::this_thread::yield();
    }
    EXPECT_NE(authority->crl_pem(), first);
}

TEST_F(enrolment, too_many_requests_of_one_device__429_and_others_go_on) {
    plant_->birth("mpu-flood", "mpu");
    plant_->birth("mpu-calm", "mpu");
    const tls::Credentials flood = plant_->birth_credentials("mpu-flood");
    int refused = 0;
    for (int i = 0; i < 40 && refused == 0; ++i)
        refused += post(&flood, enroll, "!").status == 429 ? 1 : 0;
    EXPECT_EQ(refused, 1);
    const tls::Credentials calm = plant_->birth_credentials("mpu-calm");
    EXPECT_EQ(ask(&calm, enroll, "mpu-calm", Algorithm::ml_dsa_65).status, 200);
}

}  // namespace
}  // namespace quoin::server
