// The printed record of a ceremony: what was made, when, by whom, and how to know it again. Text of
// 78 columns, for paper and for signatures by hand. It holds no secret.
#pragma once

#include <string>
#include <vector>

#include "host/x509/certificate.hpp"
#include "server/pki/profile.hpp"

namespace quoin::server {

struct CeremonyRecord {
    std::string act;  // a sentence
    std::string site;
    const PkiProfile& profile;
    std::vector<std::string> witnesses;
    struct Made {
        std::string what;
        x509::Certificate certificate;
    };
    std::vector<Made> made;
    std::vector<std::string> next_steps;
};

// Control characters in names of witnesses are input_invalid.
Result<void> check_witnesses(const std::vector<std::string>& witnesses);
// Times in UTC; fingerprints are of the DER, SHA-256 and SHA3-512.
Result<std::string> ceremony_text(const CeremonyRecord& record);

}  // namespace quoin::server
