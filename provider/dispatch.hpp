// What each file of an operation needs to speak with OpenSSL's core: entries of dispatch tables
// whose type is checked, and errors.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/proverr.h>

#include <memory>
#include <new>
#include <source_location>

// QUOIN_ENTRY(KEYMGMT_NEW, keymgmt_new, function): an entry of an OSSL_DISPATCH table. A function
// of another type than OSSL_FUNC_keymgmt_new_fn does not compile. A macro, as a function would
// fill the tables when the provider is loaded; so they are constants.
#define QUOIN_ENTRY(ID, type, function) \
    {OSSL_FUNC_##ID, reinterpret_cast<void (*)()>(static_cast<OSSL_FUNC_##type##_fn*>(function))}

namespace quoin::provider {

// Queues an error as the default provider does (PROV_R_...), with a sentence. Returns false (0 to
// OpenSSL), which is what the caller returns.
inline bool refuse(int reason, const char* sentence,
                   std::source_location where = std::source_location::current()) {
    ERR_new();
    ERR_set_debug(where.file_name(), static_cast<int>(where.line()), where.function_name());
    ERR_set_error(ERR_LIB_PROV, reason, "%s", sentence);
    return false;
}

// An object whose owner is OpenSSL from now on; null, with an error queued, if there is no memory.
template <class Object, class... Arguments>
Object* give_away(Arguments&&... arguments) {
    std::unique_ptr<Object> object(new (std::nothrow)
                                       Object{std::forward<Arguments>(arguments)...});
    if (object == nullptr) refuse(ERR_R_MALLOC_FAILURE, "out of memory");
    return object.release();
}

// Takes it back, and ends it.
template <class Object>
void take_back(void* object) {
    std::unique_ptr<Object>(static_cast<Object*>(object)).reset();
}

}  // namespace quoin::provider
