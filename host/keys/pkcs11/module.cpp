#include "host/keys/pkcs11/module.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "host/keys/errors.hpp"

namespace quoin::keys::pkcs11 {
namespace {

constexpr CK_ULONG max_found = 1024;
constexpr std::size_t max_attribute = 4096;  // bytes

// Fixed fields are padded with spaces.
template <std::size_t Size>
std::string text_of(const unsigned char (&field)[Size]) {
    std::string text(reinterpret_cast<const char*>(field), Size);
    text.erase(text.find_last_not_of(std::string_view(" \0", 2)) + 1);
    return text;
}

// C_Initialize and C_Finalize are the process's, not the caller's: one owner for each module.
struct Registry {
    std::recursive_mutex mutex;  // the last holder of a Module may be inside load()
    std::map<std::string, std::weak_ptr<Module>> loaded;
};
Registry& registry() {
    static Registry all;
    return all;
}

// What the token says about the PIN, for the message of a refusal.
std::string pin_state(Module& module, const std::string& label) {
    const auto token = find_token(module, label);
    CK_TOKEN_INFO info{};
    if (!token || module.calls().C_GetTokenInfo(token->slot, &info) != CKR_OK) return "";
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0) return " (the token says: locked)";
    if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0) {
        return " (the token says: one more wrong PIN locks it)";
    }
    if ((info.flags & CKF_USER_PIN_COUNT_LOW) != 0) {
        return " (the token says: wrong PINs were given)";
    }
    return "";
}

}  // namespace

std::unexpected<Error> failed(CK_RV code, std::string_view doing) {
    return std::unexpected(pkcs11_error(code, fmt::format("PKCS#11: {}", doing)));
}

Result<std::shared_ptr<Module>> Module::load(const std::string& path) {
    const std::scoped_lock lock(registry().mutex);
    if (auto known = registry().loaded[path].lock()) {
        QUOIN_CHECK(known->initialize());
        return known;
    }
    auto module = std::make_shared<Module>(path);
    QUOIN_CHECK(module->open());
    QUOIN_CHECK(module->initialize());
    registry().loaded[path] = module;
    return module;
}

Result<void> Module::open() {
    library_ = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) {
        const char* reason = ::dlerror();
        return fail(Code::config_invalid, "{}: cannot be loaded: {}", path_,
                    reason != nullptr ? reason : "no reason given");
    }
    const auto entry =
        reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
    if (entry == nullptr) {
        return fail(Code::config_invalid, "{}: is no PKCS#11 module: it has no C_GetFunctionList",
                    path_);
    }
    const CK_RV code = entry(&calls_);
    if (code != CKR_OK) return failed(code, path_);
    return {};
}

Result<void> Module::initialize() {
    const std::scoped_lock lock(mutex_);
    if (process_ == ::getpid()) return {};
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV code = calls_->C_Initialize(&arguments);
    // In a child, a module may not have noticed the fork; elsewhere, another library uses it too.
    if (code != CKR_OK && code != CKR_CRYPTOKI_ALREADY_INITIALIZED) return failed(code, path_);
    finalize_ = code == CKR_OK;
    process_ = ::getpid();
    return {};
}

Module::~Module() {
    if (calls_ != nullptr && finalize_ && process_ == ::getpid()) {
        const std::scoped_lock lock(registry().mutex);
        // Another thread may have loaded it anew since our last holder left: then it is theirs.
        if (const auto heir = registry().loaded[path_].lock()) {
            heir->finalize_ = true;
        } else {
            calls_->C_Finalize(nullptr);
        }
    }
    if (library_ != nullptr) ::dlclose(library_);
}

bool Token::has(CK_MECHANISM_TYPE mechanism) const {
    return std::ranges::find(mechanisms, mechanism) != mechanisms.end();
}

