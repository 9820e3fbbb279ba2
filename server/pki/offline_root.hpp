// A root whose key is never on the plant's machine: what `quoin pki init` does, in two homes.
//
//   root's machine                      plant's machine
//   new_root            ── root.crt ──>
//                       <── REQUEST ──  request_issuing
//   certify_request     ── issuing.crt >
//                                       install_issuing: now the plant has a PKI
//
// Each act writes a record (record.hpp) or is in one. The other errors are those of init_pki.
// Threads: one at a time in a home.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "server/pki/ceremony.hpp"

namespace quoin::server {

// HOME/pki: root.crt, root.key, profile.toml and ceremony.txt. `request`: home, site, profile or
// suite, and witnesses count.
Result<void> new_root(const PkiRequest& request, const crypto::Passphrase& root_passphrase);

// The issuing CA's key, and HOME/pki-request/issuing.csr, which is returned: to be taken to the
// root's machine. An earlier request that was not answered is forgotten, and its key removed.
// `request`: home, profile or suite, status_url and keys count; they go into quoin.toml.
Result<std::filesystem::path> request_issuing(const PkiRequest& request,
                                              const std::filesystem::path& root_certificate,
                                              const KeyNotices& notices = {});

struct CertifyRequest {
    std::filesystem::path home;     // of the root
    std::filesystem::path request;  // as request_issuing made it
    std::filesystem::path out;      // must not be there yet
    std::string status_url = {};    // of the plant
    std::vector<std::string> witnesses = {};
    std::filesystem::path root_key = {};  // empty: HOME/pki/root.key
    // Of the request, in hex, as the plant's machine showed it: whoever carries it could put
    // another in its place. Empty: it was made on this machine.
    std::string request_sha256 = {};
};
// The issuing CA's certificate. Its record, HOME/pki/ceremony-SERIAL.txt, is returned.
// input_invalid: a request of another site, with a key that the profile does not say, or with
// another digest.
Result<std::filesystem::path> certify_request(const CertifyRequest& request,
                                              const crypto::Passphrase& root_passphrase);

// Services and the first operator, by the issuing CA that was certified. input_invalid:
// the certificate is not the answer to the home's request. `request`: home, names and witnesses
// count.
Result<void> install_issuing(const PkiRequest& request, const std::filesystem::path& certificate,
                             const KeyNotices& notices = {});

}  // namespace quoin::server
