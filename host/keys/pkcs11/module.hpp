// A PKCS#11 module, loaded once for a process however many stores use it, and a session on one of
// its tokens.
//
// Source: PKCS#11 v3.0 (OASIS), the header is p11-kit's. After a fork() the child initialises the
// module anew and opens sessions of its own (section 5.4, C_Initialize). Threads: Module yes (the
// module locks by itself); Session: one owner.
#pragma once

#include <p11-kit/pkcs11.h>
#include <sys/types.h>

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/crypto/crypto.hpp"
#include "host/error.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::keys::pkcs11 {

class Module {
public:
    // config_invalid: no PKCS#11 module there.
    static Result<std::shared_ptr<Module>> load(const std::string& path);
    explicit Module(std::string path) : path_(std::move(path)) {}
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    ~Module();

    // Of this process, also after fork().
    Result<void> initialize();
    const CK_FUNCTION_LIST& calls() const { return *calls_; }
    const std::string& path() const { return path_; }
    pid_t process() const { return process_; }

private:
    Result<void> open();

    std::string path_;
    void* library_ = nullptr;
    CK_FUNCTION_LIST* calls_ = nullptr;
    std::mutex mutex_;
    pid_t process_ = -1;
    bool finalize_ = false;  // we were the ones who initialised it
};

struct Token {
    CK_SLOT_ID slot = 0;
    bool hardware = false;
    std::string product;
    std::vector<CK_MECHANISM_TYPE> mechanisms;
    bool has(CK_MECHANISM_TYPE mechanism) const;
};
// By its label. Not in any slot: resource_unavailable.
Result<Token> find_token(Module& module, const std::string& label);

class Session {
public:
    // Logged in. A wrong PIN says how few are left, as far as the token tells; `refused`: the PIN
    // itself was, and it would be once more.
    static Result<std::unique_ptr<Session>> open(const std::shared_ptr<Module>& module,
                                                 const std::string& label,
                                                 const crypto::Passphrase& pin,
                                                 bool* refused = nullptr);
    Session(std::shared_ptr<Module> module, CK_SESSION_HANDLE handle)
        : module_(std::move(module)), handle_(handle), process_(module_->process()) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    const CK_FUNCTION_LIST& calls() const { return module_->calls(); }
    CK_SESSION_HANDLE handle() const { return handle_; }
    // Not in a child made by fork().
    bool is_ours() const;

    Result<std::vector<CK_OBJECT_HANDLE>> find(std::vector<CK_ATTRIBUTE> wanted) const;
    Result<ByteVector> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE which) const;
    Result<bool> flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE which) const;
    Result<void> destroy(CK_OBJECT_HANDLE object) const;

private:
    std::shared_ptr<Module> module_;
    CK_SESSION_HANDLE handle_;
    pid_t process_;
};

std::unexpected<Error> failed(CK_RV code, std::string_view doing);

}  // namespace quoin::keys::pkcs11
