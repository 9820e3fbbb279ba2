// Makes a home folder ready to run: PKI when there is none, configuration of quoind and of the
// broker.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/plant/ports.hpp"
#include "host/error.hpp"
#include "server/config/settings.hpp"
#include "server/pki/profile.hpp"

namespace quoin::cli {

struct PlantRequest {
    std::filesystem::path home;
    std::string site = "plant";
    std::string suite = {};  // of the plant; empty: of one that is there, or hybrid
    std::optional<server::PkiProfile> profile = {};  // of the plant; none: that of the suite
    std::string database_url = {};                   // empty: what the configuration says
    bool free_ports = false;
    std::uint16_t broker_listen = 0;  // when not the port that devices are told (NAT, a proxy)
    std::string overlay = {};         // more of quoin.toml, for demos and tests
};

using Say = std::function<void(const std::string& line)>;

struct Prepared {
    server::Settings settings;
    Ports ports;  // that are listened on
};

// Runs as the plant's own user. What was said in an earlier `up` about ports is forgotten; the
// database is not: forgetting it would start an empty plant.
Result<Prepared> prepare_plant(const PlantRequest& request, const Say& say);

}  // namespace quoin::cli
