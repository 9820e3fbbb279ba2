// Keys by reference: the PEM names a key of a real quoin-se, and OpenSSL's programs use it.
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <fstream>

#include "host/crypto/crypto.hpp"
#include "host/keys/se/store.hpp"
#include "provider/fixture.hpp"
#include "secure_element/process_fixture.hpp"

namespace quoin::provider::test {
namespace {

using keys::se::Policy;
using secure_element::must;
using Digest = Owner<EVP_MD_CTX, EVP_MD_CTX_free>;
using Memory = Owner<BIO, BIO_free_all>;

const Policy signing{.operations = keys::se::may_sign};

Octets reference_der(const std::string& uri) {
    // SEQUENCE { UTF8String }, of up to 127 bytes, or with lengths of one byte more.
    Octets text;
    const auto put_head = [](Octets& out, std::uint8_t tag, std::size_t size) {
        out.push_back(tag);
        if (size >= 0x80) out.push_back(0x81);
        out.push_back(static_cast<std::uint8_t>(size));
    };
    put_head(text, 0x0c, uri.size());
    text.insert(text.end(), uri.begin(), uri.end());
    Octets all;
    put_head(all, 0x30, text.size());
    all.insert(all.end(), text.begin(), text.end());
    return all;
}

std::string pem_of(const Octets& der) {
    const Memory out(BIO_new(BIO_s_mem()));
    PEM_write_bio(out.get(), "QUOIN KEY REFERENCE", "", der.data(), static_cast<long>(der.size()));
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

Key read(const Library& library, const std::string& pem) {
    const Memory in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return Key(PEM_read_bio_PrivateKey_ex(in.get(), nullptr, nullptr, nullptr, library, nullptr));
}

struct Algorithm {
    const char* name;
    keys::se::Algorithm id;
};
constexpr Algorithm algorithms[] = {
    {"ML-DSA-44", keys::se::Algorithm::ml_dsa_44},
    {"ML-DSA-65", keys::se::Algorithm::ml_dsa_65},
    {"ML-DSA-87", keys::se::Algorithm::ml_dsa_87},
    {"id-MLDSA44-Ed25519-SHA512", keys::se::Algorithm::ml_dsa_44_ed25519},
    {"id-MLDSA65-Ed25519-SHA512", keys::se::Algorithm::ml_dsa_65_ed25519}};

// With the sentences, which name the key.
std::string sentences() {
    std::string all;
    const char* data = nullptr;
    int flags = 0;
    while (ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags) != 0) {
        if ((flags & ERR_TXT_STRING) != 0) all += std::string(data) + "\n";
    }
    return all;
}

class key_reference : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(element_.start()) << element_.log(); }
    void TearDown() override { ERR_clear_error(); }

    std::string uri(const std::string& key) const {
        return "quoin:se?socket=" + element_.socket.string() + "&key=" + key;
    }
    Key make(const Algorithm& algorithm, const std::string& name, const Policy& policy = signing) {
        must(element_.client()->generate(name, algorithm.id, policy));
        return read(ours_, pem_of(reference_der(uri(name))));
    }
    // Empty if refused.
    Octets sign(const Key& key, const Octets& message) const {
        const Digest context(EVP_MD_CTX_new());
        Octets signature(5000);
        std::size_t size = signature.size();
        if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, ours_, nullptr, key.get(),
                                  nullptr) != 1 ||
            EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                           message.size()) != 1) {
            return {};
        }
        signature.resize(size);
        return signature;
    }
    bool verify(const Key& key, const Octets& message, const Octets& signature) const {
        const Digest context(EVP_MD_CTX_new());
        return EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, ours_, nullptr, key.get(),
                                       nullptr) == 1 &&
               EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                message.size()) == 1;
    }

    secure_element::ElementProcess element_;
    const Library ours_ = Library::ours();
};

