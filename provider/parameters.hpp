// OSSL_PARAM arrays: reading and writing octet strings.
#pragma once

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <optional>

#include "core/base/bytes.hpp"
#include "provider/dispatch.hpp"

namespace quoin::provider {

inline bool is_among(const OSSL_PARAM parameters[], const char* name) {
    return parameters != nullptr && OSSL_PARAM_locate_const(parameters, name) != nullptr;
}

// An octet string among the parameters; empty if it is not there, none if it has another type.
inline std::optional<Bytes> octets(const OSSL_PARAM parameters[], const char* name) {
    if (!is_among(parameters, name)) return Bytes{};
    const OSSL_PARAM* const found = OSSL_PARAM_locate_const(parameters, name);
    const void* data = nullptr;
    std::size_t size = 0;
    if (OSSL_PARAM_get_octet_string_ptr(found, &data, &size) != 1) return std::nullopt;
    return Bytes(static_cast<const std::uint8_t*>(data), size);
}

// Answers the parameter if it is asked for. False: the asker's buffer is too small, or of another
// type; OpenSSL has queued which.
inline bool answer_octets(OSSL_PARAM parameters[], const char* name, Bytes value) {
    OSSL_PARAM* const asked = OSSL_PARAM_locate(parameters, name);
    return asked == nullptr || OSSL_PARAM_set_octet_string(asked, value.data(), value.size()) == 1;
}

inline bool answer_int(OSSL_PARAM parameters[], const char* name, int value) {
    OSSL_PARAM* const asked = OSSL_PARAM_locate(parameters, name);
    return asked == nullptr || OSSL_PARAM_set_int(asked, value) == 1;
}

// Leaves `value` alone if the parameter is not there. False: it has another type.
inline bool read_int(const OSSL_PARAM parameters[], const char* name, int& value) {
    const OSSL_PARAM* const given =
        parameters == nullptr ? nullptr : OSSL_PARAM_locate_const(parameters, name);
    return given == nullptr || OSSL_PARAM_get_int(given, &value) == 1;
}

inline OSSL_PARAM octets_to_export(const char* name, Bytes value) {
    // OpenSSL's type has no const; what is exported is only read.
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(value.data()),
                                             value.size());
}

}  // namespace quoin::provider
