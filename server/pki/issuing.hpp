// The issuing CA in the hands of its owner, and what it issues into a home: for the acts of
// ceremony, offline_root and renewal. Not for others. Threads: one at a time in a home.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/files/files.hpp"
#include "host/keys/program_key.hpp"
#include "host/x509/certificate.hpp"
#include "host/x509/identity.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/profile.hpp"

namespace quoin::server {

struct Service {
    const char* name;
    x509::Profile profile;
};
std::span<const Service> services();

// With its key opened.
struct IssuingCa {
    std::string site;
    std::string owner;  // of owner_of()
    PkiProfile profile;
    x509::Addresses addresses;  // in what it issues
    crypto::PrivateKey key;
    x509::Certificate certificate;
    crypto::Passphrase unlock;
    keys::Choice keys;  // of PkiRequest, or of quoin.toml
};

// A folder that is removed unless it was kept.
class Staging {
public:
    explicit Staging(std::filesystem::path path) : path_(std::move(path)) {}
    // Of a new name, beginning so, in `folder`.
    static Result<Staging> make(const std::filesystem::path& folder, std::string_view prefix);
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    Staging(Staging&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    Staging& operator=(Staging&&) = delete;
    ~Staging();
    const std::filesystem::path& path() const { return path_; }
    void keep() { path_.clear(); }

private:
    std::filesystem::path path_;
};

Result<void> write_certificates(const std::filesystem::path& file,
                                std::span<const x509::Certificate> chain);
// `slow`: of a person's passphrase.
Result<void> write_key(const std::filesystem::path& file, const crypto::PrivateKey& key,
                       const crypto::Passphrase& passphrase, bool slow = false);
Result<x509::Certificate> first_of(const std::filesystem::path& file);
Result<void> move_folder(const std::filesystem::path& from, const std::filesystem::path& to);

// Plants may share a store and even the name of their site: keys belong to the root.
Result<std::string> owner_of(const x509::Certificate& root);
Result<crypto::PrivateKey> make_key(const keys::Choice& choice, const std::string& owner,
                                    std::string_view name, crypto::Algorithm algorithm,
                                    const KeyNotices& notices);

// The answer to the request whose key this is: of this root, and a CA.
Result<void> check_answer(const x509::Certificate& issuing, const x509::Certificate& root,
                          const crypto::PrivateKey& key, const std::filesystem::path& file);

// NAME.crt and NAME.key in `folder`, with a new key. `names`: of servers.
Result<void> issue_service(const IssuingCa& ca, const std::filesystem::path& folder,
                           const Service& service, const std::vector<std::string>& names,
                           const KeyNotices& notices);
// state_wrong: quoind runs on older services than the present ones, whose keys the next ones would
// take away. The lock, if it does not run, is to be held until they are in their place.
Result<std::optional<files::Lock>> keep_quoind_out(const std::filesystem::path& home);
// New ones for all services, in `folder`, with the names of `present`, which they are to replace.
Result<void> issue_services(const IssuingCa& ca, const std::filesystem::path& present,
                            const std::filesystem::path& folder, const KeyNotices& notices);
Result<void> issue_operator(const IssuingCa& ca, const std::filesystem::path& folder,
                            const std::string& name, x509::Role role);

// That of a home, as its quoin.toml says, or of the second hierarchy in it; each has its
// pki/profile.toml. The home must be settled (switching.hpp).
Result<IssuingCa> open_issuing_ca(const std::filesystem::path& home,
                                  const std::filesystem::path& hierarchy);

}  // namespace quoin::server
