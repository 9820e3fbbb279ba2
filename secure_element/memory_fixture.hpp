// For tests: looking for bytes in the memory of a process.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "host/descriptor.hpp"

namespace quoin::secure_element {

// How often `needle` is in what /proc/PID/mem gives of the process's writable memory. -1: not a
// byte of it could be read.
inline int count_in_memory(pid_t process, Bytes needle) {
    const std::string folder = "/proc/" + std::to_string(process);
    std::ifstream maps(folder + "/maps");
    const Descriptor memory(::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    int found = 0;
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
        if (!mode.starts_with("rw")) continue;
        bytes.resize(to - from);
        const ssize_t size =
            ::pread(memory.number(), bytes.data(), bytes.size(), static_cast<off_t>(from));
        if (size <= 0) continue;
        read += static_cast<std::uint64_t>(size);
        bytes.resize(static_cast<std::size_t>(size));
        auto at = bytes.begin();
        while ((at = std::search(at, bytes.end(), needle.begin(), needle.end())) != bytes.end()) {
            ++found;
            ++at;
        }
    }
    return read == 0 ? -1 : found;
}

}  // namespace quoin::secure_element
