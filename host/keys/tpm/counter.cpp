#include <algorithm>

#include "host/keys/errors.hpp"
#include "host/keys/tpm/operation.hpp"

namespace quoin::keys::tpm {
namespace {

// TCG Registry of Reserved TPM 2.0 Handles, section 2.2: indices of the owner.
constexpr TPM2_HANDLE first_index = 0x01800000;
constexpr TPM2_HANDLE index_mask = 0x003FFFFF;
constexpr int most_tries = 32;    // of an increment, while others count
constexpr std::size_t half = 16;  // bytes of the mark that say whose counter, and then which

// It stands where a policy would: nobody can fulfil it, and the TPM binds it to the index.
struct Mark {
    TPM2_HANDLE index;
    TPM2B_DIGEST digest;
};

Result<crypto::Sha256Digest> digest_of(std::string_view domain, Bytes content) {
    ByteVector input(domain.begin(), domain.end());
    input.insert(input.end(), content.begin(), content.end());
    return crypto::sha256(input);
}

Result<Mark> mark_of(const Operation& operation, std::string_view name) {
    QUOIN_CHECK(check_name(name));
    QUOIN_TRY(const auto store, digest_of("quoin TPM counter: store:", operation.primary_name));
    QUOIN_TRY(const auto counter, digest_of("quoin TPM counter: name:", bytes_of(name)));
    Mark mark{};
    mark.digest.size = 2 * half;
    std::copy_n(store.begin(), half, mark.digest.buffer);
    std::copy_n(counter.begin(), half, mark.digest.buffer + half);
    QUOIN_TRY(const auto both, crypto::sha256({mark.digest.buffer, mark.digest.size}));
    const std::uint32_t number = static_cast<std::uint32_t>(both[0]) << 16U |
                                 static_cast<std::uint32_t>(both[1]) << 8U | both[2];
    mark.index = first_index | (number & index_mask);
    return mark;
}

TPM2B_NV_PUBLIC form_of(const Mark& mark, bool with_lockout) {
    TPM2B_NV_PUBLIC form{};
    form.nvPublic.nvIndex = mark.index;
    form.nvPublic.nameAlg = TPM2_ALG_SHA256;
    form.nvPublic.attributes = (TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT) | TPMA_NV_AUTHREAD |
                               TPMA_NV_AUTHWRITE | (with_lockout ? 0 : TPMA_NV_NO_DA);
    form.nvPublic.authPolicy = mark.digest;
    form.nvPublic.dataSize = 8;
    return form;
}

Result<TPMS_NV_PUBLIC> public_of(const Operation& operation, ESYS_TR index) {
    Owned<TPM2B_NV_PUBLIC> found;
    const TSS2_RC code = Esys_NV_ReadPublic(operation.esys(), index, ESYS_TR_NONE, ESYS_TR_NONE,
                                            ESYS_TR_NONE, std::out_ptr(found), nullptr);
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "looking at a counter");
    return found->nvPublic;
}

bool is_prefixed(const TPM2B_DIGEST& digest, const TPM2B_DIGEST& mark, std::size_t size) {
    return digest.size == mark.size && std::equal(mark.buffer, mark.buffer + size, digest.buffer);
}

struct Index {
    ESYS_TR handle;
    bool is_written;  // not yet: a crash came before its first increment
};

Result<Index> find(const Operation& operation, const Mark& mark, std::string_view name) {
    ESYS_TR index = ESYS_TR_NONE;
    const TSS2_RC code = Esys_TR_FromTPMPublic(operation.esys(), mark.index, ESYS_TR_NONE,
                                               ESYS_TR_NONE, ESYS_TR_NONE, &index);
    const bool absent =
        code != TSS2_RC_SUCCESS && tpm_error(code, "").code == Code::input_not_found;
    if (code != TSS2_RC_SUCCESS && !absent) return operation.tpm.failed(code, "a counter");
    if (!absent) {
        QUOIN_TRY(const TPMS_NV_PUBLIC found, public_of(operation, index));
        const auto kind = (found.attributes & TPMA_NV_TPM2_NT_MASK) >> TPMA_NV_TPM2_NT_SHIFT;
        if (is_prefixed(found.authPolicy, mark.digest, mark.digest.size) &&
            kind == TPM2_NT_COUNTER) {
            return Index{index, (found.attributes & TPMA_NV_WRITTEN) != 0};
        }
    }
    return fail(Code::input_not_found, "the TPM has no counter {}", name);
}

Result<void> count(const Operation& operation, ESYS_TR index) {
    const TSS2_RC code = Esys_NV_Increment(operation.esys(), index, index,
                                           operation.session.handle(), ESYS_TR_NONE, ESYS_TR_NONE);
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "incrementing a counter");
    return {};
}

