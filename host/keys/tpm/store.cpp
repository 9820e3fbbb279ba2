#include "host/keys/tpm/store.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <system_error>

#include "host/files/files.hpp"
#include "host/keys/tpm/operation.hpp"

namespace quoin::keys::tpm {
namespace {

constexpr const char* suffix = ".tpmkey";
constexpr const char* name_file = "primary.name";
constexpr std::string_view algorithm_name = "ECDSA-P256";
constexpr std::uint32_t max_pcr = 23;

struct Identity {
    ByteVector primary_name;
    std::string product;
    bool in_software = false;
};

class Store final : public SecurityProvider {
public:
    Store(Config config, Identity identity)
        : config_(std::move(config)), identity_(std::move(identity)) {}

    Description describe() const override {
        return {
            .kind = "tpm",
            .location = fmt::format("{}, handle {:#x}", config_.tcti, config_.handle),
            .product = identity_.product,
            .residence = identity_.in_software ? Residence::separate_process : Residence::hardware,
            .algorithms = {std::string(algorithm_name)},
            .sealed_by = fmt::format("TPM, PCRs sha256:{}", fmt::join(config_.pcrs, ",")),
            .seals = true,
            .counts = true,
            .attests = true};
    }
    Result<void> generate(std::string_view name, std::string_view algorithm,
                          const UsePolicy& policy) override;
    Result<std::vector<KeyInfo>> list() override;
    Result<ByteVector> public_key(std::string_view name) override;
    Result<void> remove(std::string_view name) override;
    Result<void> zeroize() override;
    Result<ByteVector> sign(std::string_view name, Bytes message, Bytes context) override;
    Result<ByteVector> seal(Bytes secret) override;
    Result<SecretBytes> unseal(Bytes blob) override;
    Result<std::uint64_t> create_counter(std::string_view name) override;
    Result<std::uint64_t> increment_counter(std::string_view name) override;
    Result<std::uint64_t> read_counter(std::string_view name) override;
    Result<Attestation> attest(std::string_view name, Bytes nonce) override;

private:
    // These need the mutex.
    Result<Operation> start();
    Result<Object> key(std::string_view name) const;
    Result<void> remove_keys() const;

    std::filesystem::path file_of(std::string_view name) const {
        return config_.folder / (std::string(name) + suffix);
    }

    Config config_;
    Identity identity_;
    std::mutex mutex_;
    bool zeroized_ = false;
};

Result<Operation> Store::start() {
    if (!zeroized_) {
        auto operation = begin(config_);
        if (operation && operation->primary_name == identity_.primary_name) return operation;
        if (!operation && operation.error().code != Code::input_not_found) return operation;
        zeroized_ = true;  // by somebody else; what is there now is another store
    }
    return fail(Code::state_wrong, "{}: the key store at {:#x} was zeroized", config_.tcti,
                config_.handle);
}

Result<Object> Store::key(std::string_view name) const {
    const auto text =
        files::read(file_of(name), 2 * sizeof(TPM2B_PUBLIC) + 2 * sizeof(TPM2B_PRIVATE));
    if (!text && text.error().code == Code::input_not_found) {
        return fail(Code::input_not_found, "{}: there is no key {}", config_.folder.string(), name);
    }
    if (!text) return std::unexpected(text.error());
    auto object = decode(bytes_of(*text));
    if (!object) {
        return fail(object.error().code, "{}: {}", file_of(name).string(), object.error().message);
    }
    return object;
}

Result<void> Store::generate(std::string_view name, std::string_view algorithm,
                             const UsePolicy& policy) {
    QUOIN_CHECK(check_name(name));
    if (algorithm != algorithm_name) {
        return unsupported(
            fmt::format("make keys of algorithm \"{}\": it has {}", algorithm, algorithm_name));
    }
    if (policy.max_uses != 0 || policy.max_uses_per_minute != 0 || !policy.message_prefix.empty() ||
        !policy.users.empty()) {
        return unsupported("keep to that policy: it knows attestation_only and platform_bound");
    }
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    TPM2B_DIGEST bound{};
    if (policy.platform_bound) {
        QUOIN_TRY(bound, pcr_policy(operation.tpm, selection_of(config_.pcrs)));
    }
    QUOIN_TRY(Object object,
              make_object(operation, signing_template(policy.attestation_only, bound), {}));
    object.pcrs = config_.pcrs;
    QUOIN_TRY(const ByteVector blob, encode(object));
    return files::create(file_of(name), text_of(blob), 0600);
}

Result<std::vector<KeyInfo>> Store::list() {
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(start());
    std::vector<KeyInfo> all;
    std::error_code failure;
    for (std::filesystem::directory_iterator at(config_.folder, failure), end;
         !failure && at != end; at.increment(failure)) {
        const std::string name = at->path().stem().string();
        if (at->path().extension() != suffix || !check_name(name)) continue;
        QUOIN_TRY(const Object object, key(name));
        KeyInfo info{name, std::string(algorithm_name), {}};
        info.policy.attestation_only = object.attests();
        info.policy.platform_bound = object.is_bound();
        all.push_back(std::move(info));
    }
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", config_.folder.string(),
                    failure.message());
    }
    std::ranges::sort(all, {}, &KeyInfo::name);
    return all;
}

