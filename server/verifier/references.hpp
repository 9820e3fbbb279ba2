// Reference values: what the measurements of a firmware release must be (docs/spec/plant.md,
// "Release manifest").
//
// Limits: a manifest of 1 MiB and 4096 measurements. Errors: input_invalid, naming entry and field;
// input_conflict when a value contradicts one that is there: the values of a release never change.
// Threads: parse_manifest is pure; the others are one transaction each.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/store/database.hpp"

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
// All or nothing. Returns how many values are new; the same manifest again adds none.
Result<std::size_t> import_release(store::Database& database, std::string_view json);

// For one device: the class's values, with the device's own in place of those of the same name.
std::map<std::string, std::string, std::less<>> load_references(soci::session& session,
                                                                const std::string& release,
                                                                const std::string& device_class,
                                                                const std::string& device);

}  // namespace quoin::verifier
