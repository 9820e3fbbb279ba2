// Our keys and KEMs beside the default provider's: the same bytes, the same refusals.
#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>

#include <ostream>

#include "provider/fixture.hpp"

namespace quoin::provider::test {
namespace {

struct Algorithm {
    const char* name;
    bool has_seeds;
    std::size_t public_key;
    std::size_t private_key;
    std::size_t ciphertext;
    std::size_t secret;
};
void PrintTo(const Algorithm& algorithm, std::ostream* out) { *out << algorithm.name; }

constexpr Algorithm ml_kems[] = {{"ML-KEM-512", true, 800, 1632, 768, 32},
                                 {"ML-KEM-768", true, 1184, 2400, 1088, 32},
                                 {"ML-KEM-1024", true, 1568, 3168, 1568, 32}};
constexpr Algorithm all[] = {
    ml_kems[0], ml_kems[1], ml_kems[2], {"X25519MLKEM768", false, 1216, 2432, 1120, 64}};
constexpr const char* part_names[] = {"seed", "priv", "pub", "encoded-pub-key"};

std::string name_of(const testing::TestParamInfo<Algorithm>& info) {
    std::string name = info.param.name;
    std::erase(name, '-');
    return name;
}

struct Encapsulated {
    int worked = 0;
    Octets ciphertext;
    Octets secret;
};

Encapsulated encapsulate(const Library& library, const Key& key, Octets ikme = {}) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, ikme.data(), ikme.size()),
        OSSL_PARAM_construct_end()};
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key.get(), nullptr));
    Encapsulated result;
    std::size_t ciphertext = 0;
    std::size_t secret = 0;
    if (EVP_PKEY_encapsulate_init(context.get(), ikme.empty() ? nullptr : parameters) != 1 ||
        EVP_PKEY_encapsulate(context.get(), nullptr, &ciphertext, nullptr, &secret) != 1) {
        return result;
    }
    result.ciphertext.resize(ciphertext);
    result.secret.resize(secret);
    result.worked = EVP_PKEY_encapsulate(context.get(), result.ciphertext.data(), &ciphertext,
                                         result.secret.data(), &secret);
    return result;
}

// Empty if refused.
Octets decapsulate(const Library& library, const Key& key, const Octets& ciphertext) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key.get(), nullptr));
    std::size_t size = 0;
    if (EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
        EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data(), ciphertext.size()) !=
            1) {
        return {};
    }
    Octets secret(size);
    if (EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(),
                             ciphertext.size()) != 1) {
        return {};
    }
    return secret;
}

Octets encode(const Key& key, int selection, const char* format, const char* structure) {
    const Owner<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free> context(
        OSSL_ENCODER_CTX_new_for_pkey(key.get(), selection, format, structure, nullptr));
    unsigned char* data = nullptr;
    std::size_t size = 0;
    if (OSSL_ENCODER_to_data(context.get(), &data, &size) != 1) return {};
    Octets encoded(data, data + size);
    OPENSSL_free(data);
    return encoded;
}

Key decode(const Library& library, const Octets& encoded, const char* structure) {
    EVP_PKEY* key = nullptr;
    const Owner<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free> context(
        OSSL_DECODER_CTX_new_for_pkey(&key, nullptr, structure, nullptr, 0, library, nullptr));
    const unsigned char* data = encoded.data();
    std::size_t size = encoded.size();
    if (OSSL_DECODER_from_data(context.get(), &data, &size) != 1) return nullptr;
    return Key(key);
}

// The encodings of a key that programs write.
struct Encodings {
    Octets pkcs8 = {};
    Octets pkcs8_pem = {};
    Octets spki = {};
    Octets spki_pem = {};
    Octets text = {};
    Octets public_text = {};
    bool operator==(const Encodings&) const = default;
};

