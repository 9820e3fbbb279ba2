#include "host/keys/tpm/operation.hpp"

#include <algorithm>
#include <array>

#include "host/keys/errors.hpp"

namespace quoin::keys::tpm {
namespace {

// What to say to a TPM that is asked about a handle: not there, which is no failure, or a reason.
bool is_absent(TSS2_RC code) { return tpm_error(code, "").code == Code::input_not_found; }

Result<TPM2B_PUBLIC> public_of(const Connection& tpm, ESYS_TR key) {
    Owned<TPM2B_PUBLIC> found;
    const TSS2_RC code = Esys_ReadPublic(tpm.esys(), key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         std::out_ptr(found), nullptr, nullptr);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "reading the store's key");
    return *found;
}

Result<ByteVector> name_of(const Connection& tpm, ESYS_TR key) {
    Owned<TPM2B_NAME> name;
    const TSS2_RC code = Esys_TR_GetName(tpm.esys(), key, std::out_ptr(name));
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "reading the store's key");
    return ByteVector(name->name, name->name + name->size);
}

Result<ESYS_TR> primary_at(const Connection& tpm, const Config& config) {
    ESYS_TR primary = ESYS_TR_NONE;
    const TSS2_RC code = Esys_TR_FromTPMPublic(tpm.esys(), config.handle, ESYS_TR_NONE,
                                               ESYS_TR_NONE, ESYS_TR_NONE, &primary);
    if (code == TSS2_RC_SUCCESS) return primary;
    if (!is_absent(code)) return tpm.failed(code, "looking for the store's key");
    return fail(Code::input_not_found,
                "{}: there is no key store at {:#x}, or it was zeroized; make one: quoin keys "
                "create --store tpm:tcti={};...",
                config.tcti, config.handle, config.tcti);
}

Result<Loaded> primary_key(const Connection& tpm, ESYS_TR session,
                           const TPM2B_SENSITIVE_CREATE& sensitive, const TPM2B_PUBLIC& form) {
    const TPM2B_DATA nothing{};
    const TPML_PCR_SELECTION no_pcrs{};
    ESYS_TR made = ESYS_TR_NONE;
    const TSS2_RC code = Esys_CreatePrimary(tpm.esys(), ESYS_TR_RH_OWNER, session, ESYS_TR_NONE,
                                            ESYS_TR_NONE, &sensitive, &form, &nothing, &no_pcrs,
                                            &made, nullptr, nullptr, nullptr, nullptr);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "making the store's key");
    return Loaded(tpm.esys(), made);
}

}  // namespace

Result<Operation> begin(const Config& config) {
    QUOIN_TRY(Connection tpm, Connection::open(config.tcti));
    QUOIN_TRY(const ESYS_TR primary, primary_at(tpm, config));
    QUOIN_TRY(const TPM2B_PUBLIC form, public_of(tpm, primary));
    if (!is_storage_key(form)) {
        return fail(Code::input_conflict,
                    "{}: what is at {:#x} is no key of a store of Quoin: set handle=", config.tcti,
                    config.handle);
    }
    QUOIN_TRY(ByteVector name, name_of(tpm, primary));
    QUOIN_CHECK(authorise(tpm, primary, config.authorisation));
    QUOIN_CHECK(authorise(tpm, ESYS_TR_RH_OWNER, config.owner_authorisation));
    QUOIN_TRY(Loaded session, start_session(tpm, primary, SessionKind::authorisation));
    return Operation{std::move(tpm), primary, std::move(name), std::move(session)};
}