TEST_F(key_reference, sign__each_algorithm__verifies_with_the_public_key_alone) {
    for (const Algorithm& algorithm : algorithms) {
        const Key key = make(algorithm, "device");
        ASSERT_NE(key, nullptr) << algorithm.name << queued_errors();
        EXPECT_EQ(EVP_PKEY_is_a(key.get(), algorithm.name), 1);
        const Octets signature = sign(key, {1, 2});
        ASSERT_FALSE(signature.empty()) << queued_errors();
        const Key pub =
            import_key(ours_, algorithm.name, {{"pub", part(key, "pub")}}, EVP_PKEY_PUBLIC_KEY);
        EXPECT_TRUE(verify(pub, {1, 2}, signature));
        EXPECT_FALSE(verify(pub, {1, 3}, signature));
        EXPECT_EQ(EVP_PKEY_eq(key.get(), pub.get()), 1);
        const Key copy(EVP_PKEY_dup(key.get()));
        EXPECT_TRUE(verify(pub, {4}, sign(copy, {4})));
        must(element_.client()->remove("device"));
        EXPECT_TRUE(sign(key, {1}).empty());
        EXPECT_NE(sentences().find("device"), std::string::npos);
    }
}

TEST_F(key_reference, private_half__asked_for__not_given) {
    for (const Algorithm& algorithm : algorithms) {
        const Key key = make(algorithm, "k");
        for (const char* const name : {"priv", "seed"}) EXPECT_TRUE(part(key, name).empty());
        const Memory out(BIO_new(BIO_s_mem()));
        EXPECT_NE(
            PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1)
            << algorithm.name;
        EXPECT_EQ(PEM_write_bio_PUBKEY(out.get(), key.get()), 1);
        must(element_.client()->remove("k"));
    }
}

TEST_F(key_reference, policy__used_up__refused_with_the_stores_words) {
    Policy once = signing;
    once.max_uses = 1;
    const Key key = make(algorithms[3], "once", once);
    EXPECT_FALSE(sign(key, {1}).empty());
    EXPECT_TRUE(sign(key, {1}).empty());
    EXPECT_NE(sentences().find("once"), std::string::npos);
}

TEST_F(key_reference, read__wrong_reference__no_key) {
    must(element_.client()->generate("k", algorithms[0].id, signing));
    const std::string good = uri("k");
    ASSERT_NE(read(ours_, pem_of(reference_der(good))), nullptr);
    Octets trailing = reference_der(good), longer_form = reference_der("quoin:se?socket=/a&key=k");
    trailing.push_back(0);
    longer_form.insert(longer_form.begin() + 1, 0x81);
    for (const Octets& der :
         {trailing, longer_form, reference_der(good + "&key=k"), reference_der(good + "&more=1"),
          reference_der("quoin:se?key=k"), reference_der("quoin:se?socket=relative&key=k"),
          reference_der("quoin:tpm?socket=/a&key=k"), reference_der("quoin:"), reference_der(""),
          reference_der(uri("nobody")), reference_der(good + "%"), reference_der(good + "%zz"),
          reference_der("quoin:se?socket=/nowhere&key=k")}) {
        EXPECT_EQ(read(ours_, pem_of(der)), nullptr) << std::string(der.begin(), der.end());
    }
    EXPECT_NE(read(ours_, pem_of(reference_der(uri("%6b")))), nullptr);
}

// Our own programs take the PEM of SecurityProvider::key_reference() in place of a key file.
TEST_F(key_reference, private_key_load__reference_in_a_file__signs_in_the_store) {
    const std::string store_uri = "se:socket=" + element_.socket.string();
    const auto store = must(keys::se::open(must(keys::Uri::parse(store_uri))));
    const secure_element::TestFolder folder;
    const auto file = folder.path() / "service.key";
    const auto unlock = crypto::Passphrase("not asked for");
    for (const Algorithm& algorithm : algorithms) {
        must(element_.client()->generate("service", algorithm.id, signing));
        const std::string pem = must(store->key_reference("service"));
        std::ofstream(file) << pem;
        const auto key = must(crypto::PrivateKey::load(file, unlock));
        EXPECT_TRUE(key.is_in_store());
        EXPECT_EQ(must(key.to_encrypted_pem(unlock)), pem);
        EXPECT_EQ(must(key.danger_to_clear_pem()), pem);
        const Octets message{1, 2, 3};
        const auto signature = must(key.sign(message));
        EXPECT_TRUE(must(key.public_key()).verify(message, signature));
        EXPECT_EQ(must(must(key.public_key()).spki_der()), must(store->public_key("service")));
        must(element_.client()->remove("service"));
        EXPECT_FALSE(key.sign(message));
        const auto gone = crypto::PrivateKey::load(file, unlock);
        ASSERT_FALSE(gone);
        EXPECT_EQ(gone.error().code, Code::resource_unavailable);
        EXPECT_NE(gone.error().message.find("service.key"), std::string::npos);
        EXPECT_NE(gone.error().message.find("there is no key"), std::string::npos)
            << gone.error().message;
    }
    must(element_.client()->generate("kem", keys::se::Algorithm::ml_kem_768,
                                     Policy{.operations = keys::se::may_decapsulate}));
    EXPECT_EQ(store->key_reference("kem").error().code, Code::input_unsupported);
    EXPECT_EQ(store->key_reference("nobody").error().code, Code::input_not_found);
}

