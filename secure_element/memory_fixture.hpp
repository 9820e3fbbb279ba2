// For tests: looking for bytes in the memory of a process.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/descriptor.hpp"

namespace quoin::secure_element {

// How often each of `needles` is in what /proc/PID/mem gives of the process's writable memory.
// Empty: not a byte of it could be read.
inline std::vector<int> counts_in_memory(pid_t process, const std::vector<Bytes>& needles) {
    const std::string folder = "/proc/" + std::to_string(process);
    std::ifstream maps(folder + "/maps");
    const Descriptor memory(::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<int> found(needles.size());
    std::uint64_t read = 0;
    std::string line;
    std::vector<std::uint8_t> bytes;
    while (memory && std::getline(maps, line)) {
        std::istringstream fields(line);
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        char dash = 0;
        std::string mode;
        fields >> std::hex >> from >> dash >> to >> mode;
        // More is a sanitizer's shadow, of terabytes that are not there.
        if (!mode.starts_with("rw") || to - from > (std::uint64_t{1} << 32U)) continue;
        bytes.resize(to - from);
        const ssize_t size =
            ::pread(memory.number(), bytes.data(), bytes.size(), static_cast<off_t>(from));
        if (size <= 0) continue;
        read += static_cast<std::uint64_t>(size);
        const std::uint8_t* const end = bytes.data() + size;
        for (std::size_t i = 0; i < needles.size(); ++i) {
            const std::uint8_t* at = bytes.data();
            while (const void* const hit = ::memmem(at, static_cast<std::size_t>(end - at),
                                                    needles[i].data(), needles[i].size())) {
                ++found[i];
                at = static_cast<const std::uint8_t*>(hit) + 1;
            }
        }
    }
    return read == 0 ? std::vector<int>() : found;
}

// -1: not a byte of it could be read.
inline int count_in_memory(pid_t process, Bytes needle) {
    const std::vector<int> counts = counts_in_memory(process, {needle});
    return counts.empty() ? -1 : counts[0];
}

}  // namespace quoin::secure_element
