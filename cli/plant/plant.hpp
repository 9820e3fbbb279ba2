// A running plant: Mosquitto with the plugin, and quoind, under a supervisor.
//
// Threads: one owner. The destructor ends everything that was started through it.
#pragma once

#include <filesystem>
#include <memory>

#include "cli/client.hpp"
#include "cli/plant/configuration.hpp"
#include "cli/supervise/programs.hpp"
#include "cli/supervise/supervisor.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {

class Plant {
public:
    // Returns when quoind is ready; resource_timeout after 20 s, naming the logs. An interrupt ends
    // the wait. `programs` outlives the plant.
    static Result<std::unique_ptr<Plant>> start(
        const PlantRequest& request, const Programs& programs, const Say& say,
        const std::function<Result<void>()>& before_start = {});
    Plant(const Plant&) = delete;
    Plant& operator=(const Plant&) = delete;
    ~Plant();

    const Prepared& prepared() const { return prepared_; }
    const std::filesystem::path& home() const { return home_; }
    Supervisor& supervisor() { return supervisor_; }
    Result<Client> client() const;
    // "PROGRAM writes HOME/log/NAME.log"
    ProcessSpec process(std::string name, const Descriptor& program,
                        std::vector<std::string> arguments) const;

private:
    Plant(std::filesystem::path home, Prepared prepared, files::Lock lock, const Say& say)
        : home_(std::move(home)),
          prepared_(std::move(prepared)),
          lock_(std::move(lock)),
          supervisor_(say) {}
    Result<void> start_broker(const Programs& programs);
    Result<void> start_quoind(const Programs& programs);
    Result<void> wait_until_ready() const;
    Result<void> cannot_start(const std::string& name) const;

    std::filesystem::path home_;
    Prepared prepared_;
    files::Lock lock_;
    Descriptor broker_key_;
    Supervisor supervisor_;  // last: it ends before the key goes
};

}  // namespace quoin::cli
