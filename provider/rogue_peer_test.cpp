// A TLS peer whose certificate is sound and whose CertificateVerify is not: a half wrong or
// missing, halves swapped, too short, too long, in the encoding of the old drafts. Its provider is
// ours with the signer's results altered.
#include <dlfcn.h>
#include <openssl/core_dispatch.h>

#include <algorithm>
#include <array>
#include <functional>
#include <ostream>

#include "provider/tls_fixture.hpp"

namespace quoin::provider::test {
namespace {

using Damage = std::function<void(Octets&)>;

// What the rogue does with each signature it makes. A test is one thread.
struct Rogue {
    std::string_view algorithm;
    Damage damage;
    OSSL_FUNC_provider_query_operation_fn* query = nullptr;
    OSSL_FUNC_signature_digest_sign_fn* sign = nullptr;
    std::array<OSSL_DISPATCH, 16> provider{};
    std::array<OSSL_DISPATCH, 32> signature{};
    std::array<OSSL_ALGORITHM, 2> algorithms{};
};
Rogue rogue;

int sign_wrongly(void* context, unsigned char* out, std::size_t* size, std::size_t room,
                 const unsigned char* message, std::size_t message_size) {
    if (out == nullptr) {
        // Room for what is longer than a signature.
        const int told = rogue.sign(context, nullptr, size, 0, message, message_size);
        *size += 100;
        return told;
    }
    if (rogue.sign(context, out, size, room, message, message_size) != 1) return 0;
    Octets signature(out, out + *size);
    if (rogue.damage) rogue.damage(signature);
    std::ranges::copy(signature, out);
    *size = signature.size();
    return 1;
}

template <std::size_t Size>
void copy_table(const OSSL_DISPATCH* from, std::array<OSSL_DISPATCH, Size>& to) {
    for (OSSL_DISPATCH& entry : to) {
        entry = *from;
        if (from->function_id == 0) return;
        ++from;
    }
    std::abort();
}

OSSL_DISPATCH& entry_of(std::span<OSSL_DISPATCH> table, int id) {
    return *std::ranges::find(table, id, &OSSL_DISPATCH::function_id);
}

const OSSL_ALGORITHM* query(void* context, int operation, int* no_cache) {
    const OSSL_ALGORITHM* const sound = rogue.query(context, operation, no_cache);
    if (operation != OSSL_OP_SIGNATURE) return sound;
    const OSSL_ALGORITHM* row = sound;
    while (!std::string_view(row->algorithm_names).starts_with(rogue.algorithm)) ++row;
    copy_table(row->implementation, rogue.signature);
    OSSL_DISPATCH& signer = entry_of(rogue.signature, OSSL_FUNC_SIGNATURE_DIGEST_SIGN);
    rogue.sign = reinterpret_cast<OSSL_FUNC_signature_digest_sign_fn*>(signer.function);
    signer.function = reinterpret_cast<void (*)()>(sign_wrongly);
    rogue.algorithms[0] = *row;
    rogue.algorithms[0].implementation = rogue.signature.data();
    return rogue.algorithms.data();
}

int start_rogue(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* from_core,
                const OSSL_DISPATCH** functions, void** context) {
    static void* const library = dlopen(QUOIN_PROVIDER_FOLDER "/quoin.so", RTLD_NOW);
    if (library == nullptr) return 0;
    auto* const start =
        reinterpret_cast<OSSL_provider_init_fn*>(dlsym(library, "OSSL_provider_init"));
    if (start == nullptr || start(core, from_core, functions, context) != 1) return 0;
    copy_table(*functions, rogue.provider);
    OSSL_DISPATCH& queries = entry_of(rogue.provider, OSSL_FUNC_PROVIDER_QUERY_OPERATION);
    rogue.query = reinterpret_cast<OSSL_FUNC_provider_query_operation_fn*>(queries.function);
    queries.function = reinterpret_cast<void (*)()>(query);
    *functions = rogue.provider.data();
    return 1;
}

Key read_back(OSSL_LIB_CTX* library, const Key& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PrivateKey(key.get(), &der);
    const unsigned char* at = der;
    Key copy(d2i_AutoPrivateKey_ex(nullptr, &at, size, library, nullptr));
    OPENSSL_free(der);
    return copy;
}

Certificate read_back(OSSL_LIB_CTX* library, const Certificate& certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    const unsigned char* at = der;
    X509* copy = X509_new_ex(library, nullptr);
    d2i_X509(&copy, &at, size);
    OPENSSL_free(der);
    return Certificate(copy);
}

struct Composite {
    const char* name;
    std::size_t lattice_size;  // of its ML-DSA half of a signature
};

class rogue_peer : public testing::TestWithParam<Composite> {
protected:
    void SetUp() override {
        rogue.algorithm = GetParam().name;
        ASSERT_EQ(OSSL_PROVIDER_add_builtin(theirs_.get(), "rogue", start_rogue), 1);
        default_.reset(OSSL_PROVIDER_load(theirs_.get(), "default"));
        loaded_.reset(OSSL_PROVIDER_load(theirs_.get(), "rogue"));
        ASSERT_NE(loaded_, nullptr) << queued_errors();
    }
    void TearDown() override {
        rogue.damage = {};
        ERR_clear_error();
    }

