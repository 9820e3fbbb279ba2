// A release manifest: reference values as an operator uploads them (docs/spec/plant.md, "Release
// manifest").
//
// Limits: 1 MiB, 4096 measurements. Errors: input_invalid, naming entry and field. Threads: pure
// function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"

namespace quoin::verifier {

inline constexpr std::size_t max_manifest_size = 1 << 20;
inline constexpr std::size_t max_manifest_measurements = 4096;

struct Reference {
    std::string device;  // empty: every device of the class
    std::string name;
    std::string sha3_512;  // lower-case hex
};
struct Manifest {
    std::string release;
    std::string device_class;
    std::vector<Reference> measurements;
};

Result<Manifest> parse_manifest(std::string_view json);

}  // namespace quoin::verifier