Encodings encodings(const Key& key) {
    return {encode(key, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo"),
            encode(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo"),
            encode(key, EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo"),
            encode(key, EVP_PKEY_PUBLIC_KEY, "PEM", "SubjectPublicKeyInfo"),
            encode(key, EVP_PKEY_KEYPAIR, "TEXT", nullptr),
            encode(key, EVP_PKEY_PUBLIC_KEY, "TEXT", nullptr)};
}

class Kem : public testing::TestWithParam<Algorithm> {
protected:
    const Library ours = Library::ours();
    const Library theirs = Library::theirs();
    const std::string name = GetParam().name;

    void TearDown() override { ERR_clear_error(); }

    // The same private key on both sides.
    std::pair<Key, Key> both() const {
        Key first = generate(theirs, name);
        Key second = import_key(ours, name, {{"priv", part(first, "priv")}});
        return {std::move(second), std::move(first)};
    }
    // Does an import end in the same way on both sides, with the same reason?
    void expect_same_import(const std::vector<Part>& parts, bool taken) const {
        EXPECT_EQ(import_key(theirs, name, parts) != nullptr, taken);
        const int reason = first_reason();
        EXPECT_EQ(import_key(ours, name, parts) != nullptr, taken);
        EXPECT_EQ(first_reason(), reason);
    }
};
class MlKem : public Kem {
protected:
    static Octets seed() { return pattern(64, 3); }
};
class Hybrid : public Kem {};
INSTANTIATE_TEST_SUITE_P(, Hybrid, testing::Values(all[3]), name_of);
INSTANTIATE_TEST_SUITE_P(, Kem, testing::ValuesIn(all), name_of);
INSTANTIATE_TEST_SUITE_P(, MlKem, testing::ValuesIn(ml_kems), name_of);

TEST_P(Kem, fetch__ours_preferred__ours_and_the_default_provider_without) {
    EXPECT_EQ(provider_of(generate(ours, name).get()), "quoin") << queued_errors();
    EXPECT_EQ(provider_of(generate(theirs, name).get()), "default");
    const Owner<EVP_KEM, EVP_KEM_free> kem(EVP_KEM_fetch(ours, name.c_str(), nullptr));
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_KEM_get0_provider(kem.get())), "quoin");
}

TEST_P(Kem, sizes_and_bits__both_sides__the_same) {
    const auto [mine, other] = both();
    EXPECT_EQ(EVP_PKEY_get_bits(mine.get()), EVP_PKEY_get_bits(other.get()));
    EXPECT_EQ(EVP_PKEY_get_security_bits(mine.get()), EVP_PKEY_get_security_bits(other.get()));
    EXPECT_EQ(EVP_PKEY_get_size(mine.get()), EVP_PKEY_get_size(other.get()));
    EXPECT_EQ(part(mine, "priv").size(), GetParam().private_key);
    EXPECT_EQ(part(mine, "encoded-pub-key").size(), GetParam().public_key);
    EXPECT_EQ(encapsulate(ours, mine).ciphertext.size(), GetParam().ciphertext);
    EXPECT_EQ(encapsulate(ours, mine).secret.size(), GetParam().secret);
}

TEST_P(Kem, parts__of_an_imported_key__the_same) {
    const auto [mine, other] = both();
    for (const char* const what : {"priv", "encoded-pub-key"}) {
        EXPECT_EQ(part(mine, what), part(other, what)) << what;
    }
    EXPECT_EQ(provider_of(mine.get()), "quoin");
}

TEST_P(Kem, secret__across_the_providers__the_same) {
    const auto [mine, other] = both();
    const Encapsulated from_ours = encapsulate(ours, mine);
    ASSERT_EQ(from_ours.worked, 1) << queued_errors();
    EXPECT_EQ(decapsulate(theirs, other, from_ours.ciphertext), from_ours.secret);
    const Encapsulated from_theirs = encapsulate(theirs, other);
    EXPECT_EQ(decapsulate(ours, mine, from_theirs.ciphertext), from_theirs.secret);
    EXPECT_NE(from_ours.secret, from_theirs.secret);
    EXPECT_NE(from_ours.secret, encapsulate(ours, mine).secret);
}

TEST_P(Kem, secret__of_a_public_key_alone__the_private_one_finds_it) {
    const auto [mine, other] = both();
    const Octets bytes = part(other, "encoded-pub-key");
    const Key peer = import_key(ours, name, {{"pub", bytes}}, EVP_PKEY_PUBLIC_KEY);
    ASSERT_NE(peer, nullptr) << queued_errors();
    const Encapsulated sent = encapsulate(ours, peer);
    EXPECT_EQ(decapsulate(theirs, other, sent.ciphertext), sent.secret);
    EXPECT_TRUE(decapsulate(ours, peer, sent.ciphertext).empty()) << "a public key opened it";
}

TEST_P(Kem, decapsulation__damaged_ml_kem_ciphertext__the_same_other_secret) {
    const auto [mine, other] = both();
    Encapsulated sent = encapsulate(ours, mine);
    sent.ciphertext[5] ^= 1;
    const Octets rejected = decapsulate(ours, mine, sent.ciphertext);
    EXPECT_EQ(rejected.size(), GetParam().secret);
    EXPECT_NE(rejected, sent.secret);
    EXPECT_EQ(rejected, decapsulate(theirs, other, sent.ciphertext));
}

TEST_P(Kem, decapsulation__wrong_length__refused_by_both) {
    const auto [mine, other] = both();
    const Octets good = encapsulate(ours, mine).ciphertext;
    for (Octets bad : {Octets(good.begin(), good.end() - 1), Octets(good.begin(), good.begin()),
                       Octets(good.size() + 1, 0)}) {
        bad.reserve(1);  // OpenSSL takes no null pointer
        EXPECT_TRUE(decapsulate(ours, mine, bad).empty());
        EXPECT_TRUE(decapsulate(theirs, other, bad).empty());
    }
}

TEST_P(Kem, encapsulation__too_small_a_buffer__refused_for_the_same_reason) {
    const auto [mine, other] = both();
    for (const auto& [less_ciphertext, less_secret] :
         {std::pair<std::size_t, std::size_t>{1, 0}, {0, 1}}) {
        int reasons[2];
        for (int side = 0; side < 2; ++side) {
            const KeyContext context(EVP_PKEY_CTX_new_from_pkey(
                side == 0 ? ours : theirs, side == 0 ? mine.get() : other.get(), nullptr));
            Octets ciphertext(GetParam().ciphertext);
            Octets secret(GetParam().secret);
            std::size_t ciphertext_size = ciphertext.size() - less_ciphertext;
            std::size_t secret_size = secret.size() - less_secret;
            ASSERT_EQ(EVP_PKEY_encapsulate_init(context.get(), nullptr), 1);
            EXPECT_LE(EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &ciphertext_size,
                                           secret.data(), &secret_size),
                      0);
            reasons[side] = first_reason();
        }
        EXPECT_EQ(reasons[0], reasons[1]);
    }
}