Result<ByteVector> Store::public_key(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    QUOIN_TRY(const Object object, key(name));
    // Only the TPM can tell whether the file is its own.
    QUOIN_CHECK(load_object(operation, object));
    return spki_of(object.open);
}

Result<void> Store::remove(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    const std::scoped_lock lock(mutex_);
    QUOIN_CHECK(start());
    std::error_code failure;
    if (!std::filesystem::remove(file_of(name), failure)) {
        return fail(failure ? Code::resource_unavailable : Code::input_not_found,
                    "{}: cannot be removed: {}", file_of(name).string(),
                    failure ? failure.message() : "it is not there");
    }
    return files::sync_folder(config_.folder);
}

// The primary key last but its name: until then this can be done again, and finds all that is left.
// What fails before it does not save it.
Result<void> Store::zeroize() {
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    const auto undefined = undefine_counters(operation, config_);
    auto removed = remove_keys();
    QUOIN_CHECK(evict_primary(operation, config_));
    zeroized_ = true;
    std::error_code failure;
    std::filesystem::remove(config_.folder / name_file, failure);
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", (config_.folder / name_file).string(),
                    failure.message());
    }
    QUOIN_CHECK(files::sync_folder(config_.folder));
    QUOIN_CHECK(undefined);
    return removed;
}

Result<void> Store::remove_keys() const {
    std::error_code failure;
    std::vector<std::filesystem::path> found;
    for (std::filesystem::directory_iterator at(config_.folder, failure), end;
         !failure && at != end; at.increment(failure)) {
        if (at->path().extension() == suffix) found.push_back(at->path());
    }
    for (const auto& file : found) {
        if (!failure) std::filesystem::remove(file, failure);
    }
    if (failure) {
        return fail(Code::resource_unavailable, "{}: {}", config_.folder.string(),
                    failure.message());
    }
    return files::sync_folder(config_.folder);
}

Result<ByteVector> Store::sign(std::string_view name, Bytes message, Bytes context) {
    QUOIN_CHECK(check_name(name));
    if (!context.empty() || message.size() > max_message_size) {
        return fail(Code::input_invalid, "{} takes no context, and messages of at most {} bytes",
                    algorithm_name, max_message_size);
    }
    QUOIN_TRY(const crypto::Sha256Digest hash, crypto::sha256(message));
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    QUOIN_TRY(const Object object, key(name));
    if (object.attests()) {
        return fail(Code::peer_forbidden, "{}: signs only what the TPM itself has made", name);
    }
    QUOIN_TRY(const Loaded loaded, load_object(operation, object));
    QUOIN_TRY(const Loaded session,
              object.is_bound()
                  ? pcr_session(operation.tpm, operation.primary, selection_of(object.pcrs))
                  : start_session(operation.tpm, operation.primary, SessionKind::authorisation));
    TPM2B_DIGEST digest{};
    digest.size = static_cast<UINT16>(hash.size());
    std::ranges::copy(hash, digest.buffer);
    TPMT_SIG_SCHEME scheme{};
    scheme.scheme = TPM2_ALG_NULL;  // the key's own
    TPMT_TK_HASHCHECK ticket{};
    ticket.tag = TPM2_ST_HASHCHECK;
    ticket.hierarchy = TPM2_RH_NULL;
    Owned<TPMT_SIGNATURE> signature;
    const TSS2_RC code =
        Esys_Sign(operation.esys(), loaded.handle(), session.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                  &digest, &scheme, &ticket, std::out_ptr(signature));
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "signing");
    return der_of(*signature);
}

Result<ByteVector> Store::seal(Bytes secret) {
    if (secret.empty() || secret.size() > max_sealed_secret) {
        return fail(Code::input_invalid, "{} bytes cannot be sealed: 1 to {} can", secret.size(),
                    max_sealed_secret);
    }
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    QUOIN_TRY(const TPM2B_DIGEST policy, pcr_policy(operation.tpm, selection_of(config_.pcrs)));
    QUOIN_TRY(Object object, make_object(operation, sealed_template(policy), secret));
    object.pcrs = config_.pcrs;
    return encode(object);
}

