// The issuing CAs of a plant, as the running CA uses them: the present one issues; the earlier ones
// (rotation.hpp) only revoke and answer, until their last certificate has expired.
//
// Threads: immutable once they are loaded.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/keys/choice.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::server {

struct Issuer {
    x509::Certificate certificate;
    crypto::PrivateKey key;
    bool renew_now = false;  // an earlier one, which devices are to leave soon
};
using IssuerPointer = std::shared_ptr<const Issuer>;

struct Issuers {
    IssuerPointer present;
    std::vector<IssuerPointer> earlier;
};
using IssuersPointer = std::shared_ptr<const Issuers>;

Result<IssuerPointer> load_issuer(const std::filesystem::path& folder, const keys::Choice& choice,
                                  const crypto::Passphrase& unlock);
// What HOME/pki has now: `present` again if that has not changed.
Result<IssuersPointer> load_issuers(const std::filesystem::path& home, const keys::Choice& choice,
                                    const IssuersPointer& present);

}  // namespace quoin::server
