// Signatures through EVP: our provider beside the default one, by turns in one process. The peer of
// a composite is what a program would do without: ML-DSA and Ed25519 of the default provider, one
// after the other. One JSON line a measurement.
#include <openssl/x509.h>

#include <cstdio>
#include <cstdlib>

#include "host/crypto/speed.hpp"
#include "provider/fixture.hpp"

namespace quoin::provider::test {
namespace {

using Digest = Owner<EVP_MD_CTX, EVP_MD_CTX_free>;

// A refusal is fast, and no figure.
void must(int worked) {
    if (worked == 1) return;
    std::fputs(queued_errors().c_str(), stderr);
    std::abort();
}

void sign(const Library& library, const Key& key, const Octets& message, Octets& signature) {
    const Digest context(EVP_MD_CTX_new());
    std::size_t size = signature.size();
    must(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, library, nullptr, key.get(),
                               nullptr));
    must(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()));
    signature.resize(size);
}

void verify(const Library& library, const Key& key, const Octets& message,
            const Octets& signature) {
    const Digest context(EVP_MD_CTX_new());
    must(EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, library, nullptr, key.get(),
                                 nullptr));
    must(EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()));
}

Key public_of(const Library& library, const char* name, const Key& key) {
    return import_key(library, name, {{"pub", part(key, "pub")}}, EVP_PKEY_PUBLIC_KEY);
}

// Keys, a message of the size of TLS's CertificateVerify, and signatures.
struct Side {
    Side(const Library& from, std::vector<const char*> algorithms)
        : library(from), names(std::move(algorithms)) {
        for (const char* const name : names) {
            keys.push_back(generate(library, name));
            publics.push_back(public_of(library, name, keys.back()));
            unsigned char* info = nullptr;
            const int size = i2d_PUBKEY(keys.back().get(), &info);
            must(size > 0 ? 1 : 0);
            infos.emplace_back(info, info + size);
            OPENSSL_free(info);
            signatures.emplace_back(5000);
            quoin::provider::test::sign(library, keys.back(), message, signatures.back());
        }
    }
    void sign() {
        for (std::size_t i = 0; i < names.size(); ++i) {
            quoin::provider::test::sign(library, keys[i], message, signatures[i]);
        }
    }
    void verify() {
        for (std::size_t i = 0; i < names.size(); ++i) {
            quoin::provider::test::verify(library, publics[i], message, signatures[i]);
        }
    }
    // With a key that was just read, as that of a TLS peer.
    void verify_once() {
        for (std::size_t i = 0; i < names.size(); ++i) {
            const Key fresh = public_of(library, names[i], publics[i]);
            quoin::provider::test::verify(library, fresh, message, signatures[i]);
        }
    }
    // As libssl does with each certificate.
    void decode() {
        for (std::size_t i = 0; i < names.size(); ++i) {
            const unsigned char* at = infos[i].data();
            const Key key(
                d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(infos[i].size()), library, nullptr));
            must(key != nullptr ? 1 : 0);
        }
    }
    void make_key() {
        for (const char* const name : names) must(generate(library, name) != nullptr ? 1 : 0);
    }

    const Library& library;
    std::vector<const char*> names;
    Octets message = pattern(130);
    std::vector<Key> keys;
    std::vector<Key> publics;
    std::vector<Octets> infos;  // SubjectPublicKeyInfo
    std::vector<Octets> signatures;
};

void report(const std::string& name, Side& ours, Side& theirs) {
    const auto line = [&](const char* what, auto operation) {
        std::puts(crypto::speed::json_line(
                      crypto::speed::compare(
                          fmt::format("{} {}", name, what), [&] { (ours.*operation)(); },
                          [&] { (theirs.*operation)(); }),
                      "default")
                      .c_str());
    };
    line("sign", &Side::sign);
    line("verify", &Side::verify);
    line("read the key and verify", &Side::verify_once);
    line("decode SubjectPublicKeyInfo", &Side::decode);
    line("generate", &Side::make_key);
}

int run() {
    const Library ours = Library::ours();
    const Library theirs = Library::theirs();
    struct Row {
        const char* name;
        std::vector<const char*> peers;
    };
    for (const Row& row : {Row{"ML-DSA-44", {"ML-DSA-44"}}, Row{"ML-DSA-65", {"ML-DSA-65"}},
                           Row{"ML-DSA-87", {"ML-DSA-87"}},
                           Row{"id-MLDSA44-Ed25519-SHA512", {"ML-DSA-44", "ED25519"}},
                           Row{"id-MLDSA65-Ed25519-SHA512", {"ML-DSA-65", "ED25519"}}}) {
        Side mine(ours, {row.name});
        Side other(theirs, row.peers);
        if (provider_of(mine.keys[0].get()) != "quoin") std::abort();
        report(row.name, mine, other);
    }
    return 0;
}

}  // namespace
}  // namespace quoin::provider::test

int main() { return quoin::provider::test::run(); }
