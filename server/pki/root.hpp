// The acts of a root: what a ceremony does in one home, or in two that never meet. Not for others
// than ceremony and offline_root. Threads: one at a time in a home.
#pragma once

#include <filesystem>
#include <string>

#include "host/crypto/crypto.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/issuing.hpp"
#include "server/pki/profile.hpp"

namespace quoin::server {

Result<void> check_site(const std::string& site);
Result<void> check_root_passphrase(const crypto::Passphrase& passphrase);

struct Root {
    crypto::PrivateKey key;
    x509::Certificate certificate;
};
// root.crt, root.key and profile.toml in `folder`.
Result<Root> make_root(const PkiProfile& profile, const std::string& site,
                       const crypto::Passphrase& passphrase, const std::filesystem::path& folder);
// The site that a root of ours was made for: config_invalid if it is none.
Result<std::string> site_of(const x509::Certificate& root);
// With its key, which is in `key_file` (empty: HOME/pki/root.key); another one is input_invalid.
Result<Root> open_root(const std::filesystem::path& home, const std::filesystem::path& key_file,
                       const crypto::Passphrase& passphrase);

// Issuing CAs of one root have different names, or verifiers would mix up their lists: "SITE
// issuing", "SITE issuing 2", ... The number; config_invalid if it is none of this site.
Result<unsigned> issuing_number(const std::string& name, const std::string& site);
std::string issuing_name(const std::string& site, unsigned number);
// What its key in a store is made for: keys::program_key_prefix().
std::string issuing_key_use(unsigned number);
Result<x509::Certificate> certify_issuing(const Root& root, const PkiProfile& profile,
                                          const crypto::PublicKey& key,
                                          const std::string& status_url, unsigned number = 1);

// A PKI in the making: STAGED/pki, services and operator.
Result<void> make_staged_folders(const std::filesystem::path& staged);
// Services, the first operator, an empty list and the record, in `staged`: pki/ holds root.crt and
// profile.toml.
struct Completion {
    const IssuingCa& ca;
    const x509::Certificate& root;
    const std::vector<std::string>& names;
    const std::vector<std::string>& witnesses;
    std::string act;
    std::vector<std::string> next_steps;
};
Result<void> complete(const Completion& completion, const std::filesystem::path& staged,
                      const KeyNotices& notices);
// What is to be done with a root's key, for a record.
std::vector<std::string> root_key_steps(const std::filesystem::path& key);
// Of the request, or of its home's quoin.toml; input_conflict if both say one, and differ.
Result<std::string> status_url_of(const PkiRequest& request);
Result<PkiProfile> chosen_profile(const PkiRequest& request);
// Into HOME; then the PKI is there.
Result<void> move_in(const std::filesystem::path& staged, const std::filesystem::path& home);
// quoin.toml, if there is none.
Result<void> write_configuration(const PkiRequest& request, tls::Suite suite);
// Keys in the store for a PKI that was begun in `staged` and did not come to be. False: some stay,
// for their store cannot be reached.
Result<bool> remove_leftovers(const keys::Choice& choice, const std::filesystem::path& staged,
                              const KeyNotices& notices);

}  // namespace quoin::server
