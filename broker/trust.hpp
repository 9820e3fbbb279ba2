// Whose statements of revocation count: an issuing CA that chains to what the broker trusts.
//
// Errors: those of the file; peer_unauthenticated, peer_malformed for a certificate. Threads: the
// broker's thread only.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "host/x509/certificate.hpp"

namespace quoin::broker {

// The key of an issuing CA, by its certificate (DER), if it is one to believe.
using IssuerKey = std::function<Result<crypto::PublicKey>(Bytes certificate)>;

class Trust {
public:
    // `file`: PEM, as Mosquitto's cafile.
    static Result<Trust> load(std::filesystem::path file);
    // Reads the file again; what was known stays if it cannot be read.
    Result<void> reload();
    Result<crypto::PublicKey> issuer_key(Bytes certificate) const;

private:
    explicit Trust(std::filesystem::path file) : file_(std::move(file)) {}
    std::filesystem::path file_;
    std::vector<x509::Certificate> anchors_;
};

}  // namespace quoin::broker
