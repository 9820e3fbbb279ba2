// What is set for the provider, and what a loading tells OpenSSL's core: the names of the object
// identifiers.
//
//   composite44-code-point = 0x090A    the TLS signature schemes of the composites, while IANA has
//   composite65-code-point = 0x090B    assigned none: in the provider's section of OPENSSL_CONF
//   QUOIN_COMPOSITE44_CODE_POINT       the same in the environment, which goes first: it reaches
//   QUOIN_COMPOSITE65_CODE_POINT       our own programs, and all that `quoin up` starts, too
//
// A wrong setting refuses the loading. libcrypto is silent about a provider that its configuration
// file could not activate: without `activate` there, `openssl list -providers -provider quoin` says
// why.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <optional>

#include "provider/algorithms.hpp"

namespace quoin::provider {

// None, with an error queued, for what is no number, is another scheme's, or reserved.
std::optional<CodePoints> read_code_points(const OSSL_CORE_HANDLE* core,
                                           const OSSL_DISPATCH* from_core);

// So that X.509 and `openssl x509 -text` know the composites. False, with an error queued, if
// OpenSSL's core does not take them.
bool name_objects(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* from_core);

}  // namespace quoin::provider
