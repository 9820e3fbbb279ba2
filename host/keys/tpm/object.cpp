#include "host/keys/tpm/object.hpp"

#include <tss2/tss2_mu.h>

#include <algorithm>
#include <array>

#include "host/keys/p256.hpp"

namespace quoin::keys::tpm {
namespace {

constexpr std::array<std::uint8_t, 8> magic{'Q', 'T', 'P', 'M', 0, 0, 0, 1};
constexpr std::size_t selection_size = 3;
constexpr std::size_t max_blob =
    magic.size() + selection_size + sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE);
using p256::coordinate_size;

constexpr TPMA_OBJECT always = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT;

TPM2B_PUBLIC p256_template(TPMA_OBJECT attributes) {
    TPM2B_PUBLIC key{};
    key.publicArea.type = TPM2_ALG_ECC;
    key.publicArea.nameAlg = TPM2_ALG_SHA256;
    key.publicArea.objectAttributes = always | TPMA_OBJECT_SENSITIVEDATAORIGIN | attributes;
    TPMS_ECC_PARMS& ecc = key.publicArea.parameters.eccDetail;
    ecc.curveID = TPM2_ECC_NIST_P256;
    ecc.symmetric.algorithm = TPM2_ALG_NULL;
    ecc.scheme.scheme = TPM2_ALG_NULL;
    ecc.kdf.scheme = TPM2_ALG_NULL;
    return key;
}

}  // namespace

Result<ByteVector> encode(const Object& object) {
    ByteVector blob(max_blob);
    std::ranges::copy(magic, blob.begin());
    for (const std::uint32_t pcr : object.pcrs) {
        auto& byte = blob[magic.size() + pcr / 8];
        byte = static_cast<std::uint8_t>(byte | (1U << (pcr % 8)));
    }
    std::size_t size = magic.size() + selection_size;
    if (Tss2_MU_TPM2B_PUBLIC_Marshal(&object.open, blob.data(), blob.size(), &size) !=
            TSS2_RC_SUCCESS ||
        Tss2_MU_TPM2B_PRIVATE_Marshal(&object.closed, blob.data(), blob.size(), &size) !=
            TSS2_RC_SUCCESS) {
        return fail(Code::internal, "cannot encode an object of a TPM");
    }
    blob.resize(size);
    return blob;
}

Result<Object> decode(Bytes blob) {
    Object object;
    std::size_t size = magic.size() + selection_size;
    if (blob.size() < size || blob.size() > max_blob ||
        !std::ranges::equal(blob.first(magic.size()), magic) ||
        Tss2_MU_TPM2B_PUBLIC_Unmarshal(blob.data(), blob.size(), &size, &object.open) !=
            TSS2_RC_SUCCESS ||
        Tss2_MU_TPM2B_PRIVATE_Unmarshal(blob.data(), blob.size(), &size, &object.closed) !=
            TSS2_RC_SUCCESS ||
        size != blob.size()) {
        return fail(Code::integrity_mismatch, "{} bytes are no blob of a TPM store, or damaged",
                    blob.size());
    }
    for (std::uint32_t pcr = 0; pcr < 8 * selection_size; ++pcr) {
        if ((blob[magic.size() + pcr / 8] >> (pcr % 8) & 1U) != 0) object.pcrs.push_back(pcr);
    }
    // One blob, one encoding: what the marshalling would write differently is not ours.
    QUOIN_TRY(const ByteVector again, encode(object));
    if (!std::ranges::equal(again, blob)) {
        return fail(Code::integrity_mismatch, "a blob of a TPM store is damaged");
    }
    return object;
}

TPM2B_PUBLIC storage_template(Bytes unique, bool with_lockout) {
    TPM2B_PUBLIC key =
        p256_template(TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_USERWITHAUTH |
                      (with_lockout ? 0 : TPMA_OBJECT_NODA));
    TPMT_SYM_DEF_OBJECT& cipher = key.publicArea.parameters.eccDetail.symmetric;
    cipher.algorithm = TPM2_ALG_AES;
    cipher.keyBits.aes = 128;
    cipher.mode.aes = TPM2_ALG_CFB;
    if (unique.size() == 2 * coordinate_size) {
        TPMS_ECC_POINT& point = key.publicArea.unique.ecc;
        point.x.size = coordinate_size;
        point.y.size = coordinate_size;
        std::ranges::copy(unique.first(coordinate_size), point.x.buffer);
        std::ranges::copy(unique.last(coordinate_size), point.y.buffer);
    }
    return key;
}

bool is_storage_key(const TPM2B_PUBLIC& key) {
    constexpr TPMA_OBJECT wanted = always | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                   TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
                                   TPMA_OBJECT_USERWITHAUTH;
    return key.publicArea.type == TPM2_ALG_ECC && key.publicArea.nameAlg == TPM2_ALG_SHA256 &&
           (key.publicArea.objectAttributes & ~TPMA_OBJECT_NODA) == wanted;
}

// Their own authorisation is empty: the primary key's is asked for when they are loaded.
TPM2B_PUBLIC signing_template(bool attestation_only, const TPM2B_DIGEST& policy) {
    TPM2B_PUBLIC key = p256_template(TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_NODA |
                                     (attestation_only ? TPMA_OBJECT_RESTRICTED : 0) |
                                     (policy.size == 0 ? TPMA_OBJECT_USERWITHAUTH : 0));
    key.publicArea.authPolicy = policy;
    TPMT_ECC_SCHEME& scheme = key.publicArea.parameters.eccDetail.scheme;
    scheme.scheme = TPM2_ALG_ECDSA;
    scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    return key;
}

TPM2B_PUBLIC sealed_template(const TPM2B_DIGEST& policy) {
    TPM2B_PUBLIC sealed{};
    sealed.publicArea.type = TPM2_ALG_KEYEDHASH;
    sealed.publicArea.nameAlg = TPM2_ALG_SHA256;
    sealed.publicArea.objectAttributes = always | TPMA_OBJECT_NODA;
    sealed.publicArea.authPolicy = policy;
    sealed.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
    return sealed;
}

Result<ByteVector> spki_of(const TPM2B_PUBLIC& key) {
    const TPMS_ECC_POINT& point = key.publicArea.unique.ecc;
    constexpr std::size_t most = p256::coordinate_size;
    if (key.publicArea.type != TPM2_ALG_ECC || point.x.size > most || point.y.size > most) {
        return fail(Code::integrity_mismatch, "the TPM's key is not on P-256");
    }
    std::array<std::uint8_t, p256::point_size> encoded{0x04};
    std::copy_n(point.x.buffer, point.x.size, encoded.begin() + 1 + most - point.x.size);
    std::copy_n(point.y.buffer, point.y.size, encoded.begin() + 1 + 2 * most - point.y.size);
    return p256::spki_of(encoded);
}

Result<ByteVector> der_of(const TPMT_SIGNATURE& signature) {
    if (signature.sigAlg != TPM2_ALG_ECDSA) {
        return fail(Code::internal, "the TPM signed with {:#x}, not with ECDSA", signature.sigAlg);
    }
    const TPMS_SIGNATURE_ECDSA& numbers = signature.signature.ecdsa;
    return p256::der_of({numbers.signatureR.buffer, numbers.signatureR.size},
                        {numbers.signatureS.buffer, numbers.signatureS.size});
}

}  // namespace quoin::keys::tpm
