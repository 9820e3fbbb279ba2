// Rows of the table `certificates`. In the caller's transaction.
#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <string>

#include "host/x509/certificate.hpp"

namespace quoin::server {

// Of a certificate: its issuer, and the row of `enrolments` that it was issued for.
struct ForEnrolment {
    std::int64_t number = 0;  // 0: none
    std::string key_residence = {};
    std::string issuer = {};  // serial of the issuer's certificate
};

// Inserts a row if the serial is not there yet.
Result<void> record(soci::session& session, const x509::Certificate& certificate,
                    const ForEnrolment& enrolment = {});

}  // namespace quoin::server
