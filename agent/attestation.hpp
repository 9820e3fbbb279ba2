// Answers the verifier's challenge: measures what runs here, and signs that with the attestation
// key.
//
//   mpu: "agent" (/proc/self/exe), "config" (agent.toml), "file:NAME" for each configured file, and
//        "firmware" when an image is configured
//   mcu: "firmware" only
//   with a TPM: "tpm-pcrs" too, and the TPM's quote for this answer (host/keys/attestation_key.hpp)
//
// Measured anew for every answer. What cannot be read measures as 64 zero bytes, which no reference
// value is. Threads: any; an answer takes about 50 ms, with a TPM as long as its quote more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/identity.hpp"
#include "host/attest/attest.hpp"
#include "host/error.hpp"

namespace quoin::agent {

struct Measured {
    std::string name;
    crypto::Sha3_512Digest digest{};
};

std::vector<Measured> measure(const Config& config, DeviceClass device_class);

// state_wrong when this identity has no attestation key (mcu).
Result<crypto::ByteVector> answer(const attest::Challenge& challenge, const Identity& identity,
                                  const Config& config, DeviceClass device_class,
                                  std::uint64_t boot_counter);

// False: the configuration has a TPM and the key is bound to none, or the platform is another than
// it is bound to. Then a new key is due; whether that platform may be is the verifier's to say.
bool attestation_key_fits(const Identity& identity, const Config& config);

// Counts the starts of the agent: reads, adds one, and has it on disk before it returns. A damaged
// file is integrity_mismatch: a counter that began again would look like a restored disk (I4).
Result<std::uint64_t> next_boot_counter(const std::filesystem::path& home);

}  // namespace quoin::agent
