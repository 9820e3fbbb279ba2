#include "cli/demo/elements.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "cli/demo/factory.hpp"
#include "cli/demo/software_tpm.hpp"
#include "cli/plant/interrupt.hpp"
#include "host/files/files.hpp"
#include "host/keys/open.hpp"
#include "host/keys/sealed_key.hpp"
#include "host/percent.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t agent_pcr = 8;
constexpr std::uint32_t element_pcr = 9;
// Primary keys in each TPM: that of the keeper, and that of the device.
constexpr const char* sealing_handle = "0x81015100";
constexpr const char* device_handle = "0x81015101";
constexpr std::chrono::seconds starts_within{3};
constexpr std::chrono::seconds usable_within{15};
constexpr int interval_ms = 5;

// All that the keeper needs to know.
struct Plan {
    const Programs& programs;
    Account account;  // of elements and TPMs
    Account plant;
    fs::path folder;
    std::vector<std::string> devices;
    std::vector<Measurement> boot;
    bool lock_memory = true;
};

Result<void> make_folder(const fs::path& folder, uid_t uid, gid_t gid, mode_t mode) {
    if (mkdir(folder.c_str(), 0700) == 0 && chown(folder.c_str(), uid, gid) == 0 &&
        chmod(folder.c_str(), mode) == 0) {
        return {};
    }
    return fail(Code::resource_unavailable, "cannot make {}: {}", folder.string(),
                std::strerror(errno));
}

Result<void> make_folders(const Plan& plan, const fs::path& part) {
    const Account& account = plan.account;
    QUOIN_CHECK(make_folder(part, geteuid(), getegid(), account.change ? 0711 : 0700));
    // The plant's user may pass to the sockets, and nobody else.
    const mode_t shared = account.change ? 0710 : 0700;
    QUOIN_CHECK(make_folder(part / "tpm", account.uid, plan.plant.gid, shared));
    QUOIN_CHECK(make_folder(part / "tpm/state", account.uid, account.gid, 0700));
    QUOIN_CHECK(make_folder(part / "se", account.uid, plan.plant.gid, shared));
    return make_folder(part / "sealing", geteuid(), getegid(), 0700);
}

std::string tpm_uri(const std::string& tcti, const fs::path& folder, const char* handle) {
    return fmt::format("tpm:tcti={};dir={};pcrs={},{};handle={}", tcti,
                       percent_encode(folder.string(), "/"), agent_pcr, element_pcr, handle);
}

ProcessSpec element_process(const Plan& plan, const std::string& device, const fs::path& part) {
    std::vector<std::string> arguments{"--home",        (part / "se/home").string(),
                                       "--socket",      (part / "se/se.sock").string(),
                                       "--seal-key-fd", "0",
                                       "--allow-uid",   std::to_string(plan.plant.uid)};
    if (!plan.lock_memory) arguments.emplace_back("--danger-unlocked-memory");
    return {.name = "quoin-se-" + device,
            .program = plan.programs.element.number(),
            .arguments = std::move(arguments),
            .folder = part / "se",
            .locks_memory = plan.lock_memory};
}

// It listens when its key store is open.
Result<void> wait_for_socket(const fs::path& socket, const Process& process) {
    const auto deadline = std::chrono::steady_clock::now() + starts_within;
    std::error_code failure;
    while (!fs::exists(socket, failure)) {
        if (std::chrono::steady_clock::now() > deadline) {
            return fail(Code::resource_timeout, "there is no {} after {} s", socket.string(),
                        starts_within.count());
        }
        if (wait_for_end(process, interval_ms)) {
            return fail(Code::resource_unavailable, "it did not get to listen");
        }
    }
    return {};
}

// The folder of the log goes when this fails: what it says last is told.
Result<void> add(Supervisor& supervisor, ProcessSpec spec) {
    const fs::path log = spec.log;
    auto added = supervisor.add(std::move(spec));
    if (added) return added;
    const std::string text = files::read(log).value_or("");
    std::string_view rest = text;
    while (rest.ends_with('\n')) rest.remove_suffix(1);
    return fail(added.error().code, "{}: \"{}\"", added.error().message,
                rest.substr(rest.rfind('\n') + 1));
}

Result<void> start_one(const Plan& plan, const std::string& device, Supervisor& supervisor) {
    const fs::path part = plan.folder / device;
    QUOIN_CHECK(make_folders(plan, part));
    const SoftwareTpm chip{.folder = part / "tpm", .boot = plan.boot};
    ProcessSpec tpm = chip.process("swtpm-" + device, plan.programs.swtpm);
    ProcessSpec element = element_process(plan, device, part);
    for (ProcessSpec* spec : {&tpm, &element}) {
        spec->account = plan.account;
        spec->log = part / (spec->name + ".log");
    }
    QUOIN_CHECK(add(supervisor, std::move(tpm)));

    const std::string uri = tpm_uri(chip.tcti(), part / "sealing", sealing_handle);
    const fs::path file = part / "sealing/element.key";
    QUOIN_TRY(const auto store, keys::create_store(uri));
    QUOIN_CHECK(keys::make_sealed_key(*store, file));
    const fs::path socket = part / "se/se.sock";
    element.key = [uri, file, socket]() -> Result<keys::SecretBytes> {
        unlink(socket.c_str());  // of one that was killed
        QUOIN_TRY(const auto opened, keys::open_store(uri));
        return keys::open_sealed_key(*opened, file);
    };
    element.ready = [socket](const Process& process) { return wait_for_socket(socket, process); };
    return add(supervisor, std::move(element));
}