TEST_P(Kem, equality__across_the_providers__by_the_public_key) {
    const auto [mine, other] = both();
    EXPECT_EQ(EVP_PKEY_eq(mine.get(), other.get()), 1);
    EXPECT_EQ(EVP_PKEY_eq(other.get(), mine.get()), 1);
    EXPECT_EQ(EVP_PKEY_eq(mine.get(), generate(ours, name).get()), 0);
    const Key copy(EVP_PKEY_dup(mine.get()));
    ASSERT_NE(copy, nullptr) << queued_errors();
    EXPECT_EQ(EVP_PKEY_eq(copy.get(), mine.get()), 1);
    EXPECT_EQ(part(copy, "priv"), part(other, "priv"));
}

TEST_P(Kem, check__sound_key__sound) {
    const auto [mine, other] = both();
    for (const EVP_PKEY* const key : {mine.get(), other.get()}) {
        const KeyContext context(EVP_PKEY_CTX_new_from_pkey(key == mine.get() ? ours : theirs,
                                                            const_cast<EVP_PKEY*>(key), nullptr));
        EXPECT_EQ(EVP_PKEY_check(context.get()), 1);
        EXPECT_EQ(EVP_PKEY_pairwise_check(context.get()), 1);
        EXPECT_EQ(EVP_PKEY_public_check(context.get()), 1);
    }
}

TEST_P(Kem, import__parts_that_are_wrong__refused_for_the_same_reason) {
    const Key key = generate(theirs, name);
    const Octets sound = part(key, "priv");
    const Octets open = part(key, "encoded-pub-key");
    expect_same_import({{"priv", sound}}, true);
    expect_same_import({{"priv", sound}, {"pub", open}}, true);
    expect_same_import({}, false);
    expect_same_import({{"priv", Octets(sound.begin(), sound.end() - 1)}}, false);
    expect_same_import({{"pub", Octets(open.begin(), open.end() - 1)}}, false);
    Octets damaged = sound;
    damaged[GetParam().private_key - (GetParam().has_seeds ? 40 : 72)] ^= 1;  // in H(ek)
    expect_same_import({{"priv", damaged}}, false);
    damaged = sound;
    damaged[0] ^= 1;  // in s: the pairwise test finds it
    EXPECT_EQ(import_key(theirs, name, {{"priv", damaged}}), nullptr);
    EXPECT_EQ(import_key(ours, name, {{"priv", damaged}}), nullptr);
    Octets out_of_range = open;
    out_of_range[0] = out_of_range[1] = 0xFF;  // a coefficient of 4095: not less than q
    EXPECT_EQ(import_key(theirs, name, {{"pub", out_of_range}}), nullptr);
    EXPECT_EQ(import_key(ours, name, {{"pub", out_of_range}}), nullptr);
}

