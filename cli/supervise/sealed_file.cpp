#include "cli/supervise/sealed_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "core/base/constant_time.hpp"

namespace quoin::cli {
namespace {

constexpr std::size_t blank_line_size = 64;

std::unexpected<Error> cannot_make(const char* name) {
    return fail(Code::resource_unavailable, "cannot make the memory file {}: {}", name,
                std::strerror(errno));
}

}  // namespace

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
        return cannot_make(name);
    }
    return file;
}

void RewritableFile::Unmap::operator()(char* memory) const noexcept {
    core::ct::wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(memory), size));
    ::munmap(memory, size);
}

Result<RewritableFile> RewritableFile::make(const char* name, std::size_t size) {
    Descriptor file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file || ftruncate(file.number(), static_cast<off_t>(size)) != 0) return cannot_make(name);
    void* const mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
    if (mapped == MAP_FAILED) return cannot_make(name);
    std::unique_ptr<char, Unmap> memory(static_cast<char*>(mapped), Unmap{size});
    if (fchmod(file.number(), 0400) != 0 ||
        fcntl(file.number(), F_ADD_SEALS,
              F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return cannot_make(name);
    }
    RewritableFile made(std::move(file), std::move(memory));
    QUOIN_CHECK(made.write({}));
    return made;
}

Result<void> RewritableFile::write(std::string_view content) {
    const std::span<char> all(memory_.get(), memory_.get_deleter().size);
    if (content.size() > all.size()) {
        return fail(Code::input_invalid, "a memory file of {} bytes cannot hold {}", all.size(),
                    content.size());
    }
    const auto rest = std::ranges::copy(content, all.begin()).out;
    const std::span<char> unused(rest, all.end());
    std::ranges::fill(unused, ' ');
    // Lines, because who reads PEM reads lines.
    for (std::size_t i = 0; i < unused.size(); i += blank_line_size) unused[i] = '\n';
    return {};
}

}  // namespace quoin::cli
