// Keys read: provider-decoder(7). DER of ML-DSA's and the composites' SubjectPublicKeyInfo and of
// the composites' PrivateKeyInfo; PEM and EncryptedPrivateKeyInfo are opened by the default
// provider's decoders, which call these. ML-DSA's private keys are the default provider's to read,
// once.
//
// A public key is exactly its one DER form: no other length, no parameters, nothing behind it. A
// private key may be a OneAsymmetricKey with attributes or a public key (RFC 5958), as others write
// it: they are ignored. The drafts -00 to -02 are other algorithms, with other OIDs.
#include <openssl/core_object.h>
#include <openssl/pem.h>

#include "provider/bio.hpp"
#include "provider/operations.hpp"
#include "provider/parameters.hpp"
#include "provider/signature_encoding.hpp"
#include "provider/signature_key.hpp"

namespace quoin::provider {
namespace {

// The largest key with all that RFC 5958 allows around it.
constexpr std::size_t der_size_max = 8192;

struct Decoding {
    const ProviderContext& provider;
};

// One DER object, wiped: it may hold a private key.
class Der {
public:
    Der() = default;
    Der(const Der&) = delete;
    Der& operator=(const Der&) = delete;
    ~Der() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

    // False if there is none, or it is longer than any key of ours.
    bool read(BIO* in) {
        std::array<std::uint8_t, 4> head{};
        if (!take(in, 4)) return false;
        std::ranges::copy(std::span(bytes_).first<4>(), head.begin());
        if (head[0] != 0x30) return false;
        std::size_t size = 0;
        if (head[1] < 0x80) {
            size = 2U + head[1];
        } else if (head[1] == 0x81) {
            size = 3U + head[2];
        } else if (head[1] == 0x82) {
            size = 4U + (static_cast<std::size_t>(head[2]) << 8U) + head[3];
        }
        return size >= 4 && size <= bytes_.size() && take(in, size);
    }
    Bytes bytes() const { return Bytes(bytes_).first(size_); }
    static bool is_all(BIO* in) {
        std::uint8_t more = 0;
        std::size_t got = 0;
        return BIO_read_ex(in, &more, 1, &got) != 1;
    }

private:
    // Reads until `size` bytes are there.
    bool take(BIO* in, std::size_t size) {
        while (size_ < size) {
            std::size_t got = 0;
            if (BIO_read_ex(in, bytes_.data() + size_, size - size_, &got) != 1) return false;
            size_ += got;
        }
        return true;
    }

