#include "cli/supervise/sealed_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace quoin::cli {

Result<Descriptor> sealed_file(const char* name, std::string_view content) {
    Descriptor file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    while (file && !content.empty()) {
        const ssize_t written = write(file.number(), content.data(), content.size());
        if (written <= 0) break;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (!file || !content.empty() || fchmod(file.number(), 0400) != 0 ||
        fcntl(file.number(), F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return fail(Code::resource_unavailable, "cannot make the memory file {}: {}", name,
                    std::strerror(errno));
    }
    return file;
}

}  // namespace quoin::cli
