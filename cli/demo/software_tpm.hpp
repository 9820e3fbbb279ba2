// A software TPM (swtpm) that stands in for the chip of a device, and its measured boot, which is
// simulated: nothing measured itself on the way up, we extend PCRs with what we are about to run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/supervise/process.hpp"
#include "host/crypto/crypto.hpp"

namespace quoin::cli {

// Goes into a PCR of the SHA-256 bank at each start of the TPM.
struct Measurement {
    std::uint32_t pcr = 0;
    crypto::Sha256Digest digest = {};
};
Result<Measurement> measure_program(std::uint32_t pcr, const Descriptor& program);

struct SoftwareTpm {
    std::filesystem::path folder;  // of its user: state and sockets
    std::vector<Measurement> boot;

    // For tpm2-tss.
    std::string tcti() const { return "swtpm:path=" + socket().string(); }
    std::filesystem::path socket() const { return folder / "tpm.sock"; }
    // What a supervisor is to run; it is ready when it has booted.
    ProcessSpec process(std::string name, const Descriptor& swtpm) const;
};

}  // namespace quoin::cli
