// The KEMs through EVP: our provider beside the default one, by turns in one process; and what EVP
// adds to the arithmetic of core/crypto. One JSON line a measurement.
#include <cstdio>
#include <cstdlib>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "host/crypto/processor.hpp"
#include "host/crypto/speed.hpp"
#include "provider/fixture.hpp"

namespace quoin::provider::test {
namespace {

// A refusal is fast, and no figure.
void must(int worked) {
    if (worked == 1) return;
    std::fputs(queued_errors().c_str(), stderr);
    std::abort();
}

KeyContext context_of(const Library& library, const Key& key) {
    return KeyContext(EVP_PKEY_CTX_new_from_pkey(library, key.get(), nullptr));
}

// What libssl does for its first share: a key, and its encoding.
void make_share(const Library& library, const char* name) {
    const KeyContext context(EVP_PKEY_CTX_new_from_name(library, name, nullptr));
    EVP_PKEY* key = nullptr;
    must(EVP_PKEY_keygen_init(context.get()));
    must(EVP_PKEY_keygen(context.get(), &key));
    unsigned char* share = nullptr;
    must(EVP_PKEY_get1_encoded_public_key(key, &share) != 0 ? 1 : 0);
    OPENSSL_free(share);
    EVP_PKEY_free(key);
}

// And for the answer to it: an empty key that takes the share, and an encapsulation.
void answer_share(const Library& library, const char* name, const Octets& share) {
    const KeyContext parameters(EVP_PKEY_CTX_new_from_name(library, name, nullptr));
    EVP_PKEY* empty = nullptr;
    must(EVP_PKEY_paramgen_init(parameters.get()));
    must(EVP_PKEY_paramgen(parameters.get(), &empty));
    const Key peer(empty);
    must(EVP_PKEY_set1_encoded_public_key(peer.get(), share.data(), share.size()));
    const KeyContext context = context_of(library, peer);
    std::array<std::uint8_t, 1568> ciphertext;
    std::array<std::uint8_t, 64> secret;
    std::size_t size = ciphertext.size();
    std::size_t secret_size = secret.size();
    must(EVP_PKEY_encapsulate_init(context.get(), nullptr));
    must(
        EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &size, secret.data(), &secret_size));
}

void finish(const Library& library, const Key& key, const Octets& ciphertext) {
    const KeyContext context = context_of(library, key);
    std::array<std::uint8_t, 64> secret;
    std::size_t size = secret.size();
    must(EVP_PKEY_decapsulate_init(context.get(), nullptr));
    must(EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(),
                              ciphertext.size()));
}

Octets ciphertext_for(const Library& library, const Key& key) {
    const KeyContext context = context_of(library, key);
    std::size_t size = 0;
    std::size_t secret_size = 64;
    std::array<std::uint8_t, 64> secret;
    must(EVP_PKEY_encapsulate_init(context.get(), nullptr));
    must(EVP_PKEY_encapsulate(context.get(), nullptr, &size, nullptr, nullptr));
    Octets ciphertext(size);
    must(
        EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &size, secret.data(), &secret_size));
    return ciphertext;
}

void report(const crypto::speed::Outcome& outcome) {
    std::puts(crypto::speed::json_line(outcome, "default").c_str());
}

void measure(const Library& ours, const Library& theirs, const char* name) {
    using crypto::speed::compare;
    const Key mine = generate(ours, name);
    const Key other = generate(theirs, name);
    const Octets share = part(other, "encoded-pub-key");
    const Octets ciphertext = ciphertext_for(theirs, other);
    report(compare(
        fmt::format("{} first share", name), [&] { make_share(ours, name); },
        [&] { make_share(theirs, name); }));
    report(compare(
        fmt::format("{} answer", name), [&] { answer_share(ours, name, share); },
        [&] { answer_share(theirs, name, share); }));
    report(compare(
        fmt::format("{} finish", name), [&] { finish(ours, mine, ciphertext); },
        [&] { finish(theirs, other, ciphertext); }));
}

// EVP's part: ML-KEM-768 through the provider ("ours") against the bare arithmetic.
template <class Backend>
void measure_overhead(const Library& ours) {
    using Set = core::ml_kem::Set768;
    using crypto::speed::compare;
    static core::ml_kem::Workspace<Set, Backend> workspace;
    std::array<std::uint8_t, Set::encapsulation_key_size> ek{};
    std::array<std::uint8_t, Set::decapsulation_key_size> dk{};
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
    std::array<std::uint8_t, 32> secret{};
    const std::array<std::uint8_t, 32> random{1, 2, 3};
    const auto generate_bare = [&] {
        core::ml_kem::generate<Set, Backend>(ek, dk, random, random, workspace);
    };
    generate_bare();
    const auto line = [&](const char* what, const std::function<void()>& evp,
                          const std::function<void()>& bare) {
        std::puts(crypto::speed::json_line(compare(what, evp, bare), "bare").c_str());
    };
    const Key key = generate(ours, "ML-KEM-768");
    const Octets share = part(key, "pub");
    const Octets sent = ciphertext_for(ours, key);
    line("ML-KEM-768 first share, EVP", [&] { make_share(ours, "ML-KEM-768"); }, generate_bare);
    line(
        "ML-KEM-768 answer, EVP", [&] { answer_share(ours, "ML-KEM-768", share); },
        [&] {
            const auto checked = core::ml_kem::EncapsulationKey<Set>::template check<Backend>(ek);
            if (!checked) std::abort();
            core::ml_kem::encapsulate<Set, Backend>(secret, ciphertext, *checked, random,
                                                    workspace);
        });
    line(
        "ML-KEM-768 finish, EVP", [&] { finish(ours, key, sent); },
        [&] {
            core::ml_kem::decapsulate<Set, Backend>(
                secret, core::ml_kem::DecapsulationKey<Set>::danger_unchecked(dk), ciphertext,
                workspace);
        });
    std::array<std::uint8_t, 64> drawn{};
    report(compare("RAND_priv_bytes_ex of 64 bytes",
                   [&] { must(RAND_priv_bytes_ex(ours, drawn.data(), drawn.size(), 256)); }, {}));
}

int run() {
    const Library ours = Library::ours();
    const Library theirs = Library::theirs();
    for (const char* const name : {"X25519MLKEM768", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"}) {
        if (provider_of(generate(ours, name).get()) != "quoin") std::abort();
        measure(ours, theirs, name);
    }
    const crypto::Processor& processor = crypto::processor();
    if (core::avx2_is_built && processor.avx512) {
        measure_overhead<core::Avx512>(ours);
    } else if (core::avx2_is_built && processor.avx2) {
        measure_overhead<core::Avx2>(ours);
    } else {
        measure_overhead<core::Portable>(ours);
    }
    return 0;
}

}  // namespace
}  // namespace quoin::provider::test

int main() { return quoin::provider::test::run(); }
