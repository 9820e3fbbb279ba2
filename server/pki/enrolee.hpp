// A device that asks for a certificate, as the inventory has it: what the RA and
// the CA go by. Functions with a session run in the caller's transaction. Threads: any.
#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/error.hpp"

namespace quoin::server {

// SHA-256 in hex: of a birth certificate that is on the inventory, and of its SubjectPublicKeyInfo.
struct BirthKey {
    std::string certificate;
    std::string key;
};

// A device of the inventory that has proven who it is, by its birth or by its operational
// certificate.
struct Enrolee {
    std::string device;
    std::string device_class;
    std::string state;
    std::int64_t epoch = 1;       // how often it was taken in
    bool foreign_client = false;  // no agent of ours: need not bind requests to the TLS channel
    // Seen for the first time: to be remembered with what the device asks for.
    std::optional<BirthKey> birth = {};
};

// True if a device in this state may get certificates.
bool may_enrol(std::string_view state);
// By a unique column of `devices`. peer_forbidden: it is not there.
Result<Enrolee> load_enrolee(soci::session& session, std::string_view column,
                             const std::string& value);
// peer_forbidden unless the device may attest with this TPM; `quote_key`: SHA-256 in hex of its
// SubjectPublicKeyInfo, empty for none.
Result<void> check_quote_key(soci::session& session, const std::string& device,
                             const std::string& quote_key);
// SHA-256 of a quote key; empty for none.
Result<crypto::ByteVector> quote_key_digest(Bytes quote_key);

}  // namespace quoin::server
