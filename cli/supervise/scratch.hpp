// For the tests here: a folder that goes away again, and programs to run.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "cli/supervise/process.hpp"
#include "host/descriptor.hpp"

namespace quoin::cli {

class Scratch {
public:
    Scratch() {
        std::string name = "/tmp/quoin-supervise-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { std::filesystem::remove_all(path_); }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline Descriptor shell() { return Descriptor(open("/bin/sh", O_RDONLY | O_CLOEXEC)); }

inline ProcessSpec script(const Descriptor& program, const Scratch& scratch,
                          const std::string& text) {
    return {.name = "sh",
            .program = program.number(),
            .arguments = {"-c", text},
            .inherited = {},
            .environment = {},
            .folder = scratch.path(),
            .log = scratch.path() / "sh.log"};
}

inline bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000; ++i) {
        if (condition()) return true;
        poll(nullptr, 0, 10);
    }
    return false;
}

}  // namespace quoin::cli
