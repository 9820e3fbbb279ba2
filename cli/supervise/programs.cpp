#include "cli/supervise/programs.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include "host/crypto/library.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

#ifndef MFD_EXEC
constexpr unsigned MFD_EXEC = 0x10U;  // Linux 6.3
#endif

// A copy in memory that any user may run and nobody change.
Result<Descriptor> copy_to_memory(int source, off_t size, const fs::path& name) {
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int number = memfd_create(name.filename().c_str(), flags | MFD_EXEC);
    if (number < 0) number = memfd_create(name.filename().c_str(), flags);
    Descriptor copy(number);
    off_t done = 0;
    while (copy && done < size) {
        if (sendfile(copy.number(), source, &done, static_cast<std::size_t>(size - done)) <= 0)
            break;
    }
    constexpr int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    if (!copy || done < size || fcntl(copy.number(), F_ADD_SEALS, seals) != 0) {
        return fail(Code::resource_unavailable, "cannot copy {} to memory: {}", name.string(),
                    std::strerror(errno));
    }
    return copy;
}

// A file that only its owner may read or run (a checkout made with umask 077) is copied.
Result<Descriptor> usable_by_all(Descriptor file, const fs::path& name) {
    struct stat status{};
    if (fstat(file.number(), &status) != 0) {
        return fail(Code::resource_unavailable, "{}: {}", name.string(), std::strerror(errno));
    }
    constexpr mode_t needed = S_IROTH | S_IXOTH;
    if ((status.st_mode & needed) == needed) return file;
    return copy_to_memory(file.number(), status.st_size, name);
}

Result<Descriptor> open_first(std::string_view name, const std::vector<fs::path>& folders,
                              std::string_view advice) {
    std::string tried;
    for (const fs::path& folder : folders) {
        const fs::path candidate = folder / name;
        const int number = ::open(candidate.c_str(), O_RDONLY | O_CLOEXEC);
        if (number >= 0) return usable_by_all(Descriptor(number), candidate);
        tried += fmt::format("{}{} ({})", tried.empty() ? "" : ", ", candidate.string(),
                             std::strerror(errno));
    }
    return fail(Code::resource_unavailable, "cannot open {}: tried {}; {}", name, tried, advice);
}

std::vector<fs::path> search_path() {
    std::vector<fs::path> folders;
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "";
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        const std::string_view folder = rest.substr(0, colon);
        if (folder.starts_with('/')) folders.emplace_back(folder);
        rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
    }
    folders.emplace_back("/usr/sbin");
    return folders;
}

}  // namespace

Result<fs::path> own_folder() {
    std::error_code failure;
    const fs::path program = fs::read_symlink("/proc/self/exe", failure);
    if (failure) {
        return fail(Code::resource_unavailable, "cannot read /proc/self/exe: {}; is /proc mounted?",
                    failure.message());
    }
    return program.parent_path();
}

Result<Programs> Programs::open(bool with_simulators) {
    QUOIN_TRY(const fs::path here, own_folder());
    constexpr std::string_view build = "build it (./dev build) or reinstall Quoin";
    Programs programs;
    QUOIN_TRY(programs.quoind, open_first("quoind", {here}, build));
    QUOIN_TRY(programs.agent, open_first("quoin-agent", {here}, build));
    QUOIN_TRY(programs.mosquitto,
              open_first("mosquitto", search_path(), "install it: apt install mosquitto"));
    const fs::path up = here.parent_path();
    QUOIN_TRY(programs.plugin,
              open_first("quoin_broker.so", {up / "lib", up / "lib/quoin", here}, build));
    const fs::path provider = crypto::provider_file();
    QUOIN_TRY(programs.provider,
              open_first(provider.filename().string(), {provider.parent_path()}, build));
    if (with_simulators) {
        QUOIN_TRY(programs.flexim, open_first("quoin-sim-flexim", {here}, build));
        QUOIN_TRY(programs.element, open_first("quoin-se", {here}, build));
        QUOIN_TRY(programs.swtpm,
                  open_first("swtpm", search_path(), "install it: apt install swtpm"));
    }
    return programs;
}

Result<void> Programs::share_provider() const {
    if (fcntl(provider.number(), F_SETFD, 0) != 0 ||
        setenv("QUOIN_PROVIDER", descriptor_path(provider).c_str(), 1) != 0) {
        return fail(Code::resource_unavailable, "cannot share the OpenSSL provider: {}",
                    std::strerror(errno));
    }
    return {};
}

std::string descriptor_path(const Descriptor& descriptor) {
    return fmt::format("/proc/self/fd/{}", descriptor.number());
}

}  // namespace quoin::cli
