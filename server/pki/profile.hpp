// A profile of the PKI: which algorithm each certificate has, and how long it lives. Short TOML:
//
//   suite = "hybrid"                    # hybrid | pure | classical (danger_allow_classical = true)
//   [algorithms]                        # names: host/crypto/algorithm.cpp
//   root, issuing, ra                   # what outlives the others may be SLH-DSA
//   ocsp
//   service, operator, mcu, mpu         # TLS keys: what the suite negotiates
//   [lifetime]                          # "90d": a number with s, m, h, d or y (365 days)
//   root, issuing, ra, ocsp, service, operator       # of devices: [pki] in quoin.toml
//
// All keys are required, but the danger flag. Those of this program: profiles/*.toml. That of a
// plant: HOME/pki/profile.toml, written by `quoin pki init`.
//
// Errors: config_* with file, line and key; all of a file or nothing. Threads: plain values.
#pragma once

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "host/crypto/crypto.hpp"
#include "host/tls/policy.hpp"

namespace quoin::server {

struct PkiProfile {
    struct Algorithms {
        crypto::Algorithm root, issuing, ra, ocsp, service, operator_, mcu, mpu;
    };
    struct Lifetimes {
        std::chrono::seconds root, issuing, ra, ocsp, service, operator_;
    };
    tls::Suite suite;
    Algorithms algorithms;
    Lifetimes lifetime;
    std::string text;  // the file, as it was read
};

inline constexpr std::size_t max_profile_size = 16U << 10U;

struct BuiltInProfile {
    std::string_view name;
    std::string_view text;
};
std::span<const BuiltInProfile> built_in_profiles();

// `name` stands for the file in messages.
Result<PkiProfile> parse_profile(std::string_view text, std::string_view name);
// One of the built-in ones, or, with a "/" or ".toml" in it, a file.
Result<PkiProfile> find_profile(const std::string& name_or_file);
// HOME/pki/profile.toml.
Result<PkiProfile> load_profile(const std::filesystem::path& home);

// "90d", "3600s".
Result<std::chrono::seconds> parse_lifetime(std::string_view text);

}  // namespace quoin::server
