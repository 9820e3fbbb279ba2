// The acts of the demo. Each waits for what must happen, by audit events and by query, and says
// when.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "cli/client.hpp"
#include "cli/demo/factory.hpp"
#include "cli/demo/narrator.hpp"
#include "cli/demo/watch.hpp"

namespace quoin::cli {

struct Stage {
    const Client& client;
    const Watch& watch;
    Narrator& narrator;
    const std::vector<DemoDevice>& devices;
    const std::filesystem::path& home;
    nlohmann::json& times;  // what was measured, for --json
};

// Every device enrols, connects and has a sample stored; every MPU is trusted.
Result<void> act_running(Stage& stage);
// A measured file is altered: verdict, closed session, refused return, and nothing more is stored.
Result<void> act_attack(Stage& stage);
// The file is put back, the operator releases: attested, and no sample is missing.
Result<void> act_release(Stage& stage);

}  // namespace quoin::cli
