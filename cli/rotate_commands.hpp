// A new issuing CA under the same root.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/context.hpp"

namespace quoin::cli {

void add_rotate_issuing(CLI::App* pki, Context& context);

// The plant's side of it, with a root on a machine of its own: of `quoin pki issuing`.
bool has_pki(const Context& context);
Result<void> request_rotation(const Context& context);
// Where the request is, and its digest for the root's machine.
Result<void> tell_request(const Context& context, const std::filesystem::path& file);
std::shared_ptr<bool> add_devices_now(CLI::App* command);
Result<void> install_rotation(const Context& context, const std::string& certificate,
                              bool devices_now);

}  // namespace quoin::cli