// Whether our children may lock as much as they like: by a limit that they inherit, or by
// CAP_IPC_LOCK, which alone allows it when the limit is nothing.
bool can_lock_memory() {
    rlimit limit{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0) return true;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
    const rlimit nothing{.rlim_cur = 0, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_MEMLOCK, &nothing) != 0) return false;
    const bool can = mlock(&limit, sizeof limit) == 0;
    static_cast<void>(munlock(&limit, sizeof limit));
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && can;
}

// In the keeper.
Result<void> start_all(Plan plan, Supervisor& supervisor, const Keeper::Say& say) {
    plan.lock_memory = can_lock_memory();
    if (!plan.lock_memory) {
        say("memory cannot be locked here (ulimit -l): quoin-se runs with "
            "--danger-unlocked-memory, its keys may reach a swap disk");
    }
    for (const std::string& device : plan.devices) {
        QUOIN_CHECK(start_one(plan, device, supervisor));
    }
    return {};
}

void remove_folder(const fs::path& folder) {
    std::error_code it_is_in_tmp;
    fs::remove_all(folder, it_is_in_tmp);
}

Result<fs::path> make_root(bool shared) {
    std::string name = "/tmp/quoin-demo-elements-XXXXXX";
    if (mkdtemp(name.data()) == nullptr || chmod(name.c_str(), shared ? 0711 : 0700) != 0) {
        return fail(Code::resource_unavailable, "cannot make a folder in /tmp: {}",
                    std::strerror(errno));
    }
    return fs::path(name);
}

// Tries until `done`, a failure of the keeper, an interrupt, or the deadline.
Result<void> until(const Keeper& keeper, const std::function<Result<void>()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + usable_within;
    while (true) {
        QUOIN_TRY(const bool is_ready, keeper.is_ready());
        Result<void> now = fail(Code::resource_timeout, "it is not started");
        if (is_ready) now = done();
        if (now) return {};
        if (std::chrono::steady_clock::now() > deadline) {
            return fail(Code::resource_timeout, "not usable within {} s: {}", usable_within.count(),
                        now.error().message);
        }
        if (wait_for_interrupt(std::chrono::milliseconds(10))) {
            return fail(Code::state_wrong, "stopped while secure elements were starting");
        }
    }
}

}  // namespace

Result<std::unique_ptr<Elements>> Elements::start(const Programs& programs, const Account& account,
                                                  const Account& plant,
                                                  std::vector<std::string> devices,
                                                  const fs::path& home) {
    QUOIN_TRY(const Measurement agent, measure_program(agent_pcr, programs.agent));
    QUOIN_TRY(const Measurement element, measure_program(element_pcr, programs.element));
    setenv("TSS2_LOG", "all+none", 0);  // tpm2-tss tells standard error what we tell better
    QUOIN_TRY(const fs::path folder, make_root(account.change));

    std::unique_ptr<Elements> elements(new Elements);
    elements->folder_ = folder;
    elements->home_ = home;
    elements->devices_ = devices;
    elements->facts_ = fmt::format(
        "keys in quoin-se ({}), sealed by a software TPM (swtpm) standing in for a chip; PCRs "
        "{},{}, "
        "boot simulated",
        account.change ? "user " + account.name : "the plant's own user", agent_pcr, element_pcr);
    const Plan plan{.programs = programs,
                    .account = account,
                    .plant = plant,
                    .folder = folder,
                    .devices = std::move(devices),
                    .boot = {agent, element}};
    auto keeper = Keeper::start(
        {.work = [&plan](Supervisor& supervisor,
                         const Keeper::Say& say) { return start_all(plan, supervisor, say); },
         .finish = [&folder] { remove_folder(folder); }});
    if (!keeper) {
        remove_folder(folder);
        return std::unexpected(keeper.error());
    }
    elements->keeper_ = *std::move(keeper);
    return elements;
}

Result<void> Elements::wait_until_usable() const {
    for (const std::string& device : devices_) {
        const ElementUris here = uris(device);
        const auto usable = until(*keeper_, [&]() -> Result<void> {
            QUOIN_CHECK(keys::open_store(here.store));
            return {};
        });
        if (!usable) {
            return fail(usable.error().code, "the secure elements: {}", usable.error().message);
        }
        QUOIN_CHECK(keys::create_store(here.tpm));
    }
    return {};
}

bool Elements::has(const std::string& device) const {
    return std::ranges::find(devices_, device) != devices_.end();
}

ElementUris Elements::uris(const std::string& device) const {
    const fs::path part = folder_ / device;
    const SoftwareTpm chip{.folder = part / "tpm", .boot = {}};
    return {.store = fmt::format("se:socket={}", (part / "se/se.sock").string()),
            .tpm = tpm_uri(chip.tcti(), device_folder(home_, device) / "tpm", device_handle)};
}

}  // namespace quoin::cli