Result<SecretBytes> Store::unseal(Bytes blob) {
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    QUOIN_TRY(const Object object, decode(blob));
    if (object.pcrs.empty() || object.open.publicArea.type != TPM2_ALG_KEYEDHASH) {
        return fail(Code::integrity_mismatch, "the blob is no sealed secret, or damaged");
    }
    QUOIN_TRY(const Loaded loaded, load_object(operation, object));
    QUOIN_TRY(const Loaded session,
              pcr_session(operation.tpm, operation.primary, selection_of(object.pcrs)));
    Owned<TPM2B_SENSITIVE_DATA> data;
    const TSS2_RC code = Esys_Unseal(operation.esys(), loaded.handle(), session.handle(),
                                     ESYS_TR_NONE, ESYS_TR_NONE, std::out_ptr(data));
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "unsealing");
    return SecretBytes(MutableBytes(data->buffer, data->size));
}

Result<std::uint64_t> Store::create_counter(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    return define_counter(operation, config_, name);
}

Result<std::uint64_t> Store::increment_counter(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    return tpm::read_counter(operation, config_, name, true);
}

Result<std::uint64_t> Store::read_counter(std::string_view name) {
    QUOIN_CHECK(check_name(name));
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    return tpm::read_counter(operation, config_, name, false);
}

Result<Attestation> Store::attest(std::string_view name, Bytes nonce) {
    QUOIN_CHECK(check_name(name));
    if (nonce.empty() || nonce.size() > max_nonce_size) {
        return fail(Code::input_invalid, "a nonce has 1 to {} bytes", max_nonce_size);
    }
    const std::scoped_lock lock(mutex_);
    QUOIN_TRY(const Operation operation, start());
    QUOIN_TRY(const Object object, key(name));
    if (!object.attests()) {
        return fail(Code::peer_forbidden, "{}: was not made for attestation", name);
    }
    QUOIN_TRY(const Loaded loaded, load_object(operation, object));
    QUOIN_TRY(const Loaded session,
              object.is_bound()
                  ? pcr_session(operation.tpm, operation.primary, selection_of(object.pcrs))
                  : start_session(operation.tpm, operation.primary, SessionKind::authorisation));
    TPM2B_DATA challenge{};
    challenge.size = static_cast<UINT16>(nonce.size());
    std::ranges::copy(nonce, challenge.buffer);
    TPMT_SIG_SCHEME scheme{};
    scheme.scheme = TPM2_ALG_NULL;
    const TPML_PCR_SELECTION pcrs = selection_of(config_.pcrs);
    Owned<TPM2B_ATTEST> quoted;
    Owned<TPMT_SIGNATURE> signature;
    const TSS2_RC code =
        Esys_Quote(operation.esys(), loaded.handle(), session.handle(), ESYS_TR_NONE, ESYS_TR_NONE,
                   &challenge, &scheme, &pcrs, std::out_ptr(quoted), std::out_ptr(signature));
    if (code != TSS2_RC_SUCCESS) return operation.tpm.failed(code, "quoting");
    QUOIN_TRY(ByteVector der, der_of(*signature));
    return Attestation{std::string(quote_format),
                       ByteVector(quoted->attestationData, quoted->attestationData + quoted->size),
                       std::move(der)};
}

Result<std::vector<std::uint32_t>> parse_pcrs(const std::string& text) {
    std::vector<std::uint32_t> pcrs;
    for (std::string_view rest = text;;) {
        std::uint32_t pcr = 0;
        const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), pcr);
        if (failure != std::errc() || pcr > max_pcr || (!pcrs.empty() && pcr <= pcrs.back())) break;
        pcrs.push_back(pcr);
        if (end == rest.data() + rest.size()) return pcrs;
        if (*end != ',') break;
        rest.remove_prefix(static_cast<std::size_t>(end + 1 - rest.data()));
    }
    return fail(Code::input_invalid, "pcrs={}: write numbers 0 to {}, rising, as in 0,2,7", text,
                max_pcr);
}

Result<std::uint32_t> parse_handle(std::string_view text) {
    std::uint32_t handle = 0;
    const std::string_view digits = text.starts_with("0x") ? text.substr(2) : text;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), handle, 16);
    if (failure != std::errc() || end != digits.data() + digits.size() ||
        handle < TPM2_PERSISTENT_FIRST || handle >= TPM2_PLATFORM_PERSISTENT) {
        return fail(Code::input_invalid, "handle={}: write one of 0x81000000 to 0x817fffff", text);
    }
    return handle;
}