Result<void> make_primary(const Config& config,
                          const std::function<Result<void>(const ByteVector&)>& remember) {
    QUOIN_TRY(const Connection tpm, Connection::open(config.tcti));
    const auto there = primary_at(tpm, config);
    if (there) {
        return fail(Code::input_conflict,
                    "{}: {:#x} is in use: by this store, or set another handle=", config.tcti,
                    config.handle);
    }
    if (there.error().code != Code::input_not_found) return std::unexpected(there.error());
    QUOIN_CHECK(authorise(tpm, ESYS_TR_RH_OWNER, config.owner_authorisation));
    // A first key, forgotten at once, so that the authorisation crosses the bus encrypted.
    QUOIN_TRY(const Loaded salt,
              primary_key(tpm, ESYS_TR_PASSWORD, {}, storage_template({}, false)));
    QUOIN_TRY(const Loaded session, start_session(tpm, salt.handle(), SessionKind::authorisation));
    SecretBytes unique(64);
    QUOIN_CHECK(crypto::random_bytes(unique.expose_to_fill()));
    Wiped<TPM2B_SENSITIVE_CREATE> sensitive;
    QUOIN_CHECK(
        write_authorisation(config.authorisation.expose(), sensitive.value.sensitive.userAuth));
    const bool with_lockout = !config.authorisation.expose().empty();
    Wiped<TPM2B_PUBLIC> form;
    form.value = storage_template(unique.expose(), with_lockout);
    QUOIN_TRY(const Loaded primary,
              primary_key(tpm, session.handle(), sensitive.value, form.value));
    QUOIN_TRY(const ByteVector name, name_of(tpm, primary.handle()));
    QUOIN_CHECK(remember(name));
    ESYS_TR persistent = ESYS_TR_NONE;
    const TSS2_RC code =
        Esys_EvictControl(tpm.esys(), ESYS_TR_RH_OWNER, primary.handle(), session.handle(),
                          ESYS_TR_NONE, ESYS_TR_NONE, config.handle, &persistent);
    if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "keeping the store's key");
    return {};
}

Result<void> evict_primary(const Operation& operation, const Config& config) {
    ESYS_TR gone = ESYS_TR_NONE;
    const TSS2_RC code = Esys_EvictControl(operation.esys(), ESYS_TR_RH_OWNER, operation.primary,
                                           operation.session.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                                           config.handle, &gone);
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "evicting the store's key");
    return {};
}

Result<Object> make_object(const Operation& operation, const TPM2B_PUBLIC& form, Bytes secret) {
    Wiped<TPM2B_SENSITIVE_CREATE> sensitive;
    TPM2B_SENSITIVE_DATA& data = sensitive.value.sensitive.data;
    data.size = static_cast<UINT16>(secret.size());
    std::ranges::copy(secret, data.buffer);
    const TPM2B_DATA nothing{};
    const TPML_PCR_SELECTION no_pcrs{};
    Owned<TPM2B_PRIVATE> closed;
    Owned<TPM2B_PUBLIC> open;
    const TSS2_RC code =
        Esys_Create(operation.esys(), operation.primary, operation.session.handle(), ESYS_TR_NONE,
                    ESYS_TR_NONE, &sensitive.value, &form, &nothing, &no_pcrs, std::out_ptr(closed),
                    std::out_ptr(open), nullptr, nullptr, nullptr);
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "making a key or sealing");
    Object object;
    object.open = *open;
    object.closed = *closed;
    return object;
}

Result<Loaded> load_object(const Operation& operation, const Object& object) {
    ESYS_TR loaded = ESYS_TR_NONE;
    const TSS2_RC code =
        Esys_Load(operation.esys(), operation.primary, operation.session.handle(), ESYS_TR_NONE,
                  ESYS_TR_NONE, &object.closed, &object.open, &loaded);
    if (code == TSS2_RC_SUCCESS) return Loaded(operation.esys(), loaded);
    auto failure = operation.tpm.failed(code, "loading a key or blob");
    // The TPM looks at the fields one by one; whatever is wrong, it is not what it made.
    constexpr std::array others{Code::input_unauthenticated, Code::resource_unavailable,
                                Code::resource_full};
    if (std::ranges::find(others, failure.error().code) == others.end()) {
        failure.error().code = Code::integrity_mismatch;
    }
    return failure;
}

}  // namespace quoin::keys::tpm
