// What a plant says about itself to its devices: docs/spec/plant.md.
//
// Apart from the client that asks for it, so that its fuzz target needs no TLS. Threads: plain
// values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace quoin::agent {

// GET /.well-known/quoin/device
struct PlantInfo {
    std::string site;
    std::string broker_host;
    std::uint16_t broker_port = 0;
    std::string suite;
    std::string device_class;
    double renew_at = 0;  // share of a certificate's life, 0.1..0.95
    std::int64_t now_ms = 0;
    bool renew = false;           // now: it would have its certificate by another issuing CA
    std::string next_suite = {};  // the plant migrates to it; empty: it does not
};

inline constexpr std::size_t max_plant_info_bytes = 4096;
// Errors: peer_oversize, peer_malformed, naming the field.
Result<PlantInfo> parse_plant_info(std::string_view json);

}  // namespace quoin::agent
