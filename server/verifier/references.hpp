// Reference values: what the measurements of a firmware release must be (docs/spec/plant.md,
// "Release manifest").
//
// Errors: those of parse_manifest; input_conflict when a value contradicts one that is there: the
// values of a release never change. Threads: any; each call is one transaction.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"
#include "host/store/database.hpp"
#include "server/verifier/manifest.hpp"

namespace quoin::verifier {

// All or nothing. Returns how many values are new; the same manifest again adds none.
Result<std::size_t> import_release(store::Database& database, std::string_view json);

// For one device: the class's values, with the device's own in place of those of the same name.
std::map<std::string, std::string, std::less<>> load_references(soci::session& session,
                                                                const std::string& release,
                                                                const std::string& device_class,
                                                                const std::string& device);

}  // namespace quoin::verifier
