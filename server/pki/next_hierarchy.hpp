// The second hierarchy of a plant that migrates (migration.hpp), as the running CA uses it.
//
// Threads: immutable once it is loaded.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "host/keys/choice.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/issuers.hpp"
#include "server/pki/profile.hpp"

namespace quoin::server {

struct NextHierarchy {
    PkiProfile profile;
    std::filesystem::path folder;  // HOME/next
    x509::Certificate root;
    IssuerPointer issuer;
    x509::Certificate new_with_old;
};

using NextPointer = std::shared_ptr<const NextHierarchy>;

// What is in HOME/next now: `present` again if that has not changed, null if there is none. One
// that is not stronger than `suite` is config_invalid: a plant never goes back.
Result<NextPointer> load_next(const std::filesystem::path& home, const keys::Choice& choice,
                              tls::Suite suite, const NextPointer& present);

}  // namespace quoin::server
