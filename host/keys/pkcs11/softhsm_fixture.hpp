// A SoftHSM2 token in a folder of its own, for one test.
#pragma once

#include "host/keys/pkcs11/store.hpp"
#include "host/keys/test_folder.hpp"

namespace quoin::keys::pkcs11 {

class SoftHsm {
public:
    SoftHsm();

    static constexpr const char* label = "plant";
    static constexpr const char* right_pin = "1234";
    Config config(std::string pin = right_pin) const;
    const std::filesystem::path& folder() const { return folder_.path(); }

private:
    TestFolder folder_;
};

}  // namespace quoin::keys::pkcs11
