#include "cli/supervise/lifetime.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/supervise/process.hpp"
#include "host/files/files.hpp"

namespace quoin::cli {
namespace {

// Files of /proc have no size to ask for.
std::string read_proc(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
}

}  // namespace

Result<Lifetime> Lifetime::of(pid_t pid) {
    const std::string stat = read_proc(fmt::format("/proc/{}/stat", pid));
    // proc_pid_stat(5): field 2 is a name in parentheses that may hold anything; field 22 is the
    // start.
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) {
        return fail(Code::input_not_found, "there is no process {}", pid);
    }
    std::istringstream fields(stat.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    Lifetime lifetime{.pid = pid};
    if (!(fields >> lifetime.start_ticks)) {
        return fail(Code::internal, "cannot read the start time in /proc/{}/stat", pid);
    }
    lifetime.boot_id = read_proc("/proc/sys/kernel/random/boot_id");
    while (lifetime.boot_id.ends_with('\n')) lifetime.boot_id.pop_back();
    return lifetime;
}

Result<std::optional<Lifetime>> Lifetime::load(const std::filesystem::path& file) {
    std::error_code failure;
    if (!std::filesystem::exists(file, failure)) return std::optional<Lifetime>();
    QUOIN_TRY(const std::string content, files::read(file));
    const auto record = nlohmann::json::parse(content, nullptr, false);
    if (!record.is_object() || !record.value("pid", nlohmann::json()).is_number_integer() ||
        !record.value("start_ticks", nlohmann::json()).is_number_unsigned() ||
        !record.value("boot_id", nlohmann::json()).is_string()) {
        return fail(Code::integrity_mismatch,
                    "{} is not a record of a running plant: if no plant runs there, remove it",
                    file.string());
    }
    return Lifetime{.pid = record["pid"].get<pid_t>(),
                    .start_ticks = record["start_ticks"].get<std::uint64_t>(),
                    .boot_id = record["boot_id"].get<std::string>()};
}

Result<void> Lifetime::save(const std::filesystem::path& file) const {
    const nlohmann::json record{{"pid", pid}, {"start_ticks", start_ticks}, {"boot_id", boot_id}};
    return files::write_atomically(file, record.dump() + "\n", 0600);
}

bool Lifetime::is_alive() const {
    const auto now = of(pid);
    return now && now->start_ticks == start_ticks && now->boot_id == boot_id;
}

Result<bool> Lifetime::end(int timeout_ms) const {
    Process process{.pid = pid,
                    .handle = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)))};
    if (!process.handle) {
        if (errno == ESRCH) return false;
        return fail(Code::resource_unavailable, "pidfd_open({}): {}", pid, std::strerror(errno));
    }
    // From here on the handle cannot change hands; now see whose it is.
    if (!is_alive()) return false;
    if (syscall(SYS_pidfd_send_signal, process.handle.number(), SIGTERM, nullptr, 0) != 0) {
        return fail(Code::resource_unavailable, "cannot end the supervisor (pid {}): {}", pid,
                    std::strerror(errno));
    }
    if (!wait_for_end(process, timeout_ms)) {
        return fail(Code::resource_timeout, "the supervisor (pid {}) did not end within {} ms", pid,
                    timeout_ms);
    }
    return true;
}

}  // namespace quoin::cli