Result<std::uint64_t> value_of(const Operation& operation, ESYS_TR index) {
    Owned<TPM2B_MAX_NV_BUFFER> data;
    const TSS2_RC code = Esys_NV_Read(operation.esys(), index, index, operation.session.handle(),
                                      ESYS_TR_NONE, ESYS_TR_NONE, 8, 0, std::out_ptr(data));
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "reading a counter");
    core::Reader reader({data->buffer, data->size});
    return lift(reader.take_unsigned<8>(), "reading a counter of the TPM");
}

Result<std::uint64_t> next_value(const Operation& operation, ESYS_TR index) {
    for (int i = 0; i < most_tries; ++i) {
        QUOIN_TRY(const std::uint64_t before, value_of(operation, index));
        QUOIN_CHECK(count(operation, index));
        QUOIN_TRY(const std::uint64_t after, value_of(operation, index));
        if (after == before + 1) return after;  // only one increment lies between: ours
    }
    return fail(Code::resource_unavailable,
                "a counter of the TPM: others count it all the time; try again");
}

// The counter, ready to be read and counted.
Result<ESYS_TR> ready(const Operation& operation, const Config& config, const Mark& mark,
                      std::string_view name) {
    QUOIN_TRY(const Index index, find(operation, mark, name));
    QUOIN_CHECK(authorise(operation.tpm, index.handle, config.authorisation));
    // The first increment sets it above every counter that this TPM ever had (part 3, 31.8.1).
    if (!index.is_written) QUOIN_CHECK(count(operation, index.handle));
    return index.handle;
}

}  // namespace

Result<std::uint64_t> define_counter(const Operation& operation, const Config& config,
                                     std::string_view name) {
    QUOIN_TRY(const Mark mark, mark_of(operation, name));
    const auto there = find(operation, mark, name);
    // One that was never counted is what a crash has left of this function.
    if (there ? there->is_written : there.error().code != Code::input_not_found) {
        if (!there) return std::unexpected(there.error());
        return fail(Code::input_conflict, "the TPM has a counter {} already", name);
    }
    if (!there) {
        Wiped<TPM2B_AUTH> authorisation;
        QUOIN_CHECK(write_authorisation(config.authorisation.expose(), authorisation.value));
        const TPM2B_NV_PUBLIC form = form_of(mark, authorisation.value.size != 0);
        ESYS_TR index = ESYS_TR_NONE;
        const TSS2_RC code =
            Esys_NV_DefineSpace(operation.esys(), ESYS_TR_RH_OWNER, operation.session.handle(),
                                ESYS_TR_NONE, ESYS_TR_NONE, &authorisation.value, &form, &index);
        if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "making a counter");
        Esys_TR_Close(operation.esys(), &index);
    }
    QUOIN_TRY(const ESYS_TR index, ready(operation, config, mark, name));
    return next_value(operation, index);
}

Result<std::uint64_t> read_counter(const Operation& operation, const Config& config,
                                   std::string_view name, bool increment) {
    QUOIN_TRY(const Mark mark, mark_of(operation, name));
    QUOIN_TRY(const ESYS_TR index, ready(operation, config, mark, name));
    return increment ? next_value(operation, index) : value_of(operation, index);
}

Result<void> undefine_counters(const Operation& operation, const Config&) {
    QUOIN_TRY(const Mark mark, mark_of(operation, "any"));
    Owned<TPMS_CAPABILITY_DATA> found;
    TPMI_YES_NO more = 0;
    TPM2_HANDLE from = first_index;
    do {
        TSS2_RC code =
            Esys_GetCapability(operation.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                               TPM2_CAP_HANDLES, from, 64, &more, std::out_ptr(found));
        if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "listing counters");
        const TPML_HANDLE& handles = found->data.handles;
        for (UINT32 i = 0; i < handles.count; ++i) {
            from = handles.handle[i] + 1;
            ESYS_TR index = ESYS_TR_NONE;
            code = Esys_TR_FromTPMPublic(operation.esys(), handles.handle[i], ESYS_TR_NONE,
                                         ESYS_TR_NONE, ESYS_TR_NONE, &index);
            if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "listing counters");
            QUOIN_TRY(const TPMS_NV_PUBLIC seen, public_of(operation, index));
            if (!is_prefixed(seen.authPolicy, mark.digest, half)) {
                Esys_TR_Close(operation.esys(), &index);
                continue;
            }
            code = Esys_NV_UndefineSpace(operation.esys(), ESYS_TR_RH_OWNER, index,
                                         operation.session.handle(), ESYS_TR_NONE, ESYS_TR_NONE);
            if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "removing a counter");
        }
    } while (more == TPM2_YES && found->data.handles.count != 0);
    return {};
}

}  // namespace quoin::keys::tpm
