#include "provider/settings.hpp"

#include <openssl/params.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "provider/dispatch.hpp"

namespace quoin::provider {
namespace {

// The core's function of that number; null if this OpenSSL has none.
template <class Function>
Function* upcall(const OSSL_DISPATCH* from_core, int id) {
    for (; from_core != nullptr && from_core->function_id != 0; ++from_core) {
        if (from_core->function_id == id) return reinterpret_cast<Function*>(from_core->function);
    }
    return nullptr;
}

// Assigned or reserved in IANA's registry of TLS SignatureScheme: what TLS 1.2 and RFC 8446 and its
// like use, ML-DSA, SLH-DSA, and the values of GREASE (RFC 8701).
bool is_taken(unsigned code_point) {
    const bool grease =
        (code_point & 0x0f0fU) == 0x0a0aU && code_point >> 8U == (code_point & 0xffU);
    return code_point < 0x0900 || (code_point >= 0x0904 && code_point <= 0x0906) ||
           (code_point >= 0x0911 && code_point <= 0x091c) || grease;
}

bool refuse_code_point(const char* setting, std::string_view text, const char* why) {
    ERR_raise_data(ERR_LIB_PROV, PROV_R_INVALID_CONFIG_DATA, "quoin: %s = %.*s: %s", setting,
                   static_cast<int>(text.size()), text.data(), why);
    return false;
}

bool parse_code_point(const char* setting, std::string_view text, unsigned& code_point) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = hexadecimal ? text.substr(2) : text;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(),
                                              code_point, hexadecimal ? 16 : 10);
    if (error != std::errc{} || end != digits.data() + digits.size() || code_point > 0xffff) {
        return refuse_code_point(setting, text, "not a number from 0x0900 to 0xFFFF");
    }
    if (is_taken(code_point)) {
        return refuse_code_point(setting, text,
                                 "the code point of another TLS signature scheme, or reserved");
    }
    return true;
}

}  // namespace

std::optional<CodePoints> read_code_points(const OSSL_CORE_HANDLE* core,
                                           const OSSL_DISPATCH* from_core) {
    CodePoints code_points = {composites[0].tls_code_point, composites[1].tls_code_point};
    std::array<char*, composites.size()> texts = {};
    std::array<OSSL_PARAM, composites.size() + 1> asked = {};
    for (std::size_t i = 0; i < composites.size(); ++i) {
        asked[i] = OSSL_PARAM_construct_utf8_ptr(composites[i].code_point_setting, &texts[i], 0);
    }
    asked.back() = OSSL_PARAM_construct_end();
    auto* const get_params =
        upcall<OSSL_FUNC_core_get_params_fn>(from_core, OSSL_FUNC_CORE_GET_PARAMS);
    if (get_params != nullptr && get_params(core, asked.data()) != 1) texts = {};
    const char* set_by = nullptr;  // the last of what was set
    const char* set_to = nullptr;
    for (std::size_t i = 0; i < composites.size(); ++i) {
        const char* name = composites[i].code_point_setting;
        const char* text = texts[i];
        const char* const set = ::secure_getenv(composites[i].code_point_variable);
        if (set != nullptr && *set != '\0') {
            name = composites[i].code_point_variable;
            text = set;
        }
        if (text == nullptr) continue;
        if (!parse_code_point(name, text, code_points[i])) return std::nullopt;
        set_by = name;
        set_to = text;
    }
    if (code_points[0] == code_points[1]) {  // not by default: one was set
        refuse_code_point(set_by, set_to, "both composites have this code point");
        return std::nullopt;
    }
    return code_points;
}

bool name_objects(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* from_core) {
    auto* const create = upcall<OSSL_FUNC_core_obj_create_fn>(from_core, OSSL_FUNC_CORE_OBJ_CREATE);
    auto* const add_signature =
        upcall<OSSL_FUNC_core_obj_add_sigid_fn>(from_core, OSSL_FUNC_CORE_OBJ_ADD_SIGID);
    return create != nullptr && add_signature != nullptr &&
           std::ranges::all_of(composites, [&](const SignatureRow& row) {
               // The signature algorithm is the key's, and no digest is apart from it. By its OID:
               // a configuration may have given it another name before.
               return create(core, row.oid, row.name, row.name) == 1 &&
                      add_signature(core, row.oid, "", row.oid) == 1;
           });
}

}  // namespace quoin::provider
