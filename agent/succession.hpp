// Whether a device follows its plant to another suite, and how it comes to trust the new root.
//
//   pinned root --certifies--> NewWithOld --same key--> new root     (RFC 4210, section 4.4)
//
// The plant's word is not enough for either: a suite must be stronger than the device's, and the
// new root must be certified by the root that the device has pinned. Threads: free functions.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"

namespace quoin::agent {

// The suite that `offered` names, if it is stronger than `present`. A weaker one, the same or an
// unknown one: peer_forbidden, for the log.
Result<tls::Suite> stronger_suite(tls::Suite present, std::string_view offered);

// Of what `cacerts` gave: the one root whose key is certified by one of `pinned`, and is
// post-quantum. None, or more than one: peer_unauthenticated.
Result<x509::Certificate> find_successor(std::span<const x509::Certificate> offered,
                                         std::span<const x509::Certificate> pinned);

}  // namespace quoin::agent