// A folder with what puts our provider in front of any program, and scripts that run there.
class Shell {
public:
    Shell() {
        std::ofstream(at("openssl.cnf"))
            << "openssl_conf = i\n[i]\nproviders = p\nalg_section = a\n[a]\n"
               "default_properties = ?provider=quoin\n[p]\ndefault = d\nquoin = q\n"
               "[d]\nactivate = 1\n[q]\nmodule = " QUOIN_PROVIDER_FOLDER
               "/quoin.so\nactivate = 1\n[req]\ndistinguished_name = n\n[n]\n";
    }
    std::string at(const std::string& name) const { return folder_.path() / name; }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(at(name)) << text;
    }
    // Its exit status, as waitpid has it.
    int run(const std::string& script) const {
        write("script.sh", script);
        const std::string command = "cd " + folder_.path().string() +
                                    " && OPENSSL_CONF=openssl.cnf timeout 60 sh -e script.sh";
        return std::system(command.c_str());
    }

private:
    secure_element::TestFolder folder_;
};

// openssl(1) by OPENSSL_CONF alone: a request and a certificate with the reference.
TEST_F(key_reference, openssl__certificate_of_a_referenced_key__verified) {
    const Shell shell;
    for (const Algorithm& algorithm : algorithms) {
        must(element_.client()->generate("ca", algorithm.id, signing));
        shell.write("key.pem", pem_of(reference_der(uri("ca"))));
        EXPECT_EQ(shell.run("openssl req -x509 -new -key key.pem -subj /CN=x -days 9 -out c.pem\n"
                            "openssl verify -check_ss_sig -CAfile c.pem c.pem >/dev/null\n"
                            "openssl pkey -in key.pem -pubout -out p.pem\n"
                            "openssl x509 -in c.pem -pubkey -noout | cmp - p.pem\n"
                            "! openssl pkey -in key.pem -out never.pem 2>/dev/null\n"
                            "! grep -s PRIVATE never.pem\n"),
                  0)
            << algorithm.name;
        must(element_.client()->remove("ca"));
    }
}

// Mosquitto's `keyfile` and its clients' --key are references: neither process holds a key.
TEST_F(key_reference, mosquitto__both_sides_by_reference__message_goes_through) {
    const Shell shell;
    for (const Algorithm& algorithm : {algorithms[1], algorithms[3], algorithms[4]}) {
        for (const char* const name : {"server", "client"}) {
            must(element_.client()->generate(name, algorithm.id, signing));
            shell.write(std::string(name) + ".key", pem_of(reference_der(uri(name))));
        }
        EXPECT_EQ(
            shell.run(
                "for n in server client; do openssl req -x509 -new -key $n.key -subj /CN=$n "
                "-addext subjectAltName=DNS:localhost -days 9 -out $n.pem; done\n"
                "port=$(python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0));"
                " print(s.getsockname()[1])')\n"
                "printf 'listener %s 127.0.0.1\nuser root\nallow_anonymous true\n"
                "require_certificate true\nset_tcp_nodelay true\ncafile client.pem\n"
                "certfile server.pem\nkeyfile server.key\nlog_dest stderr\n' $port > m.conf\n"
                "mkfifo log; mosquitto -c m.conf 2> log & broker=$!\n"
                "trap 'kill $broker' EXIT\n"
                "{ grep -m 1 -q ' running'; cat > /dev/null & } < log\n"
                "mqtt=\"-h localhost -p $port --cafile server.pem --key client.key"
                " --cert client.pem -t a\"\n"
                "mosquitto_pub $mqtt -m held -r -q 1\n"
                "test \"$(mosquitto_sub $mqtt -C 1 -W 10)\" = held\n"
                "rm log\n"),
            0)
            << algorithm.name;
        must(element_.client()->remove("server"));
        must(element_.client()->remove("client"));
    }
}

}  // namespace
}  // namespace quoin::provider::test