TEST_P(Kem, import__public_key_of_another__refused) {
    const auto [mine, other] = both();
    const Octets stranger = part(generate(theirs, name), "encoded-pub-key");
    EXPECT_EQ(import_key(ours, name, {{"priv", part(mine, "priv")}, {"pub", stranger}}), nullptr);
}

TEST_P(Kem, share__set_as_tls_does__once_and_checked) {
    const Octets share = part(generate(theirs, name), "encoded-pub-key");
    for (const Library* const library : {&ours, &theirs}) {
        const auto empty = [&] {
            const KeyContext context(EVP_PKEY_CTX_new_from_name(*library, name.c_str(), nullptr));
            EVP_PKEY* key = nullptr;
            EXPECT_EQ(EVP_PKEY_paramgen_init(context.get()), 1);
            EXPECT_EQ(EVP_PKEY_paramgen(context.get(), &key), 1) << queued_errors();
            return Key(key);
        };
        const Key key = empty();
        EXPECT_EQ(EVP_PKEY_set1_encoded_public_key(key.get(), share.data(), share.size() - 1), 0);
        EXPECT_EQ(EVP_PKEY_set1_encoded_public_key(key.get(), share.data(), 0), 0);
        EXPECT_EQ(EVP_PKEY_set1_encoded_public_key(key.get(), share.data(), share.size()), 1);
        EXPECT_EQ(part(key, "encoded-pub-key"), share);
        EXPECT_EQ(EVP_PKEY_set1_encoded_public_key(key.get(), share.data(), share.size()), 0)
            << "a key was changed";
        Octets bad = share;
        bad[0] = bad[1] = 0xFF;
        EXPECT_EQ(EVP_PKEY_set1_encoded_public_key(empty().get(), bad.data(), bad.size()), 0);
    }
}

TEST_P(Hybrid, x25519_half__of_small_order__refused_and_nothing_is_given) {
    const auto [mine, other] = both();
    Octets share = part(mine, "encoded-pub-key");
    std::fill(share.end() - 32, share.end(), 0);
    for (const Library* const library : {&ours, &theirs}) {
        const Key peer = import_key(*library, name, {{"pub", share}}, EVP_PKEY_PUBLIC_KEY);
        ASSERT_NE(peer, nullptr);
        const Encapsulated sent = encapsulate(*library, peer);
        EXPECT_LE(sent.worked, 0);
        if (library == &ours) {
            EXPECT_EQ(sent.secret, Octets(64));
        }
    }
    Octets ciphertext = encapsulate(ours, mine).ciphertext;
    std::fill(ciphertext.end() - 32, ciphertext.end(), 0);
    EXPECT_TRUE(decapsulate(ours, mine, ciphertext).empty());
    EXPECT_TRUE(decapsulate(theirs, other, ciphertext).empty());
}

TEST_P(MlKem, key__from_one_seed__every_part_and_encoding_the_same) {
    const Key mine = import_key(ours, name, {{"seed", seed()}});
    const Key other = import_key(theirs, name, {{"seed", seed()}});
    ASSERT_EQ(provider_of(mine.get()), "quoin") << queued_errors();
    for (const char* const what : part_names) EXPECT_EQ(part(mine, what), part(other, what));
    EXPECT_EQ(part(mine, "seed"), seed());
    const Encodings written = encodings(mine);
    EXPECT_EQ(written, encodings(other));
    EXPECT_FALSE(written.pkcs8.empty() || written.spki_pem.empty() || written.text.empty());
}

