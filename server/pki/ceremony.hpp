// The offline acts of a plant's PKI: made once, on one machine, without the network or the
// database.
//
//   root (under a person's passphrase, to be taken offline)
//     └ issuing CA
//         ├ services: quoind, broker (servers), telemetry, verifier, audit, ra, ocsp
//         └ operators: admin, and more
//
// Algorithms and lifetimes are the profile's (profile.hpp). Who keeps the root on a machine of its
// own: offline_root.hpp. Folders and files: docs/spec/plant.md. The
// running CA (enrolment, renewal, CRL) is in this folder too. Threads: one at a time in a home.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/keys/program_key.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/identity.hpp"
#include "server/pki/profile.hpp"

namespace quoin::server {

inline constexpr std::size_t min_root_passphrase_size = 12;  // bytes

struct PkiRequest {
    std::filesystem::path home;
    std::string site;                       // I0 characters; "birth" belongs to manufacturers
    tls::Suite suite = tls::Suite::hybrid;  // its built-in profile, if there is no `profile`
    // DNS names and IP addresses under which devices and operators reach quoind and the broker.
    std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
    // Where the keys of the issuing CA and of the services are made and stay. Root and operators'
    // keys are people's: files under a passphrase, or to be taken away. None: what quoin.toml says,
    // if it is there.
    std::optional<keys::Choice> keys = {};
    std::optional<PkiProfile> profile = {};
    // Where quoind's HTTP port is found from everywhere: http://HOST[:PORT]. It goes into the
    // certificates and into quoin.toml. Empty: what quoin.toml says.
    std::string status_url = {};
    std::vector<std::string> witnesses = {};  // of the ceremony, for its record
};

// What is to be told while keys are made: a fallback, or old keys that stay.
struct KeyNotices {
    keys::OnFallback on_fallback = [](std::string_view, std::string_view, const Error&) {};
    keys::OnUnreached on_unreached = [](std::string_view, const Error&) {};
};

// Where a home's keys go: as asked for, or as its quoin.toml says. input_conflict if both speak,
// and differ.
Result<keys::Choice> key_choice(const PkiRequest& request);

// Makes the PKI, an empty CRL (number 1), the record pki/ceremony.txt, and quoin.toml if there is
// none. All or nothing: built aside, and moved in when whole. A home that has a PKI is
// input_conflict and is left as it is; so is one whose quoin.toml says something else about keys.
// Keys that it made in a store and that did not become a PKI are removed, also those of an init
// that crashed in this home.
Result<void> init_pki(const PkiRequest& request, const crypto::Passphrase& root_passphrase,
                      const KeyNotices& notices = {});

// Operator certificate and key in HOME/operator. A name that is there already is input_conflict.
Result<void> add_operator(const std::filesystem::path& home, const std::string& name,
                          x509::Role role);

// New keys and certificates for the services, with the names that their certificates have now, also
// for those of the second hierarchy while the plant migrates; in the store that quoin.toml says. A
// plant that runs takes them within a second or two, without a stop; quoind does this by itself
// when two thirds of a life are over. The old ones are not revoked by this. A second time while
// quoind still runs on certificates older than the present ones is state_wrong: the keys of those
// are removed by it. A broker that runs on them without its quoind is not noticed.
Result<void> renew_services(const std::filesystem::path& home, const KeyNotices& notices = {});

// Birth certificates of this CA are accepted from now on. Returns where the certificate was put.
Result<std::filesystem::path> trust_maker(const std::filesystem::path& home,
                                          const std::filesystem::path& certificate);

}  // namespace quoin::server
