// The certificates of services and operators, which a ceremony made: their end.
//
// (Those of devices end with the device: server/fleet.) Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/audit/audit.hpp"
#include "host/store/database.hpp"
#include "host/x509/revocation_reason.hpp"
#include "server/bus/bus.hpp"

namespace quoin::server {

struct NamedCertificates {
    std::string kind;  // "service" or "operator"
    std::string name;
    std::string serial = {};  // this one only; empty: every recorded one of the name
};

// The serials that are revoked by it, now and for good: the list is issued again, status answers
// say so at once. input_not_found: no such certificate that is not revoked already.
Result<std::vector<std::string>> revoke_named(store::Database& database, const Bus& bus,
                                              audit::Log& audit, const NamedCertificates& which,
                                              x509::Reason why, std::string_view actor);

}  // namespace quoin::server