// Sessions are salted with the primary key: another one's owner would learn what they encrypt.
Result<void> check_primary(const Config& config, const Operation& operation) {
    const auto known = files::read(config.folder / name_file, 2 * sizeof(TPMU_NAME));
    if (known && *known == crypto::to_hex(operation.primary_name)) return {};
    return fail(Code::integrity_mismatch,
                "{}: the key at {:#x} is not the one that this store was made with ({}): another "
                "TPM, another dir=, or somebody sits between",
                config.tcti, config.handle,
                known ? (config.folder / name_file).string() : known.error().message);
}

Result<std::string> product_of(const Connection& tpm) {
    std::string vendor;
    for (const TPM2_PT which :
         {TPM2_PT_MANUFACTURER, TPM2_PT_VENDOR_STRING_1, TPM2_PT_VENDOR_STRING_2,
          TPM2_PT_VENDOR_STRING_3, TPM2_PT_VENDOR_STRING_4}) {
        QUOIN_TRY(const std::uint32_t four, tpm.property(which));
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            const char c = static_cast<char>(four >> shift & 0xFFU);
            if (c > ' ' && c <= '~') vendor += c;
        }
        if (which == TPM2_PT_MANUFACTURER) vendor += ' ';
    }
    QUOIN_TRY(const std::uint32_t version, tpm.property(TPM2_PT_FIRMWARE_VERSION_1));
    return fmt::format("TPM 2.0 {}, firmware {:#x}", vendor, version);
}

}  // namespace

Result<Config> config_of(const Uri& uri) {
    QUOIN_CHECK(uri.check_options({"tcti", "dir", "pcrs", "handle", "auth", "owner_auth"}));
    Config config;
    config.tcti = uri.value_or("tcti", config.tcti);
    QUOIN_TRY(config.folder, uri.required("dir"));
    const std::string pcrs = uri.value_or("pcrs", fmt::format("{}", fmt::join(config.pcrs, ",")));
    QUOIN_TRY(config.pcrs, parse_pcrs(pcrs));
    QUOIN_TRY(config.handle,
              parse_handle(uri.value_or("handle", fmt::format("{:#x}", config.handle))));
    QUOIN_TRY(config.authorisation, read_secret_file(uri.value_or("auth", "")));
    QUOIN_TRY(config.owner_authorisation, read_secret_file(uri.value_or("owner_auth", "")));
    return config;
}

Result<std::unique_ptr<SecurityProvider>> create(Config config) {
    QUOIN_CHECK(files::make_private_folder(config.folder));
    QUOIN_CHECK(make_primary(config, [&](const ByteVector& name) {
        return files::write_atomically(config.folder / name_file, crypto::to_hex(name), 0600);
    }));
    return open(std::move(config));
}

Result<std::unique_ptr<SecurityProvider>> open(Config config) {
    Identity identity;
    {
        QUOIN_TRY(const Operation operation, begin(config));
        QUOIN_CHECK(check_primary(config, operation));
        QUOIN_TRY(identity.product, product_of(operation.tpm));
        identity.primary_name = operation.primary_name;
        identity.in_software = identity.product.find("SWTPM") != std::string::npos;
        // Nothing else proves the authorisation now rather than at the first use.
        QUOIN_CHECK(make_object(operation, sealed_template({}), bytes_of("?")));
    }
    return std::make_unique<Store>(std::move(config), std::move(identity));
}

Result<std::unique_ptr<SecurityProvider>> create(const Uri& uri) {
    QUOIN_TRY(Config config, config_of(uri));
    return create(std::move(config));
}

Result<std::unique_ptr<SecurityProvider>> open(const Uri& uri) {
    QUOIN_TRY(Config config, config_of(uri));
    return open(std::move(config));
}

Result<PcrValues> read_pcrs(const std::string& tcti, const std::vector<std::uint32_t>& pcrs) {
    QUOIN_TRY(const Connection tpm, Connection::open(tcti));
    PcrValues values;
    for (const std::uint32_t pcr : pcrs) {  // a TPM gives at most eight at a time
        const TPML_PCR_SELECTION one = selection_of({pcr});
        Owned<TPML_DIGEST> digests;
        const TSS2_RC code = Esys_PCR_Read(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                           &one, nullptr, nullptr, std::out_ptr(digests));
        if (code != TSS2_RC_SUCCESS) return tpm.failed(code, "reading the PCRs");
        auto& value = values[pcr];
        if (digests->count != 1 || digests->digests[0].size != value.size()) {
            return fail(Code::input_unsupported, "{}: the TPM has no SHA-256 bank of PCR {}", tcti,
                        pcr);
        }
        std::copy_n(digests->digests[0].buffer, value.size(), value.begin());
    }
    return values;
}

}  // namespace quoin::keys::tpm
