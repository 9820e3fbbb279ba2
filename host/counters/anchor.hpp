// What is outside the disk: two counters that only grow, by which a store knows its newest file
// (protocol.hpp).
//
//   tpm:..., se:..., any key store that counts (host/keys/uri.hpp): counters NAME.claims and
//       NAME.generation of it. Each opening counts both, each durable write the second. NV memory
//       of a TPM wears out: ST names 500,000 writes for its ST33GTPMISPI, others less. A hundred
//       writes a day last 13 years.
//   none: a restored file is NOT noticed. The file still survives a crash, is held by one process,
//       and gives no value twice as long as nobody puts back an old copy.
//
// How good it is, is how far from the disk: a quoin-se that keeps its store on the same disk is put
// back together with it; one that seals to a TPM is still a file. Only `hardware` is outside for
// sure.
//
// Errors: as host/keys/security_provider.hpp has them. Threads: one owner.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/error.hpp"
#include "host/keys/security_provider.hpp"

namespace quoin::counters {

inline constexpr std::size_t max_store_name_size = keys::max_name_size - 11;  // .generation

enum class Strength : std::uint8_t {
    none,              // a restored disk is not noticed
    separate_process,  // noticed, unless that process's own files were put back as well
    hardware,          // noticed
};
// "none: a restored disk is NOT noticed", for people to read.
std::string_view strength_text(Strength strength);

class Anchor {
public:
    Anchor() = default;
    Anchor(const Anchor&) = delete;
    Anchor& operator=(const Anchor&) = delete;
    virtual ~Anchor() = default;

    virtual std::string uri() const = 0;  // stands in the file
    virtual Strength strength() const = 0;

    // Makes the counters; the generation. input_conflict: they are there.
    virtual Result<std::uint64_t> create() = 0;
    // input_not_found: there are no such counters.
    virtual Result<std::uint64_t> claims() = 0;
    virtual Result<std::uint64_t> generation() = 0;
    // The new value, which nobody else was given.
    virtual Result<std::uint64_t> claim() = 0;
    virtual Result<std::uint64_t> increment() = 0;
};

// Of the store `name` ([A-Za-z0-9_.-], at most max_store_name_size) in `provider`, which is at
// `uri`. input_unsupported if it does not count.
Result<std::unique_ptr<Anchor>> make_anchor(std::unique_ptr<keys::SecurityProvider> provider,
                                            std::string_view uri, std::string_view name);

}  // namespace quoin::counters