    std::array<std::uint8_t, der_size_max> bytes_{};
    std::size_t size_ = 0;
};

void* create(void* provider_context) noexcept {
    return give_away<Decoding>(context_of(provider_context));
}

void destroy(void* decoding) noexcept { take_back<Decoding>(decoding); }

template <int part>
int selects(void*, int selection) noexcept {
    if (selection == 0) return 1;
    const int asked = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0
                          ? OSSL_KEYMGMT_SELECT_PRIVATE_KEY
                          : selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
    return asked == part ? 1 : 0;
}

// Does the AlgorithmIdentifier at `at` say that this is a key of ours? Only then is what is wrong
// with it worth an error: other decoders take the other keys.
template <class Form>
bool is_ours(Bytes der, std::size_t at) {
    const Bytes id = bytes_of(Form::row.algorithm_id);
    return der.size() >= at + id.size() &&
           std::ranges::equal(der.subspan(at, id.size()).subspan(2), id.subspan(2));
}

template <class Form>
std::unique_ptr<SignatureKey<Form>> new_key(const Decoding& decoding) {
    return std::unique_ptr<SignatureKey<Form>>(give_away<SignatureKey<Form>>(decoding.provider));
}

template <class Form>
std::unique_ptr<SignatureKey<Form>> public_key_of(const Decoding& decoding, Bytes der) {
    constexpr std::size_t head = public_head<Form>.size();
    if (!is_ours<Form>(der, 4)) return nullptr;
    if (der.size() != head + Form::public_key_size ||
        !std::ranges::equal(der.first(head), public_head<Form>)) {
        refuse(PROV_R_BAD_ENCODING, "a public key has one DER form, and this is another");
        return nullptr;
    }
    auto key = new_key<Form>(decoding);
    if (key != nullptr) key->set_public(der.subspan(head).template first<Form::public_key_size>());
    return key;
}

template <class Form>
std::unique_ptr<SignatureKey<Form>> private_key_of(const Decoding& decoding, Bytes der) {
    const unsigned char* at = der.data();
    ERR_set_mark();
    const Owned<PKCS8_PRIV_KEY_INFO> info(
        d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
    ERR_pop_to_mark();  // what is no PrivateKeyInfo may be something else
    const ASN1_OBJECT* oid = nullptr;
    const unsigned char* bytes = nullptr;
    int size = 0;
    const X509_ALGOR* algorithm = nullptr;
    if (info == nullptr || at != der.data() + der.size() ||
        PKCS8_pkey_get0(&oid, &bytes, &size, &algorithm, info.get()) != 1) {
        return nullptr;
    }
    const Bytes id = bytes_of(Form::row.algorithm_id).subspan(4);
    if (!std::ranges::equal(Bytes(OBJ_get0_data(oid), OBJ_length(oid)), id)) return nullptr;
    int parameter_type = V_ASN1_UNDEF;
    X509_ALGOR_get0(nullptr, &parameter_type, nullptr, algorithm);
    if (parameter_type != V_ASN1_UNDEF) {
        refuse(PROV_R_UNEXPECTED_KEY_PARAMETERS, "a composite's AlgorithmIdentifier has none");
        return nullptr;
    }
    if (size != static_cast<int>(Form::seed_size)) {
        refuse(PROV_R_INVALID_KEY_LENGTH, "a composite private key has 64 bytes");
        return nullptr;
    }
    auto key = new_key<Form>(decoding);
    if (key == nullptr ||
        !key->set_seed(std::span<const std::uint8_t, Form::seed_size>(bytes, Form::seed_size))) {
        return nullptr;
    }
    return key;
}

// False if the key that is meant cannot be had: no other decoder need try, and the reason stays.
template <class Form>
bool find_remote(const Decoding& decoding, Bytes der, std::unique_ptr<SignatureKey<Form>>& key) {
    const std::optional<KeyReference> reference = read_reference(der);
    if (!reference) return true;
    auto remote = open_remote(*reference, Form::row.oid);
    if (!remote) return false;
    if (*remote == nullptr) return true;  // a key of another algorithm
    const Bytes bytes = (*remote)->public_key();
    if (bytes.size() != Form::public_key_size) {
        return refuse(PROV_R_INVALID_KEY_LENGTH, "the store's public key has the wrong length");
    }
    key = new_key<Form>(decoding);
    if (key == nullptr) return false;
    key->set_remote(bytes.first<Form::public_key_size>(), *std::move(remote));
    return true;
}

enum class Structure { public_key, private_key, reference };

template <class Form, Structure structure>
int decode(void* context, OSSL_CORE_BIO* core_in, int, OSSL_CALLBACK* take, void* argument,
           OSSL_PASSPHRASE_CALLBACK*, void*) noexcept {
    const auto& decoding = *static_cast<const Decoding*>(context);
    std::unique_ptr<SignatureKey<Form>> key;
    {
        const Owned<BIO> in = open(decoding.provider, core_in);
        Der der;
        // Nothing of ours is no error: the next decoder tries.
        if (in == nullptr || !der.read(in.get())) return 1;
        if constexpr (structure == Structure::public_key) {
            key = public_key_of<Form>(decoding, der.bytes());
        } else if constexpr (structure == Structure::reference) {
            if (Der::is_all(in.get()) && !find_remote(decoding, der.bytes(), key)) return 0;
        } else {
            key = private_key_of<Form>(decoding, der.bytes());
        }
    }
    if (key == nullptr) return 1;
    int type = OSSL_OBJECT_PKEY;
    void* reference = key.get();
    const std::array parameters = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                         const_cast<char*>(Form::row.name), 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE,
                                          static_cast<void*>(&reference), sizeof reference),
        OSSL_PARAM_construct_end()};
    const int taken = take(parameters.data(), argument);
    // Whoever loaded the key by its reference has set it to null.
    if (reference == nullptr) key.release();
    return taken;
}

constexpr const char* reference_structure = "QuoinKeyReference";

// The DER in a PEM of ours, for the decoders of references: the default provider opens only the
// labels it knows.
int decode_pem(void* context, OSSL_CORE_BIO* core_in, int, OSSL_CALLBACK* take, void* argument,
               OSSL_PASSPHRASE_CALLBACK*, void*) noexcept {
    const Owned<BIO> in = open(static_cast<const Decoding*>(context)->provider, core_in);
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* der = nullptr;
    long size = 0;
    // No PEM, or another's, is no error: the next decoder tries.
    if (in == nullptr || PEM_read_bio(in.get(), &label, &header, &der, &size) != 1) return 1;
    int taken = 1;
    if (std::string_view(label) == reference_label) {
        int type = OSSL_OBJECT_PKEY;
        const std::array parameters = {
            OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
            OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE,
                                             const_cast<char*>(reference_structure), 0),
            OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der,
                                              static_cast<std::size_t>(size)),
            OSSL_PARAM_construct_end()};
        taken = take(parameters.data(), argument);
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, static_cast<std::size_t>(size));  // another's may hold a private key
    return taken;
}

