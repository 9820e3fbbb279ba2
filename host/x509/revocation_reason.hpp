// Why a certificate was revoked: the CRLReasons of RFC 5280, section 5.3.1, by name.
//
// Without certificateHold and removeFromCRL (a revocation here is for good) and aACompromise (there
// are no attribute certificates). Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quoin::x509 {

enum class Reason : std::uint8_t {  // the values are those of the RFC
    unspecified = 0,
    key_compromise = 1,
    ca_compromise = 2,
    affiliation_changed = 3,
    superseded = 4,
    cessation_of_operation = 5,
    privilege_withdrawn = 9,
};

inline constexpr std::array reasons{Reason::unspecified,        Reason::key_compromise,
                                    Reason::ca_compromise,      Reason::affiliation_changed,
                                    Reason::superseded,         Reason::cessation_of_operation,
                                    Reason::privilege_withdrawn};

std::string_view reason_name(Reason reason);  // "key_compromise"
std::optional<Reason> reason_by_name(std::string_view name);
std::optional<Reason> reason_by_number(std::uint64_t number);

}  // namespace quoin::x509
