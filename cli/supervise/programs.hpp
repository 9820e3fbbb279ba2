// Finds and opens the program files of a plant.
//
// They are opened before privileges are dropped and run through their descriptors (fexecve), so
// that the unprivileged user need not be able to walk to them: a checkout below /root works.
#pragma once

#include <filesystem>
#include <string>

#include "host/descriptor.hpp"
#include "host/error.hpp"

namespace quoin::cli {

struct Programs {
    Descriptor quoind, agent, mosquitto, plugin;
    Descriptor provider;  // quoin.so, for OpenSSL
    // Only demos need these: the simulated machine, quoin-se, and the software TPM.
    Descriptor flexim, element, swtpm;

    static Result<Programs> open(bool with_simulators);
    // From here on this process, and every child of it, loads the provider by its descriptor.
    Result<void> share_provider() const;
};

// The folder of the running `quoin`.
Result<std::filesystem::path> own_folder();
// "/proc/self/fd/N": how a child that inherits the descriptor names the file.
std::string descriptor_path(const Descriptor& descriptor);

}  // namespace quoin::cli
