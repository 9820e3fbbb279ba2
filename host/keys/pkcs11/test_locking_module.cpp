// A PKCS#11 module whose third wrong PIN locks its token, as a smart card does and SoftHSM2 does
// not. With the PIN 1234 it answers as a test says, and it has one object, whatever is looked for.
// Only what logging in and looking need.
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <string_view>

namespace {

constexpr CK_ULONG most_tries = 3;
CK_ULONG tries = 0;
CK_RV login_answer = CKR_OK;
CK_RV find_answer = CKR_OK;

CK_RV initialize(void*) { return CKR_OK; }
CK_RV finalize(void*) {
    tries = 0;
    return CKR_OK;
}
CK_RV slot_list(CK_BBOOL, CK_SLOT_ID* slots, CK_ULONG* count) {
    *slots = 7;
    *count = 1;
    return CKR_OK;
}
CK_RV slot_info(CK_SLOT_ID, CK_SLOT_INFO* info) {
    info->flags = CKF_TOKEN_PRESENT | CKF_HW_SLOT;
    return CKR_OK;
}
CK_RV token_info(CK_SLOT_ID, CK_TOKEN_INFO* info) {
    constexpr std::string_view label = "card";
    std::ranges::fill(info->label, ' ');
    std::ranges::copy(label, info->label);
    info->flags = CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
    if (tries != 0) info->flags |= CKF_USER_PIN_COUNT_LOW;
    if (tries == most_tries - 1) info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (tries >= most_tries) info->flags |= CKF_USER_PIN_LOCKED;
    return CKR_OK;
}
CK_RV mechanism_list(CK_SLOT_ID, CK_MECHANISM_TYPE*, CK_ULONG* count) {
    *count = 0;
    return CKR_OK;
}
CK_RV open_session(CK_SLOT_ID, CK_FLAGS, void*, CK_NOTIFY, CK_SESSION_HANDLE* session) {
    *session = 1;
    return CKR_OK;
}
CK_RV close_session(CK_SESSION_HANDLE) { return CKR_OK; }
CK_RV login(CK_SESSION_HANDLE, CK_USER_TYPE, unsigned char* pin, CK_ULONG size) {
    if (std::string_view(reinterpret_cast<char*>(pin), size) == "1234") return login_answer;
    if (tries >= most_tries) return CKR_PIN_LOCKED;
    return ++tries == most_tries ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
}

CK_RV find_init(CK_SESSION_HANDLE, CK_ATTRIBUTE*, CK_ULONG) { return find_answer; }
CK_RV find(CK_SESSION_HANDLE, CK_OBJECT_HANDLE* found, CK_ULONG, CK_ULONG* count) {
    *found = 1;
    *count = 1;
    return CKR_OK;
}
CK_RV find_final(CK_SESSION_HANDLE) { return CKR_OK; }
CK_RV attribute(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE* wanted, CK_ULONG) {
    *static_cast<CK_BBOOL*>(wanted->pValue) = CK_TRUE;
    wanted->ulValueLen = sizeof(CK_BBOOL);
    return CKR_OK;
}

CK_FUNCTION_LIST table_of() {
    CK_FUNCTION_LIST list{};
    list.version = {2, 40};
    list.C_Initialize = initialize;
    list.C_Finalize = finalize;
    list.C_GetSlotList = slot_list;
    list.C_GetSlotInfo = slot_info;
    list.C_GetTokenInfo = token_info;
    list.C_GetMechanismList = mechanism_list;
    list.C_OpenSession = open_session;
    list.C_CloseSession = close_session;
    list.C_Login = login;
    list.C_FindObjectsInit = find_init;
    list.C_FindObjects = find;
    list.C_FindObjectsFinal = find_final;
    list.C_GetAttributeValue = attribute;
    return list;
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) noexcept {
    static CK_FUNCTION_LIST table = table_of();
    *list = &table;
    return CKR_OK;
}

// What logging in with the PIN 1234 and looking for objects answer from now on.
extern "C" void set_answers(CK_RV login, CK_RV find) noexcept {
    login_answer = login;
    find_answer = find;
}
