// A running plant: Mosquitto with the plugin, and quoind, under a supervisor. A renewed certificate
// of the broker is given to Mosquitto while it runs. `say` is called from several threads.
//
// Threads: one owner. The destructor ends everything that was started through it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "cli/client.hpp"
#include "cli/plant/broker_tls.hpp"
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
    Plant(std::filesystem::path home, Prepared prepared, files::Lock lock, const Programs& programs,
          const Say& say)
        : home_(std::move(home)),
          programs_(programs),
          prepared_(std::move(prepared)),
          lock_(std::move(lock)),
          say_(say),
          supervisor_(say) {}
    Result<void> start_broker();
    void watch_broker(const std::stop_token& stop);
    Result<void> look_at_broker();
    Result<bool> follow_migration();
    bool quoind_is_of(tls::Suite suite) const;
    Result<void> start_quoind();
    Result<void> wait_until_ready() const;
    Result<void> cannot_start(const std::string& name) const;

    std::filesystem::path home_;
    const Programs& programs_;
    Prepared prepared_;
    files::Lock lock_;
    Say say_;
    std::string hierarchies_;  // that the broker was started with
    std::string trouble_;      // told last
    std::optional<BrokerTls> broker_tls_, broker_next_tls_;
    Supervisor supervisor_;      // it ends before the keys go
    std::jthread broker_watch_;  // last: it uses all of them
};

}  // namespace quoin::cli
