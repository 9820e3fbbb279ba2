// A new issuing CA in the place of the present one, under the same root. Why so:
// docs/decisions/0015-rotation.md.
//
//   request_rotation   HOME/pki-request: the new key, issuing.csr
//   (the root)         issuing.crt
//   install_rotation   by one rename (switching.hpp): pki/issuing.*, and services/ by it; the one
//                      before is in pki/earlier/SERIAL, to revoke, not to issue
//   retire_issuing     its key is destroyed, when no certificate of it is valid any more (quoind)
//
// After a crash the same act succeeds, with the key and the certificate that are there. Threads:
// one at a time in a home (a lock says so).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "server/pki/switching.hpp"

namespace quoin::server {

// In pki/: a folder each for the issuing CAs before the present one, by serial, with issuing.crt,
// issuing.key, and `renew_now` if devices are to leave it soon.
inline constexpr const char* earlier_name = "earlier";
inline constexpr const char* renew_now_name = "renew_now";

// Returns issuing.csr, for `quoin pki root sign`. input_conflict: the plant migrates.
Result<std::filesystem::path> request_rotation(const std::filesystem::path& home,
                                               const KeyNotices& notices = {},
                                               const OnStep& on_step = {});
struct RotationInstall {
    std::filesystem::path home;
    std::filesystem::path certificate;  // the root's answer; again, when it is installed: nothing
    bool devices_now = false;           // devices renew soon, not when their time comes
};
Result<void> install_rotation(const RotationInstall& request, const KeyNotices& notices = {},
                              const OnStep& on_step = {});

struct RotationRequest {
    std::filesystem::path home;
    std::filesystem::path root_key = {};  // empty: HOME/pki/root.key
    bool devices_now = false;
    std::vector<std::string> witnesses = {};
};
// All of it at once, with the root's key at hand.
Result<void> rotate_issuing(const RotationRequest& request, const crypto::Passphrase& root,
                            const KeyNotices& notices = {}, const OnStep& on_step = {});

// Destroys the key of an earlier one. False: it is in a store that cannot be reached now.
Result<bool> retire_issuing(const std::filesystem::path& home, const std::string& serial,
                            const KeyNotices& notices = {});

}  // namespace quoin::server