TEST_P(MlKem, generation__with_a_seed__deterministic_and_once) {
    Octets given = seed();
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string("seed", given.data(), given.size()),
        OSSL_PARAM_construct_end()};
    Octets keys[2][2];
    for (int side = 0; side < 2; ++side) {
        const KeyContext context(
            EVP_PKEY_CTX_new_from_name(side == 0 ? ours : theirs, name.c_str(), nullptr));
        ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
        ASSERT_EQ(EVP_PKEY_CTX_set_params(context.get(), parameters), 1);
        for (Octets& key : keys[side]) {
            EVP_PKEY* generated = nullptr;
            ASSERT_EQ(EVP_PKEY_generate(context.get(), &generated), 1);
            key = part(Key(generated), "priv");
        }
        OSSL_PARAM short_seed[] = {OSSL_PARAM_construct_octet_string("seed", given.data(), 63),
                                   OSSL_PARAM_construct_end()};
        EXPECT_LE(EVP_PKEY_CTX_set_params(context.get(), short_seed), 0);
    }
    EXPECT_EQ(keys[0][0], keys[1][0]);
    EXPECT_NE(keys[0][1], keys[0][0]) << "a seed was used twice";
}

TEST_P(MlKem, encapsulation__with_ikme__the_same_bytes) {
    const auto [mine, other] = both();
    const Encapsulated a = encapsulate(ours, mine, pattern(32, 9));
    const Encapsulated b = encapsulate(theirs, other, pattern(32, 9));
    ASSERT_EQ(a.worked, 1) << queued_errors();
    EXPECT_EQ(a.ciphertext, b.ciphertext);
    EXPECT_EQ(a.secret, b.secret);
    EXPECT_EQ(encapsulate(ours, mine, pattern(31)).worked, 0);
    EXPECT_EQ(encapsulate(theirs, other, pattern(31)).worked, 0);
}

TEST_P(MlKem, private_key_files__every_form__read_and_written_as_the_default_provider) {
    const Key other = import_key(theirs, name, {{"seed", seed()}});
    for (const char* const form :
         {"seed-priv", "priv-only", "oqskeypair", "seed-only", "bare-seed", "bare-priv"}) {
        // A context of its own, as the form is a setting of the default provider.
        const Library writer = Library::theirs();
        ASSERT_EQ(
            OSSL_PROVIDER_add_conf_parameter(writer.provider(0), "ml-kem.output_formats", form), 1);
        const Octets file = encode(import_key(writer, name, {{"seed", seed()}}), EVP_PKEY_KEYPAIR,
                                   "DER", "PrivateKeyInfo");
        ASSERT_FALSE(file.empty()) << form << queued_errors();
        const Key mine = decode(ours, file, "PrivateKeyInfo");
        ASSERT_NE(mine, nullptr) << form << queued_errors();
        EXPECT_EQ(encodings(mine), encodings(decode(theirs, file, "PrivateKeyInfo"))) << form;
        const Encapsulated sent = encapsulate(theirs, other);
        EXPECT_EQ(decapsulate(ours, mine, sent.ciphertext), sent.secret) << form;
    }
}

TEST_P(MlKem, public_key_files__read__encapsulate_to_them) {
    const auto [mine, other] = both();
    const Octets file = encode(other, EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo");
    const Key peer = decode(ours, file, "SubjectPublicKeyInfo");
    ASSERT_NE(peer, nullptr) << queued_errors();
    const Encapsulated sent = encapsulate(ours, peer);
    EXPECT_EQ(decapsulate(ours, mine, sent.ciphertext), sent.secret);
    EXPECT_EQ(encode(peer, EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo"), file);
}

TEST_P(MlKem, import__seed_beside_the_key__must_agree) {
    const Key key = import_key(theirs, name, {{"seed", seed()}});
    const Octets sound = part(key, "priv");
    expect_same_import({{"seed", seed()}, {"priv", sound}}, true);
    expect_same_import({{"seed", Octets(63)}}, false);
    Octets other_seed = seed();
    other_seed[0] ^= 1;  // d
    expect_same_import({{"seed", other_seed}, {"priv", sound}}, false);
    other_seed = seed();
    other_seed[63] ^= 1;  // z
    expect_same_import({{"seed", other_seed}, {"priv", sound}}, false);
    Octets stranger = part(key, "pub");
    stranger[0] ^= 1;
    expect_same_import({{"priv", sound}, {"pub", stranger}}, false);
}

}  // namespace
}  // namespace quoin::provider::test
