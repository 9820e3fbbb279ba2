// Roots that a plant had before it migrated (server/pki/migration.hpp): PKI/former/SHA256.crt, the
// root and its key certified by the root after it (certify_former, cross.hpp).
//
// Threads: free functions.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "host/x509/certificate.hpp"

namespace quoin::x509 {

inline constexpr const char* former_roots_name = "former";

// `anchors`, and those former roots whose key is certified by a chain of later roots up to one of
// the anchors. For what was signed in its time, never for who may connect now. `pki`: the folder
// that has `former`; without one: the anchors alone.
Result<std::vector<Certificate>> with_former_roots(const std::filesystem::path& pki,
                                                   std::span<const Certificate> anchors);

}  // namespace quoin::x509
