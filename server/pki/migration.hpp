// Migration of a running plant to a stronger suite: the acts on disk. Why so:
// docs/decisions/0013-migration.md.
//
//            begin              finish                    settle
//   plant ----------> HOME/next --------> HOME/.switching --------> plant of the new suite
//     ^                   |
//     +------ abort ------+
//
// HOME/next is a whole second hierarchy: pki/, services/, operator/ as in the home, and
//   pki/new-with-old.crt     its root's key, certified by the present root (RFC 4210, section 4.4):
//                            by it devices come to trust the new root
//   pki/former/SHA256.crt    a root that the plant had, and that key certified by the root after
//   it:
//                            by it what was signed in the old hierarchy can still be verified
//
// begin, finish and abort take effect by the rename of one folder; behind that of finish comes
// switching.hpp. After a crash the same act succeeds.
// Threads: one at a time in a home (a lock says so).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "host/crypto/crypto.hpp"
#include "host/tls/policy.hpp"
#include "host/x509/certificate.hpp"
#include "server/pki/ceremony.hpp"
#include "server/pki/profile.hpp"
#include "server/pki/switching.hpp"

namespace quoin::server {

struct MigrationRequest {
    std::filesystem::path home;
    tls::Suite to;                        // stronger than the present one; else input_invalid
    std::filesystem::path root_key = {};  // the present root's; empty: HOME/pki/root.key
};

// Makes HOME/next, with the names and operators of the present certificates. One that is there and
// of this suite is left as it is; one of another suite is input_conflict.
Result<void> begin_migration(const MigrationRequest& request,
                             const crypto::Passphrase& present_root,
                             const crypto::Passphrase& next_root, const KeyNotices& notices = {},
                             const OnStep& on_step = {});
// The new hierarchy becomes the plant's only one: also in quoin.toml's overlay conf.d/90-suite.toml
// and, for its broker's port, conf.d/91-ports.toml. Whether all devices have moved is the caller's
// to ask. input_not_found: there is no migration.
Result<void> finish_migration(const std::filesystem::path& home, const KeyNotices& notices = {},
                              const OnStep& on_step = {});
// Puts HOME/next aside, and removes it when `confirm` agrees; its error puts it back, and is
// returned. Devices that have moved would be lost: that none has is the caller's to ask, then, when
// none can move any more.
Result<void> abort_migration(const std::filesystem::path& home,
                             const std::function<Result<void>()>& confirm = {},
                             const KeyNotices& notices = {}, const OnStep& on_step = {});

struct Migration {
    PkiProfile profile;
    std::filesystem::path folder;  // HOME/next
    x509::Certificate root;
    x509::Certificate issuing;
    x509::Certificate new_with_old;
};
// None: the plant has one hierarchy, or is being settled.
Result<std::optional<Migration>> pending_migration(const std::filesystem::path& home);

}  // namespace quoin::server
