// A small PKI in memory, for tests of every box. Not a part of the product.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "host/x509/certificate.hpp"

namespace quoin::x509::test {

struct Entity {
    Certificate certificate;
    crypto::PrivateKey key;
};

struct Pki {
    Entity root;
    Entity issuing;
    std::vector<Certificate> anchors() const { return {root.certificate}; }
    std::vector<Certificate> intermediates() const { return {issuing.certificate}; }
    std::vector<Certificate> chain(const Entity& leaf) const {
        return {leaf.certificate, issuing.certificate};
    }
};

inline constexpr std::string_view site = "test-plant";

// `label` sets two PKIs apart. ECDSA P-256 takes milliseconds, an SLH-DSA root about a second.
Result<Pki> make_pki(crypto::Algorithm root, crypto::Algorithm issuing,
                     const std::string& label = "test");

struct LeafRequest {
    Profile profile = Profile::device;
    Kind kind = Kind::device;
    std::string id = "mpu-1";
    crypto::Algorithm algorithm = crypto::Algorithm::ecdsa_p256;
    std::vector<std::string> names = {};  // servers
    std::chrono::seconds lifetime{3600};
    std::optional<Role> role = std::nullopt;  // operators
};
Result<Entity> make_leaf(const Pki& pki, const LeafRequest& request);

}  // namespace quoin::x509::test