Result<Token> find_token(Module& module, const std::string& label) {
    QUOIN_CHECK(module.initialize());
    const CK_FUNCTION_LIST& calls = module.calls();
    CK_ULONG count = 64;
    std::vector<CK_SLOT_ID> slots(count);
    CK_RV code = calls.C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (code != CKR_OK) return failed(code, module.path());
    slots.resize(count);
    for (const CK_SLOT_ID slot : slots) {
        CK_TOKEN_INFO info{};
        CK_SLOT_INFO reader{};
        if (calls.C_GetTokenInfo(slot, &info) != CKR_OK || text_of(info.label) != label) continue;
        code = calls.C_GetSlotInfo(slot, &reader);
        if (code != CKR_OK) return failed(code, module.path());
        Token token{.slot = slot,
                    .hardware = (reader.flags & CKF_HW_SLOT) != 0,
                    .product = fmt::format("{} {}, firmware {}.{}", text_of(info.manufacturerID),
                                           text_of(info.model), info.firmwareVersion.major,
                                           info.firmwareVersion.minor),
                    .mechanisms = std::vector<CK_MECHANISM_TYPE>(1024)};
        CK_ULONG size = token.mechanisms.size();
        code = calls.C_GetMechanismList(slot, token.mechanisms.data(), &size);
        if (code != CKR_OK) return failed(code, module.path());
        token.mechanisms.resize(size);
        return token;
    }
    return fail(Code::resource_unavailable,
                "{}: no token is labelled \"{}\": put it in, or look at token=", module.path(),
                label);
}

Result<std::unique_ptr<Session>> Session::open(const std::shared_ptr<Module>& module,
                                               const std::string& label,
                                               const crypto::Passphrase& pin, bool* refused) {
    QUOIN_TRY(const Token token, find_token(*module, label));
    CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
    CK_RV code = module->calls().C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                               nullptr, nullptr, &handle);
    if (code != CKR_OK) return failed(code, fmt::format("opening a session on {}", label));
    auto session = std::make_unique<Session>(module, handle);
    const std::string_view digits = pin.expose();
    code = module->calls().C_Login(
        handle, CKU_USER,
        reinterpret_cast<unsigned char*>(const_cast<char*>(digits.data())),  // it only reads
        digits.size());
    // A login is the whole process's: another store of it was first, with the right PIN.
    if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return session;
    constexpr std::array of_the_pin{CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE,
                                    CKR_PIN_EXPIRED, CKR_PIN_LOCKED};
    if (refused != nullptr) *refused = std::ranges::contains(of_the_pin, code);
    auto failure = failed(code, fmt::format("logging in to {}", label));
    // Whatever the module calls it, a login that failed is no token that is away: nothing falls
    // back.
    if (failure.error().code == Code::resource_unavailable && code != CKR_TOKEN_NOT_PRESENT &&
        code != CKR_DEVICE_REMOVED) {
        failure.error().code = Code::input_unauthenticated;
    }
    failure.error().message += pin_state(*module, label);
    return failure;
}

Session::~Session() {
    if (is_ours()) module_->calls().C_CloseSession(handle_);
}

bool Session::is_ours() const { return process_ == ::getpid(); }

Result<std::vector<CK_OBJECT_HANDLE>> Session::find(std::vector<CK_ATTRIBUTE> wanted) const {
    CK_RV code = calls().C_FindObjectsInit(handle_, wanted.data(), wanted.size());
    if (code != CKR_OK) return failed(code, "looking for objects");
    std::vector<CK_OBJECT_HANDLE> found(max_found);
    CK_ULONG count = 0;
    code = calls().C_FindObjects(handle_, found.data(), found.size(), &count);
    calls().C_FindObjectsFinal(handle_);
    if (code != CKR_OK) return failed(code, "looking for objects");
    found.resize(count);
    return found;
}

Result<ByteVector> Session::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE which) const {
    ByteVector value(max_attribute);
    CK_ATTRIBUTE wanted{which, value.data(), value.size()};
    const CK_RV code = calls().C_GetAttributeValue(handle_, object, &wanted, 1);
    if (code != CKR_OK) return failed(code, "reading an object");
    value.resize(wanted.ulValueLen);
    return value;
}

Result<bool> Session::flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE which) const {
    QUOIN_TRY(const ByteVector value, attribute(object, which));
    return value.size() == 1 && value[0] == CK_TRUE;
}

Result<void> Session::destroy(CK_OBJECT_HANDLE object) const {
    const CK_RV code = calls().C_DestroyObject(handle_, object);
    if (code != CKR_OK) return failed(code, "removing an object");
    return {};
}

}  // namespace quoin::keys::pkcs11
