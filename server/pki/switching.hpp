// Folders of a home exchanged for others, as a whole: the end of a migration and of a rotation.
//
//   HOME/.next-XXXX --switch_to()--> HOME/.switching --settle--> HOME; the old: HOME/.retired-XXXX
//
// It takes effect by the rename of one folder. Behind that, settle exchanges the folders that are
// marked, one after the other; quoind, `quoin up` and every act on a PKI settle first, so that
// nobody works with one half of each. After a crash whoever comes next does the rest.
// Threads: one at a time in a home (its lock).
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "server/pki/ceremony.hpp"

namespace quoin::server {

// Each step, before it is done: for people, and for tests that end the process there.
using OnStep = std::function<void(std::string_view step)>;
void tell(const OnStep& on_step, std::string_view step);

// What is in the making, or was given up.
inline constexpr std::string_view staging_prefix = ".next-";

Result<std::filesystem::path> new_name(const std::filesystem::path& home, std::string_view prefix);
// The entries of a folder that begin so; none if the folder is not there.
Result<std::vector<std::filesystem::path>> entries(const std::filesystem::path& folder,
                                                   std::string_view prefix);
// A rename that is durable.
Result<void> move_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// Two folders, in one step, durably.
Result<void> exchange(const std::filesystem::path& one, const std::filesystem::path& other);

// STAGED/FOLDER (services, operator or pki) is to take the place of HOME/FOLDER.
Result<void> mark(const std::filesystem::path& folder);
// Of a manufacturer that was trusted since.
Result<void> copy_makers(const std::filesystem::path& from, const std::filesystem::path& to);
// Files that settle lays into HOME/conf.d, if they are in `staged`.
inline constexpr const char* suite_overlay = "suite.toml";
inline constexpr const char* ports_overlay = "ports.toml";
// Under the home's lock.
Result<void> switch_to(const std::filesystem::path& staged, const std::filesystem::path& home,
                       const OnStep& on_step);
Result<bool> settle_locked(const std::filesystem::path& home, const OnStep& on_step);

// Does to its end what a finish or a rotation has begun; true if there was something to do. Quick
// if not.
Result<bool> settle_home(const std::filesystem::path& home, const OnStep& on_step = {});
// It has begun, and is not at its end.
bool is_settling(const std::filesystem::path& home);
// What was staged and given up, and what was replaced, which nothing may run on any more: folders,
// and the keys in a store of hierarchies that are not the plant's.
Result<void> remove_staged(const std::filesystem::path& home, const KeyNotices& notices);
Result<void> remove_retired(const std::filesystem::path& home, const KeyNotices& notices = {});

}  // namespace quoin::server
