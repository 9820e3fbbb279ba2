// Which user a plant runs as.
//
// Started by an ordinary user: that user. Started as root: the system user `quoin`, for everything
// that follows (state, broker, quoind, agents). In a user namespace that maps only one uid there is
// nobody else to be: root of the namespace is that ordinary user. Secure elements run as a user of
// their own, `quoin-se`, when there is somebody else to be.
// Threads: call before the first thread is made.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "host/error.hpp"

namespace quoin::cli {

struct Account {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name = {};
    bool change = false;  // we are root and must become it
};

// A missing user `quoin` is config_missing, with the command that makes it.
Result<Account> plant_account();
// Of secure elements and what seals their keys: the system user `quoin-se`, missing as above, where
// the plant's is `quoin`; else the plant's own.
Result<Account> element_account(const Account& plant);

// Makes HOME (0700, owned by the account) if it is not there. A folder with content that belongs to
// somebody else, or that the account cannot reach, is refused and left as it is. A plant that root
// made (`quoin pki init` as root) is given to the account.
Result<void> prepare_home(const Account& account, const std::filesystem::path& home);

// Who owns HOME: root that works on a plant's files becomes that user first, or it would leave
// files there that the plant cannot read. A home that is not there yet, or is root's own: nothing
// to change.
Result<Account> owner_of(const std::filesystem::path& home);

// For good: groups, gid, uid, and no new privileges.
Result<void> become(const Account& account);

}  // namespace quoin::cli
