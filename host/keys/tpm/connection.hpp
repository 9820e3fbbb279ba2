// A connection to a TPM 2.0 over tpm2-tss' ESYS, with its sessions and loaded objects.
//
// Sessions are salted with a key of the TPM and encrypt the first parameter both ways
// (AES-128-CFB): who listens on the bus sees neither secrets nor authorisations, and answers that
// were changed do not verify. Source: TPM 2.0 Library part 1, sections 17, 19, 21. Threads: one
// owner.
#pragma once

#include <openssl/crypto.h>
#include <tss2/tss2_esys.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys::tpm {

struct EsysFree {
    void operator()(void* memory) const noexcept { Esys_Free(memory); }
};
// With std::out_ptr: what ESYS hands out.
template <class T>
using Owned = std::unique_ptr<T, EsysFree>;

class Connection {
public:
    // `tcti`: as tpm2-tss writes it: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321",
    // "swtpm:path=/run/swtpm.sock".
    static Result<Connection> open(const std::string& tcti);

    ESYS_CONTEXT* esys() const { return esys_.get(); }
    // Of the table in errors.hpp; for a wrong authorisation, with how many are left, and for a
    // lockout with how long it lasts.
    std::unexpected<Error> failed(TSS2_RC code, std::string_view doing) const;
    // One number of TPM2_CAP_TPM_PROPERTIES.
    Result<std::uint32_t> property(TPM2_PT which) const;

private:
    struct TctiFinalize {
        void operator()(TSS2_TCTI_CONTEXT* tcti) const noexcept;
    };
    struct EsysFinalize {
        void operator()(ESYS_CONTEXT* esys) const noexcept { Esys_Finalize(&esys); }
    };
    explicit Connection(std::string tcti) : name_(std::move(tcti)) {}

    std::string name_;
    std::unique_ptr<TSS2_TCTI_CONTEXT, TctiFinalize> tcti_;
    std::unique_ptr<ESYS_CONTEXT, EsysFinalize> esys_;  // ends before the tcti
};

// A transient object or session of a connection that outlives it; flushed at its end.
class Loaded {
public:
    Loaded(ESYS_CONTEXT* esys, ESYS_TR handle) : esys_(esys), handle_(handle) {}
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    Loaded(Loaded&& other) noexcept
        : esys_(other.esys_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}
    Loaded& operator=(Loaded&&) = delete;
    ~Loaded() {
        if (handle_ != ESYS_TR_NONE) Esys_FlushContext(esys_, handle_);
    }
    ESYS_TR handle() const { return handle_; }

private:
    ESYS_CONTEXT* esys_;
    ESYS_TR handle_;
};

enum class SessionKind : std::uint8_t { authorisation, policy, trial };
// `salt`: a storage key of this TPM; ESYS_TR_NONE only for trials.
Result<Loaded> start_session(const Connection& tpm, ESYS_TR salt, SessionKind kind);

// A structure of the TSS that holds a secret: wiped at its end.
template <class T>
struct Wiped {
    T value{};
    Wiped() = default;
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    ~Wiped() { OPENSSL_cleanse(&value, sizeof value); }
};

// At most 32 bytes.
Result<void> write_authorisation(std::string_view text, TPM2B_AUTH& to);
// That it is asked for with `object` from now on, by this connection.
Result<void> authorise(const Connection& tpm, ESYS_TR object, const crypto::Passphrase& secret);

// PCRs 0..23 of the SHA-256 bank.
TPML_PCR_SELECTION selection_of(const std::vector<std::uint32_t>& pcrs);
// The policy "these PCRs are as they are now".
Result<TPM2B_DIGEST> pcr_policy(const Connection& tpm, const TPML_PCR_SELECTION& pcrs);
// A session that has shown the PCRs as they are now.
Result<Loaded> pcr_session(const Connection& tpm, ESYS_TR salt, const TPML_PCR_SELECTION& pcrs);

}  // namespace quoin::keys::tpm
