#include "host/keys/tpm/connection.hpp"

#include <tss2/tss2_tctildr.h>

#include <algorithm>

#include "host/keys/errors.hpp"

namespace quoin::keys::tpm {

void Connection::TctiFinalize::operator()(TSS2_TCTI_CONTEXT* tcti) const noexcept {
    Tss2_TctiLdr_Finalize(&tcti);
}

Result<Connection> Connection::open(const std::string& tcti) {
    Connection connection(tcti);
    TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.c_str(), std::out_ptr(connection.tcti_));
    if (code == TSS2_RC_SUCCESS) {
        code = Esys_Initialize(std::out_ptr(connection.esys_), connection.tcti_.get(), nullptr);
    }
    if (code == TSS2_RC_SUCCESS) return connection;
    // A path or driver that does not open has many numbers there; all mean that nobody answers.
    Error error = tpm_error(code, fmt::format("{}: connecting", tcti));
    if (error.code != Code::config_invalid) error.code = Code::resource_unavailable;
    return std::unexpected(std::move(error));
}

Result<std::uint32_t> Connection::property(TPM2_PT which) const {
    Owned<TPMS_CAPABILITY_DATA> found;
    TPMI_YES_NO more = 0;
    const TSS2_RC code =
        Esys_GetCapability(esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                           TPM2_CAP_TPM_PROPERTIES, which, 1, &more, std::out_ptr(found));
    if (code != TSS2_RC_SUCCESS) {
        return std::unexpected(tpm_error(code, fmt::format("{}: reading properties", name_)));
    }
    const auto& list = found->data.tpmProperties;
    if (list.count != 1 || list.tpmProperty[0].property != which) {
        return fail(Code::input_unsupported, "{}: the TPM has no property {:#x}", name_, which);
    }
    return list.tpmProperty[0].value;
}

std::unexpected<Error> Connection::failed(TSS2_RC code, std::string_view doing) const {
    Error error = tpm_error(code, fmt::format("{}: {}", name_, doing));
    if (error.code == Code::input_unauthenticated) {
        const auto tries = property(TPM2_PT_LOCKOUT_COUNTER);
        const auto most = property(TPM2_PT_MAX_AUTH_FAIL);
        const auto interval_s = property(TPM2_PT_LOCKOUT_INTERVAL);
        if (tries && most && interval_s) {
            error.message +=
                fmt::format(" ({} of {} wrong ones counted; one is forgiven each {} s)", *tries,
                            *most, *interval_s);
        }
    }
    return std::unexpected(std::move(error));
}

Result<Loaded> start_session(const Connection& tpm, ESYS_TR salt, SessionKind kind) {
    constexpr TPM2_SE types[] = {TPM2_SE_HMAC, TPM2_SE_POLICY, TPM2_SE_TRIAL};
    TPMT_SYM_DEF cipher{};
    cipher.algorithm = TPM2_ALG_AES;
    cipher.keyBits.aes = 128;
    cipher.mode.aes = TPM2_ALG_CFB;
    ESYS_TR session = ESYS_TR_NONE;
    TSS2_RC code = Esys_StartAuthSession(tpm.esys(), salt, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         ESYS_TR_NONE, nullptr, types[static_cast<int>(kind)],
                                         &cipher, TPM2_ALG_SHA256, &session);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "starting a session");
    Loaded loaded(tpm.esys(), session);
    if (kind != SessionKind::trial) {
        constexpr TPMA_SESSION attributes =
            TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION;
        code = Esys_TRSess_SetAttributes(tpm.esys(), session, attributes, 0xFF);
        if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "setting up a session");
    }
    return loaded;
}

Result<void> write_authorisation(std::string_view text, TPM2B_AUTH& to) {
    if (text.size() > TPM2_SHA256_DIGEST_SIZE) {
        return fail(Code::input_invalid, "an authorisation of {} bytes is longer than {}",
                    text.size(), TPM2_SHA256_DIGEST_SIZE);
    }
    to.size = static_cast<UINT16>(text.size());
    std::ranges::copy(text, to.buffer);
    return {};
}

Result<void> authorise(const Connection& tpm, ESYS_TR object, const crypto::Passphrase& secret) {
    Wiped<TPM2B_AUTH> authorisation;
    QUOIN_CHECK(write_authorisation(secret.expose(), authorisation.value));
    const TSS2_RC code = Esys_TR_SetAuth(tpm.esys(), object, &authorisation.value);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "setting the authorisation");
    return {};
}

TPML_PCR_SELECTION selection_of(const std::vector<std::uint32_t>& pcrs) {
    TPML_PCR_SELECTION selection{};
    selection.count = 1;
    selection.pcrSelections[0].hash = TPM2_ALG_SHA256;
    selection.pcrSelections[0].sizeofSelect = 3;
    for (const std::uint32_t pcr : pcrs) {
        auto& byte = selection.pcrSelections[0].pcrSelect[pcr / 8];
        byte = static_cast<BYTE>(byte | (1U << (pcr % 8)));
    }
    return selection;
}

Result<TPM2B_DIGEST> pcr_policy(const Connection& tpm, const TPML_PCR_SELECTION& pcrs) {
    QUOIN_TRY(const Loaded trial, start_session(tpm, ESYS_TR_NONE, SessionKind::trial));
    const TPM2B_DIGEST as_they_are{};
    TSS2_RC code = Esys_PolicyPCR(tpm.esys(), trial.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &as_they_are, &pcrs);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "reading the PCRs");
    Owned<TPM2B_DIGEST> digest;
    code = Esys_PolicyGetDigest(tpm.esys(), trial.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                                ESYS_TR_NONE, std::out_ptr(digest));
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "making a policy");
    return *digest;
}

Result<Loaded> pcr_session(const Connection& tpm, ESYS_TR salt, const TPML_PCR_SELECTION& pcrs) {
    QUOIN_TRY(Loaded session, start_session(tpm, salt, SessionKind::policy));
    const TPM2B_DIGEST as_they_are{};
    const TSS2_RC code = Esys_PolicyPCR(tpm.esys(), session.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                                        ESYS_TR_NONE, &as_they_are, &pcrs);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "reading the PCRs");
    return session;
}

}  // namespace quoin::keys::tpm