    // What our end says of the rogue, which has `damage` in its signature; empty: nothing wrong.
    std::string verdict(bool rogue_is_server, Damage damage) {
        const Key good_key = generate(ours_, name_), bad_key = generate(ours_, name_);
        const Certificate good = certify(ours_, good_key, "good");
        const Certificate bad = certify(ours_, bad_key, "bad");
        rogue.damage = std::move(damage);
        End ours(ours_, good_key, good, bad, !rogue_is_server);
        End theirs(theirs_.get(), read_back(theirs_.get(), bad_key), read_back(theirs_.get(), bad),
                   read_back(theirs_.get(), good), rogue_is_server);
        ERR_clear_error();
        for (int i = 0; i < 6; ++i) {
            SSL_do_handshake(theirs.session.get());
            carry(theirs, ours);
            ERR_clear_error();
            const int result = SSL_do_handshake(ours.session.get());
            if (result != 1 && SSL_get_error(ours.session.get(), result) == SSL_ERROR_SSL) {
                return queued_errors();
            }
            carry(ours, theirs);
        }
        return SSL_is_init_finished(ours.session.get()) == 1 ? "" : "unfinished";
    }

    const char* const name_ = GetParam().name;
    const Library ours_ = Library::ours();
    Owner<OSSL_LIB_CTX, OSSL_LIB_CTX_free> theirs_{OSSL_LIB_CTX_new()};
    Owner<OSSL_PROVIDER, OSSL_PROVIDER_unload> default_;
    Owner<OSSL_PROVIDER, OSSL_PROVIDER_unload> loaded_;
};

INSTANTIATE_TEST_SUITE_P(, rogue_peer,
                         testing::Values(Composite{"id-MLDSA44-Ed25519-SHA512", 2420},
                                         Composite{"id-MLDSA65-Ed25519-SHA512", 3309}),
                         [](const auto& one) { return std::string(one.param.name).substr(3, 7); });

TEST_P(rogue_peer, certificate_verify__untouched__connected) {
    EXPECT_EQ(verdict(true, {}), "");
    EXPECT_EQ(verdict(false, {}), "");
}

TEST_P(rogue_peer, certificate_verify__damaged__refused_as_bad_signature) {
    const std::size_t lattice = GetParam().lattice_size;
    const auto bit_string = [](std::span<const std::uint8_t> bytes) {
        const std::size_t size = bytes.size() + 1;
        Octets out = {0x03, 0x82, static_cast<std::uint8_t>(size >> 8U),
                      static_cast<std::uint8_t>(size), 0};
        out.insert(out.end(), bytes.begin(), bytes.end());
        return out;
    };
    struct Case {
        const char* what;
        Damage damage;
    };
    const Case cases[] = {
        {"ML-DSA half wrong", [](Octets& s) { s[100] ^= 1; }},
        {"Ed25519 half wrong", [&](Octets& s) { s[lattice + 1] ^= 1; }},
        {"no ML-DSA half", [&](Octets& s) { std::fill_n(s.begin(), lattice, 0); }},
        {"no Ed25519 half", [&](Octets& s) { std::fill_n(s.end() - 64, 64, 0); }},
        {"halves swapped", [](Octets& s) { std::ranges::rotate(s, s.end() - 64); }},
        {"truncated", [](Octets& s) { s.pop_back(); }},
        {"ML-DSA half alone", [&](Octets& s) { s.resize(lattice); }},
        {"trailing byte", [](Octets& s) { s.push_back(0); }},
        {"empty", [](Octets& s) { s.clear(); }},
        {"encoding of the old drafts", [&](Octets& s) {
             Octets both = bit_string(std::span(s).first(lattice));
             const Octets curve = bit_string(std::span(s).last(64));
             both.insert(both.end(), curve.begin(), curve.end());
             s = {0x30, 0x82, static_cast<std::uint8_t>(both.size() >> 8U),
                  static_cast<std::uint8_t>(both.size())};
             s.insert(s.end(), both.begin(), both.end());
         }}};
    for (const Case& one : cases) {
        for (const bool rogue_is_server : {true, false}) {
            EXPECT_NE(verdict(rogue_is_server, one.damage).find("bad signature"), std::string::npos)
                << one.what << (rogue_is_server ? ", server" : ", client");
        }
    }
}

}  // namespace
}  // namespace quoin::provider::test