const OSSL_DISPATCH pem_functions[] = {QUOIN_ENTRY(DECODER_NEWCTX, decoder_newctx, create),
                                       QUOIN_ENTRY(DECODER_FREECTX, decoder_freectx, destroy),
                                       QUOIN_ENTRY(DECODER_DECODE, decoder_decode, decode_pem),
                                       OSSL_DISPATCH_END};

template <class Form, Structure structure>
const OSSL_DISPATCH functions[] = {
    QUOIN_ENTRY(DECODER_NEWCTX, decoder_newctx, create),
    QUOIN_ENTRY(DECODER_FREECTX, decoder_freectx, destroy),
    QUOIN_ENTRY(DECODER_DOES_SELECTION, decoder_does_selection,
                selects<structure == Structure::public_key ? OSSL_KEYMGMT_SELECT_PUBLIC_KEY
                                                           : OSSL_KEYMGMT_SELECT_PRIVATE_KEY>),
    QUOIN_ENTRY(DECODER_DECODE, decoder_decode, (decode<Form, structure>)), OSSL_DISPATCH_END};

template <class Form>
constexpr OSSL_ALGORITHM public_entry = {Form::row.names,
                                         "provider=quoin,input=der,structure=SubjectPublicKeyInfo",
                                         functions<Form, Structure::public_key>, Form::row.name};
template <class Form>
constexpr OSSL_ALGORITHM private_entry = {Form::row.names,
                                          "provider=quoin,input=der,structure=PrivateKeyInfo",
                                          functions<Form, Structure::private_key>, Form::row.name};
template <class Form>
constexpr OSSL_ALGORITHM reference_entry = {Form::row.names,
                                            "provider=quoin,input=der,structure=QuoinKeyReference",
                                            functions<Form, Structure::reference>, Form::row.name};

using MlDsa44 = MlDsa<core::ml_dsa::Set44>;
using MlDsa65 = MlDsa<core::ml_dsa::Set65>;
using MlDsa87 = MlDsa<core::ml_dsa::Set87>;
using Composite44 = Composite<core::hybrid::MlDsa44Ed25519>;
using Composite65 = Composite<core::hybrid::MlDsa65Ed25519>;

}  // namespace

const std::array<OSSL_ALGORITHM, 13> signature_decoders = {
    OSSL_ALGORITHM{"DER", "provider=quoin,input=pem", pem_functions, "PEM of key references"},
    public_entry<MlDsa44>,
    public_entry<MlDsa65>,
    public_entry<MlDsa87>,
    public_entry<Composite44>,
    private_entry<Composite44>,
    public_entry<Composite65>,
    private_entry<Composite65>,
    reference_entry<MlDsa44>,
    reference_entry<MlDsa65>,
    reference_entry<MlDsa87>,
    reference_entry<Composite44>,
    reference_entry<Composite65>};

}  // namespace quoin::provider
